"""The rows of a side and level that lie in one part, and which of them are near."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from antiphon.search.lists import Lists

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Spans = Sequence[tuple[int, int]]

ROUNDING = 1e-5
"""Upper bound of the error of float32 scores: what lies nearer to the last of a list may belong to it."""
_BLOCK_ROWS = 131_072
_BLOCK_SCORES = 8_388_608
_QUERIES_AT_ONCE = 256
_NEARLY_ALL = 7 / 8


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
            several = np.split(queries, range(_QUERIES_AT_ONCE, len(queries), _QUERIES_AT_ONCE))
            return [rows for some in several for rows in _near_of_all(some, self.vectors, met, k)]
        few = kept if kept is not None and kept.mean() < _NEARLY_ALL else None
        met = None if few is None else few[self.owner[self._rows]]
        found: list[IntArray] = []
        for query, lists in zip(queries, self.lists.near(queries, k, met), strict=True):
            spans = self.lists.spans(lists)
            found.append(self._near_in(spans, query, k, kept) if met is None else self._near_of(spans, query, k, met))
        return found

    @cached_property
    def _rows(self) -> IntArray:
        """The row of each vector."""
        if self.places is None:
            return np.arange(len(self.owner))
        rows = np.empty_like(self.places)
        rows[self.places] = np.arange(len(rows))
        return rows

    def _near_in(self, spans: Spans, query: FloatArray, k: int, kept: BoolArray | None) -> IntArray:
        """Compare all vectors of some lists."""
        line = np.concatenate([self.vectors[first:last] @ query for first, last in spans])
        rows = np.concatenate([self._rows[first:last] for first, last in spans])
        if kept is not None:
            line[~kept[self.owner[rows]]] = -np.inf
        return rows[_top(line, k)]

    def _near_of(self, spans: Spans, query: FloatArray, k: int, met: BoolArray) -> IntArray:
        """Compare the vectors of some lists that meet a condition."""
        places = np.concatenate([first + np.flatnonzero(met[first:last]) for first, last in spans])
        return self._rows[places[_top(self.vectors[places] @ query, k)]]


def _top(line: FloatArray, k: int) -> IntArray:
    """Return the places of what can be among the `k` highest cosines."""
    lowest = np.partition(line, -k)[-k] if len(line) > k else -np.inf
    return np.flatnonzero((line >= lowest - ROUNDING) & (line > -np.inf))


def _near_of_all(queries: FloatArray, vectors: FloatArray, kept: IntArray | None, k: int) -> list[IntArray]:
    """Return for each query the rows that can be among the `k` nearest of those kept, block by block."""
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
