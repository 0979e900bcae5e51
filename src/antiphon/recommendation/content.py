"""Similarity of tracks to what a user liked."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from antiphon.recommendation.space import Space

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

NEAREST = 3
"""Number of liked tracks that score a candidate: the nearest ones."""


def content_scores(
    space: Space, liked: IntArray, candidates: IntArray, weight: float = 0.5, nearest: int = NEAREST
) -> npt.NDArray[np.float64]:
    """Score candidates by their audio and video, for a user who liked some tracks.

    In each modality the score of candidate c is the mean of its `nearest` largest cosines with the liked tracks,

        s(c) = 1/m · Σ over the m tracks h of the history nearest to c of cos(c, h),   m = min(nearest, history),

    and the score is w · s_audio + (1 - w) · s_video. With `nearest` = 1 the single most similar track decides; a large
    one averages over tastes that have several parts. A candidate with only one modality is scored by that.

    Parameters
    ----------
    space : Space
        The tracks.
    liked : ndarray of int, shape (h,)
        Rows of the tracks that the user liked.
    candidates : ndarray of int, shape (c,)
        Rows of the tracks to score.
    weight : float
        The weight w of audio, from 0 to 1.
    nearest : int
        Number of liked tracks that score a candidate.

    Returns
    -------
    ndarray of float64, shape (c,)
        Scores from -1 to 1; NaN for a candidate without a modality in common with the history.
    """
    return weighted(
        {
            side: _nearest_mean(vectors[candidates], vectors[liked], nearest).astype(np.float64)
            for side, vectors in space.sides.items()
        },
        weight,
    )


def closeness(space: Space, liked: IntArray, candidates: IntArray, weight: float = 0.5) -> npt.NDArray[np.float64]:
    """Score candidates by each liked track alone.

    Parameters
    ----------
    space : Space
        The tracks.
    liked : ndarray of int, shape (h,)
        Rows of the tracks that the user liked.
    candidates : ndarray of int, shape (c,)
        Rows of the tracks to score.
    weight : float
        Weight of audio.

    Returns
    -------
    ndarray of float64, shape (c, h)
        Scores; NaN without a modality in common.
    """
    return weighted(
        {
            side: vectors[candidates].astype(np.float64) @ vectors[liked].T.astype(np.float64)
            for side, vectors in space.sides.items()
        },
        weight,
    )


def weighted(by_side: Mapping[str, npt.NDArray[np.float64]], weight: float) -> npt.NDArray[np.float64]:
    """Average over the known modalities, with audio weighted by `weight`.

    Parameters
    ----------
    by_side : mapping of str to ndarray of float64
        Scores by modality; NaN if unknown.
    weight : float
        Weight of audio; video has the rest.

    Returns
    -------
    ndarray of float64
        Means; NaN if no modality is known.
    """
    shares = {"audio": weight, "video": 1 - weight}
    total, counted = np.float64(0), np.float64(0)
    for side, scores in by_side.items():
        known = ~np.isnan(scores)
        total = total + shares[side] * np.where(known, scores, 0)
        counted = counted + shares[side] * known
    return np.divide(total, counted, out=np.full(np.shape(total), np.nan), where=counted > 0)


def _nearest_mean(candidates: FloatArray, liked: FloatArray, nearest: int) -> npt.NDArray[np.float64]:
    """Return the (c,) means of the largest cosines; NaN if the candidate or the history lacks the modality."""
    history = liked[~np.isnan(liked).any(axis=1)]
    if not len(history):
        return np.full(len(candidates), np.nan)
    count = min(nearest, len(history))
    cosines = candidates.astype(np.float64) @ history.T.astype(np.float64)
    return np.partition(cosines, len(history) - count, axis=1)[:, len(history) - count :].mean(axis=1)
