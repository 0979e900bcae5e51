"""One reading of every table that people give: rows by column, with what each row is called in messages."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.errors import CatalogueError
from antiphon.spelling import visible
from antiphon.spreadsheets.delimited import Record, header_line, names_in, split_rows
from antiphon.spreadsheets.encoding import decode
from antiphon.spreadsheets.headers import Words, folded, named_columns
from antiphon.spreadsheets.parquet import is_parquet, read_parquet

_PARQUET = frozenset({".parquet", ".pq"})
_TEXT = frozenset({".csv", ".tsv", ".tab", ".txt"})
_WORKBOOKS = frozenset({".xls", ".xlsx", ".xlsm", ".ods", ".numbers"})
_UNDERLINE = re.compile(r":?-{2,}:?|={2,}")
_MAX_SHOWN = 120
_LOOKED_AT = 20


@dataclass(frozen=True)
class Row:
    """Values of a row by column, its number below the header, "songs.csv, row 3", and its text as it stands there."""

    values: dict[str, Any]
    number: int
    where: str
    text: str


@dataclass(frozen=True)
class Spreadsheet:
    """Columns and rows of a table that somebody wrote.

    Attributes
    ----------
    path : Path
        The table.
    columns : tuple of str
        Names of the columns; known ones as they are known.
    rows : tuple of Row
        Rows that are not empty.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def is_spreadsheet(path: Path) -> bool:
    """Return whether a file is a table by its ending; workbooks count, so that reading can say what to do.

    Examples
    --------
    >>> is_spreadsheet(Path("songs.TSV")), is_spreadsheet(Path("songs.mp4"))
    (True, False)
    """
    return path.suffix.lower() in _PARQUET | _TEXT | _WORKBOOKS


def read_spreadsheet(path: Path, known: Sequence[str], asked: Mapping[str, Words]) -> Spreadsheet:
    """Read a table: comma-, semicolon- or tab-separated text in any usual encoding, or Parquet.

    Empty rows, and those that repeat the header or underline it, are skipped, but count in the numbers of those below.
    Empty columns without a name are dropped.

    Parameters
    ----------
    path : Path
        The table.
    known : sequence of str
        Columns that mean something; case, spaces, hyphens and underscores make no difference.
    asked : mapping of str to Words
        Known columns that people may have written otherwise, which is asked about; see `named_columns`.

    Returns
    -------
    Spreadsheet
        The rows.

    Raises
    ------
    CatalogueError
        The file is missing, is no table, or a row has more values than there are columns.
    """
    if path.is_dir():
        raise CatalogueError(f"{path}: is a folder. Name a table (.csv, .tsv, .txt or .parquet).")
    if not path.is_file():
        raise CatalogueError(f"{path}: no such file.")
    if path.suffix.lower() in _PARQUET or is_parquet(path):
        header, rows = read_parquet(path)
        records = [(number, values, _joined(values)) for number, values in enumerate(rows, start=1)]
    else:
        header, records = _text_rows(path, known)
    names = named_columns(header, known, asked, str(path))
    _refuse_no_header(path, header, names, known)
    kept = _named(path, names, [values for _, values, _ in records])
    records = _without_headers(path, header, records)
    found = [
        Row({names[place]: _value(values, place) for place in kept}, number, f"{path}, row {number}", text)
        for number, values, text in records
        if any(value not in (None, "") for value in values) and not _is_underline(values)
    ]
    return Spreadsheet(path, tuple(names[place] for place in kept), tuple(found))


def _without_headers(
    path: Path, header: Sequence[str], records: Sequence[tuple[int, list[Any], str]]
) -> list[tuple[int, list[Any], str]]:
    """Leave out rows that are the header again, as in tables that were put one behind the other, with a warning."""
    meant = [folded(name) for name in header]
    again = [number for number, values, _ in records if [folded(str(value or "")) for value in values] == meant]
    if again:
        warnings.warn(f"{path}: row {again[0]} is the header again, and is left out.", stacklevel=3)
    return [record for record in records if record[0] not in again]


def _is_underline(values: Sequence[Any]) -> bool:
    """Return whether a row draws the line below a header, as in tables of Markdown and of terminals."""
    return all(value in (None, "") or _UNDERLINE.fullmatch(str(value)) for value in values)


def _text_rows(path: Path, known: Sequence[str]) -> tuple[list[str], list[tuple[int, list[Any], str]]]:
    try:
        decoded = decode(path.read_bytes(), path)
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be opened: {error.strerror}.") from error
    if decoded.assumed:
        warnings.warn(f"{path}: {decoded.assumed}", stacklevel=2)
    _refuse_title(path, decoded.text.splitlines()[:_LOOKED_AT], known)
    table = split_rows(decoded.text, path)
    records: list[tuple[int, list[Any], str]] = []
    for record in table.records:
        where = f"{path}, row {record.number}"
        records.append((record.number, _fitting(record, len(table.header), where), record.text))
    return table.header, records


def _refuse_title(path: Path, lines: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a table whose header has lines above it that name nothing."""
    letters = {folded(name) for name in known}
    meant = [len(letters & {folded(name) for name in names_in(line)}) for line in lines]
    first, _ = header_line(lines)
    if first is not None and not meant[first] and max(meant) > 1:
        raise CatalogueError(
            f"{path}: its header seems to be line {meant.index(max(meant)) + 1}. Remove the lines above it."
        )


def _fitting(record: Record, columns: int, where: str) -> list[Any]:
    """Return the values of a row, without the empty ones that Excel adds behind the last column."""
    surplus = [value for value in record.values[columns:] if visible(value)]
    if surplus:
        raise CatalogueError(
            f"{where}: has more values ({len(record.values)}) than there are columns ({columns}): {record.text}. Quote "
            "a value that holds the separator."
        )
    return [visible(value) or None for value in record.values[:columns]]


def _joined(values: Sequence[Any]) -> str:
    text = " | ".join("" if value is None else str(value) for value in values)
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def _value(values: Sequence[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _named(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """Return the places of columns with a name; warn where values stand in others."""
    kept = [place for place, name in enumerate(names) if name]
    for place in sorted(set(range(len(names))) - set(kept)):
        if any(_value(values, place) is not None for values in rows):
            warnings.warn(
                f"{path}: column {place + 1} has no name, and is ignored. Name it in the header.", stacklevel=3
            )
    return kept


def _refuse_no_header(path: Path, header: Sequence[str], names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a table whose first line names no known column and looks like data."""
    if not set(names) & set(known) and any("." in name or folded(name).isdecimal() for name in header):
        raise CatalogueError(
            f"{path}: its first line, {_joined(header)}, looks like a row. Write the names of the columns above it."
        )
