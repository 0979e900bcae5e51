"""Cosines between the rows of two matrices."""

import numpy as np
import numpy.typing as npt


def cosine_similarity(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return the cosine of each row of `a` with each row of `b`.

    Parameters
    ----------
    a : array_like
        (n, dim) numbers. A row of NaN gives NaN, a row of zeros gives zeros.
    b : array_like
        (m, dim) numbers.

    Returns
    -------
    ndarray
        (n, m) float32 cosines from -1 to 1.

    Raises
    ------
    ValueError
        An argument that is not a matrix of numbers, or rows of different sizes.

    Examples
    --------
    >>> cosine_similarity([[2.0, 0.0]], [[1.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    array([[ 1.,  0., -1.]], dtype=float32)
    """
    first, second = _unit_rows(a, "a"), _unit_rows(b, "b")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"a has shape {first.shape} and b {second.shape}; their rows must have the same size.")
    return np.clip(first @ second.T, -1, 1).astype(np.float32)


def _unit_rows(rows: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    matrix = np.asarray(rows)
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number):
        raise ValueError(f"{name} must be a matrix of numbers (n, dim), not {matrix.dtype} of shape {matrix.shape}.")
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    return matrix / np.where(lengths == 0, 1, lengths)
