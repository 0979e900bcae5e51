"""Averages over several held-out sets and trainings, with one interval for all."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers, weight_blocks
from antiphon.metrics.summaries import summarise, summarise_weighted
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

_RESAMPLES = 1000


def over_draws(
    ranks: Sequence[FloatArray], groups: Sequence[npt.ArrayLike], ks: Sequence[int] = (1, 5, 10), seed: int = 0
) -> dict[str, dict[str, float | list[float]]]:
    """Average each rank metric over trainings and then over held-out sets, with a 95% bootstrap interval.

    The videos of each held-out set are resampled independently of the others, identically for all trainings. The
    interval therefore covers other test videos of the same kind; compare the trainings side by side for the rest.

    Parameters
    ----------
    ranks : sequence of ndarray of float
        For each held-out set the ranks of its queries in a pool of its own, shape (trainings, n).
    groups : sequence of array_like
        For each held-out set the video of each query, shape (n,), the unit that is resampled.
    ks : sequence of int, default (1, 5, 10)
        Cut-offs of recall@k.
    seed : int, default 0
        Seed of the bootstrap.

    Returns
    -------
    dict of str to dict of str to float or list of float
        {"median_rank": {"value", "ci95"}, "mean_rank": …, "mrr": …, "recall@k": …}.

    Examples
    --------
    >>> over_draws([np.array([[1.0, 1.0]]), np.array([[3.0, 3.0]])], [[0, 1], [2, 3]])["median_rank"]
    {'value': 2.0, 'ci95': [2.0, 2.0]}
    """
    values = [{name: value.mean() for name, value in summarise(part, ks).items()} for part in ranks]
    drawn = [
        _resampled(part, group_numbers(videos, part.shape[1]), ks, generator(seed, "over draws", number))
        for number, (part, videos) in enumerate(zip(ranks, groups, strict=True))
    ]
    return {
        name: {
            "value": float(np.mean([part[name] for part in values])),
            "ci95": np.percentile(np.mean([part[name] for part in drawn], axis=0), [2.5, 97.5]).tolist(),
        }
        for name in values[0]
    }


def _resampled(
    ranks: FloatArray, numbers: npt.NDArray[np.int64], ks: Sequence[int], random: np.random.Generator
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the (resamples,) values of each metric, averaged over trainings."""
    blocks: list[dict[str, npt.NDArray[np.float64]]] = []
    for weights in weight_blocks(numbers, _RESAMPLES, random):
        trainings = [summarise_weighted(row, weights, ks) for row in ranks]
        blocks.append({name: np.mean([one[name] for one in trainings], axis=0) for name in trainings[0]})
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
