"""Cross-modal retrieval: ranks of the true partners, in both directions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import blocks, group_numbers, members, permuted_rows, weight_blocks
from antiphon.metrics.ranks import ranks
from antiphon.metrics.results import RetrievalResult
from antiphon.metrics.summaries import Summary, chance, summarise, summarise_weighted
from antiphon.seeding import generator

HEADLINE = "median_rank"
MIN_ARTISTS = 10
"""Fewer artists are not resampled: that would tell nothing of others."""
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
    ids: npt.ArrayLike | None = None,
    artists: npt.ArrayLike | None = None,
    name: str = "",
) -> RetrievalResult:
    """Rank every item's partner among all items of the other side, from audio to video and back.

    Ranks are exact; ties count half (mid-rank). Each number comes with three others: the level of chance in this pool;
    a 95% bootstrap interval over videos, or over artists (per-query ranks are resampled, the pool is kept); and the
    null of these very embeddings, the middle 95% of the same number when the videos' partners are permuted at random.
    The null is wider than theory says, since hubs make ranks depend on each other.

    Parameters
    ----------
    audio, video : array_like
        (n, dim) floats, row i of one paired with row i of the other. Scores are dot products: for unit rows, as
        `DualEncoder.embed` returns them, cosines.
    groups : array_like, optional
        (n,) video of each row, the unit that is permuted, and resampled where no artists are given. Default: every row
        its own.
    ks : sequence of int, default (1, 5, 10)
        Cut-offs of recall@k, positive.
    seed : int, default 0
        Seed of the bootstrap and the permutations.
    resamples, permutations : int
        Number of each, at least 1.
    exclude_same_group : bool, default False
        Leave the other rows of the partner's group out of a query's candidates: of a track only the requested segment
        remains. In the null, those of the permuted partner's group are left out instead. "n" is then the mean pool
        size over the queries, rounded, and "chance" the mean of what each pool gives.
    chunk_rows : int, default 1024
        Queries scored at a time; the result does not depend on it. Memory, besides the embeddings in float64: about
        12 bytes for each of `chunk_rows` × n scores and 8 for each of `permutations` × n permuted partners and their
        ranks, which are kept whole; resamples are drawn and summed up in blocks of fixed size.
    ids : array_like, optional
        (n,) name of each row, which `RetrievalResult.compare` checks.
    artists : array_like, optional
        (n,) artist of each row, or whatever else makes videos alike: those that share it are resampled together. Name
        those without one differently; see `antiphon.features.artists.artist_parties`. Default, and where there are
        fewer than ten: every video its own.
    name : str, default ""
        Name of what is measured, for tables and comparisons.

    Returns
    -------
    RetrievalResult
        A mapping {"a2v": …, "v2a": …}, where "a2v" queries with audio. Each direction holds plain values
        ("median_rank", "mean_rank", "mrr", "recall@k"), "n" the pool size, "groups" the number of videos, "resampled"
        that of the videos or artists that intervals are over, for the median rank "chance", "ci95" and "null95", and
        under "by_metric" the same for every metric: {"value", "chance", "ci95", "null95"}. Its attribute `ranks` has
        the rank of every query.

    Raises
    ------
    ValueError
        The arrays are not two matrices of the same shape, are empty, or hold values that are not finite; a group is
        missing; `ids` has another length; a count or a cut-off is not a positive integer.

    Examples
    --------
    >>> found = retrieval(np.eye(50), np.eye(50))["a2v"]
    >>> found["median_rank"], found["n"], found["chance"]
    (1.0, 50, 25.5)
    """
    audio, video = _matrix(audio, "audio"), _matrix(video, "video")
    if audio.shape != video.shape:
        raise ValueError(f"audio has shape {audio.shape} and video {video.shape}; row i of both is one pair.")
    _check_positive_integers(resamples=[resamples], permutations=[permutations], ks=ks, chunk_rows=[chunk_rows])
    numbers = group_numbers(groups, len(audio))
    names = _names(ids, len(audio))
    permuted = permuted_rows(numbers, permutations, generator(seed, "retrieval", "permutation"))
    left_out = members(numbers) if exclude_same_group else None
    true_ranks: dict[str, npt.NDArray[np.float64]] = {}
    nulls: dict[str, Summary] = {}
    for way, queries, candidates in (("a2v", audio, video), ("v2a", video, audio)):
        true_ranks[way], found = ranks(queries, candidates, permuted=permuted, left_out=left_out, chunk_rows=chunk_rows)
        null_ranks = np.asarray(found)
        nulls[way] = _joined(summarise(null_ranks[block], ks) for block in blocks(*null_ranks.shape))
    units = None if artists is None else group_numbers(artists, len(audio))
    if units is None or int(units.max()) + 1 < MIN_ARTISTS:
        artists, units = None, numbers
    resampled = _resampled(true_ranks, units, resamples, ks, seed)
    pools = np.full(len(numbers), len(numbers))
    if exclude_same_group:
        pools -= np.bincount(numbers)[numbers] - 1
    sizes = {"groups": int(numbers.max()) + 1, "resampled": int(units.max()) + 1}
    values = {way: _one_way(found, pools, sizes, resampled[way], nulls[way], ks) for way, found in true_ranks.items()}
    of = numbers if groups is None else np.asarray(groups)
    kept = None if artists is None else np.asarray(artists)
    return RetrievalResult(
        values, true_ranks, of, names, artists=kept, name=name, exclude_same_group=exclude_same_group
    )


def _resampled(
    true_ranks: Mapping[str, npt.NDArray[np.float64]],
    numbers: npt.NDArray[np.int64],
    resamples: int,
    ks: Sequence[int],
    seed: int,
) -> dict[str, Summary]:
    """The summaries of both directions in the same resamples of numbered units."""
    found: dict[str, list[Summary]] = {way: [] for way in true_ranks}
    for weights in weight_blocks(numbers, resamples, generator(seed, "retrieval", "bootstrap")):
        for way, values in true_ranks.items():
            found[way].append(summarise_weighted(values, weights, ks))
    return {way: _joined(parts) for way, parts in found.items()}


def _one_way(
    true_ranks: npt.NDArray[np.float64],
    pools: npt.NDArray[np.int_],
    sizes: Mapping[str, int],
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
    return values | {"n": round(float(pools.mean())), **sizes} | headline | {"by_metric": by_metric}


def _chance(pools: npt.NDArray[np.int_], ks: Sequence[int]) -> dict[str, float]:
    """Return the mean over the queries of what random scores give in their pools."""
    sizes, counts = np.unique(pools, return_counts=True)
    levels = [chance(int(size), ks) for size in sizes]
    return {name: float(np.average([level[name] for level in levels], weights=counts)) for name in levels[0]}


def _joined(parts: Iterable[Summary]) -> Summary:
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _names(ids: npt.ArrayLike | None, count: int) -> npt.NDArray[Any] | None:
    if ids is None:
        return None
    names = np.asarray(ids)
    if names.shape != (count,):
        raise ValueError(f"ids has shape {names.shape}; it must name each of the {count} rows.")
    return names


def _check_positive_integers(**numbers: Sequence[Any]) -> None:
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
