"""Paired comparisons: the same queries under two models, with an interval of the difference."""

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers, weight_blocks
from antiphon.metrics.summaries import summarise_weighted
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

_RESAMPLES = 1000


def median_over_seeds(
    ranks: FloatArray, groups: npt.ArrayLike | None = None, seed: int = 0
) -> tuple[float, list[float]]:
    """Return the median rank, averaged over trainings, and its 95% bootstrap interval over videos.

    The interval says what other test videos of the same kind would give these trained models, and not what other
    trainings would give: look at the trainings side by side for that.

    Parameters
    ----------
    ranks : ndarray
        (trainings, n) ranks of the same n queries under each trained model.
    groups : array_like, optional
        (n,) video of each query, the unit that is resampled. Default: every query its own.
    seed : int, default 0
        Seed of the bootstrap.
    """
    value = float(np.median(ranks, axis=1).mean())
    means = [
        np.mean([summarise_weighted(row, weights, ())["median_rank"] for row in ranks], axis=0)
        for weights in weight_blocks(group_numbers(groups, ranks.shape[1]), _RESAMPLES, generator(seed, "over seeds"))
    ]
    return value, [float(edge) for edge in np.percentile(np.concatenate(means), [2.5, 97.5])]


def rank_ratio(
    ranks: FloatArray, reference: FloatArray, groups: npt.ArrayLike | None = None, seed: int = 0
) -> tuple[float, list[float]]:
    """Return by what factor ranks are lower than those of a reference, and its 95% bootstrap interval over videos.

    The ratio of the geometric means, reference over `ranks`: above 1 where `ranks` are better. Paired by query.

    Parameters
    ----------
    ranks, reference : ndarray
        (n,) or (trainings, n) ranks of the same n queries; trainings are averaged first, on log ranks.
    groups : array_like, optional
        (n,) video of each query, the unit that is resampled. Default: every query its own.
    seed : int, default 0
        Seed of the bootstrap.

    Examples
    --------
    >>> rank_ratio(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    (2.0, [2.0, 2.0])
    """
    gains = np.log(np.atleast_2d(reference)).mean(axis=0) - np.log(np.atleast_2d(ranks)).mean(axis=0)
    drawn = weight_blocks(group_numbers(groups, len(gains)), _RESAMPLES, generator(seed, "rank ratio"))
    resampled = np.concatenate([weights @ gains / weights.sum(axis=1) for weights in drawn])
    edges = np.exp(np.percentile(resampled, [2.5, 97.5]))
    return _rounded(np.exp(gains.mean())), [_rounded(edge) for edge in edges]


def mean_interval(values: FloatArray, groups: npt.ArrayLike | None = None, seed: int = 0) -> tuple[float, list[float]]:
    """Return the mean and its 95% bootstrap interval; of differences, this is a paired comparison.

    Parameters
    ----------
    values : ndarray
        (n,) numbers, one a user.
    groups : array_like, optional
        (n,) unit that is resampled. Default: every value its own.
    seed : int, default 0
        Seed of the bootstrap.

    Examples
    --------
    >>> mean_interval(np.array([0.5, 0.5, 0.5]))
    (0.5, [0.5, 0.5])
    """
    drawn = weight_blocks(group_numbers(groups, len(values)), _RESAMPLES, generator(seed, "mean interval"))
    resampled = np.concatenate([weights @ values / weights.sum(axis=1) for weights in drawn])
    return float(values.mean()), [float(edge) for edge in np.percentile(resampled, [2.5, 97.5])]


def _rounded(value: float) -> float:
    """Drop the noise of logarithm and exponential in the last digits."""
    return float(np.round(value, 12))
