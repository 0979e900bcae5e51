"""Rows of an index: embeddings of segments and tracks, with what is known of the track."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import SearchError

FloatArray = npt.NDArray[np.float32]
Side = Literal["audio", "video"]
Level = Literal["segment", "track"]
Shelf = tuple[str, str]
"""Which side ("audio", "video", or "" for vectors of no side) and which level ("segment", "track")."""

VECTORS: Shelf = ("", "track")
KNOWN = ("artist", "title", "genre", "tags", "year")
_WINDOW_S = 3.0


class Rows(Protocol):
    """Features, as `antiphon.Features` holds them."""

    @property
    def groups(self) -> npt.NDArray[np.str_]: ...
    @property
    def starts_s(self) -> npt.NDArray[np.float64]: ...
    @property
    def genres(self) -> npt.NDArray[np.str_]: ...
    @property
    def artists(self) -> npt.NDArray[np.str_]: ...
    @property
    def labels(self) -> tuple[tuple[str, ...], ...]: ...
    @property
    def audio_name(self) -> str: ...
    @property
    def video_name(self) -> str: ...
    @property
    def sampling(self) -> Any: ...
    def take(self, rows: npt.NDArray[Any]) -> Any: ...


class Embedder(Protocol):
    """A trained model, as `antiphon.DualEncoder` is."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def dim(self) -> int: ...
    def embed(self, features: Any, per: Level = "segment") -> tuple[FloatArray, FloatArray]: ...


def entry_schema(dim: int) -> pa.Schema:
    """Schema of the rows: which track, side and level, when, what is known, and `vector` of `dim` float32."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("side", pa.string(), nullable=False),
            pa.field("level", pa.string(), nullable=False),
            pa.field("start_s", pa.float64()),
            pa.field("end_s", pa.float64()),
            pa.field("artist", pa.string()),
            pa.field("title", pa.string()),
            pa.field("genre", pa.string()),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("year", pa.int32()),
            pa.field("more", pa.string()),  # whatever else is known, as JSON
            pa.field("vector", pa.list_(pa.float32(), dim), nullable=False),
        ]
    )


def model_entries(model: Embedder, features: Rows, records: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """All that a model makes of features: segments and tracks, of each side that they have.

    Parameters
    ----------
    records : by track what the catalogue knows of it; features know artists, genres and tags themselves.
    """
    about = _about(features, records)
    sampling = features.sampling
    window_s = _WINDOW_S if sampling is None else float(sampling.window_s)
    tracks = np.unique(features.groups)
    parts: list[pa.Table] = []
    levels: tuple[tuple[Level, Any, Any], ...] = (
        ("segment", features.groups, features.starts_s),
        ("track", tracks, np.full(len(tracks), np.nan)),
    )
    for level, ids, starts_s in levels:
        for side, vectors in zip(("audio", "video"), model.embed(features, per=level), strict=True):
            there = ~np.isnan(vectors).any(axis=1)
            if there.any():
                known = [about[name] for name in ids[there]]
                parts.append(entry_table((side, level), ids[there], vectors[there], known, starts_s[there], window_s))
    if not parts:
        raise SearchError("There is nothing to index: the features have neither sound nor pictures.")
    return pa.concat_tables(parts)


def entry_table(
    shelf: Shelf,
    ids: Sequence[str] | npt.NDArray[np.str_],
    vectors: FloatArray,
    known: Sequence[Mapping[str, Any]],
    starts_s: npt.NDArray[np.float64] | None = None,
    window_s: float = _WINDOW_S,
) -> pa.Table:
    """Rows of one shelf: (n,) ids, (n, dim) unit vectors, and for each row what is known of its track."""
    count, dim = vectors.shape
    starts = np.full(count, np.nan) if starts_s is None else starts_s
    columns: list[Any] = [
        pa.array([str(name) for name in ids], pa.string()),
        pa.array([shelf[0]] * count, pa.string()),
        pa.array([shelf[1]] * count, pa.string()),
        pa.array(starts, pa.float64(), from_pandas=True),
        pa.array(starts + window_s, pa.float64(), from_pandas=True),
        *(pa.array([_text(row.get(name)) for row in known], pa.string()) for name in ("artist", "title", "genre")),
        pa.array([_tags(row.get("tags")) for row in known], pa.list_(pa.string())),
        pa.array([_year(row.get("year")) for row in known], pa.int32()),
        pa.array([_more(row) for row in known], pa.string()),
        pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).reshape(-1)), dim),
    ]
    return pa.Table.from_arrays(columns, schema=entry_schema(dim))


def metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the track of one row."""
    return {name: row[name] for name in KNOWN} | (json.loads(row["more"]) if row["more"] else {})


def matrix(table: pa.Table) -> FloatArray:
    """(n, dim) vectors of a table of entries."""
    dim = table.schema.field("vector").type.list_size
    parts = [part.flatten().to_numpy(zero_copy_only=False) for part in table["vector"].chunks]
    return np.concatenate(parts).reshape(-1, dim) if parts else np.empty((0, dim), dtype=np.float32)


def unit_rows(vectors: npt.ArrayLike, what: str, dim: int | None = None) -> FloatArray:
    """Vectors as (n, dim) float32 rows of length 1.

    Raises
    ------
    SearchError
        They are no such matrix, hold values that are not finite, or a row has no direction.
    """
    try:
        rows = np.array(vectors, dtype=np.float64, ndmin=2)
    except (TypeError, ValueError) as error:
        raise SearchError(f"{what}: is not a matrix of numbers ({error}).") from error
    if rows.ndim != 2 or not rows.shape[1]:
        raise SearchError(f"{what}: has shape {rows.shape}; give (n, dim).")
    if dim is not None and rows.shape[1] != dim:
        raise SearchError(f"{what}: has rows of {rows.shape[1]} values; this index has {dim}.")
    lengths = np.linalg.norm(rows, axis=1)
    wrong = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    if len(wrong):
        raise SearchError(f"{what}: row {wrong[0]} is zero or not finite, so it has no direction to compare by.")
    return (rows / lengths[:, None]).astype(np.float32)


def _about(features: Rows, records: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    tracks, first = np.unique(features.groups, return_index=True)
    own = {
        str(track): {
            "artist": str(features.artists[row]),
            "genre": str(features.genres[row]),
            "tags": features.labels[row],
        }
        for track, row in zip(tracks, first, strict=True)
    }
    of_catalogue = {name: {key: records[name].get(key) for key in KNOWN} for name in own if name in records}
    return {name: of_catalogue.get(name, known) for name, known in own.items()}


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _tags(value: Any) -> list[str]:
    return [] if value is None else [str(tag) for tag in value]


def _year(value: Any) -> int | None:
    return None if value is None else int(value)


def _more(row: Mapping[str, Any]) -> str | None:
    more = {key: value for key, value in row.items() if key not in KNOWN}
    return json.dumps(more, ensure_ascii=False, default=str) if more else None
