"""The schema of an index, and how its rows are made."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import unit_rows
from antiphon.errors import SearchError
from antiphon.identifiers import fault_of_text, first_fault
from antiphon.ordering import rounded
from antiphon.search.record import REBUILD, Origin

FloatArray = npt.NDArray[np.float32]

METADATA = ("artist", "title", "genre", "tags", "year")
LIST = pa.field("list", pa.int32())
"""Additional column of a part whose rows lie in lists; null where a side and level has none."""
_MAX_DEVIATION = 1e-3


def entry_schema(dim: int) -> pa.Schema:
    """Return the schema of an index. A row is one embedding: of a modality, of a segment or of a whole track.

    Parameters
    ----------
    dim : int
        Size of the vectors.

    Returns
    -------
    Schema
        The schema.
    """
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("side", pa.string(), nullable=False),
            pa.field("level", pa.string(), nullable=False),
            pa.field("start_s", pa.float64()),  # null for a track, or if unknown
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
    """Make the rows of one modality and level.

    Parameters
    ----------
    ids : sequence of str
        Video of each row.
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    metadata : sequence of mapping
        Metadata of each row; keys that are not in `METADATA` are ignored.
    side : {"audio", "video", ""}
        Modality.
    level : {"segment", "track"}
        Level.
    starts_s : sequence of float or None, optional
        Start of each segment in seconds.
    length_s : float
        Length of each segment in seconds.

    Returns
    -------
    Table
        The rows.
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
    """Return a table's column `vector` as an array, without a copy if it is contiguous.

    Parameters
    ----------
    table : Table
        The table.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        The vectors.
    """
    column = table["vector"]
    dim = column.type.list_size
    chunks = [chunk.flatten().to_numpy().reshape(-1, dim) for chunk in column.chunks]
    if len(chunks) == 1:
        return chunks[0]
    return np.concatenate(chunks) if chunks else np.zeros((0, dim), dtype=np.float32)


def refuse_other_lengths(vectors: FloatArray, place: object) -> None:
    """Refuse vectors of an index that are not of length 1, as all that are written are.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        The vectors.
    place : object
        Where they come from, for the message.

    Raises
    ------
    SearchError
        One is damaged.
    """
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    if not (np.abs(lengths - 1) < _MAX_DEVIATION).all():
        raise SearchError(f"{place}: is damaged (vectors that are not of length 1). {REBUILD}")


def best_first(table: pa.Table, k: int) -> pa.Table:
    """Return the `k` rows with the highest `score`; scores that are equal after rounding are ordered by id.

    Parameters
    ----------
    table : Table
        Rows with scores.
    k : int
        Maximum number of rows.

    Returns
    -------
    Table
        Best rows first.
    """
    ranks = pa.array(rounded(table["score"].to_numpy()))
    keys = [("rank", "descending"), ("id", "ascending")]
    return table.append_column("rank", ranks).sort_by(keys).slice(0, k).drop_columns("rank")


def with_metadata(table: pa.Table, changed: pa.Table) -> pa.Table:
    """Replace the metadata of some videos in a table of rows.

    Parameters
    ----------
    table : Table
        Rows with the column `id` and any others.
    changed : Table
        Id and metadata of the videos that have others now.

    Returns
    -------
    Table
        The rows, in the same order.
    """
    rows = {name: row for row, name in enumerate(changed["id"].to_pylist())}
    places = [rows.get(name, -1) for name in table["id"].to_pylist()]
    first = table.num_rows
    chosen = pa.array([first + place if place >= 0 else row for row, place in enumerate(places)], pa.int64())
    for column in METADATA:
        if column in table.column_names:
            field = table.schema.field(column)
            values = pa.concat_arrays(
                [*table[column].chunks, *(chunk.cast(field.type) for chunk in changed[column].chunks)]
            )
            table = table.set_column(table.column_names.index(column), field, values.take(chosen))
    return table


def metadata_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return artist, title, genre, tags and year of each row."""
    rows = table.select(METADATA).to_pylist()
    return [row | {"tags": row["tags"] or []} for row in rows]


def refuse_other_size(given: int, dim: int) -> None:
    """Refuse vectors of another size than the index's.

    Parameters
    ----------
    given : int
        Size of the vectors.
    dim : int
        Size of the index's vectors.

    Raises
    ------
    SearchError
        The sizes differ.
    """
    if given != dim:
        raise SearchError(f"The vectors must have {dim} values, as in this index, not {given}.")


FloatArray = npt.NDArray[np.float32]
NameArray = npt.NDArray[np.str_]
Level = Literal["segment", "track"]

_PAPER_WINDOW_S = 3.0


class Sampling(Protocol):
    """The sampling of segments, as far as an index needs it: see `antiphon.segments.sampling`."""

    @property
    def window_s(self) -> float: ...


class SegmentFeatures(Protocol):
    """Features, as far as an index needs them: see `antiphon.Features`."""

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


class IndexModel(Protocol):
    """A model, as far as an index needs it: see `antiphon.DualEncoder`."""

    @property
    def dim(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def correction_dim(self) -> int: ...
    def embed(self, features: Any, per: Level = "segment") -> tuple[FloatArray, FloatArray]: ...


class CatalogueRecords(Protocol):
    """A catalogue, as far as an index needs it: see `antiphon.Catalogue`."""

    def records(self) -> Sequence[Mapping[str, Any]]: ...


def origin_of(
    model: IndexModel, features: SegmentFeatures, made_by: Mapping[str, str] | None = None, run: str = ""
) -> Origin:
    """Describe the origin of the embeddings of features by a model.

    Parameters
    ----------
    model : IndexModel
        The model.
    features : SegmentFeatures
        The features.
    made_by : mapping of str to str, optional
        Hashes of what computed the features, by modality.
    run : str
        Name of the run.

    Returns
    -------
    Origin
        The origin.
    """
    hashes = made_by or {}
    return Origin(
        model=model.fingerprint,
        audio=features.audio_name,
        video=features.video_name,
        audio_made_by=hashes.get("audio", ""),
        video_made_by=hashes.get("video", ""),
        run=run,
    )


def embedded(model: IndexModel, features: SegmentFeatures, catalogue: CatalogueRecords | None) -> pa.Table:
    """Embed segments and tracks in both modalities; a missing modality has no row.

    Segments are as long as the windows of the features' sampling, or 3 s as in the paper if that is unknown. A zero
    vector counts as missing, since it has no direction.

    Parameters
    ----------
    model : IndexModel
        The model.
    features : SegmentFeatures
        The features.
    catalogue : CatalogueRecords, optional
        Source of metadata.

    Returns
    -------
    Table
        The rows.

    Raises
    ------
    SearchError
        There is nothing to embed.
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
        raise SearchError("There is nothing to index: no row of these features has audio or video.")
    return pa.concat_tables(parts)


def vector_rows(ids: Sequence[Any], vectors: npt.ArrayLike, metadata: Sequence[Mapping[str, Any]] | None) -> pa.Table:
    """Make rows of external vectors, scaled to unit length: one per video, without modality.

    Parameters
    ----------
    ids : sequence
        Ids of the videos.
    vectors : array_like, shape (n, dim)
        Their vectors.
    metadata : sequence of mapping, optional
        Their metadata.

    Returns
    -------
    Table
        The rows.

    Raises
    ------
    SearchError
        Lengths differ, an id is empty or repeated, a vector is zero, or metadata has other keys than artist, title,
        genre, tags and year, or values that cannot be stored.
    """
    fault = first_fault(ids)
    if fault is not None:
        raise SearchError(f"ids: row {fault[0]} {fault[1]}. Name every vector by plain text.")
    names = [str(name) for name in ids]
    rows = unit_rows(vectors, "vectors", names if len(names) == np.shape(vectors)[0] else None)
    about: Sequence[Mapping[str, Any]] = [{}] * len(names) if metadata is None else list(metadata)
    for what, count in (("ids", len(names)), ("metadata", len(about))):
        if count != len(rows):
            raise SearchError(f"{what}: must have one entry for each of {len(rows)} vectors, not {count}.")
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise SearchError(f"ids: '{repeated[0]}' is repeated; give one vector per id.")
    unknown = sorted({key for row in about for key in row} - set(METADATA))
    if unknown:
        raise SearchError(f"metadata: unknown key '{unknown[0]}'; use {', '.join(METADATA)}.")
    for row, record in enumerate(about):
        _refuse_metadata(row, record)
    try:
        return entries(names, rows, about, "", "track")
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SearchError(f"metadata: a value has the wrong type ({error}).") from error


def _refuse_metadata(row: int, record: Mapping[str, Any]) -> None:
    for key, value in record.items():
        texts = value if key == "tags" and isinstance(value, Sequence) else [value]
        fault = next((fault for text in texts if isinstance(text, str) and (fault := fault_of_text(text))), None)
        if fault is not None:
            raise SearchError(f"metadata: {key} of row {row} {fault}. Shorten or correct it.")


def _about(features: SegmentFeatures, catalogue: CatalogueRecords | None) -> dict[str, dict[str, Any]]:
    """Return the metadata of each video: the catalogue's, else the features'."""
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
