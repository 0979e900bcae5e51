"""Agreement of judges beyond chance: Krippendorff's alpha for nominal answers, with gaps."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers, weight_blocks
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float64]

_RESAMPLES = 1000
_NOTHING_PAIRED = "no question was answered by two judges"
_NO_VARIATION = "all answers are the same, so that chance would agree as well"


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha.

    Attributes
    ----------
    value : float
        1 for perfect agreement, 0 for chance, below 0 for systematic disagreement; NaN where it is undefined.
    ci95 : (float, float)
        Middle 95% of resamples of the units; NaN where `value` is.
    units : int
        Number of units with at least two answers.
    answers : int
        Number of answers to these.
    reason : str
        Why there is no value; empty where there is one.
    """

    value: float
    ci95: tuple[float, float]
    units: int
    answers: int
    reason: str = ""


def krippendorff_alpha(answers: npt.ArrayLike, groups: npt.ArrayLike | None = None, seed: int = 0) -> Alpha:
    """Compute Krippendorff's alpha of nominal answers: 1 − observed disagreement / disagreement expected by chance.

    Both come from the coincidence matrix of the values that can be paired within a unit; units with a single answer are
    ignored. The interval is a bootstrap over units, or over groups of them; judges are not resampled, because a judge
    drawn twice would agree with himself.

    Parameters
    ----------
    answers : array_like, shape (judges, units)
        Numbers of categories; NaN where a judge did not answer.
    groups : array_like, shape (units,), optional
        Units to resample together. Default: every unit alone.
    seed : int, default 0
        Seed of the bootstrap.

    Returns
    -------
    Alpha
        The value with its interval, or the reason why there is none.

    Raises
    ------
    ValueError
        `answers` or `groups` has another shape.

    References
    ----------
    Krippendorff, K. (2011). Computing Krippendorff's Alpha-Reliability. University of Pennsylvania, section C.

    Examples
    --------
    >>> krippendorff_alpha([[0, 1, 0, 1], [0, 1, 0, 1]]).value
    1.0
    >>> krippendorff_alpha([[0, 0], [0, np.nan]]).reason
    'all answers are the same, so that chance would agree as well'
    """
    table = np.asarray(answers, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"answers has shape {table.shape}; it must be (judges, units).")
    counts = _counts(table)
    pairable = counts.sum(axis=1) >= 2
    numbers = group_numbers(groups, len(counts))[pairable]
    counts = counts[pairable]
    units, total = len(counts), int(counts.sum())
    if not units:
        return Alpha(np.nan, (np.nan, np.nan), 0, 0, _NOTHING_PAIRED)
    value = float(_alpha(counts, np.ones((1, units), dtype=np.int64))[0])
    if np.isnan(value):
        return Alpha(np.nan, (np.nan, np.nan), units, total, _NO_VARIATION)
    numbers = np.unique(numbers, return_inverse=True)[1]
    drawn = weight_blocks(numbers, _RESAMPLES, generator(seed, "krippendorff"))
    resampled = np.concatenate([_alpha(counts, weights) for weights in drawn])
    low, high = np.nanpercentile(resampled, [2.5, 97.5]) if np.isfinite(resampled).any() else (np.nan, np.nan)
    return Alpha(value, (float(low), float(high)), units, total)


def _counts(table: FloatArray) -> FloatArray:
    """Count how many judges put each unit into each category, (units, categories)."""
    categories = np.unique(table[~np.isnan(table)])
    return (table[:, :, None] == categories).sum(axis=0).astype(np.float64)


def _alpha(counts: FloatArray, weights: npt.NDArray[np.integer]) -> FloatArray:
    """Compute alpha for each row of (b, units) weights; NaN where nothing varies."""
    sizes = counts.sum(axis=1)
    unlike = (sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)
    margins = weights @ counts
    total = margins.sum(axis=1)
    expected = total**2 - (margins**2).sum(axis=1)
    result = np.full(len(weights), np.nan)
    varied = expected > 0
    result[varied] = 1 - (total[varied] - 1) * (weights @ unlike)[varied] / expected[varied]
    return result
