"""The hook of mkdocs: pages made from the code, pages that lie elsewhere in the repository, and links between them."""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import citation_page
import command_page
import formula_picture
import glossary_page
import notebook_pages
import numbers_page
import python_page
import recipe_page
import rest_page
import table_page
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
MADE: dict[str, Callable[[Path], str]] = {
    "published_formula.svg": lambda _: formula_picture.picture(),
    "reference/python.md": python_page.written,
    "reference/cli.md": command_page.written,
    "reference/rest.md": rest_page.written,
    "reference/recipes.md": recipe_page.written,
    "reference/tables.md": table_page.written,
    "results/README.md": numbers_page.written,
    "glossary.md": glossary_page.written,
    "citation.md": citation_page.written,
}
ELSEWHERE = {
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
_LINK = re.compile(r"(?<=\]\()(?![a-z][a-z0-9+.-]*:|#|/)([^)\s#]+)(?=[)#])")


def on_config(config: Any) -> Any:
    """List the how-tos that the navigation does not name."""
    listed = str(config.nav)
    how_to = next(part["How-to"] for part in config.nav if "How-to" in part)
    for path in sorted((ROOT / "docs" / "how-to").glob("*.md")):
        if f"how-to/{path.name}" not in listed:
            how_to.append(f"how-to/{path.name}")
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add what lies outside of docs/, and what is generated."""
    for source, target in ELSEWHERE.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    for path in sorted((ROOT / "results").rglob("*")):
        if path.is_file():
            target = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, target, abs_src_path=str(path)))
    for target, written in MADE.items():
        files.append(File.generated(config, target, content=written(ROOT)))
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        name = f"notebooks/{path.name}.md"
        files.append(File.generated(config, name, content=notebook_pages.written(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    here = page.file.src_uri
    origin = next((source for source, target in ELSEWHERE.items() if target == here), "")
    origin = origin or (here if here.startswith("results/") else f"docs/{here}")

    def linked(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), match[1]))
        target = in_site(path)
        return posixpath.relpath(target, posixpath.dirname(here) or ".") if files.src_uris.get(target) else match[0]

    return _LINK.sub(linked, markdown)


def in_site(path: str) -> str:
    """Name the page of the site that a file or folder of the repository is."""
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    if (ROOT / path).is_dir():
        path = posixpath.join(path, "README.md")
    return path.removeprefix("docs/")
