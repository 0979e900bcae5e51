"""The best candidates of a query by a model, and the rank of the true partner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.metrics.ranks import ranks
from antiphon.ordering import descending

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class TopCandidates:
    """The best candidates of one query.

    Attributes
    ----------
    query : int
        Row of the query; the candidate of the same row is its true partner.
    best : tuple of int
        Rows of the highest scoring candidates, best first.
    scores : tuple of float
        Their dot products with the query: cosines, for unit rows.
    rank : float
        Rank of the true partner among all candidates, from 1; ties count half.
    true_score : float
        Dot product with the true partner.
    n : int
        Size of the pool.
    """

    query: int
    best: tuple[int, ...]
    scores: tuple[float, ...]
    rank: float
    true_score: float
    n: int


def top_candidates(queries: FloatArray, candidates: FloatArray, rows: Sequence[int], k: int = 5) -> list[TopCandidates]:
    """Find the `k` best candidates for some of the queries, in the pool of all candidates.

    Parameters
    ----------
    queries, candidates : ndarray
        (n, dim) floats, row i of one paired with row i of the other.
    rows : sequence of int
        Queries to answer, each once.
    k : int, default 5
        Maximum number of candidates to list; of equal scores the earlier row comes first.

    Returns
    -------
    list of TopCandidates
        One for each of `rows`, in their order.

    Raises
    ------
    ValueError
        Arrays of different shapes, or a row that is repeated or out of range.

    Examples
    --------
    >>> top_candidates(np.eye(3), np.eye(3)[:, ::-1], rows=[0], k=1)[0]
    TopCandidates(query=0, best=(2,), scores=(1.0,), rank=2.5, true_score=0.0, n=3)
    """
    if queries.shape != candidates.shape:
        raise ValueError(f"queries have shape {queries.shape} and candidates {candidates.shape}; row i is one pair.")
    wanted = np.asarray(rows, dtype=np.intp)
    if len(np.unique(wanted)) < len(wanted) or not np.isin(wanted, np.arange(len(queries))).all():
        raise ValueError(f"rows must be distinct and below {len(queries)}, not {list(rows)}.")
    if not len(wanted):
        return []
    # The partners of the wanted queries come first, so that only these queries are scored.
    order = np.concatenate([wanted, np.setdiff1d(np.arange(len(queries)), wanted)])
    true_ranks = ranks(queries[wanted], candidates[order])[0]
    scores = np.asarray(queries[wanted], dtype=np.float64) @ np.asarray(candidates, dtype=np.float64).T
    found: list[TopCandidates] = []
    for row, rank, line in zip(wanted.tolist(), true_ranks.tolist(), scores, strict=True):
        best = descending(line)[:k].tolist()
        found.append(TopCandidates(row, tuple(best), tuple(line[best].tolist()), rank, float(line[row]), len(line)))
    return found


def evenly_spaced(values: npt.ArrayLike, count: int) -> list[int]:
    """Choose rows at even steps through the list sorted by `values`, including the lowest and the highest.

    So examples are not cherry-picked: they range from the best to the worst. Ties are in order of rows.

    Parameters
    ----------
    values : array_like, shape (n,)
        Numbers to sort by, such as ranks.
    count : int
        Maximum number of rows.

    Returns
    -------
    list of int
        Rows, lowest value first.

    Examples
    --------
    >>> evenly_spaced([30.0, 10.0, 50.0, 20.0, 40.0], 3)
    [1, 0, 2]
    """
    order = np.argsort(np.asarray(values), kind="stable")
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return order[places].tolist()
