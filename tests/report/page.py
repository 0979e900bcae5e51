"""A page as a browser would take it apart."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_VOID = {"meta", "img", "br", "link", "input", "hr", "base"}


@dataclass
class Node:
    """An element with its attributes, children, and the text directly in it and below."""

    name: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    pieces: list["str | Node"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, with single spaces."""
        return " ".join("".join(p if isinstance(p, str) else f" {p.text} " for p in self.pieces).split())

    def all(self, name: str | None = None, **attributes: str) -> list["Node"]:
        """Elements below with this name and these attributes; `class_` asks for one class of several."""
        found: list[Node] = []
        for child in self.children:
            if name in (None, child.name) and all(_has(child, key, value) for key, value in attributes.items()):
                found.append(child)
            found += child.all(name, **attributes)
        return found

    def one(self, name: str | None = None, **attributes: str) -> "Node":
        """The only such element."""
        found = self.all(name, **attributes)
        assert len(found) == 1, f"{len(found)} elements {name} {attributes}"
        return found[0]


def _has(node: Node, key: str, value: str) -> bool:
    if key == "class_":
        return value in node.attributes.get("class", "").split()
    return node.attributes.get(key) == value


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {key: value or "" for key, value in attrs})
        self.open[-1].children.append(node)
        self.open[-1].pieces.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.open[-1].pieces.append(data)


def read_page(path: Path) -> Node:
    """Parse a page; every element must be closed in order."""
    parser = _Parser()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == [parser.root]
    return parser.root


def media_of(page: Node) -> dict[str, dict[str, Any]]:
    """The previews that the page carries."""
    return json.loads(page.one("script", id="media").text)
