"""Where the values of a catalogue come from, as far as that decides which of two wins.

A table, or a person's correction, wins over the tags in a file. The column `value_sources` lists what follows the file:
"file:artist" is an artist that the file's own tags name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_FILE = "file:"


def from_file(row: Mapping[str, Any]) -> set[str]:
    """Return the columns of a row whose values were read from the file's own tags."""
    return {name.removeprefix(_FILE) for name in row.get("value_sources") or () if name.startswith(_FILE)}


def set_from_file(row: dict[str, Any], columns: Iterable[str]) -> None:
    """Note that these columns of a row, and no others, were read from the file's own tags."""
    row["value_sources"] = [f"{_FILE}{name}" for name in sorted(columns)]


def is_unknown(row: Mapping[str, Any]) -> bool:
    """Return whether nothing is noted of a row, as in catalogues of earlier versions."""
    return row.get("value_sources") is None


def forget_file(row: dict[str, Any]) -> None:
    """Remove the values that were read from the file's own tags."""
    row.update(dict.fromkeys(from_file(row)))
    set_from_file(row, ())
