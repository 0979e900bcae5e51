"""Whitening of features: each direction counts alike, so that near copies and linear relations stand out."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

_RIDGE = 0.01
"""Share of the mean variance that is added to each, so that directions of nearly none do not become noise."""


@dataclass(frozen=True)
class Whitening:
    """Map to standardised principal components of unit variance.

    Attributes
    ----------
    mean, scale : ndarray
        (dim,) mean and scale of the rows it was fitted on.
    turn : ndarray
        (dim, components) rotation and scaling.
    """

    mean: FloatArray
    scale: FloatArray
    turn: FloatArray

    @classmethod
    def fitted(cls, rows: FloatArray, components: int) -> Self:
        """Fit on (n, dim) rows."""
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        scale = np.where(deviation > 1e-6, deviation, 1)
        standard = ((rows - mean) / scale).astype(np.float64)
        values, vectors = _principal(standard)
        kept = np.argsort(-values)[: max(1, components)]
        return cls(mean, scale, vectors[:, kept] / np.sqrt(values[kept] + _RIDGE * values[kept].mean()))

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Map (n, dim) rows to (n, components)."""
        return ((rows - self.mean) / self.scale) @ self.turn


def _principal(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the variances along the principal components, and these as columns, by the cheaper of two ways."""
    if len(rows) < rows.shape[1]:
        _, lengths, turned = np.linalg.svd(rows, full_matrices=False)
        return lengths**2 / len(rows), turned.T
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    return values, vectors


def unit(rows: FloatArray) -> FloatArray:
    """Bring rows to length 1; rows of zeros stay zeros."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
