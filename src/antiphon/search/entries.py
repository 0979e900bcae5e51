"""The one schema of what an index holds, and how its rows are made."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import unit_rows
from antiphon.errors import SearchError
from antiphon.ordering import rounded
from antiphon.search.record import Origin

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
    vectors : ndarray of float32
        (n, dim) unit rows.
    metadata : sequence of mapping
        Of each row; whatever is not in `METADATA` is left out.
    starts_s : sequence of float or None, optional
        Where each row's segment starts, and `length_s` how long it lasts, in seconds.
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


def refuse_other_size(given: int, dim: int) -> None:
    """Refuse vectors that are not of an index's size.

    Raises
    ------
    SearchError
        Naming both sizes.
    """
    if given != dim:
        raise SearchError(f"The vectors have {given} values; those of this index have {dim}.")


FloatArray = npt.NDArray[np.float32]
NameArray = npt.NDArray[np.str_]
Level = Literal["segment", "track"]

_PAPER_WINDOW_S = 3.0


class Sampling(Protocol):
    """What an index asks of how segments were drawn: see `antiphon.segments.sampling`."""

    @property
    def window_s(self) -> float: ...


class SegmentFeatures(Protocol):
    """What an index looks at in features: see `antiphon.Features`."""

    @property
    def ids(self) -> NameArray: ...
    @property
    def groups(self) -> NameArray: ...
    @property
    def genres(self) -> NameArray: ...
    @property
    def artists(self) -> NameArray: ...
    @property
    def labels(self) -> Sequence[Sequence[str]]: ...
    @property
    def starts_s(self) -> npt.NDArray[np.float64]: ...
    @property
    def sampling(self) -> Sampling | None: ...
    @property
    def audio_name(self) -> str: ...
    @property
    def video_name(self) -> str: ...
    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Any: ...


class Embedder(Protocol):
    """What an index asks of a model: see `antiphon.DualEncoder`."""

    @property
    def dim(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    def embed(self, features: Any, per: Level = "segment") -> tuple[FloatArray, FloatArray]: ...


class CatalogueRecords(Protocol):
    """What an index asks of a catalogue: see `antiphon.Catalogue`."""

    def records(self) -> Sequence[Mapping[str, Any]]: ...


def origin_of(
    model: Embedder, features: SegmentFeatures, made_by: Mapping[str, str] | None = None, run: str = ""
) -> Origin:
    """What the embeddings of these features by this model are of."""
    hashes = made_by or {}
    return Origin(
        model=model.fingerprint,
        audio=features.audio_name,
        video=features.video_name,
        audio_made_by=hashes.get("audio", ""),
        video_made_by=hashes.get("video", ""),
        run=run,
    )


def embedded(model: Embedder, features: SegmentFeatures, catalogue: CatalogueRecords | None) -> pa.Table:
    """Rows of segments and tracks, sound and pictures; a side that an item lacks has no row.

    Segments last as long as the windows of the features' sampling; the paper's 3 s, where that is not known. A vector
    of length 0 counts as lacking: it has no direction.
    """
    about = _about(features, catalogue)
    window_s = _PAPER_WINDOW_S if features.sampling is None else features.sampling.window_s
    tracks = np.unique(features.groups)
    starts = [None if np.isnan(start) else float(start) for start in features.starts_s]
    parts: list[pa.Table] = []
    levels: tuple[tuple[Level, NameArray], ...] = (("segment", features.groups), ("track", tracks))
    for level, videos in levels:
        names = [str(video) for video in videos]
        for side, vectors in zip(("audio", "video"), model.embed(features, per=level), strict=True):
            there = np.flatnonzero(np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1))
            if len(there):
                parts.append(
                    entries(
                        [names[row] for row in there],
                        unit_rows(vectors[there], side),
                        [about[names[row]] for row in there],
                        side,
                        level,
                        [starts[row] for row in there] if level == "segment" else None,
                        window_s,
                    )
                )
    if not parts:
        raise SearchError("There is nothing to index: no row of these features has sound or pictures.")
    return pa.concat_tables(parts)


def vector_rows(ids: Sequence[Any], vectors: npt.ArrayLike, metadata: Sequence[Mapping[str, Any]] | None) -> pa.Table:
    """Rows of vectors that came from elsewhere, brought to length 1: one a video, of no side.

    Raises
    ------
    SearchError
        Lengths differ, an id stands twice, a vector has no direction, or metadata has other keys than artist, title,
        genre, tags and year.
    """
    names = [str(name) for name in ids]
    rows = unit_rows(vectors, "vectors", names if len(names) == np.shape(vectors)[0] else None)
    about: Sequence[Mapping[str, Any]] = [{}] * len(names) if metadata is None else list(metadata)
    for what, count in (("ids", len(names)), ("metadata", len(about))):
        if count != len(rows):
            raise SearchError(f"{what}: has {count} entries where there are {len(rows)} vectors.")
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise SearchError(f"ids: '{repeated[0]}' stands more than once.")
    unknown = sorted({key for row in about for key in row} - set(METADATA))
    if unknown:
        raise SearchError(f"metadata: '{unknown[0]}' is none of {', '.join(METADATA)}.")
    try:
        return entries(names, rows, about, "", "track")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SearchError(f"metadata: holds a value of the wrong type ({error}).") from error


def _about(features: SegmentFeatures, catalogue: CatalogueRecords | None) -> dict[str, dict[str, Any]]:
    """Metadata of each video: what the catalogue says, else what stands with the features."""
    videos, first = np.unique(features.groups, return_index=True)
    found: dict[str, dict[str, Any]] = {
        str(video): {
            "artist": str(features.artists[row]) or None,
            "genre": str(features.genres[row]) or None,
            "tags": list(features.labels[row]),
        }
        for video, row in zip(videos, first, strict=True)
    }
    for record in catalogue.records() if catalogue is not None else ():
        if record["id"] in found:
            known = {name: record.get(name) for name in METADATA if record.get(name) is not None}
            found[record["id"]] |= known
    return found
