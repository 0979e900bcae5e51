"""Means over judges and questions, with intervals over both."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.metrics.exact_interval import exact_interval
from antiphon.metrics.groups import group_numbers, weight_blocks
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float64]

_RESAMPLES = 1000
_FEW = 30
"""Questions below which the interval is at least the exact one."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval.

    Attributes
    ----------
    value : float
        The mean; NaN without answers.
    ci95 : tuple of (float, float)
        95% interval.
    answers, questions, judges : int
        Numbers that it is based on.
    """

    value: float
    ci95: tuple[float, float]
    answers: int
    questions: int
    judges: int

    def as_dict(self) -> dict[str, float | int | list[float] | None]:
        """Return plain values.

        Returns
        -------
        dict of str to object
            The attributes; None for NaN.
        """
        known = bool(np.isfinite(self.value))
        return {
            "value": self.value if known else None,
            "ci95": list(self.ci95) if known else None,
            "answers": self.answers,
            "questions": self.questions,
            "judges": self.judges,
        }


def crossed_mean(
    cells: FloatArray, groups: npt.ArrayLike, seed: int = 0, bounds: tuple[float, float] = (0.0, 1.0)
) -> Estimate:
    """Average over questions the mean over their judges, with a 95% interval.

    Judges and, independently, questions (in groups) are drawn with replacement; an answer counts as often as its judge
    times as often as its question was drawn. So the interval covers other judges and other questions, and is
    conservative. With a single judge only questions are drawn. A bootstrap of few numbers, all alike, has no width; so
    below 30 questions, and where it has none, the interval is at least the exact one of a share of the questions.

    Parameters
    ----------
    cells : ndarray of float64, shape (judges, questions)
        Numbers; NaN without an answer.
    groups : array_like, shape (questions,)
        What to draw together: the seed of each question.
    seed : int
        Seed of the bootstrap.
    bounds : tuple of (float, float)
        Least and greatest possible number: 0 and 1 for shares, −1 and 1 for their differences.

    Returns
    -------
    Estimate
        The mean.

    References
    ----------
    Owen, A. B. (2007). The pigeonhole bootstrap. The Annals of Applied Statistics 1(2), 386–411.

    Examples
    --------
    >>> crossed_mean(np.array([[1.0, 0.0], [1.0, np.nan]]), [0, 1]).value
    0.5
    """
    there = np.isfinite(cells)
    judges, questions = there.any(axis=1), there.any(axis=0)
    counts = (int(there.sum()), int(questions.sum()), int(judges.sum()))
    if not counts[0]:
        return Estimate(np.nan, (np.nan, np.nan), *counts)
    numbers = group_numbers(groups, cells.shape[1])[questions]
    numbers = np.unique(numbers, return_inverse=True)[1]
    there = there[judges][:, questions]
    values = np.where(there, cells[judges][:, questions], 0.0)
    value = float((values.sum(axis=0) / there.sum(axis=0)).mean())
    random = generator(seed, "judging agreement")
    drawn: list[FloatArray] = []
    for weights in weight_blocks(numbers, _RESAMPLES, random):
        of_judges = random.multinomial(counts[2], np.full(counts[2], 1 / counts[2]), size=len(weights))
        drawn.append(_weighted(values, there, of_judges, weights))
    low, high = map(float, np.nanpercentile(np.concatenate(drawn), [2.5, 97.5]))
    if counts[1] < _FEW or low == high:
        width = bounds[1] - bounds[0]
        exact = exact_interval((value - bounds[0]) / width * counts[1], counts[1])
        low, high = min(low, bounds[0] + width * exact[0]), max(high, bounds[0] + width * exact[1])
    return Estimate(value, (low, high), *counts)


def _weighted(
    values: FloatArray,
    there: npt.NDArray[np.bool_],
    of_judges: npt.NDArray[np.integer],
    of_questions: npt.NDArray[np.integer],
) -> FloatArray:
    """Return the (b,) weighted means over questions of means over judges; NaN if nothing drawn has an answer."""
    answered = of_judges @ there.astype(np.float64)
    sums = of_judges @ values
    means = np.divide(sums, answered, out=np.zeros_like(sums), where=answered > 0)
    counted = of_questions * (answered > 0)
    total = counted.sum(axis=1)
    return np.divide((counted * means).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0)


def agreeing(opinion: FloatArray, choices: FloatArray) -> FloatArray:
    """Compare opinions with choices.

    Parameters
    ----------
    opinion : ndarray of float64, shape (questions,)
        1 for the first candidate, 0 for the second, 0.5 for neither, NaN if unknown.
    choices : ndarray of float64, shape (judges, questions)
        Likewise.

    Returns
    -------
    ndarray of float64, shape (judges, questions)
        1 if both name the same candidate, 0 if they differ, 0.5 if either names neither; NaN if either is missing.
    """
    return 1 - np.abs(choices - opinion)


def decided(choices: FloatArray) -> FloatArray:
    """Return the choices, with NaN for "cannot tell"."""
    return np.where(choices == 0.5, np.nan, choices)


def majority_of_others(choices: FloatArray) -> FloatArray:
    """Return what the majority of the other judges chose.

    Parameters
    ----------
    choices : ndarray of float64, shape (judges, questions)
        1 for the first candidate, 0 for the second, NaN if undecided.

    Returns
    -------
    ndarray of float64, shape (judges, questions)
        1, 0, or 0.5 for a split; NaN if the judge, or everyone else, is undecided.

    Examples
    --------
    >>> majority_of_others(np.array([[1.0], [1.0], [0.0]])).ravel().tolist()
    [0.5, 0.5, 1.0]
    """
    there = np.isfinite(choices)
    others = there.sum(axis=0) - there
    votes = np.nansum(choices, axis=0) - np.where(there, choices, 0.0)
    share = np.divide(votes, others, out=np.full(choices.shape, np.nan), where=there & (others > 0))
    return np.where(np.isnan(share), np.nan, (np.sign(share - 0.5) + 1) / 2)
