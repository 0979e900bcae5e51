"""Rows of Parquet tables, whatever types their writer gave the columns."""

import datetime
import decimal
import math
from pathlib import Path
from typing import Any

from antiphon.errors import CatalogueError

_MARK = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Return whether a file starts as Parquet does.

    Raises
    ------
    CatalogueError
        The file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(_MARK)) == _MARK
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be opened: {error.strerror}.") from error


def read_parquet(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Read the columns and rows of a Parquet table as plain values.

    Dictionaries and categories are text; NaN and NaT are None; decimals are numbers.

    Parameters
    ----------
    path : Path
        The table.

    Returns
    -------
    header : list of str
        Names of the columns.
    rows : list of list
        Values by row.

    Raises
    ------
    CatalogueError
        The file is not Parquet, or damaged.
    """
    import polars as pl

    if not is_parquet(path):
        with path.open("rb") as file:
            start = file.read(40).split(b"\n")[0]
        raise CatalogueError(
            f"{path}: cannot be read as Parquet: it starts with {start!r}, as no Parquet file does. If it is CSV, let "
            "its name end in .csv."
        )
    try:
        frame = pl.read_parquet(path, glob=False)
        rows = [[_plain(value) for value in row] for row in frame.iter_rows()]
    except pl.exceptions.DuplicateError as error:
        raise CatalogueError(f"{path}: two of its columns have one name. Rename one of them.") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError) as error:
        raise CatalogueError(
            f"{path}: cannot be read as Parquet: it is cut short or damaged, or has columns of an unknown kind. Write "
            "it again."
        ) from error
    return frame.columns, rows


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _plain(value: Any) -> Any:
    """Return a value without the types that only Parquet and its writers have."""
    match value:
        case float():
            plain = None if math.isnan(value) else value
        case decimal.Decimal():
            plain = float(value)
        case datetime.timedelta():
            plain = value.total_seconds()
        case bytes():
            plain = _text(value)
        case list():
            plain = [_plain(each) for each in value]
        case dict():
            plain = {key: _plain(each) for key, each in value.items()}
        case _:
            plain = value
    return plain
