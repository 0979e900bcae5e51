"""Quality of a ranked list for one user, averaged over all orders of ties, and its chance level."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Places:
    """Expected positions of candidates, over all orders of those with equal scores.

    Attributes
    ----------
    listed : ndarray of float64, shape (n,)
        Probability of being among the first k.
    discount : ndarray of float64, shape (n,)
        Expected discount 1 / log2(1 + position), 0 beyond k.
    """

    listed: npt.NDArray[np.float64]
    discount: npt.NDArray[np.float64]


def places(scores: FloatArray, k: int) -> Places:
    """Compute the expected positions of candidates, the highest score first.

    Candidates with equal scores share their positions, in any order with equal probability. NaN ranks below everything.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        Scores.
    k : int
        Length of the list.

    Returns
    -------
    Places
        Expected positions.

    Examples
    --------
    >>> places(np.array([0.9, 0.5, 0.5, 0.1]), 2).listed
    array([1. , 0.5, 0.5, 0. ])
    """
    falling = -np.where(np.isnan(scores), -np.inf, scores)
    _, group, sizes = np.unique(falling, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    edges = np.minimum(np.concatenate([[0], ends]), k)
    running = np.concatenate([[0.0], np.cumsum(_discounts(min(k, len(scores))))])
    return Places(listed=(np.diff(edges) / sizes)[group], discount=(np.diff(running[edges]) / sizes)[group])


def recall(found: Places, relevant: BoolArray) -> float:
    """Compute the expected fraction of a user's relevant candidates that are in the list.

    Parameters
    ----------
    found : Places
        Positions; see `places`.
    relevant : ndarray of bool, shape (n,)
        Relevant candidates.

    Returns
    -------
    float
        From 0 to 1; NaN without relevant candidates.
    """
    return float(found.listed[relevant].sum() / relevant.sum()) if relevant.any() else float("nan")


def ndcg(found: Places, relevant: BoolArray, k: int) -> float:
    """Compute the expected normalised discounted cumulative gain of the list, with gains of 0 or 1.

    Parameters
    ----------
    found : Places
        Positions; see `places`.
    relevant : ndarray of bool, shape (n,)
        Relevant candidates.
    k : int
        Length of the list.

    Returns
    -------
    float
        From 0 to 1; NaN without relevant candidates.

    References
    ----------
    Järvelin and Kekäläinen (2002); ties as in McSherry and Najork (2008), which scikit-learn follows too.
    """
    count = int(relevant.sum())
    return float(found.discount[relevant].sum() / _discounts(min(k, count)).sum()) if count else float("nan")


def coverage(listed: FloatArray) -> float:
    """Compute the expected fraction of candidates that are in anybody's list.

    Parameters
    ----------
    listed : ndarray of float, shape (users, n)
        Probability that each candidate is in each user's list; ties are broken independently per user.

    Returns
    -------
    float
        From 0 to 1.
    """
    return float((1 - np.prod(1 - listed, axis=0)).mean())


def chance(relevant: Sequence[int], candidates: int, k: int) -> dict[str, float]:
    """Compute the expected values of random lists.

    Parameters
    ----------
    relevant : sequence of int
        Number of relevant candidates of each user, at least one.
    candidates : int
        Number of candidates.
    k : int
        Length of the lists.

    Returns
    -------
    dict of str to float
        "recall", "ndcg" and "coverage".

    Examples
    --------
    >>> chance([3, 5], candidates=100, k=10)["recall"]
    0.1
    """
    shown = min(k, candidates)
    share = shown / candidates
    gain = float(_discounts(shown).sum()) / candidates
    ndcgs = [count * gain / float(_discounts(min(k, count)).sum()) for count in relevant]
    return {"recall": share, "ndcg": float(np.mean(ndcgs)), "coverage": 1 - (1 - share) ** len(relevant)}


def _discounts(count: int) -> npt.NDArray[np.float64]:
    """Return the discounts of the first positions."""
    return 1 / np.log2(np.arange(2, count + 2))
