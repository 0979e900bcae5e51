"""Cross-modal retrieval: how far down the list the true partner stands, both ways."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import bootstrap_weights, group_numbers, permuted_rows
from antiphon.metrics.ranks import ranks
from antiphon.metrics.summaries import chance, summarise, summarise_weighted
from antiphon.seeding import generator

HEADLINE = "median_rank"
_TAILS = (2.5, 97.5)
_BLOCK = 2**24


def retrieval(
    audio: npt.ArrayLike,
    video: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    ks: Sequence[int] = (1, 5, 10),
    seed: int = 0,
    *,
    resamples: int = 1000,
    permutations: int = 500,
    chunk_rows: int = 1024,
) -> dict[str, dict[str, Any]]:
    """Rank every item's partner among all items of the other modality, from sound to pictures and back.

    The rank is exact, ties count half (mid-rank). Three things stand beside each number: the level of chance in this
    pool; a 95% bootstrap interval over videos (per-query ranks are resampled, the pool is kept); and the null of these
    very embeddings, the middle 95% of the same number when the videos' partners are permuted at random. The null is
    wider than theory says, since hubs make ranks depend on each other.

    Parameters
    ----------
    audio, video : (n, dim) float arrays, row i of one paired with row i of the other. Scores are dot products: for
        unit rows, as `DualEncoder.embed` returns them, cosines.
    groups : (n,) array, optional. The video of each row, the unit that is resampled and permuted. Default: every row
        its own.
    ks : cut-offs of recall@k.
    seed : of the bootstrap and the permutations.
    resamples, permutations : how many of each.
    chunk_rows : queries scored at a time; memory is bounded by `chunk_rows` × n scores and `permutations` × n ranks.

    Returns
    -------
    {"a2v": …, "v2a": …}: "a2v" asks with sound for pictures. Each holds the plain values ("median_rank", "mean_rank",
    "mrr", "recall@k"), "n" the pool size, "groups" the number of videos, for the median rank "chance", "ci95" and
    "null95", and under "by_metric" the same for every metric: {"value", "chance", "ci95", "null95"}.

    Raises
    ------
    ValueError
        The arrays are not two matrices of the same shape, are empty, or hold values that are not finite.

    Examples
    --------
    >>> found = retrieval(np.eye(50), np.eye(50))["a2v"]
    >>> found["median_rank"], found["n"], found["chance"]
    (1.0, 50, 25.5)
    """
    sound, pictures = _matrix(audio, "audio"), _matrix(video, "video")
    if sound.shape != pictures.shape:
        raise ValueError(f"audio has shape {sound.shape} and video {pictures.shape}; row i of both is one pair.")
    numbers = group_numbers(groups, len(sound))
    weights = bootstrap_weights(numbers, resamples, generator(seed, "retrieval", "bootstrap"))
    permuted = permuted_rows(numbers, permutations, generator(seed, "retrieval", "permutation"))
    return {
        direction: _one_way(queries, candidates, numbers, weights, permuted, ks, chunk_rows)
        for direction, queries, candidates in (("a2v", sound, pictures), ("v2a", pictures, sound))
    }


def _one_way(
    queries: npt.NDArray[np.floating],
    candidates: npt.NDArray[np.floating],
    numbers: npt.NDArray[np.int64],
    weights: npt.NDArray[np.int64],
    permuted: npt.NDArray[np.int64],
    ks: Sequence[int],
    chunk_rows: int,
) -> dict[str, Any]:
    true_ranks, null_ranks = ranks(queries, candidates, permuted=permuted, chunk_rows=chunk_rows)
    values = {name: float(value) for name, value in summarise(true_ranks, ks).items()}
    levels = chance(len(queries), ks)
    block = max(1, _BLOCK // len(queries))
    blocks = [
        summarise_weighted(true_ranks, weights[first : first + block], ks) for first in range(0, len(weights), block)
    ]
    resampled = {name: np.concatenate([part[name] for part in blocks]) for name in values}
    nulls = summarise(np.asarray(null_ranks), ks)
    by_metric = {
        name: {
            "value": value,
            "chance": levels[name],
            "ci95": _interval(resampled[name]),
            "null95": _interval(nulls[name]),
        }
        for name, value in values.items()
    }
    headline = {key: by_metric[HEADLINE][key] for key in ("chance", "ci95", "null95")}
    sizes = {"n": len(queries), "groups": int(numbers.max()) + 1}
    return values | sizes | headline | {"by_metric": by_metric}


def _interval(values: npt.NDArray[np.floating]) -> list[float]:
    return [float(edge) for edge in np.percentile(values, _TAILS)]


def _matrix(rows: npt.ArrayLike, name: str) -> npt.NDArray[np.floating]:
    matrix = np.asarray(rows)
    if matrix.ndim != 2 or 0 in matrix.shape or not np.issubdtype(matrix.dtype, np.floating):
        raise ValueError(f"{name} must be a matrix of floats with at least one row, not {matrix.dtype} {matrix.shape}.")
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(broken):
        raise ValueError(f"{name} holds values that are not finite in {len(broken)} rows, the first is {broken[0]}.")
    return matrix
