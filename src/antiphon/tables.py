"""Arrow schemas of the tables in which the stages meet, and reading and writing of tables.

Each stage reads tables and writes a table. Writes go to a temporary file in the same folder that is renamed into place,
so that readers see the old table or the new one, never a part of it.
"""

import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from antiphon.disk import writing
from antiphon.errors import FeatureStoreError
from antiphon.locks import held, is_free
from antiphon.parquet_files import open_table, read_parquet, sealed, unsealed
from antiphon.places import Address, Place, SharedTable
from antiphon.shared_tables import read_shared, shared_schema, write_object, write_shared

if TYPE_CHECKING:
    import polars as pl

CATALOGUE = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("path", pa.string()),  # null: features only, no media at hand
        pa.field("artist", pa.string()),
        pa.field("title", pa.string()),
        pa.field("genre", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("year", pa.int32()),
        pa.field("split", pa.string()),
        pa.field("start_s", pa.float64()),  # of the usable stretch, on the track's time line
        pa.field("duration_s", pa.float64()),
        pa.field("has_audio", pa.bool_()),
        pa.field("has_video", pa.bool_()),
        pa.field("audio_start_s", pa.float64()),  # extent of each side, on the track's time line
        pa.field("audio_end_s", pa.float64()),
        pa.field("video_start_s", pa.float64()),
        pa.field("video_end_s", pa.float64()),
        pa.field("size_bytes", pa.int64()),  # identity of the file when it was catalogued
        pa.field("modified_ns", pa.int64()),
        pa.field("content_hash", pa.string()),
        pa.field("value_sources", pa.list_(pa.string())),  # see `antiphon.catalogue.sources`
    ]
)

SEGMENTS = pa.schema(
    [
        pa.field("segment_id", pa.string(), nullable=False),
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("section", pa.int32(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("window_start_s", pa.float64(), nullable=False),
        pa.field("window_end_s", pa.float64(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
    ]
)

FAILURES = pa.schema(
    [
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("error", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
    ]
)

ATTRIBUTES = pa.schema(
    [
        pa.field("segment_id", pa.string(), nullable=False),
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("window_start_s", pa.float64(), nullable=False),
        pa.field("window_end_s", pa.float64(), nullable=False),
        pa.field("saturation", pa.float64(), nullable=False),
        pa.field("black_and_white", pa.bool_(), nullable=False),
        pa.field("luma", pa.float64(), nullable=False),
        pa.field("motion", pa.float64(), nullable=False),
        pa.field("cuts_per_s", pa.float64(), nullable=False),
        pa.field("tempo_bpm", pa.float64()),  # of the whole track; null: no audio, or no clear beat
    ]
)

_ADDED_LATER = frozenset(
    {"audio_start_s", "audio_end_s", "video_start_s", "video_end_s", "size_bytes", "modified_ns", "content_hash"}
    | {"value_sources", "flags"}
)
"""Columns that tables of earlier versions lack; they are read as null."""
_compute = cast(Any, pyarrow.compute)


def feature_schema(dim: int) -> pa.Schema:
    """Return the schema of one backbone's features, with one row per segment.

    Parameters
    ----------
    dim : int
        Size of `vector`.

    Returns
    -------
    pyarrow.Schema
        Columns segment_id, video_id, vector (float32) and flags (see `antiphon.media.quality`).
    """
    return pa.schema(
        [
            pa.field("segment_id", pa.string(), nullable=False),
            pa.field("video_id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dim), nullable=False),
            pa.field("flags", pa.list_(pa.string())),  # null: not examined
        ]
    )


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Yield a temporary path that is renamed onto `path` when the block ends without an error.

    The temporary file has a leading dot and the ending `.partial`, and is removed if the block fails. A lock that ends
    with the process distinguishes it from one that a killed process left behind; see `sweep_partials`.

    Parameters
    ----------
    path : Path
        File to write.

    Yields
    ------
    Path
        File to write instead, in the same folder.

    Raises
    ------
    StorageError
        The disk is full, failing or read-only.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        os.close(handle)
        partial = Path(name)
        try:
            with held(partial):
                yield partial
                partial.chmod(0o644)
                partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def sweep_partials(folder: Path) -> None:
    """Remove the temporary files of killed processes; those being written stay.

    Parameters
    ----------
    folder : Path
        Folder to search, with all folders below.
    """
    for path in folder.rglob(".*.????????.partial"):
        if not path.is_symlink() and path.is_file() and is_free(path):
            path.unlink(missing_ok=True)


def write_table(table: pa.Table, path: Place, **layout: Any) -> None:
    """Write a table as Parquet, atomically, with checksums of its pages and of what describes them.

    Parameters
    ----------
    table : pyarrow.Table
        Table to write.
    path : Path or Address
        File to write. At an address it is one object; of a `SharedTable`, one more object.
    **layout : object
        Further arguments of `pyarrow.parquet.write_table`.
    """
    if isinstance(path, Address):
        return write_shared(table, path) if isinstance(path, SharedTable) else write_object(table, path, **layout)
    with atomic_path(path) as partial:
        pq.write_table(sealed(table), partial, write_page_checksum=True, **layout)
    return None


def read_table(path: Place, schema: pa.Schema | None = None, *, only: bool = False) -> pa.Table:
    """Read a Parquet table, after comparing its checksums; tables of earlier versions have none.

    Parameters
    ----------
    path : Path or Address
        File to read.
    schema : pyarrow.Schema, optional
        Columns that the table must have, with their types; others are kept. Those that earlier versions did not write
        are filled with null.
    only : bool, default False
        Read the columns of `schema` alone.

    Returns
    -------
    pyarrow.Table
        The table.

    Raises
    ------
    FeatureStoreError
        The file is not Parquet, is damaged, or lacks a column of `schema`.
    """
    if isinstance(path, SharedTable):
        table = read_shared(path)
    else:
        table = read_parquet(path, schema.names if only and schema else None)
    return table if schema is None else typed(path, table, schema)


def polars_frame(path: Path, columns: Sequence[str] | None = None) -> "pl.DataFrame":
    """Read a Parquet table that another program may have written, with whatever checksums it has.

    Parameters
    ----------
    path : Path
        File to read.
    columns : sequence of str, optional
        Columns to read, which must be there. Default: all.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    FeatureStoreError
        The file is not Parquet, is damaged, or has a column of a type that polars does not know.
    """
    import polars as pl

    with open_table(path) as file:
        table = file.read(None if columns is None else list(columns))
        table.validate(full=True)
        try:
            frame = cast(pl.DataFrame, pl.from_arrow(table))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise ValueError(str(error)) from error
    return frame if columns is None else frame.select(columns)


def read_schema(path: Place) -> pa.Schema:
    """Read the columns and the metadata of a Parquet table, not its rows; see `read_table`.

    Parameters
    ----------
    path : Path or Address
        File to read.

    Returns
    -------
    pyarrow.Schema
        Its schema.

    Raises
    ------
    FeatureStoreError
        The file is not Parquet, or is damaged.
    """
    if isinstance(path, SharedTable):
        return shared_schema(path)
    with open_table(path) as file:
        return file.schema_arrow.with_metadata(unsealed(file.schema_arrow.metadata))


def typed(path: Place, table: pa.Table, schema: pa.Schema, *, whole: bool = True) -> pa.Table:
    """Return a table with the columns of a schema in their types.

    Parameters
    ----------
    path : Path or Address
        Where the table was read, for messages.
    table : pyarrow.Table
        The table.
    schema : pyarrow.Schema
        Columns with their types; further ones are kept.
    whole : bool, default True
        Whether it must have all columns, or gets those that earlier versions did not write.

    Returns
    -------
    pyarrow.Table
        The table.

    Raises
    ------
    FeatureStoreError
        A column is missing, of another type, or empty where it may not be.
    """
    missing = [name for name in schema.names if whole and name not in table.column_names]
    for name in _ADDED_LATER.intersection(missing):
        field = schema.field(name)
        table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    lacking = [name for name in missing if name not in _ADDED_LATER]
    if lacking:
        raise FeatureStoreError(f"{path}: lacks the columns {', '.join(lacking)}. Run the stage again.")
    for field in (field for field in schema if field.name in table.column_names):
        place = table.column_names.index(field.name)
        column = table.column(place)
        if column.type != field.type:
            column = _cast(path, field, column)
            table = table.set_column(place, field, column)
        fault = _fault(field, column)
        if fault is not None:
            raise FeatureStoreError(f"{path}: the column {field.name} has {fault}. Delete it, and run the stage again.")
    return table


def _fault(field: pa.Field, column: pa.ChunkedArray) -> str | None:
    if column.null_count and not field.nullable:
        return "empty rows"
    lists = pa.types.is_list(field.type) or pa.types.is_fixed_size_list(field.type)
    if lists and _compute.list_flatten(column).null_count:
        return "empty entries"
    if field.name.endswith("_s") and _compute.all(_compute.is_finite(column)).as_py() is False:
        return "times that are not finite"
    return None


def _cast(path: Place, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(field.type)
    except (pa.ArrowException, ValueError) as error:
        raise FeatureStoreError(
            f"{path}: the column {field.name} is {column.type}, expected {field.type}. Run the stage again."
        ) from error


def write_text(text: str, path: Path) -> None:
    """Write text in UTF-8, atomically.

    Parameters
    ----------
    text : str
        Content.
    path : Path
        File to write.
    """
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
