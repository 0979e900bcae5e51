"""How good a ranked list is for one user, ties averaged over all their orders, and what chance gives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Places:
    """Where candidates are expected to stand, over all orders of those with equal scores.

    Attributes
    ----------
    listed : (n,) probability that each stands among the first k.
    discount : (n,) expected discount 1 / log2(1 + place) of each, 0 beyond k.
    """

    listed: npt.NDArray[np.float64]
    discount: npt.NDArray[np.float64]


def places(scores: FloatArray, k: int) -> Places:
    """The expected places of n candidates with these scores, the highest first.

    Candidates of one score share their places, each order being as likely as any other. NaN counts as below everything.

    Parameters
    ----------
    scores : (n,) scores.
    k : length of the list.

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
    """The expected share of a user's relevant candidates that stand in the list; NaN where there are none."""
    return float(found.listed[relevant].sum() / relevant.sum()) if relevant.any() else float("nan")


def ndcg(found: Places, relevant: BoolArray, k: int) -> float:
    """The expected normalised discounted cumulative gain of the list, gains being 0 or 1; NaN without relevant ones.

    Source: Järvelin and Kekäläinen 2002; ties as in McSherry and Najork 2008, which scikit-learn follows too.
    """
    count = int(relevant.sum())
    return float(found.discount[relevant].sum() / _discounts(min(k, count)).sum()) if count else float("nan")


def coverage(listed: FloatArray) -> float:
    """The share of candidates that stand in somebody's list, expected where lists are cut through ties.

    Parameters
    ----------
    listed : (users, n) probability that each candidate stands in each user's list; users draw their orders apart.
    """
    return float((1 - np.prod(1 - listed, axis=0)).mean())


def chance(relevant: Sequence[int], candidates: int, k: int) -> dict[str, float]:
    """What random lists are expected to reach.

    Parameters
    ----------
    relevant : for each user how many of the candidates are relevant, at least one.
    candidates : how many there are.
    k : length of the lists.

    Returns
    -------
    {"recall", "ndcg", "coverage"}.

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
    """(count,) of the first places."""
    return 1 / np.log2(np.arange(2, count + 2))
