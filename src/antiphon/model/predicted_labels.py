"""Labels predicted from features: a part of an embedding that counts as much as a query wants."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.metrics.groups import group_numbers

MIN_VIDEOS = 10
"""Videos that a label has at least, to be predicted."""
MAX_DIRECTIONS = 64
"""Values that stand for all labels, at the most."""

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]


def label_directions(labels: Sequence[tuple[str, ...]], groups: npt.NDArray[np.str_]) -> DoubleArray:
    """(n, k) what the labels of each row are, in k centred values whose distances are those of the labels.

    One value a label that at least 10 videos have: 1 for the rows that have it and 0 for the others, less the mean.
    Where there are more than 64 labels, these values' 64 first principal components.

    Parameters
    ----------
    labels : for each of n rows its labels.
    groups : (n,) the video of each row.

    Returns
    -------
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
    """(d, k) weights W with the least ‖X W − Y‖² / n + r ‖W‖², where r is `ridge` times the features' mean variance.

    Source: Hoerl and Kennard (1970), "Ridge Regression".

    Parameters
    ----------
    features : (n, d) rows X, centred.
    targets : (n, k) rows Y, centred.
    ridge : above 0.
    """
    rows = features.astype(np.float64)
    covariance = rows.T @ rows / len(rows)
    shrinking = ridge * float(covariance.diagonal().mean()) * np.eye(len(covariance))
    return np.linalg.solve(covariance + shrinking, rows.T @ targets / len(rows)).astype(np.float32)


def with_labels(match: FloatArray, labels: FloatArray, weight: float) -> FloatArray:
    """(n, dim + k) unit rows whose dot products are (1 − weight) of those of `match` and `weight` of those of `labels`.

    Parameters
    ----------
    match, labels : (n, dim) and (n, k) unit rows.
    weight : from 0 to 1.

    Examples
    --------
    >>> sound = with_labels(np.array([[0.6, 0.8]]), np.array([[1.0, 0.0]]), 0.25)
    >>> pictures = with_labels(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 0.25)
    >>> float((sound @ pictures.T)[0, 0].round(6))  # 0.75 · 0.6 + 0.25 · 0
    0.45
    """
    return np.concatenate([(1 - weight) ** 0.5 * match, weight**0.5 * labels], axis=1)
