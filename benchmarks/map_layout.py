"""Layouts of the map compared: neighbours kept on the plane, and the time that each takes.

`python benchmarks/map_layout.py DATA WAY…` prints one line for each way; DATA is a folder with `yt8m/` and `muvisync/`
as described in docs, or `synthetic:N` for N vectors around 200 centres. Ways: ours, openTSNE, umap. The latter two
need `pip install openTSNE umap-learn`.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt
import polars as pl

from antiphon.app.projection import project

FloatArray = npt.NDArray[np.float32]
_ASKED, _NEAREST = 2_000, 15


def unit(rows: npt.ArrayLike) -> FloatArray:
    """Return rows at length 1."""
    found = np.asarray(rows, dtype=np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def youtube(folder: Path) -> FloatArray:
    """Read the 25,535 videos of YouTube-8M: pictures and sound, each standardised and at length 1, side by side."""
    frame = pl.concat(
        pl.read_parquet(folder / "yt8m" / f"{name}.parquet", columns=["mean_rgb", "mean_audio"])
        for name in ("music", "other")
    )
    sides = [np.array(frame[name].to_list(), dtype=np.float32) for name in ("mean_rgb", "mean_audio")]
    return unit(np.hstack([unit(side - side.mean(axis=0)) for side in sides]))


def synthetic(count: int, dim: int = 64) -> FloatArray:
    """Draw vectors around 200 centres."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(200, dim))
    return unit(centres[random.integers(0, 200, count)] + 0.7 * random.normal(size=(count, dim)))


def kept(vectors: FloatArray, placed: FloatArray) -> tuple[float, float]:
    """Return trustworthiness (Venna and Kaski 2001) and the share of the 15 nearest that stay so, for 2,000 rows."""
    random = np.random.default_rng(1)
    count = len(vectors)
    asked = random.choice(count, min(_ASKED, count), replace=False)
    intruders, same = 0.0, 0.0
    for row in asked:
        far = -(vectors @ vectors[row])
        near = ((placed - placed[row]) ** 2).sum(axis=1)
        far[row] = near[row] = np.inf
        order = np.argsort(far, kind="stable")
        ranks = np.empty(count, dtype=np.int64)
        ranks[order] = np.arange(1, count + 1)
        shown = ranks[np.argpartition(near, _NEAREST)[:_NEAREST]]
        intruders += float(np.maximum(shown - _NEAREST, 0).sum())
        same += float((shown <= _NEAREST).mean())
    worst = _NEAREST * (2 * count - 3 * _NEAREST - 1) / 2
    return 1 - intruders / (len(asked) * worst), same / len(asked)


def open_tsne(vectors: FloatArray) -> FloatArray:
    """Lay out with openTSNE's usual settings."""
    from openTSNE import TSNE

    return np.asarray(TSNE(metric="cosine", n_jobs=1, random_state=0).fit(vectors), dtype=np.float32)


def umap(vectors: FloatArray) -> FloatArray:
    """Lay out with UMAP's usual settings."""
    from umap import UMAP  # pyright: ignore[reportMissingImports]

    return np.asarray(UMAP(metric="cosine", n_jobs=1, random_state=0).fit_transform(vectors), dtype=np.float32)


def landmarks(vectors: FloatArray) -> FloatArray:
    """Lay out as where openTSNE is not installed: at most 2,000 exactly, the others among them."""
    with mock.patch("antiphon.app.projection.find_spec", return_value=None):
        return project(vectors)


WAYS: dict[str, Callable[[FloatArray], FloatArray]] = {"ours": landmarks, "openTSNE": open_tsne, "umap": umap}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("ways", nargs="+", choices=list(WAYS))
    parser.add_argument("--videos", type=int, default=0, help="take so many of the data only")
    given = parser.parse_args()
    kind, _, count = given.data.partition(":")
    vectors = synthetic(int(count)) if kind == "synthetic" else youtube(Path(given.data))
    if given.videos:
        vectors = vectors[np.random.default_rng(2).permutation(len(vectors))[: given.videos]]
    for way in given.ways:
        begun_s = time.perf_counter()
        placed = WAYS[way](vectors)
        taken_s = time.perf_counter() - begun_s
        trust, same = kept(vectors, placed)
        found = {"way": way, "videos": len(vectors), "seconds": round(taken_s, 1)}
        print(json.dumps(found | {"trustworthiness": round(trust, 4), "neighbours_kept": round(same, 4)}), flush=True)


if __name__ == "__main__":
    main()
