"""How long a page's questions take, by store: `similar` and `match` of music videos with six segments on both sides.

    python benchmarks/index_questions.py [videos …]

The vectors are synthetic: 1,000 Gaussian clusters of 256 values, one for each track, and noise of the same size for
each segment. One line a size, store and question: rows of the index, median of 20 videos, in milliseconds.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from antiphon import Features, Index, Query

SEGMENTS, DIM, CLUSTERS, ASKED = 6, 256, 1000, 20


class Clusters:
    """Stands for a model: it embeds a track near the centre that its name gives."""

    dim = DIM
    fingerprint = "clusters"

    def embed(self, features: Features, per: str = "segment") -> tuple[np.ndarray, np.ndarray]:
        """(n, dim) unit rows of sound and of pictures."""
        names = features.groups if per == "segment" else np.unique(features.groups)
        centres = np.random.default_rng(0).normal(size=(CLUSTERS, DIM)).astype(np.float32)
        rows = centres[names.astype(int) % CLUSTERS]
        noisy = [rows + np.random.default_rng(side).normal(size=rows.shape).astype(np.float32) for side in (1, 2)]
        audio, video = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in noisy)
        return audio, video


def median_ms(ask: Callable[[str], Any], videos: int) -> float:
    """Of `ASKED` questions, after one that is not counted."""
    ask("000001")
    took: list[float] = []
    for number in range(ASKED):
        start = time.perf_counter()
        ask(f"{number * 37 % videos:06d}")
        took.append(time.perf_counter() - start)
    return 1e3 * float(np.median(took))


def measure(videos: int, kind: Literal["exact", "lancedb"], folder: Path) -> None:
    """Build an index of so many videos, ask it, and print a line for each question."""
    groups = np.repeat([f"{number:06d}" for number in range(videos)], SEGMENTS)
    ids = [f"{group}-{row % SEGMENTS}" for row, group in enumerate(groups)]
    one = np.ones((len(groups), 1), dtype=np.float32)
    index = Index.build(Clusters(), Features.from_arrays(one, one, ids=ids, groups=groups), folder / "index", kind=kind)
    rows = 2 * (len(groups) + videos)
    for name, ask in {
        "similar": lambda video: index.search(Query.from_id(index, video), k=10),
        "match": lambda video: index.search(Query.from_id(index, video), target="audio", k=10),
    }.items():
        print(f"{videos} videos, {rows} rows, {kind}, {name}: {median_ms(ask, videos):.0f} ms", flush=True)


if __name__ == "__main__":
    for videos in [int(text) for text in sys.argv[1:]] or [8_000, 30_000, 70_000]:
        for kind in ("exact", "lancedb"):
            with tempfile.TemporaryDirectory() as folder:
                measure(videos, kind, Path(folder))
