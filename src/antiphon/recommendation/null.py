"""Null distribution of content-based recommendation: permuted vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.ordering import descending
from antiphon.recommendation.content import NEAREST, weighted
from antiphon.recommendation.space import Space
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

PERMUTATIONS = 200
_RESAMPLES = 2000
_BLOCK = 4_000_000  # cosines held at once


@dataclass(frozen=True, eq=False)
class Null:
    """Recall and nDCG with permuted vectors.

    Attributes
    ----------
    values : dict of str to ndarray of float64
        (permutations, users) numbers by metric ("recall", "ndcg").
    """

    values: dict[str, FloatArray]

    def summary(self, metric: str) -> dict[str, object]:
        """Summarise the mean over users.

        Parameters
        ----------
        metric : {"recall", "ndcg"}
            Metric.

        Returns
        -------
        dict
            "value", the mean over permutations, and "middle95" of them.
        """
        means = self.values[metric].mean(axis=1)
        return {"value": float(means.mean()), "middle95": [float(edge) for edge in np.percentile(means, [2.5, 97.5])]}

    def ahead_of(self, metric: str, other: FloatArray, seed: int = 0) -> dict[str, object]:
        """Return the null minus another method, paired by user.

        The 95% interval resamples permutations and users.

        Parameters
        ----------
        metric : {"recall", "ndcg"}
            Metric.
        other : ndarray of float64, shape (users,)
            Numbers of the other method.
        seed : int
            Seed of the bootstrap.

        Returns
        -------
        dict
            "value" and "ci95".
        """
        gaps = self.values[metric] - other
        random = generator(seed, "null against another method")
        drawn = [
            gaps[random.integers(len(gaps)), random.integers(len(other), size=len(other))].mean()
            for _ in range(_RESAMPLES)
        ]
        return {"value": float(gaps.mean()), "ci95": [float(edge) for edge in np.percentile(drawn, [2.5, 97.5])]}


def permuted_content(
    space: Space,
    liked: Sequence[IntArray],
    relevant: npt.NDArray[np.bool_],
    new: IntArray,
    k: int,
    weight: float,
    random: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> Null:
    """Recommend with the vectors of other tracks, in many permutations; ties are broken at random.

    Parameters
    ----------
    space : Space
        The tracks.
    liked : sequence of ndarray of int
        Rows that each user liked.
    relevant : ndarray of bool, shape (users, n)
        Which new tracks each user liked, at least one.
    new : ndarray of int, shape (n,)
        Rows of the new tracks.
    k : int
        Length of the lists.
    weight : float
        Weight of audio.
    random : Generator
        Random numbers.
    permutations : int
        Number of permutations.

    Returns
    -------
    Null
        The null.
    """
    longest = max(map(len, liked))
    history = np.full((len(liked), longest), -1)
    for user, rows in enumerate(liked):
        history[user, : len(rows)] = rows
    values: dict[str, FloatArray] = {name: np.empty((permutations, len(liked))) for name in ("recall", "ndcg")}
    size = max(_BLOCK // (longest * len(new)), 1)
    for number in range(permutations):
        order = random.permutation(len(space.ids))
        mixed = random.permutation(len(new))
        for start in range(0, len(liked), size):
            block = slice(start, start + size)
            scores = _scores(space, order, history[block], new[mixed], weight)
            found = _measured(scores, relevant[block][:, mixed], k)
            for name, numbers in found.items():
                values[name][number, block] = numbers
    return Null(values)


def _scores(space: Space, order: IntArray, history: IntArray, new: IntArray, weight: float) -> FloatArray:
    """Return `content_scores` (users, n) with row `order[r]` in place of row r; -1 pads `history`."""
    by_side: dict[str, FloatArray] = {}
    for side, vectors in space.sides.items():
        liked = vectors[order[history]].reshape(history.size, -1)
        cosines = (liked @ vectors[order[new]].T).reshape(*history.shape, len(new))
        cosines[(history < 0)[:, :, None] | np.isnan(cosines)] = -np.inf
        best = np.partition(cosines, -min(NEAREST, history.shape[1]), axis=1)[:, -NEAREST:].astype(np.float64)
        known = np.isfinite(best)
        count = known.sum(axis=1)
        sums = np.where(known, best, 0).sum(axis=1)
        by_side[side] = np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)
    return weighted(by_side, weight)


def _measured(scores: FloatArray, relevant: npt.NDArray[np.bool_], k: int) -> dict[str, FloatArray]:
    """Return recall and nDCG of each user's list; ties are in order of the columns."""
    best = descending(scores)[:, :k]  # NaN comes last
    gains = np.take_along_axis(relevant, best, axis=1)
    counts = relevant.sum(axis=1)
    discounts = 1 / np.log2(np.arange(2, best.shape[1] + 2))
    ideal = np.cumsum(discounts)[np.minimum(counts, best.shape[1]) - 1]
    return {"recall": gains.sum(axis=1) / counts, "ndcg": gains @ discounts / ideal}
