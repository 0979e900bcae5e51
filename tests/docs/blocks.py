"""The code blocks of README and documentation.

A block has a language. What stands as `<!-- not run: reason -->` on the line before it is not run; the commands of
`antiphon` in it are still parsed.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = {"sh", "python", "toml", "text", "bibtex"}
_BLOCK = re.compile(r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\S*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A code block; `reason` says why it is not run, "" if it is."""

    language: str
    text: str
    reason: str

    @property
    def file(self) -> str:
        """Name of the file that it is the content of, which its first line says; or ""."""
        named = re.match(r"# (\w+\.(?:toml|py))\n", self.text)
        return named[1] if named else ""

    @property
    def lines(self) -> list[str]:
        """The commands of a shell block."""
        joined = re.sub(r"\\\n\s*", " ", self.text)
        return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    def commands(self) -> list[list[str]]:
        """Arguments of `antiphon`, of each line that calls it."""
        words = [shlex.split(line, comments=True) for line in self.lines]
        return [line[1:] for line in words if line[0] == "antiphon"]


def pages() -> list[Path]:
    """README and the pages in docs/, in the order in which they are run."""
    found = sorted(path for path in (ROOT / "docs").rglob("*.md") if "generate" not in path.parts)
    first = [ROOT / "docs" / "start.md", ROOT / "README.md"]
    return first + [path for path in found if path not in first]


def blocks(text: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [Block(found["language"], found["text"], found["reason"] or "") for found in _BLOCK.finditer(text)]
