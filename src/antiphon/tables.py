"""The Arrow schemas in which the stages meet, and how tables are read and written.

Each stage reads tables and writes a table. A write goes to a temporary file in the same folder and is renamed into
place, so a reader sees the old table or the new one and never a half.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

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
        pa.field("tempo_bpm", pa.float64()),  # of the whole track; null: no sound, or no clear beat
    ]
)


def feature_schema(dim: int) -> pa.Schema:
    """Schema of one backbone's features: one row a segment, `vector` of `dim` float32."""
    return pa.schema(
        [
            pa.field("segment_id", pa.string(), nullable=False),
            pa.field("video_id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dim), nullable=False),
        ]
    )


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """A temporary path beside `path`, renamed onto it when the block ends without an error.

    The temporary file has a leading dot and the ending `.partial`, and is removed when the block fails. A lock that
    goes with the process tells it from one that a killed process left behind: see `sweep_partials`.
    """
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
    """Remove what killed processes left of `atomic_path` below `folder`; what is being written now stays."""
    for path in folder.rglob(".*.????????.partial"):
        if not path.is_symlink() and path.is_file() and is_free(path):
            path.unlink(missing_ok=True)


def write_table(table: pa.Table, path: Path) -> None:
    """Write `table` to `path` as Parquet, atomically."""
    with atomic_path(path) as partial:
        pq.write_table(table, partial)


def read_table(path: Path, schema: pa.Schema | None = None) -> pa.Table:
    """Read a Parquet table; columns of `schema` must be there (further ones are kept).

    Raises
    ------
    FeatureStoreError
        The file is not Parquet, or lacks a column of `schema`.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FeatureStoreError(
            f"{path}: not a readable Parquet table ({error}). Delete it and run the stage again."
        ) from error
    if schema is not None:
        missing = [name for name in schema.names if name not in table.column_names]
        if missing:
            raise FeatureStoreError(f"{path}: lacks the columns {', '.join(missing)}.")
    return table


def write_text(text: str, path: Path) -> None:
    """Write `text` to `path` in UTF-8, atomically."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
