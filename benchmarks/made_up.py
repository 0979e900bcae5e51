"""A workspace of made-up music videos with an index, for the benchmarks of the service: names, metadata and vectors.

The vectors are synthetic: Gaussian clusters of 256 values, and noise of the same size for each segment. They say what
questions cost, and nothing about how near music videos are.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.features import Features
from antiphon.search import Index
from antiphon.tables import ATTRIBUTES, SEGMENTS, write_table
from antiphon.workspace import Workspace

SEGMENTS_EACH, DIM, WINDOW_S = 6, 256, 3.0


class Clusters:
    """Stands for a model: it embeds a segment near the centre of its track, and a track by its segments' mean."""

    dim = DIM
    fingerprint = "clusters"
    correction_dim = 0

    def embed(self, features: Features, per: str = "segment") -> tuple[np.ndarray, np.ndarray]:
        """(n, dim) unit rows of sound and of pictures."""
        names, places = np.unique(features.groups, return_inverse=True)
        centres = np.random.default_rng(0).normal(size=(max(20, len(names) // 20), DIM)).astype(np.float32)
        sides: list[np.ndarray] = []
        for side in (1, 2):
            random = np.random.default_rng(side)
            tracks = centres[random.integers(len(centres), size=len(names))]
            tracks = tracks + random.standard_normal(size=tracks.shape, dtype=np.float32)
            rows = tracks[places] + random.standard_normal(size=(len(places), DIM), dtype=np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            if per == "track":
                rows = np.add.reduceat(rows, np.searchsorted(places, np.arange(len(names))))
                rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            sides.append(rows)
        return sides[0], sides[1]


def names(videos: int) -> list[str]:
    """Ids, in order."""
    return [f"folder {number % 10}/video {number:06d}.mp4" for number in range(videos)]


def workspace(root: Path, videos: int) -> tuple[Workspace, Index]:
    """Write a catalogue, segments, attributes and an index of so many music videos."""
    place, random, ids = Workspace(root), np.random.default_rng(0), sorted(names(videos))
    root.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "id": id,
            "title": f"Title {number} of {('rivers', 'lights', 'stones', 'nights')[number % 4]}",
            "artist": f"Artist {number // 5}",
            "genre": f"genre {int(random.integers(12))}",
            "tags": [f"tag {int(tag)}" for tag in random.integers(40, size=3)],
            "year": 1980 + int(random.integers(40)),
            "split": "train",
            "start_s": 0.0,
            "duration_s": 200.0,
            "has_audio": True,
            "has_video": True,
        }
        for number, id in enumerate(ids)
    ]
    catalogue = Catalogue(rows)
    catalogue.save(place.catalogue)
    groups = np.repeat(ids, SEGMENTS_EACH)
    starts_s = np.tile(30.0 * np.arange(SEGMENTS_EACH), videos)
    write_table(_segments(groups, starts_s), place.segments)
    write_table(_attributes(groups, starts_s, random), place.attributes)
    one = np.ones((len(groups), 1), dtype=np.float32)
    segment_ids = [f"{group}-{row % SEGMENTS_EACH}" for row, group in enumerate(groups)]
    features = Features.from_arrays(one, one, ids=segment_ids, groups=groups, starts_s=starts_s)
    return place, Index.build(Clusters(), features, place.index, catalogue)  # type: ignore[arg-type]


def _segments(groups: np.ndarray, starts_s: np.ndarray) -> pa.Table:
    columns = {
        "segment_id": [f"{group}-{row % SEGMENTS_EACH}" for row, group in enumerate(groups)],
        "video_id": groups.tolist(),
        "section": np.arange(len(groups)) % SEGMENTS_EACH,
        "start_s": starts_s,
        "end_s": starts_s + 5,
        "window_start_s": starts_s + 1,
        "window_end_s": starts_s + 1 + WINDOW_S,
        "seed": np.zeros(len(groups), dtype=np.int64),
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in SEGMENTS], schema=SEGMENTS)


def _attributes(groups: np.ndarray, starts_s: np.ndarray, random: np.random.Generator) -> pa.Table:
    count = len(groups)
    columns = {
        "segment_id": [f"{group}-{row % SEGMENTS_EACH}" for row, group in enumerate(groups)],
        "video_id": groups.tolist(),
        "window_start_s": starts_s + 1,
        "window_end_s": starts_s + 1 + WINDOW_S,
        "black_and_white": random.random(count) < 0.1,
        **{name: random.random(count) for name in ("saturation", "luma", "motion", "cuts_per_s")},
        "tempo_bpm": np.repeat(60 + 120 * random.random(count // SEGMENTS_EACH), SEGMENTS_EACH),
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in ATTRIBUTES], schema=ATTRIBUTES)
