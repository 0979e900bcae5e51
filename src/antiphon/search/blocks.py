"""The rows of a side and level that lie in one part, and which of them are near."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from antiphon.search.lists import Lists

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ROUNDING = 1e-5
"""Upper bound of the error of float32 scores: what lies nearer to the last of a list may belong to it."""
_BLOCK_ROWS = 131_072
_BLOCK_SCORES = 8_388_608
_QUERIES_AT_ONCE = 256
_NEARLY_ALL = 7 / 8
"""If at least this share of the videos is kept, kept rows are counted in the nearest lists only, not in all."""


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of a part, those of a music video side by side.

    Attributes
    ----------
    owner : ndarray of int, shape (n,)
        Number of the music video of each row, ascending.
    vectors : ndarray of float32, shape (n, dim)
        Unit vectors: those of a list side by side if there are lists, else in the order of the rows.
    places : ndarray of int, shape (n,), optional
        Where in `vectors` that of each row lies; None: in the order of the rows.
    lists : Lists, optional
        Lists of `vectors`.
    """

    owner: IntArray
    vectors: FloatArray
    places: IntArray | None = None
    lists: Lists | None = None

    def take(self, rows: IntArray) -> FloatArray:
        """Return the vectors of rows."""
        return self.vectors[rows if self.places is None else self.places[rows]]

    def between(self, first: int, last: int) -> FloatArray:
        """Return the vectors of the rows of one video, without a copy where they lie side by side."""
        return self.vectors[first:last] if self.places is None else self.vectors[self.places[first:last]]

    def near(self, queries: FloatArray, k: int, kept: BoolArray | None) -> list[IntArray]:
        """Return for each of (q, dim) queries the rows that can be among its `k` nearest by float32 cosines.

        Parameters
        ----------
        kept : ndarray of bool, optional
            Which videos may be found; None: all. Rows of others are not returned.
        """
        if self.lists is None:
            met = None if kept is None else np.flatnonzero(kept[self.owner])
            return _near_of_all(queries, self.vectors, met, k)
        if kept is None or kept.mean() >= _NEARLY_ALL:
            chosen = self.lists.near(queries, k, partial(self._sizes, self.lists, kept))
            return [self._near_in(self.lists, own, query, k, kept) for query, own in zip(queries, chosen, strict=True)]
        return [self._rows[places] for places in self._near_of(self.lists, queries, k, kept[self._owners])]

    @cached_property
    def _rows(self) -> IntArray:
        """The row of each vector."""
        if self.places is None:
            return np.arange(len(self.owner))
        rows = np.empty_like(self.places)
        rows[self.places] = np.arange(len(rows))
        return rows

    @cached_property
    def _owners(self) -> IntArray:
        """Number of the music video of each vector."""
        return self.owner[self._rows]

    def _sizes(self, lists: Lists, kept: BoolArray | None, some: IntArray) -> IntArray:
        """Return how many rows of videos that are kept lie in each of some lists."""
        begin, end = lists.edges[some], lists.edges[some + 1]
        if kept is None:
            return end - begin
        counts = np.cumsum(kept[self._owners[joined(begin, end)]])
        return np.diff(counts[np.cumsum(end - begin) - 1], prepend=0)

    def _near_in(self, lists: Lists, chosen: IntArray, query: FloatArray, k: int, kept: BoolArray | None) -> IntArray:
        """Compare the vectors of some lists, and return rows."""
        begin, end = lists.edges[chosen], lists.edges[chosen + 1]
        places = joined(begin, end)
        met = None if kept is None else kept[self._owners[places]]
        if met is not None and 2 * np.count_nonzero(met) <= len(met):
            places = places[met]
            return self._rows[places[_top(self.vectors[places] @ query, k)]]
        spans = zip(begin.tolist(), end.tolist(), strict=True)
        line = np.concatenate([self.vectors[first:last] @ query for first, last in spans])
        if met is not None:
            line[~met] = -np.inf
        return self._rows[places[_top(line, k)]]

    def _near_of(self, lists: Lists, queries: FloatArray, k: int, met: BoolArray) -> list[IntArray]:
        """Compare the vectors that meet a condition, all of them or those in lists nearby; return where they lie."""
        places = np.flatnonzero(met)
        if len(places) <= lists.enough(k) * len(queries):
            return _near_of_all(queries, self.vectors, places, k)
        edges = np.searchsorted(places, lists.edges)
        found: list[IntArray] = []
        for query, chosen in zip(queries, lists.near(queries, k, np.diff(edges).__getitem__), strict=True):
            own = places[joined(edges[chosen], edges[chosen + 1])]
            found.append(own[_top(self.vectors[own] @ query, k)])
        return found


def joined(first: IntArray, last: IntArray) -> IntArray:
    """Return the numbers of several stretches, one after the other."""
    counts = last - first
    edges = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first - edges, counts)


def _top(line: FloatArray, k: int) -> IntArray:
    """Return the places of what can be among the `k` highest cosines."""
    lowest = np.partition(line, -k)[-k] if len(line) > k else -np.inf
    return np.flatnonzero((line >= lowest - ROUNDING) & (line > -np.inf))


def _near_of_all(queries: FloatArray, vectors: FloatArray, kept: IntArray | None, k: int) -> list[IntArray]:
    """Return for each query the places that can be among the `k` nearest of those kept, or of all, block by block."""
    if len(queries) > _QUERIES_AT_ONCE:
        several = np.split(queries, range(_QUERIES_AT_ONCE, len(queries), _QUERIES_AT_ONCE))
        return [places for some in several for places in _near_of_all(some, vectors, kept, k)]
    count = len(vectors) if kept is None else len(kept)
    best = [np.zeros(0, dtype=np.int64) for _ in queries]
    tops = [np.zeros(0, dtype=np.float32) for _ in queries]
    step = min(_BLOCK_ROWS, _BLOCK_SCORES // max(1, len(queries)))
    for first in range(0, count, step):
        last = min(first + step, count)
        places = np.arange(first, last) if kept is None else kept[first:last]
        block = vectors[first:last] if kept is None else vectors[places]
        # Matrix times vector is several times as fast as the same product of two matrices.
        scores = (block @ queries[0])[None] if len(queries) == 1 else queries @ block.T
        for number, line in enumerate(scores):
            joined = np.concatenate([tops[number], line])
            near = _top(joined, k)
            best[number] = np.concatenate([best[number], places])[near]
            tops[number] = joined[near]
    return best
