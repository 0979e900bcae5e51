"""Orders that do not hang on the last bit of a score.

A sum of products comes out a little different when its terms are added in another order, as other processors, other
matrix shapes and other stores do. So scores are rounded before they are compared: those that are equal then are a tie,
and ties go by something that is the same everywhere, an id or a row.
"""

import numpy as np
import numpy.typing as npt

DECIMALS = 6
"""Cosines of float32 unit vectors mean nothing beyond these."""


def rounded(scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Scores as they are compared: to `DECIMALS` decimals.

    Parameters
    ----------
    scores : computed in float64, so that hardly any lies within their error of where rounding changes.

    Examples
    --------
    >>> rounded([0.1 + 0.2, 0.3, -np.inf]).tolist()
    [0.3, 0.3, -inf]
    """
    return np.round(np.asarray(scores, dtype=np.float64), DECIMALS)


def descending(scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Places of the scores along the last axis, the highest first; of equal ones the earlier comes first, NaN last.

    Examples
    --------
    >>> descending([0.3, 0.5, 0.1 + 0.2]).tolist()
    [1, 0, 2]
    """
    return np.argsort(-rounded(scores), axis=-1, kind="stable")
