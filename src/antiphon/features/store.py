"""Features of a workspace: one folder per backbone, one Parquet part per batch of videos.

On a disk parts have numbers, and one process writes at a time. In a store each part has a name that no other writer
uses, so that many write at once, and what two of them computed of one video is read once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.backbones.arithmetic import TORCH, compatible
from antiphon.embeddings import MAX_VALUE
from antiphon.errors import FeatureStoreError
from antiphon.features.named_stores import store_folder, store_names
from antiphon.features.parts import NUMBERED, listed_parts, listing_again, number_of
from antiphon.places import Address, Place, new_name
from antiphon.tables import feature_schema, read_schema, read_table, write_table

FloatArray = npt.NDArray[np.float32]

Result = TypeVar("Result")

_REQUESTS = 16
_ARITHMETIC = "arithmetic"
_VIDEO = pa.schema([feature_schema(1).field("video_id")])
_FLAGS = pa.schema([feature_schema(1).field(name) for name in ("segment_id", "flags")])


@dataclass(frozen=True)
class VideoFeatures:
    """Features of one video.

    Attributes
    ----------
    video_id : str
        Id of the video.
    segment_ids : list of str
        Ids of its n segments.
    vectors : ndarray of float32, shape (n, dim)
        One row per segment.
    flags : sequence of sequence of str, optional
        What is wrong with what each row was computed from; see `antiphon.media.quality`. Empty: not examined.
    """

    video_id: str
    segment_ids: list[str]
    vectors: FloatArray
    flags: Sequence[Sequence[str]] = ()


class StoredRows(NamedTuple):
    """All rows of a store.

    Attributes
    ----------
    segment_ids, video_ids : list of str
        Segment and video of each row.
    vectors : ndarray of float32, shape (n, dim)
        Features.
    flags : list of list of str
        What is wrong with what each row was computed from; see `antiphon.media.quality`.
    """

    segment_ids: list[str]
    video_ids: list[str]
    vectors: FloatArray
    flags: list[list[str]]


class FeatureStore:
    """Features of one backbone. Each part records what made it, and parts made otherwise are refused.

    Parts by another arithmetic are taken where it is compatible; see `antiphon.backbones.arithmetic`.

    Parameters
    ----------
    folder : Path or Address
        Folder `features/<backbone>` of a workspace.
    made_by : mapping of str to str
        What the vectors depend on (weights, sampling, crop, …) by name.
    arithmetic : str, optional
        Arithmetic of the backbone. Default: none is recorded, which counts as torch's float32.
    """

    def __init__(self, folder: Place, made_by: Mapping[str, str], arithmetic: str = "") -> None:
        self.folder = folder
        self.made_by = dict(made_by)
        self.arithmetic = arithmetic

    @classmethod
    def existing(cls, folder: Place) -> "FeatureStore":
        """Open the store in a folder, whatever made it.

        Parameters
        ----------
        folder : Path or Address
            Folder `features/<backbone>` of a workspace.

        Returns
        -------
        FeatureStore
            The store.

        Raises
        ------
        FeatureStoreError
            There is none.
        """
        return listing_again(folder, lambda: cls(folder, *_made_by(_some(folder, listed_parts(folder))[0])))

    def arithmetics(self) -> set[str]:
        """Name the arithmetics that made the vectors.

        Returns
        -------
        set of str
            Names; see `antiphon.backbones.arithmetic`.
        """
        made_by = listing_again(self.folder, lambda: _each(_made_by, listed_parts(self.folder)))
        return {arithmetic or TORCH for _, arithmetic in made_by}

    def done(self) -> set[str]:
        """List the videos in the store.

        Returns
        -------
        set of str
            Ids of the videos.

        Raises
        ------
        FeatureStoreError
            A part was made otherwise.
        """
        return listing_again(self.folder, lambda: videos_of_parts(self._checked()))

    def append(self, rows: Iterable[VideoFeatures]) -> None:
        """Write the features of some videos as one new part, atomically.

        Parameters
        ----------
        rows : iterable of VideoFeatures
            Features by video; if there are none, nothing is written.
        """
        batch = list(rows)
        if not batch:
            return
        vectors = np.concatenate([item.vectors for item in batch]).astype(np.float32, copy=False)
        dim = vectors.shape[1]
        columns = [
            pa.array([name for item in batch for name in item.segment_ids]),
            pa.array([item.video_id for item in batch for _ in item.segment_ids]),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), dim),
            pa.array([flags for item in batch for flags in _row_flags(item)], pa.list_(pa.string())),
        ]
        table = pa.Table.from_arrays(columns, schema=feature_schema(dim))
        made_by = self.made_by | ({_ARITHMETIC: self.arithmetic} if self.arithmetic else {})
        write_table(table.replace_schema_metadata(made_by), self._new_part())

    def _new_part(self) -> Place:
        if isinstance(self.folder, Address):
            return self.folder / new_name("part-")
        numbered = (part for part in listed_parts(self.folder) if NUMBERED.fullmatch(part.name))
        number = 1 + max(map(number_of, numbered), default=-1)
        return self.folder / f"part-{number:06d}.parquet"

    def drop(self, videos: Collection[str]) -> None:
        """Remove the rows of some videos. Each part is rewritten atomically, or deleted if it has no others.

        In a store what is left of a part is written as a new one first: killed in between, the rest is there twice, and
        read once.

        Parameters
        ----------
        videos : collection of str
            Ids of the videos; those that the store does not have are ignored.

        Raises
        ------
        FeatureStoreError
            A part is damaged, or was made otherwise.
        """
        listing_again(self.folder, lambda: self._drop(videos))

    def _drop(self, videos: Collection[str]) -> None:
        for part in self._checked():
            kept = is_of_others(read_table(part, _VIDEO, only=True), videos)
            if not kept.any():
                part.unlink(missing_ok=True)
            elif not kept.all():
                left = read_table(part).filter(pa.array(kept))
                write_table(left, self._new_part() if isinstance(part, Address) else part)
                if isinstance(part, Address):
                    part.unlink(missing_ok=True)

    def read(self) -> StoredRows:
        """Read all rows.

        Returns
        -------
        StoredRows
            The rows, in the order of the parts; of a segment that is in several, that of the first.

        Raises
        ------
        FeatureStoreError
            The store is empty or damaged, or a part was made otherwise.
        """
        parts, tables = listing_again(self.folder, self._read_parts)
        dims = [part.schema.field("vector").type.list_size for part in tables]
        for part, dim in zip(parts, dims, strict=True):
            if dim != dims[0]:
                raise FeatureStoreError(
                    f"{part}: has vectors of {dim} values, and {parts[0]} of {dims[0]}. Delete the part that does not "
                    "belong here, and its videos are computed again."
                )
        table = _once(pa.concat_tables([part.replace_schema_metadata(None) for part in tables]))
        flat = np.concatenate([chunk.flatten().to_numpy() for chunk in table["vector"].chunks])
        return StoredRows(
            table["segment_id"].to_pylist(),
            table["video_id"].to_pylist(),
            flat.reshape(table.num_rows, -1).astype(np.float32, copy=False),
            [flags or [] for flags in table["flags"].to_pylist()],
        )

    def _read_parts(self) -> tuple[list[Place], list[pa.Table]]:
        parts = _some(self.folder, self._checked())
        return parts, _each(_read_part, parts)

    def _checked(self) -> list[Place]:
        parts = listed_parts(self.folder)
        for part, (found, arithmetic) in zip(parts, _each(_made_by, parts), strict=True):
            different = [key for key in {**self.made_by, **found} if self.made_by.get(key) != found.get(key)]
            own = self.arithmetic or TORCH
            if not different and not compatible(own, arithmetic or TORCH):
                raise FeatureStoreError(
                    f"{part}: was computed in {arithmetic or TORCH}, and this is {own}, which differs by more than can "
                    f"be mixed. Use another workspace, or delete {self.folder} to compute its features again."
                )
            if different:
                key = sorted(different)[0]
                raise FeatureStoreError(
                    f"{part}: was made with {key} = {found.get(key)}, not {self.made_by.get(key)}. "
                    f"Use another workspace, or delete {self.folder} to compute its features again."
                )
        return parts


def flagged_segments(features: Place) -> set[str]:
    """List the segments in which something is wrong with the sound or the pictures; see `antiphon.media.quality`.

    Parameters
    ----------
    features : Path or Address
        The workspace's `features` folder.

    Returns
    -------
    set of str
        Ids of the segments that are flagged in a store.
    """
    return set(flags_of_segments(features))


def flags_of_segments(features: Place) -> dict[str, tuple[str, ...]]:
    """Return what is wrong with segments; see `antiphon.media.quality`.

    Parameters
    ----------
    features : Path or Address
        The workspace's `features` folder.

    Returns
    -------
    dict of str to tuple of str
        Flags of each segment that is flagged in a store.
    """
    found: dict[str, dict[str, None]] = {}
    for table in (table for name in store_names(features) for table in _flag_tables(store_folder(features, name))):
        for segment_id, flags in zip(table["segment_id"].to_pylist(), table["flags"].to_pylist(), strict=True):
            if flags:
                found.setdefault(segment_id, {}).update(dict.fromkeys(flags))
    return {segment_id: tuple(flags) for segment_id, flags in found.items()}


def is_of_others(table: pa.Table, videos: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return for each row of a table with a column `video_id` whether it is of none of these videos."""
    left = set(videos)
    return np.array([name not in left for name in table["video_id"].to_pylist()], dtype=np.bool_)


def _row_flags(item: VideoFeatures) -> list[list[str] | None]:
    """Return the flags of each row of a video; None where it was not examined."""
    if not len(item.flags):
        return [None] * len(item.segment_ids)
    return [list(flags) for flags in item.flags]


def _some(folder: Place, parts: list[Place]) -> list[Place]:
    if not parts:
        raise FeatureStoreError(f"{folder}: no features here. Extract or import them first.")
    return parts


def _flag_tables(folder: Place) -> list[pa.Table]:
    return listing_again(folder, lambda: _each(lambda part: read_table(part, _FLAGS, only=True), listed_parts(folder)))


def _each(function: Callable[[Place], Result], parts: Sequence[Place]) -> list[Result]:
    """Apply a function to parts: to those of a store to several at a time, since each answer takes a while."""
    if not any(isinstance(part, Address) for part in parts):
        return [function(part) for part in parts]
    with ThreadPoolExecutor(_REQUESTS) as threads:
        return list(threads.map(function, parts))


def videos_of_parts(parts: Sequence[Place]) -> set[str]:
    """List the videos in some parts.

    Parameters
    ----------
    parts : sequence of Path or Address
        Parts.

    Returns
    -------
    set of str
        Ids of the videos.
    """
    return {video for videos in _each(_videos, parts) for video in videos}


def _videos(part: Place) -> list[str]:
    return read_table(part, _VIDEO, only=True)["video_id"].to_pylist()


def _once(table: pa.Table) -> pa.Table:
    """Drop rows of segments that stand further up already."""
    ids = table["segment_id"].to_pylist()
    first = {segment_id: row for row, segment_id in reversed(list(enumerate(ids)))}
    return table if len(first) == len(ids) else table.take(pa.array(sorted(first.values()), pa.int64()))


def _read_part(part: Place) -> pa.Table:
    """Read a part whose vectors can be features."""
    kind = read_schema(part).field("vector").type if "vector" in read_schema(part).names else pa.null()
    if not pa.types.is_fixed_size_list(kind) or not kind.list_size:
        raise FeatureStoreError(f"{part}: has no vectors. Delete it, and its videos are computed again.")
    table = read_table(part, feature_schema(kind.list_size))
    for chunk in table["vector"].chunks:
        vectors = chunk.flatten().to_numpy()
        if len(vectors) and not max(vectors.max(), -vectors.min()) <= MAX_VALUE:
            raise FeatureStoreError(
                f"{part}: has values that are not finite, or beyond {MAX_VALUE:g}. Delete it, and its videos are "
                "computed again."
            )
    return table


def _made_by(part: Place) -> tuple[dict[str, str], str]:
    """Return what made a part, and the arithmetic; "" where none is recorded."""
    metadata: dict[bytes, bytes] = read_schema(part).metadata or {}
    found = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in metadata.items()}
    return found, found.pop(_ARITHMETIC, "")
