"""Rows of the tables that people write about their music videos."""

import warnings
from contextlib import suppress
from pathlib import Path

from antiphon.catalogue.column_words import ASKED
from antiphon.catalogue.dates import year_of
from antiphon.catalogue.validation import CatalogueRow, clean_record
from antiphon.errors import CatalogueError
from antiphon.plurals import counted
from antiphon.spreadsheets import Row, Spreadsheet, read_spreadsheet
from antiphon.tables import CATALOGUE

_NAMING = ("id", "path", "filename")
# Columns that other parts read: the release, for the year and for recommending by date, and whether Antiphon rendered a
# video.
_RELEASE = ("release_date", "released")
_FURTHER = (*_RELEASE, "date", "synthetic")
_MAX_NAMED = 10


def read_rows(path: Path) -> list[tuple[str, CatalogueRow]]:
    """Read the rows of a table with their places; rows that stand there twice are read once.

    Parameters
    ----------
    path : Path
        CSV or Parquet table; see `read_spreadsheet`.

    Returns
    -------
    list of (str, CatalogueRow)
        "songs.csv, row 3" and its values by column of the catalogue, for each row.

    Raises
    ------
    CatalogueError
        The table cannot be read, has no rows, names no files, or values do not fit their columns.
    """
    table = read_spreadsheet(path, [*CATALOGUE.names, "filename", *_FURTHER], ASKED)
    if not set(_NAMING) & set(table.columns):
        raise CatalogueError(
            f"{path}: needs a column id, path or filename; its columns are {', '.join(table.columns) or 'none'}."
        )
    if not table.rows:
        raise CatalogueError(f"{path}: has no rows. A catalogue needs at least one music video.")
    rows = _cleaned(table)
    once: dict[str, tuple[str, CatalogueRow]] = {}
    again: list[str] = []
    for where, row in rows:
        if once.setdefault(repr(sorted(row.items(), key=lambda item: item[0])), (where, row))[0] != where:
            again.append(where)
    if again:
        rows_repeat = counted(len(again), "row repeats", "rows repeat")
        warnings.warn(f"{path}: {rows_repeat} an earlier one; {again[0]} is the first.", stacklevel=4)
    return list(once.values())


def _cleaned(table: Spreadsheet) -> list[tuple[str, CatalogueRow]]:
    rows: list[tuple[str, CatalogueRow]] = []
    wrong: list[str] = []
    for row in table.rows:
        try:
            rows.append((row.where, _clean(row)))
        except CatalogueError as error:
            wrong.append(str(error))
    if wrong:
        more = [f"And {len(wrong) - _MAX_NAMED} more rows."] if len(wrong) > _MAX_NAMED else []
        raise CatalogueError("\n".join([*wrong[:_MAX_NAMED], *more]))
    return rows


def _clean(row: Row) -> CatalogueRow:
    found = clean_record(row.values, row.where, row.text)
    if found.get("year") is None and (year := _year_of_release(found)) is not None:
        return found | {"year": year}
    return found


def _year_of_release(row: CatalogueRow) -> int | None:
    """Return the year of the date in a further column; None where there is none that can be read."""
    for column in _RELEASE:
        with suppress(ValueError):
            if (year := year_of(row.get(column) or "")) is not None:
                return year
    return None


def unread_columns(columns: list[str]) -> list[str]:
    """Return the columns of a catalogue that are kept as they are, and that nothing reads.

    Parameters
    ----------
    columns : list of str
        Names of the columns.

    Returns
    -------
    list of str
        Names without a meaning.

    Examples
    --------
    >>> unread_columns(["id", "mood", "release_date"])
    ['mood']
    """
    return [name for name in columns if name not in {*CATALOGUE.names, *_FURTHER, "filename"}]
