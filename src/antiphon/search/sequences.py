"""Two tracks compared moment by moment, in order."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def aligned(cosines: FloatArray) -> float:
    """How well two sequences of segments fit in order: the best mean cosine of a monotone alignment.

    Each segment of the shorter sequence is paired with one of the longer, later ones with later ones, by dynamic
    programming; segments of the longer may be left out.

    Parameters
    ----------
    cosines : (n, m) of each segment of one with each of the other, both in order of time.

    Examples
    --------
    >>> aligned(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    1.0
    >>> aligned(np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    0.5
    """
    table = np.asarray(cosines, dtype=np.float64)
    if table.shape[0] > table.shape[1]:
        table = table.T
    best = np.zeros(table.shape[1] + 1)
    for row in table:
        paired = best[:-1] + row
        best = np.concatenate([[-np.inf], np.maximum.accumulate(paired)])
    return float(best[-1] / table.shape[0])
