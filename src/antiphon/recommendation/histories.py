"""Columns of tables of interactions, which may have millions of rows: read as streams where that is possible."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs

from antiphon.errors import CatalogueError
from antiphon.spelling import edits
from antiphon.spreadsheets import read_spreadsheet
from antiphon.spreadsheets.delimited import delimiter_of
from antiphon.spreadsheets.headers import folded
from antiphon.spreadsheets.parquet import is_parquet

_NAMES = {
    "user_id": ("user_id", "user", "userid", "member_id", "listener_id", "viewer_id"),
    "video_id": ("video_id", "video", "videoid", "item_id", "item", "track_id", "id"),
    "time": ("timestamp", "time", "date", "datetime", "created_at"),
    "weight": ("weight", "plays", "play_count", "count"),
    "liked": ("liked", "like", "is_liked"),
}
_NEEDED = ("user_id", "video_id")
_HEAD_BYTES = 65_536
_ROW = "\0row"
_NAMELESS = re.compile(r"\s*|_duplicated_\d+")  # The latter is what polars calls further columns without a name.


def read_history(path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read the columns of a table of interactions as text, under our names.

    Text in UTF-8 is read as a stream; other encodings, and what a stream cannot read, row by row.

    Parameters
    ----------
    path : Path
        CSV or Parquet table.

    Returns
    -------
    table : DataFrame
        Columns row (its number below the header), user_id, video_id and, where they are there, time, weight and liked;
        without empty rows.
    ignored : tuple of str
        Columns that mean nothing here.

    Raises
    ------
    CatalogueError
        The file is missing, is no table, lacks a column, or has one that seems to be misspelt.
    """
    if not path.is_file():
        raise CatalogueError(
            f"{path}: no such file. Name a CSV or Parquet table with the columns user_id and video_id."
        )
    if is_parquet(path) or path.suffix.lower() in {".parquet", ".pq"}:
        if not is_parquet(path):
            raise CatalogueError(f"{path}: not a readable table of interactions: it is no Parquet file.")
        return _collected(path, pl.scan_parquet(path, glob=False))
    stream = _stream(path)
    try:
        if stream is not None:
            return _collected(path, stream)
    except CatalogueError as error:
        if not isinstance(error.__cause__, pl.exceptions.PolarsError):
            raise
    return _collected(path, _by_row(path))


def _stream(path: Path) -> pl.LazyFrame | None:
    """Return the rows of a plain text in UTF-8 as a stream; None if it is anything else."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    lines = head.split(b"\n")
    start = next((number for number, line in enumerate(lines) if line.strip(b"\xef\xbb\xbf \t\r,;|")), None)
    if (
        start is None
        or b"\0" in head
        or b"\r" in head.replace(b"\r\n", b"")
        or lines[start].removeprefix(b"\xef\xbb\xbf").startswith(b"sep=")
    ):
        return None
    try:
        header = lines[start].decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return pl.scan_csv(path, infer_schema=False, separator=delimiter_of(header), skip_lines=start, glob=False)


def _by_row(path: Path) -> pl.LazyFrame:
    try:
        table = read_spreadsheet(path, (), {})
    except CatalogueError as error:
        raise CatalogueError(f"{path}: not a readable table of interactions ({error}).") from error
    schema = {_ROW: pl.UInt32} | dict.fromkeys(table.columns, pl.String)
    return pl.LazyFrame([{_ROW: row.number} | row.values for row in table.rows], schema)


def _collected(path: Path, rows: pl.LazyFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    try:
        found = [name for name in rows.collect_schema().names() if name != _ROW]
        rows = rows if _ROW in rows.collect_schema() else rows.with_row_index(_ROW, offset=1)
        names = _columns(path, found)
        zoned = cs.datetime(time_zone="*")
        table = (
            rows.select(_ROW, *names.values())
            .filter(pl.col(names["user_id"]).is_not_null() | pl.col(names["video_id"]).is_not_null())
            .with_columns(
                zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None),
                cs.float().map_batches(_whole_as_such, return_dtype=pl.String),
            )
            .select(
                pl.col(_ROW).alias("row"),
                *(pl.col(theirs).cast(pl.String).alias(ours) for ours, theirs in names.items()),
            )
            .collect(engine="streaming")
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise CatalogueError(f"{path}: not a readable table of interactions: it is damaged.") from error
    used = set(names.values())
    return table, tuple(name for name in found if not _NAMELESS.fullmatch(name) and name not in used)


def _whole_as_such(numbers: pl.Series) -> pl.Series:
    """Write whole numbers without a point: programmes make numbers with gaps floating ones."""
    numbers = numbers.fill_nan(None)
    whole = numbers.cast(pl.Int64, strict=False)
    return whole.cast(pl.String).zip_with((whole == numbers).fill_null(value=False), numbers.cast(pl.String))


def _columns(path: Path, found: Sequence[str]) -> dict[str, str]:
    """Return the columns found, by our names."""
    by_letters = {folded(name): name for name in reversed(found)}
    names: dict[str, str] = {}
    for ours, theirs in _NAMES.items():
        named = [by_letters[folded(name)] for name in theirs if folded(name) in by_letters]
        if named:
            names[ours] = named[0]
    _ask(path, found, names)
    for needed in _NEEDED:
        if needed not in names:
            raise CatalogueError(
                f"{path}: no column {needed} (nor {', '.join(_NAMES[needed][1:])}). "
                f"Its columns are: {', '.join(found)}."
            )
    return names


def _ask(path: Path, found: Sequence[str], names: Mapping[str, str]) -> None:
    """Ask about columns that seem to be one that is missing."""
    for ours in set(_NAMES) - set(names):
        for name in found:
            near = [word for word in _NAMES[ours] if len(word) > 4 and edits(folded(name), folded(word)) == 1]
            if near and name not in names.values():
                raise CatalogueError(f"{path}: column '{name}': did you mean {near[0]}? Rename it to that.")
