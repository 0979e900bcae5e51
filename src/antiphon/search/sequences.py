"""Moment to moment: how well two sequences of segments match in order of time."""

import numpy as np
import numpy.typing as npt

from antiphon.ordering import rounded
from antiphon.search.scoring import Matched, Track, cosines, moments

FloatArray = npt.NDArray[np.float32]


def aligned(scores: npt.NDArray[np.floating]) -> tuple[float, list[tuple[int, int]]]:
    """The monotone alignment of the highest total score.

    Each row is matched with one column at most and each column with one row, both going forwards; what matches nothing
    costs nothing. Dynamic programming over prefixes, as in global alignment without gap costs (Needleman and Wunsch,
    1970).

    Parameters
    ----------
    scores : (m, n).

    Returns
    -------
    The total, at least 0, and the matched (row, column) in order.

    Examples
    --------
    >>> aligned(np.array([[0.1, 0.9], [0.8, 0.2]]))
    (0.9, [(0, 1)])
    """
    rows, columns = scores.shape
    best = np.zeros((rows + 1, columns + 1))
    for row in range(rows):
        matched = best[row, :-1] + scores[row]
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], matched))
    pairs: list[tuple[int, int]] = []
    row, column = rows, columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return float(best[rows, columns]), pairs[::-1]


def in_sequence(query: Track, track: Track) -> Matched:
    """The total score of the best monotone alignment, a query's segment: at most 1, and less if some match nothing.

    Where either has no segments it is the cosine of the wholes.
    """
    if not len(query.segments) or not len(track.segments):
        return Matched(float(cosines(query.whole, track.whole)), ())
    scores = cosines(query.segments, track.segments)
    total, pairs = aligned(rounded(scores))
    return Matched(total / len(query.segments), moments(query, track, scores, pairs))
