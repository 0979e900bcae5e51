"""Consistency of a video's segments, and whether neighbours are better where it is high.

Veldkamp et al. (2023) suggest that neighbours are good for videos that keep to one style; this measures it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.agreement import middle_95
from antiphon.metrics.groups import bootstrap_weights
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]


def centred_unit_rows(rows: FloatArray, centre: FloatArray | None = None) -> npt.NDArray[np.float64]:
    """Subtract `centre` and bring rows to unit length; a row of zeros stays one.

    Parameters
    ----------
    rows : ndarray, shape (n, dim)
        Rows.
    centre : ndarray, shape (dim,), optional
        What to subtract.

    Returns
    -------
    ndarray of float64, shape (n, dim)
        Unit rows.
    """
    moved = np.asarray(rows, dtype=np.float64) - (0 if centre is None else centre)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return moved / np.where(lengths > 0, lengths, 1)


def within_videos(units: FloatArray, groups: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return the mean cosine between the segments of each video.

    Parameters
    ----------
    units : ndarray
        (n, dim) unit rows.
    groups : ndarray
        (n,) video of each.

    Returns
    -------
    ndarray
        (v,) float64 in sorted order of the videos; NaN for a video of one segment.

    Examples
    --------
    >>> within_videos(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), np.array(["a", "a", "b"]))
    array([0.6, nan])
    """
    sums, counts, squares = _sums(units, groups)
    pairs = counts * (counts - 1)
    return np.where(pairs > 0, (np.einsum("vd,vd->v", sums, sums) - squares) / np.maximum(pairs, 1), np.nan)


def consistency(
    units: FloatArray, groups: npt.NDArray[np.str_], *, seed: int = 0, resamples: int = 1000
) -> dict[str, Any] | None:
    """Compare the mean cosine between segments of the same video with that between segments of different videos.

    Both are over all pairs, exactly: within, the mean of the videos' means; between, the mean over all pairs of
    segments of different videos.

    Parameters
    ----------
    units : ndarray
        (n, dim) unit rows.
    groups : ndarray
        (n,) video of each.
    seed : int, default 0
        Seed of the bootstrap.
    resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    dict or None
        {"within", "between", "difference"}, each {"value", "ci95"} with a bootstrap over videos, and "videos", those
        with at least two segments. None where there are fewer than two such videos.
    """
    own = within_videos(units, groups)
    several = np.flatnonzero(~np.isnan(own))
    if len(several) < 2:
        return None
    sums, counts, _ = _sums(units, groups)
    weights = bootstrap_weights(np.arange(len(own)), resamples, generator(seed, "consistency")).astype(np.float64)
    weights = np.concatenate([np.ones((1, len(own))), weights])
    with np.errstate(invalid="ignore", divide="ignore"):  # a resample may have no video of several segments
        within = weights[:, several] @ own[several] / weights[:, several].sum(axis=1)
        between = _between(weights, sums, counts)
    return {
        "within": _with_interval(within),
        "between": _with_interval(between),
        "difference": _with_interval(within - between),
        "videos": len(several),
    }


def dependence(one: FloatArray, other: FloatArray, *, seed: int = 0, resamples: int = 1000) -> dict[str, Any] | None:
    """Return Spearman's rank correlation of two values a video, with a bootstrap over the videos.

    Parameters
    ----------
    one, other : ndarray
        (v,) values; videos for which either is NaN are left out.
    seed : int, default 0
        Seed of the bootstrap.
    resamples : int, default 1000
        Number of resamples.

    Returns
    -------
    dict or None
        {"rho", "ci95", "videos"}; None where fewer than three videos have both, or one of the values is constant.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    x, y = np.asarray(one)[both], np.asarray(other)[both]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    random = generator(seed, "dependence")
    drawn = (random.integers(0, len(x), len(x)) for _ in range(resamples))
    values = np.array([spearman(x[rows], y[rows]) for rows in drawn])
    return {
        "rho": spearman(x, y),
        "ci95": middle_95(values[~np.isnan(values)]),
        "videos": len(x),
    }


def spearman(x: FloatArray, y: FloatArray) -> float:
    """Return the correlation of the ranks, ties at their mean rank; NaN where one side is constant.

    Parameters
    ----------
    x, y : ndarray
        (n,) values.

    Examples
    --------
    >>> spearman(np.array([1, 2, 3]), np.array([1.0, 10.0, 5.0]))
    0.5
    """
    a, b = _ranks(x), _ranks(y)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else float("nan")


def _ranks(values: FloatArray) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _sums(
    units: FloatArray, groups: npt.NDArray[np.str_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return (v, dim) sums of each video's rows, (v,) their number, and (v,) the sum of their squared lengths."""
    names, numbers = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), units.shape[1]))
    np.add.at(sums, numbers, units)
    squares = np.zeros(len(names))
    np.add.at(squares, numbers, np.einsum("nd,nd->n", units, units, dtype=np.float64))
    return sums, np.bincount(numbers).astype(np.int64), squares


def _between(
    weights: npt.NDArray[np.float64], sums: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the (b,) mean cosine of pairs of different videos, each counted as often as drawn, never with itself."""
    total = weights @ sums
    own = (weights**2) @ np.einsum("vd,vd->v", sums, sums)
    pairs = (weights @ counts) ** 2 - (weights**2) @ (counts.astype(np.float64) ** 2)
    return (np.einsum("bd,bd->b", total, total) - own) / pairs


def _with_interval(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the first value with the middle 95% of the others, which are resamples."""
    return {"value": float(values[0]), "ci95": middle_95(values[1:][np.isfinite(values[1:])])}
