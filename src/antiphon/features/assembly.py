"""Assembly of `Features` from the stores of two backbones and the catalogue."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from antiphon.catalogue import Catalogue
from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.named_stores import store_folder
from antiphon.features.planning import PlannedSegments, read_segments
from antiphon.features.store import FeatureStore, StoredRows
from antiphon.spelling import one_spelling
from antiphon.workspace import Workspace

FloatArray = npt.NDArray[np.float32]


def assemble(
    workspace: Workspace,
    catalogue: Catalogue,
    audio: str | None,
    video: str | None,
    segments: PlannedSegments | None = None,
) -> Features:
    """Assemble the features of all videos of a catalogue that a workspace has, in the catalogue's order.

    Parameters
    ----------
    workspace : Workspace
        Workspace with feature stores.
    catalogue : Catalogue
        Videos to read, with their metadata.
    audio, video : str or None
        Name of the store of each modality, or None to leave it out.
    segments : PlannedSegments, optional
        The workspace's segments, if they have been read already.

    Returns
    -------
    Features
        One row per segment.

    Raises
    ------
    FeatureStoreError
        A store is missing or damaged, or has none of the catalogue's videos.
    """
    order = {video_id: number for number, video_id in enumerate(catalogue.ids)}
    sides = {name: _read(workspace, name, order) for name in (audio, video) if name is not None}
    places: dict[str, str] = {}
    for side in sides.values():
        places.update(zip(side.segment_ids, side.video_ids, strict=True))
    if not places:
        raise FeatureStoreError(
            f"{workspace.features}: has no features of this catalogue's videos. Extract them first."
        )
    ids = sorted(places, key=lambda segment_id: (order[places[segment_id]], _natural(segment_id)))
    rows = {segment_id: row for row, segment_id in enumerate(ids)}
    about = {row["id"]: row for row in catalogue.records()}
    genres = one_spelling(row["genre"] for row in about.values() if row["genre"])
    tags = one_spelling(tag for row in about.values() for tag in _labels(row))
    planned = segments or read_segments(workspace)
    starts_s = planned.window_starts_s
    features = Features.from_arrays(
        audio=_aligned(sides.get(audio or ""), rows),
        video=_aligned(sides.get(video or ""), rows),
        ids=ids,
        groups=[places[segment_id] for segment_id in ids],
        labels=[list(dict.fromkeys(tags[tag] for tag in _labels(about[places[segment_id]]))) for segment_id in ids],
        splits=[about[places[segment_id]]["split"] for segment_id in ids],
        genres=[_spelt(genres, about[places[segment_id]]["genre"]) for segment_id in ids],
        artists=[about[places[segment_id]]["artist"] for segment_id in ids],
        starts_s=[starts_s.get(segment_id) for segment_id in ids],
        flags=_flags(sides.get(audio or ""), sides.get(video or ""), rows),
        audio_name=audio or "",
        video_name=video or "",
    )
    return replace(features, sampling=planned.sampling)


def _read(workspace: Workspace, name: str, order: dict[str, int]) -> StoredRows:
    stored = FeatureStore.existing(store_folder(workspace.features, name)).read()
    first: dict[str, int] = {}
    for row, (segment_id, video_id) in enumerate(zip(stored.segment_ids, stored.video_ids, strict=True)):
        if video_id in order:
            first.setdefault(segment_id, row)
    kept = list(first.values())
    return StoredRows(
        [stored.segment_ids[row] for row in kept],
        [stored.video_ids[row] for row in kept],
        stored.vectors[kept],
        [stored.flags[row] for row in kept],
    )


def _aligned(side: StoredRows | None, rows: dict[str, int]) -> FloatArray | None:
    if side is None:
        return None
    result = np.full((len(rows), side.vectors.shape[1]), np.nan, dtype=np.float32)
    result[[rows[segment_id] for segment_id in side.segment_ids]] = side.vectors
    return result


def _flags(audio: StoredRows | None, video: StoredRows | None, rows: dict[str, int]) -> list[list[str]]:
    """Join what is wrong with the sound and with the pictures of each segment."""
    result: list[list[str]] = [[] for _ in rows]
    for modality, side in (("audio", audio), ("video", video)):
        for segment_id, flags in zip(side.segment_ids, side.flags, strict=True) if side else ():
            result[rows[segment_id]] += [f"{modality} {flag}" for flag in flags]
    return result


def _natural(segment_id: str) -> tuple[int, str]:
    """Sort sections by number: 10 after 9."""
    return len(segment_id), segment_id


def _spelt(genres: dict[str, str], genre: str | None) -> str | None:
    return genres[genre] if genre else genre


def _labels(row: dict[str, object]) -> list[str]:
    tags = row["tags"]
    return [str(tag) for tag in tags] if isinstance(tags, list) else []
