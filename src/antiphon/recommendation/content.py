"""How near each track is to what a user liked."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from antiphon.recommendation.space import Space

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

NEAREST = 3
"""So many of the liked tracks speak for a candidate: those that are nearest to it."""


def content_scores(
    space: Space, liked: IntArray, candidates: IntArray, weight: float = 0.5, nearest: int = NEAREST
) -> npt.NDArray[np.float64]:
    """Score candidates by their sound and pictures, for someone who liked some tracks.

    On each side the score of candidate c is the mean of its `nearest` largest cosines with the liked tracks,

        s(c) = 1/m · Σ over the m tracks h of the history nearest to c of cos(c, h),   m = min(nearest, history),

    and the score is w · s_sound + (1 - w) · s_pictures. With `nearest` = 1 the one track that is most alike decides,
    with a large one the mean of all, which blurs a taste that has several parts. A candidate with one side only is
    scored by that side.

    Parameters
    ----------
    space : Space
        The tracks.
    liked : ndarray of int64
        (h,) rows of the tracks that the user liked.
    candidates : ndarray of int64
        (c,) rows of the tracks to score.
    weight : float
        W, the share of the sound in [0, 1].
    nearest : int
        Liked tracks that count for a candidate.

    Returns
    -------
    ndarray of float64
        (c,) scores from -1 to 1, NaN for a candidate that has no side in common with the history.
    """
    return weighted(
        {
            side: _nearest_mean(vectors[candidates], vectors[liked], nearest).astype(np.float64)
            for side, vectors in space.sides.items()
        },
        weight,
    )


def closeness(space: Space, liked: IntArray, candidates: IntArray, weight: float = 0.5) -> npt.NDArray[np.float64]:
    """(c, h) the score of each candidate by each liked track alone; NaN where the two have no side in common."""
    return weighted(
        {
            side: vectors[candidates].astype(np.float64) @ vectors[liked].T.astype(np.float64)
            for side, vectors in space.sides.items()
        },
        weight,
    )


def weighted(by_side: Mapping[str, npt.NDArray[np.float64]], weight: float) -> npt.NDArray[np.float64]:
    """The mean of the sides that are known, the sound counting `weight`; NaN where none is."""
    shares = {"audio": weight, "video": 1 - weight}
    total, counted = np.float64(0), np.float64(0)
    for side, scores in by_side.items():
        known = ~np.isnan(scores)
        total = total + shares[side] * np.where(known, scores, 0)
        counted = counted + shares[side] * known
    return np.divide(total, counted, out=np.full(np.shape(total), np.nan), where=counted > 0)


def _nearest_mean(candidates: FloatArray, liked: FloatArray, nearest: int) -> npt.NDArray[np.float64]:
    """(c,) mean of the largest cosines of each candidate; NaN where it or the whole history lacks the side."""
    history = liked[~np.isnan(liked).any(axis=1)]
    if not len(history):
        return np.full(len(candidates), np.nan)
    count = min(nearest, len(history))
    cosines = candidates.astype(np.float64) @ history.T.astype(np.float64)
    return np.partition(cosines, len(history) - count, axis=1)[:, len(history) - count :].mean(axis=1)
