"""The one schema of what an index holds, and how its rows are made."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import SearchError
from antiphon.ordering import rounded

FloatArray = npt.NDArray[np.float32]

METADATA = ("artist", "title", "genre", "tags", "year")


def entry_schema(dim: int) -> pa.Schema:
    """Schema of an index: a row is one embedding of a video's side, of a segment or of the whole track."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("side", pa.string(), nullable=False),
            pa.field("level", pa.string(), nullable=False),
            pa.field("start_s", pa.float64()),  # null: a whole track, or unknown
            pa.field("end_s", pa.float64()),
            pa.field("artist", pa.string()),
            pa.field("title", pa.string()),
            pa.field("genre", pa.string()),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("year", pa.int32()),
            pa.field("vector", pa.list_(pa.float32(), dim), nullable=False),
        ]
    )


def entries(
    ids: Sequence[str],
    vectors: FloatArray,
    metadata: Sequence[Mapping[str, Any]],
    side: str,
    level: str,
    starts_s: Sequence[float | None] | None = None,
    length_s: float = 0.0,
) -> pa.Table:
    """Rows of one side and level.

    Parameters
    ----------
    vectors : (n, dim) unit rows.
    metadata : of each row; whatever is not in `METADATA` is left out.
    starts_s : where each row's segment starts, and `length_s` how long it lasts, in seconds.
    """
    count, dim = vectors.shape
    starts = list(starts_s) if starts_s is not None else [None] * count
    columns: dict[str, Any] = {
        "id": list(ids),
        "side": [side] * count,
        "level": [level] * count,
        "start_s": starts,
        "end_s": [None if start is None else start + length_s for start in starts],
        **{name: [row.get(name) for row in metadata] for name in METADATA if name != "tags"},
        "tags": [list(row.get("tags") or ()) for row in metadata],
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).reshape(-1)), dim),
    }
    schema = entry_schema(dim)
    return pa.Table.from_arrays(
        [
            pa.array(columns[field.name], field.type) if field.name != "vector" else columns["vector"]
            for field in schema
        ],
        schema=schema,
    )


def vectors_of(table: pa.Table) -> FloatArray:
    """(n, dim) of a table's column `vector`, without a copy where it is in one piece."""
    column = table["vector"]
    dim = column.type.list_size
    chunks = [chunk.flatten().to_numpy().reshape(-1, dim) for chunk in column.chunks]
    if len(chunks) == 1:
        return chunks[0]
    return np.concatenate(chunks) if chunks else np.zeros((0, dim), dtype=np.float32)


def scored(about: pa.Table, vectors: FloatArray, query: FloatArray) -> pa.Table:
    """The rows with their `score`: the cosine of each one's (n, dim) vector, in float64 and so alike in every store."""
    return about.append_column("score", pa.array(vectors.astype(np.float64) @ query.astype(np.float64)))


def best_first(table: pa.Table, k: int) -> pa.Table:
    """The `k` rows of highest `score`; those that are equal once rounded go by id."""
    ranks = pa.array(rounded(table["score"].to_numpy()))
    keys = [("rank", "descending"), ("id", "ascending")]
    return table.append_column("rank", ranks).sort_by(keys).slice(0, k).drop_columns("rank")


def metadata_of(table: pa.Table) -> list[dict[str, Any]]:
    """Artist, title, genre, tags and year of each row."""
    rows = table.select(METADATA).to_pylist()
    return [row | {"tags": row["tags"] or []} for row in rows]


def unit_rows(vectors: npt.ArrayLike, name: str, names: Sequence[str] | None = None) -> FloatArray:
    """(n, dim) rows brought to length 1.

    Raises
    ------
    SearchError
        They are no matrix of numbers, or a row is not finite or all zeros: its direction is unknown.
    """
    try:
        rows = np.asarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise SearchError(f"{name}: is no matrix of numbers ({error}).") from error
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise SearchError(f"{name}: has shape {rows.shape}; give (n, dim), a row for each vector.")
    peaks = np.abs(rows).max(axis=1, initial=0)
    broken = np.flatnonzero(~np.isfinite(peaks) | (peaks == 0))
    if len(broken):
        row = int(broken[0])
        called = f"row {row}" if names is None else f"the vector of '{names[row]}'"
        what = "is all zeros and has no direction" if peaks[row] == 0 else "holds values that are not finite"
        raise SearchError(f"{name}: {called} {what}. Leave it out.")
    scaled = rows / peaks[:, None]  # squares of very large or small values would not fit
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)


def refuse_other_size(given: int, dim: int) -> None:
    """Refuse vectors that are not of an index's size.

    Raises
    ------
    SearchError
        Naming both sizes.
    """
    if given != dim:
        raise SearchError(f"The vectors have {given} values; those of this index have {dim}.")
