"""Rows of delimited text, whatever separates its values and ends its lines."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import CatalogueError
from antiphon.spelling import visible

_DELIMITERS = (",", ";", "\t", "|")
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_STATED = re.compile(r'"?sep=(.)"?\s*')
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_DELIMITED = re.compile(r"[,;\t|]")
_BETWEEN = "".join(_DELIMITERS) + "\ufeff \r\n"
_CLOSED_EARLY = "expected after"  # In the reader's words: a quote closes a value that goes on.
_MAX_SHOWN = 120
_MAX_HEADER = 65_536


@dataclass(frozen=True)
class Record:
    """Values of one row: its number, with empty rows counted and the header as 0, and its text as it stands there."""

    number: int
    values: list[str]
    text: str


@dataclass(frozen=True)
class Delimited:
    """Header and rows of a table; empty rows are not listed.

    Attributes
    ----------
    header : list of str
        First line that is not empty.
    records : list of Record
        The rows below it.
    """

    header: list[str]
    records: list[Record]


def split_rows(text: str, path: Path) -> Delimited:
    """Split delimited text into rows.

    Commas, semicolons, tabs and vertical bars are told apart by the header; Excel's line `sep=;` states what it is.

    Parameters
    ----------
    text : str
        The text.
    path : Path
        The file, for messages.

    Returns
    -------
    Delimited
        Header and rows.

    Raises
    ------
    CatalogueError
        The text is empty, a quote is not closed, a value is too long, or rows are separated otherwise than the header.
    """
    lines = list(io.StringIO(text, newline=""))
    start, stated = header_line(lines)
    delimiter = stated or ("" if start is None else delimiter_of(lines[start]))
    records = [] if start is None else list(_records(lines, start, delimiter, path))
    if start is None or not records:
        below = " below its first line" if stated else ""
        raise CatalogueError(f"{path}: is empty{below}. It needs a header and at least one row.")
    quoted = lines[start].startswith('"') and all(len(each.values) == 1 for each in records)
    if quoted and _DELIMITED.search(records[0].values[0]):
        return split_rows(_unquoted(records), path)
    _refuse_two_delimiters(records, delimiter, path)
    return Delimited(records[0].values, records[1:])


def header_line(lines: Sequence[str]) -> tuple[int | None, str]:
    """Find the first line with a value, and the delimiter that Excel's line above it may state.

    Parameters
    ----------
    lines : sequence of str
        Lines of a table.

    Returns
    -------
    line : int or None
        Number of the line, from 0; None if there is none.
    delimiter : str
        What is stated; "" if nothing.

    Examples
    --------
    >>> header_line(["sep=;", "", "id;artist"])
    (2, ';')
    """
    delimiter = ""
    for number, line in enumerate(lines):
        stated = _STATED.fullmatch(line.lstrip("\ufeff"))
        if stated:
            delimiter = stated[1]
        elif visible(line.strip(_BETWEEN)):
            return number, delimiter
    return None, delimiter


def delimiter_of(header: str) -> str:
    """Return what separates the names of a header: what makes the most of them, in doubt a comma.

    Parameters
    ----------
    header : str
        First line of a table.

    Returns
    -------
    str
        The delimiter.

    Examples
    --------
    >>> delimiter_of("id;artist;tags, moods")
    ';'
    """
    return max(_DELIMITERS, key=lambda delimiter: len(_cells(header, delimiter)))


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line[:_MAX_HEADER]], delimiter=delimiter), [])


def names_in(line: str) -> list[str]:
    """Return the values of a line as if it were a header.

    Examples
    --------
    >>> names_in('id;"artist"')
    ['id', 'artist']
    """
    return _cells(line, delimiter_of(line))


def _unquoted(records: Sequence[Record]) -> str:
    """Return the text of a table whose lines some programme quoted whole, each in its place."""
    lines = [""] * (records[-1].number + 1)
    for record in records:
        lines[record.number] = record.values[0]
    return "\n".join(lines)


def _records(lines: Sequence[str], start: int, delimiter: str, path: Path) -> Iterator[Record]:
    number, header_seen = 0, False
    for first, last, values in _rows(lines, start, delimiter):
        if isinstance(values, csv.Error):
            raise CatalogueError(f"{path}, row {number}: {_reason(values)}: {_shown(lines[first])}") from values
        cells = [_unwrapped(value) for value in values]
        if any(map(visible, cells)):
            yield Record(number, cells, _shown("".join(lines[first:last])))
            header_seen = True
        number += header_seen


def _rows(lines: Sequence[str], start: int, delimiter: str) -> Iterator[tuple[int, int, list[str] | csv.Error]]:
    """Yield the first line of each row, the line behind its last, and its values, or why it has none."""
    first = start
    reader = csv.reader(_from(lines, start), delimiter=delimiter, strict=True)
    while first < len(lines):
        try:
            values = next(reader, None)
        except csv.Error as error:
            early = _CLOSED_EARLY in str(error)
            mended = _with_inner_quotes(lines[first].rstrip("\r\n"), delimiter) if early else None
            if mended is None:
                yield first, first + 1, error
                return
            yield first, first + 1, mended
            start = first = first + 1
            reader = csv.reader(_from(lines, start), delimiter=delimiter, strict=True)
            continue
        if values is None:
            return
        yield first, start + reader.line_num, values
        first = start + reader.line_num


def _from(lines: Sequence[str], start: int) -> Iterator[str]:
    """Go through lines from one on, without a copy of them."""
    return map(lines.__getitem__, range(start, len(lines)))


def _with_inner_quotes(line: str, delimiter: str) -> list[str] | None:
    """Split a line whose quotes inside of quoted values are not doubled, as in 1,"Toys "R" Us"; None for others."""
    mark = re.escape(delimiter)
    quoted, plain = rf'"((?:[^"]|"(?!{mark}|$))*)"', rf'((?!")[^{mark}]*)'
    if not re.fullmatch(rf"(?:{quoted}|{plain})(?:{mark}(?:{quoted}|{plain}))*", line):
        return None
    found = re.findall(rf"(?:^|{mark})(?:{quoted}|{plain})(?={mark}|$)", line)
    return [first.replace('""', '"') or second for first, second in found]


def _reason(error: csv.Error) -> str:
    if "field larger" in str(error):
        return "a value is longer than 131,072 characters; is a quote never closed?"
    if _CLOSED_EARLY in str(error):
        return 'text follows a closing quote; a quote inside a quoted value is written twice ("")'
    return "a quote is opened and never closed"


def _unwrapped(value: str) -> str:
    """Take Excel's wrapper off a value that is to stay text: ="0012"."""
    wrapped = _AS_TEXT.fullmatch(value)
    return wrapped[1] if wrapped else value


def _shown(text: str) -> str:
    plain = text.strip("\r\n")
    return repr(plain if len(plain) <= _MAX_SHOWN else f"{plain[:_MAX_SHOWN]}…")


def _refuse_two_delimiters(records: Sequence[Record], delimiter: str, path: Path) -> None:
    """Refuse rows that are separated otherwise than the header: each would be one value."""
    header, rows = records[0], records[1:]
    by = _WORDS.get(delimiter, delimiter)
    whole = [row for row in rows if len(row.values) == 1 and len(header.values) > 1]
    for other in _DELIMITERS if whole else ():
        if len(whole) == len(rows) and all(row.values[0].count(other) >= len(header.values) - 1 for row in rows):
            raise CatalogueError(
                f"{path}: its header is separated by {by}, its rows by {_WORDS[other]}: {rows[0].text}. Separate both "
                "alike."
            )
        # A name may hold one comma, but seldom as many as there are columns.
        fitting = (row for row in whole if row.values[0].count(other) == len(header.values) - 1 > 1)
        for row in fitting:
            raise CatalogueError(
                f"{path}, row {row.number}: is separated by {_WORDS[other]}, the header by {by}: {row.text}. Separate "
                "both alike."
            )
