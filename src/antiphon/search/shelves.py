"""All rows of a side and level as arrays: one product scores them for every vector of a question."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from antiphon.ordering import rounded

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

ROUNDING = 1e-5
"""Upper bound of the error of float32 scores: what lies nearer to the last of a list may belong to it."""
_BLOCK_ROWS = 8_192


@dataclass(frozen=True, eq=False)
class Shelf:
    """The rows of one side and level.

    Attributes
    ----------
    blocks : sequence of ndarray of float32
        Unit rows, one block after the other.
    owner : ndarray of int, shape (n,)
        Number of the video of each row, ascending.
    starts_s, ends_s : ndarray of float64, shape (n,)
        Where the rows lie, NaN if unknown.
    """

    blocks: Sequence[FloatArray]
    owner: IntArray
    starts_s: npt.NDArray[np.float64]
    ends_s: npt.NDArray[np.float64]

    @cached_property
    def _edges(self) -> IntArray:
        return np.cumsum([0, *(len(block) for block in self.blocks)])

    def scored(self, queries: FloatArray, kept: npt.NDArray[np.bool_] | None) -> "Scores":
        """Score the rows of the videos that are kept, or of all."""
        if kept is None:
            return Scores(self, _products(self.blocks, queries), self.owner, None)
        met = kept[self.owner]
        rows = np.flatnonzero(met)
        if 2 * len(rows) < len(met):
            return Scores(self, _products([self.take(rows)], queries), self.owner[rows], rows)
        lines = _products(self.blocks, queries)
        lines[:, ~met] = -np.inf
        return Scores(self, lines, self.owner, None)

    def take(self, rows: IntArray) -> FloatArray:
        """Return the vectors of ascending rows."""
        if len(self.blocks) == 1:
            return self.blocks[0][rows]
        cuts = np.searchsorted(rows, self._edges)
        return np.concatenate(
            [
                block[rows[first:last] - start]
                for block, start, first, last in zip(self.blocks, self._edges, cuts, cuts[1:], strict=False)
            ]
        )

    def between(self, first: int, last: int) -> FloatArray:
        """Return the vectors of the rows of one video, without a copy."""
        if len(self.blocks) == 1:
            return self.blocks[0][first:last]
        block = int(np.searchsorted(self._edges, first, side="right")) - 1
        start = int(self._edges[block])
        return self.blocks[block][first - start : last - start]

    def of(self, videos: IntArray) -> tuple[IntArray, IntArray]:
        """Return where the rows of videos begin and end."""
        return np.searchsorted(self.owner, videos), np.searchsorted(self.owner, videos, side="right")

    def times(self, first: int, last: int) -> list[tuple[float | None, ...]]:
        """Return starts and ends of rows; None if unknown."""
        columns = (self.starts_s[first:last].tolist(), self.ends_s[first:last].tolist())
        return [tuple(None if math.isnan(time_s) else time_s for time_s in column) for column in columns]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a question's vectors score with rows of a shelf.

    Attributes
    ----------
    shelf : Shelf
        The shelf.
    lines : ndarray of float32, shape (q, m)
        Cosines; -inf for rows that may not be found.
    owner : ndarray of int, shape (m,)
        Number of the video of each column, ascending.
    rows : ndarray of int, shape (m,), optional
        Row of each column; None if all rows of the shelf are there.
    """

    shelf: Shelf
    lines: FloatArray
    owner: IntArray
    rows: IntArray | None

    def videos_near(self, queries: FloatArray, k: int, names: Callable[[int], str]) -> IntArray:
        """Return the videos of the `k` nearest rows of each query, ties by name."""
        found = [self._near(number, query, k, names) for number, query in enumerate(queries)]
        return np.unique(self.owner[np.concatenate(found)])

    def _near(self, number: int, query: FloatArray, k: int, names: Callable[[int], str]) -> IntArray:
        line = self.lines[number]
        lowest = np.partition(line, -k)[-k] if len(line) > k else -np.inf
        if lowest == -np.inf:
            return np.flatnonzero(line > -np.inf)
        near = np.flatnonzero(line >= lowest - ROUNDING)
        doubtful = near[line[near] <= lowest + ROUNDING]
        left = k - (len(near) - len(doubtful))
        if len(doubtful) <= left:
            return near
        rows = doubtful if self.rows is None else self.rows[doubtful]
        exact = rounded(self.shelf.take(rows).astype(np.float64) @ query.astype(np.float64))
        order = sorted(range(len(doubtful)), key=lambda place: (-exact[place], names(int(self.owner[doubtful[place]]))))
        return np.concatenate([near[line[near] > lowest + ROUNDING], doubtful[order[:left]]])

    def best_of(self, videos: IntArray) -> FloatArray:
        """Return for each of (v,) videos the mean over the queries of their best row in it; NaN if it has none."""
        first, last = (np.searchsorted(self.owner, videos, side=side) for side in ("left", "right"))
        counts = last - first
        there = counts > 0
        result = np.full(len(videos), np.nan, dtype=np.float32)
        if there.any():
            edges = np.cumsum(counts[there]) - counts[there]
            columns = np.arange(counts.sum()) + np.repeat(first[there] - edges, counts[there])
            result[there] = np.maximum.reduceat(self.lines[:, columns], edges, axis=1).mean(axis=0)
        return result


def _products(blocks: Sequence[FloatArray], queries: FloatArray) -> FloatArray:
    """Return the (q, n) cosines of queries with the rows of all blocks."""
    lines = np.empty((len(queries), sum(map(len, blocks))), dtype=np.float32)
    done = 0
    for block in blocks:
        for first in range(0, len(block), _BLOCK_ROWS):
            rows = block[first : first + _BLOCK_ROWS]
            # Matrix times vector is several times as fast as the same product of two matrices.
            lines[:, done : done + len(rows)] = rows @ queries[0] if len(queries) == 1 else (rows @ queries.T).T
            done += len(rows)
    return lines
