"""Labels predicted from features: a part of an embedding whose weight is chosen per query."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers

MIN_VIDEOS = 10
"""Minimum videos with a label for it to be predicted."""
MAX_DIRECTIONS = 64
"""Maximum size of the encoded labels."""

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]


def label_directions(labels: Sequence[tuple[str, ...]], groups: npt.NDArray[np.str_]) -> DoubleArray:
    """Encode the labels of each row in centred values whose distances are those of the labels.

    There is one value per label that at least 10 videos have: 1 for rows that have it and 0 for others, minus the mean.
    More than 64 such labels are reduced to their first 64 principal components.

    Parameters
    ----------
    labels : sequence of tuple of str
        Labels of each of n rows.
    groups : ndarray of str, shape (n,)
        Video of each row.

    Returns
    -------
    ndarray of float64, shape (n, k)
        k is 0 where no label has 10 videos, or where those that do are on every row.
    """
    numbers = group_numbers(groups, len(labels))
    videos: dict[str, set[int]] = {}
    for number, row in zip(numbers, labels, strict=True):
        for label in row:
            videos.setdefault(label, set()).add(int(number))
    known = sorted(label for label, having in videos.items() if len(having) >= MIN_VIDEOS)
    values = np.array([[label in row for label in known] for row in labels], dtype=np.float64)
    varying = values[:, values.std(axis=0) > 0] if known else values
    centred = varying - varying.mean(axis=0)
    if centred.shape[1] <= MAX_DIRECTIONS:
        return centred
    return centred @ np.linalg.eigh(centred.T @ centred)[1][:, -MAX_DIRECTIONS:]


def ridge_regression(features: FloatArray, targets: DoubleArray, ridge: float) -> FloatArray:
    """Minimise ‖X W − Y‖² / n + r ‖W‖², where r is `ridge` times the mean variance of the features.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        X, centred.
    targets : ndarray of float64, shape (n, k)
        Y, centred.
    ridge : float
        Relative ridge, above 0.

    Returns
    -------
    ndarray of float32, shape (d, k)
        The weights W.

    References
    ----------
    Hoerl and Kennard (1970), "Ridge regression".
    """
    rows = features.astype(np.float64)
    covariance = rows.T @ rows / len(rows)
    shrinking = ridge * float(covariance.diagonal().mean()) * np.eye(len(covariance))
    return np.linalg.solve(covariance + shrinking, rows.T @ targets / len(rows)).astype(np.float32)


def with_labels(match: FloatArray, labels: FloatArray, weight: float, correction_dim: int = 0) -> FloatArray:
    """Concatenate unit rows so that dot products mix those of `match` and those of `labels`.

    Parameters
    ----------
    match : ndarray of float32, shape (n, dim)
        Unit rows.
    labels : ndarray of float32, shape (n, k)
        Unit rows.
    weight : float
        Weight of the labels' dot products, in [0, 1]; those of `match` have 1 − weight.
    correction_dim : int, default 0
        Number of values at the end of `match` that stay at the end.

    Returns
    -------
    ndarray of float32, shape (n, dim + k)
        Unit rows.

    Examples
    --------
    >>> audio = with_labels(np.array([[0.6, 0.8]]), np.array([[1.0, 0.0]]), 0.25)
    >>> video = with_labels(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 0.25)
    >>> float((audio @ video.T)[0, 0].round(6))  # 0.75 · 0.6 + 0.25 · 0
    0.45
    """
    kept, last = np.split((1 - weight) ** 0.5 * match, [match.shape[1] - correction_dim], axis=1)
    return np.concatenate([kept, weight**0.5 * labels, last], axis=1)
