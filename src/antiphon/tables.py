"""Arrow schemas of the tables in which the stages meet, and reading and writing of tables.

Each stage reads tables and writes a table. Writes go to a temporary file in the same folder that is renamed into place,
so that readers see the old table or the new one, never a part of it.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.disk import writing
from antiphon.errors import FeatureStoreError
from antiphon.locks import held, is_free

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


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, atomically.

    Parameters
    ----------
    table : pyarrow.Table
        Table to write.
    path : Path
        File to write.
    """
    with atomic_path(path) as partial:
        pq.write_table(table, partial)


def read_table(path: Path, schema: pa.Schema | None = None) -> pa.Table:
    """Read a Parquet table.

    Parameters
    ----------
    path : Path
        File to read.
    schema : pyarrow.Schema, optional
        Columns that the table must have; others are kept. Those that earlier versions did not write
        are filled with null.

    Returns
    -------
    pyarrow.Table
        The table.

    Raises
    ------
    FeatureStoreError
        The file is not Parquet, or lacks a column of `schema`.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FeatureStoreError(
            f"{path}: is not a readable Parquet table ({error}). Delete it, and run the stage again."
        ) from error
    if schema is not None:
        missing = [name for name in schema.names if name not in table.column_names]
        for name in _ADDED_LATER.intersection(missing):
            field = schema.field(name)
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
        missing = [name for name in missing if name not in _ADDED_LATER]
        if missing:
            raise FeatureStoreError(f"{path}: lacks the columns {', '.join(missing)}. Run the stage again.")
    return table


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
