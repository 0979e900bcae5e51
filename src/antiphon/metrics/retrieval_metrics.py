"""Cross-modal retrieval: how far down the list the true partner stands, both ways."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import blocks, group_numbers, members, permuted_rows, weight_blocks
from antiphon.metrics.ranks import ranks
from antiphon.metrics.summaries import Summary, chance, summarise, summarise_weighted
from antiphon.seeding import generator

HEADLINE = "median_rank"
_TAILS = (2.5, 97.5)


def retrieval(
    audio: npt.ArrayLike,
    video: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    ks: Sequence[int] = (1, 5, 10),
    seed: int = 0,
    *,
    resamples: int = 1000,
    permutations: int = 500,
    exclude_same_group: bool = False,
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
    ks : cut-offs of recall@k, positive integers.
    seed : of the bootstrap and the permutations.
    resamples, permutations : how many of each, at least 1.
    exclude_same_group : leave the other rows of the true partner's group out of a query's candidates: of a track there
        is then only the segment asked for. In the null, those of the permuted partner's group are left out instead.
        "n" is then the mean size of the queries' pools, rounded, and "chance" the mean of what each pool gives.
    chunk_rows : queries scored at a time; the result does not depend on it. Memory, besides the embeddings in float64:
        about 12 bytes for each of `chunk_rows` × n scores and 8 for each of `permutations` × n permuted partners and
        their ranks, which are kept whole; resamples are drawn and summed up in blocks of fixed size.

    Returns
    -------
    {"a2v": …, "v2a": …}: "a2v" asks with sound for pictures. Each holds the plain values ("median_rank", "mean_rank",
    "mrr", "recall@k"), "n" the pool size, "groups" the number of videos, for the median rank "chance", "ci95" and
    "null95", and under "by_metric" the same for every metric: {"value", "chance", "ci95", "null95"}.

    Raises
    ------
    ValueError
        The arrays are not two matrices of the same shape, are empty, or hold values that are not finite; a group is
        missing; a count or a cut-off is not a positive integer.

    Examples
    --------
    >>> found = retrieval(np.eye(50), np.eye(50))["a2v"]
    >>> found["median_rank"], found["n"], found["chance"]
    (1.0, 50, 25.5)
    """
    sound, pictures = _matrix(audio, "audio"), _matrix(video, "video")
    if sound.shape != pictures.shape:
        raise ValueError(f"audio has shape {sound.shape} and video {pictures.shape}; row i of both is one pair.")
    _refuse_others_than_positive_integers(resamples=[resamples], permutations=[permutations], ks=ks)
    _refuse_others_than_positive_integers(chunk_rows=[chunk_rows])
    numbers = group_numbers(groups, len(sound))
    permuted = permuted_rows(numbers, permutations, generator(seed, "retrieval", "permutation"))
    left_out = members(numbers) if exclude_same_group else None
    true_ranks: dict[str, npt.NDArray[np.float64]] = {}
    nulls: dict[str, Summary] = {}
    for way, queries, candidates in (("a2v", sound, pictures), ("v2a", pictures, sound)):
        true_ranks[way], found = ranks(queries, candidates, permuted=permuted, left_out=left_out, chunk_rows=chunk_rows)
        null_ranks = np.asarray(found)
        nulls[way] = _joined(summarise(null_ranks[block], ks) for block in blocks(*null_ranks.shape))
    resampled: dict[str, list[Summary]] = {way: [] for way in true_ranks}
    for weights in weight_blocks(numbers, resamples, generator(seed, "retrieval", "bootstrap")):
        for way, values in true_ranks.items():
            resampled[way].append(summarise_weighted(values, weights, ks))
    pools = np.full(len(numbers), len(numbers))
    if exclude_same_group:
        pools -= np.bincount(numbers)[numbers] - 1
    groups_there = int(numbers.max()) + 1
    return {
        way: _one_way(values, pools, groups_there, _joined(resampled[way]), nulls[way], ks)
        for way, values in true_ranks.items()
    }


def _one_way(
    true_ranks: npt.NDArray[np.float64],
    pools: npt.NDArray[np.int_],
    groups: int,
    resampled: Summary,
    nulls: Summary,
    ks: Sequence[int],
) -> dict[str, Any]:
    values = {name: float(value) for name, value in summarise(true_ranks, ks).items()}
    levels = _chance(pools, ks)
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
    sizes = {"n": round(float(pools.mean())), "groups": groups}
    return values | sizes | headline | {"by_metric": by_metric}


def _chance(pools: npt.NDArray[np.int_], ks: Sequence[int]) -> dict[str, float]:
    """The mean over the queries of what random scores are expected to give in their pools."""
    sizes, counts = np.unique(pools, return_counts=True)
    levels = [chance(int(size), ks) for size in sizes]
    return {name: float(np.average([level[name] for level in levels], weights=counts)) for name in levels[0]}


def _joined(parts: Iterable[Summary]) -> Summary:
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _refuse_others_than_positive_integers(**numbers: Sequence[Any]) -> None:
    for name, values in numbers.items():
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name}: {value!r} is not a positive integer.")


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
