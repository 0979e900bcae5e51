"""Exact ranks of the true candidate, and its ranks when the pairs are permuted."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

_TIE = 1e-12
"""Scores closer than this, relative to the largest, are a tie: float64 sums of equal terms differ by less."""


def ranks(
    queries: FloatArray,
    candidates: FloatArray,
    *,
    permuted: IntArray | None = None,
    left_out: IntArray | None = None,
    chunk_rows: int = 1024,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32] | None]:
    """Rank candidate i for query i: 1 + candidates with higher scores + half of the ties.

    Scores are dot products in float64, so cosines for unit vectors. Memory beyond the result is `chunk_rows` × n at a
    time.

    Parameters
    ----------
    queries, candidates : ndarray of float, shape (n, dim)
        Row i of one belongs to row i of the other.
    permuted : ndarray of int, shape (p, n), optional
        Other candidates to take for the true ones of the queries; they are ranked in the same pool.
    left_out : ndarray of int, shape (n, m), optional
        Row i lists candidates to exclude wherever i is taken for the true one, such as the other segments of its track
        (i itself always counts; padded with -1).
    chunk_rows : int, default 1024
        Queries scored at a time.

    Returns
    -------
    ranks : ndarray of float64, shape (n,)
        From 1 to n; ties give half ranks.
    null_ranks : ndarray of float32, shape (p, n), or None
        Ranks of the permuted candidates; None without `permuted`.

    Examples
    --------
    >>> ranks(np.eye(3), np.eye(3))[0]
    array([1., 1., 1.])
    >>> ranks(np.ones((4, 2)), np.ones((4, 2)))[0]
    array([2.5, 2.5, 2.5, 2.5])
    """
    pool = np.asarray(candidates, dtype=np.float64)
    count = len(queries)
    tie = _TIE * max(_max_norm(queries) * _max_norm(candidates), np.finfo(np.float64).tiny)
    true_ranks = np.empty(count)
    null_ranks = None if permuted is None else np.empty(permuted.shape, dtype=np.float32)
    for first in range(0, count, chunk_rows):
        rows = np.arange(first, min(first + chunk_rows, count))
        scores = np.asarray(queries[rows], dtype=np.float64) @ pool.T
        true = scores[np.arange(len(rows)), rows][:, None]
        above = (scores > true + tie).sum(axis=1)
        not_below = (scores >= true - tie).sum(axis=1)
        if left_out is not None:
            less_above, less_not_below = _counted(scores, left_out[rows], true, rows[:, None], tie)
            above, not_below = above - less_above, not_below - less_not_below
        true_ranks[rows] = _mid_rank(above, not_below)
        if permuted is not None and null_ranks is not None:
            for row, line in zip(rows, scores, strict=True):
                null_ranks[:, row] = _ranks_in_line(line, permuted[:, row], tie, left_out)
    return true_ranks, null_ranks


def ranks_both_ways(audio: FloatArray, video: FloatArray) -> npt.NDArray[np.float64]:
    """Rank video i for audio i, and audio i for video i.

    Parameters
    ----------
    audio, video : ndarray of float, shape (n, dim)
        Row i of one belongs to row i of the other.

    Returns
    -------
    ndarray of float64, shape (2, n)
        Ranks from audio to video, and back; see `ranks`.

    Examples
    --------
    >>> ranks_both_ways(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.9, 0.1]]))
    array([[1., 1.],
           [1., 2.]])
    """
    return np.stack([ranks(audio, video)[0], ranks(video, audio)[0]])


def _ranks_in_line(
    line: FloatArray, targets: IntArray, tie: float, left_out: IntArray | None
) -> npt.NDArray[np.float64]:
    """Return the mid-ranks of several candidates in one query's scores, by a single sort."""
    ascending = np.sort(line)
    wanted = line[targets]
    above = len(line) - np.searchsorted(ascending, wanted + tie, side="right")
    not_below = len(line) - np.searchsorted(ascending, wanted - tie, side="left")
    if left_out is not None:
        less_above, less_not_below = _counted(line[None], left_out[targets], wanted[:, None], targets[:, None], tie)
        above, not_below = above - less_above, not_below - less_not_below
    return _mid_rank(above, not_below)


def _counted(
    scores: FloatArray, left_out: IntArray, true: FloatArray, targets: IntArray, tie: float
) -> tuple[IntArray, IntArray]:
    """Count the excluded candidates above the true score, and those not below it, for each of r rows."""
    theirs = np.where(
        (left_out >= 0) & (left_out != targets),
        np.take_along_axis(np.broadcast_to(scores, (len(left_out), scores.shape[1])), np.maximum(left_out, 0), axis=1),
        -np.inf,
    )
    return (theirs > true + tie).sum(axis=1), (theirs >= true - tie).sum(axis=1)


def _mid_rank(above: IntArray, not_below: IntArray) -> npt.NDArray[np.float64]:
    return (above + not_below + 1) / 2


def _max_norm(rows: FloatArray) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64).max(initial=0.0)))
