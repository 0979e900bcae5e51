"""All rows of a side and level: what is near to the vectors of a question, and what music videos score with them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from antiphon.ordering import rounded
from antiphon.search.blocks import ROUNDING, Block, joined

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Names = Callable[[int], str]
"""The id of a music video by its number."""

_BLOCK_ROWS = 8_192


@dataclass(frozen=True, eq=False)
class Shelf:
    """The rows of one side and level.

    Attributes
    ----------
    blocks : sequence of Block
        The rows of each part, one after the other; the numbers of their videos ascend.
    starts_s, ends_s : ndarray of float64, shape (n,)
        Where the rows lie, NaN if unknown.
    """

    blocks: Sequence[Block]
    starts_s: npt.NDArray[np.float64]
    ends_s: npt.NDArray[np.float64]

    @cached_property
    def owner(self) -> IntArray:
        """Number of the video of each of the (n,) rows, ascending."""
        return np.concatenate([block.owner for block in self.blocks])

    @cached_property
    def _edges(self) -> IntArray:
        return np.cumsum([0, *(len(block.owner) for block in self.blocks)])

    def asked(self, queries: FloatArray, kept: BoolArray | None) -> "Scores | Question":
        """Ask (q, dim) queries of the videos that are kept, or of all: of every row, or of those in lists nearby."""
        if any(block.lists is not None for block in self.blocks):
            return Question(self, queries, kept)
        vectors = [block.vectors for block in self.blocks]
        if kept is None:
            return Scores(self, queries, _products(vectors, queries), self.owner, None)
        met = kept[self.owner]
        rows = np.flatnonzero(met)
        if 2 * len(rows) < len(met):
            return self.scored(queries, rows)
        lines = _products(vectors, queries)
        lines[:, ~met] = -np.inf
        return Scores(self, queries, lines, self.owner, None)

    def scored(self, queries: FloatArray, rows: IntArray) -> "Scores":
        """Score ascending rows."""
        return Scores(self, queries, _products([self.take(rows)], queries), self.owner[rows], rows)

    def nearest(self, queries: FloatArray, k: int, kept: BoolArray | None, names: Names) -> list[IntArray]:
        """Return for each query the `k` nearest rows of the videos kept, ascending; of ties those first by name."""
        found: list[list[IntArray]] = [[] for _ in queries]
        for block, first in zip(self.blocks, self._edges.tolist(), strict=False):
            for parts, rows in zip(found, block.near(queries, k, kept), strict=True):
                parts.append(first + rows)
        near = (np.sort(np.concatenate(parts)) for parts in found)
        return [self._cut(query, rows, k, names) for query, rows in zip(queries, near, strict=True)]

    def _cut(self, query: FloatArray, rows: IntArray, k: int, names: Names) -> IntArray:
        if len(rows) <= k:
            return rows
        keys, owner = rounded(self.cosines(query, rows)), self.owner[rows].tolist()
        order = sorted(range(len(rows)), key=lambda place: (-keys[place], names(owner[place])))
        return rows[np.sort(order[:k])]

    def cosines(self, query: FloatArray, rows: IntArray) -> npt.NDArray[np.float64]:
        """Return the exact cosines of ascending rows."""
        return self.take(rows).astype(np.float64) @ query.astype(np.float64)

    def take(self, rows: IntArray) -> FloatArray:
        """Return the vectors of ascending rows."""
        if len(self.blocks) == 1:
            return self.blocks[0].take(rows)
        cuts = np.searchsorted(rows, self._edges)
        return np.concatenate(
            [
                block.take(rows[first:last] - start)
                for block, start, first, last in zip(self.blocks, self._edges, cuts, cuts[1:], strict=False)
            ]
        )

    def between(self, first: int, last: int) -> FloatArray:
        """Return the vectors of the rows of one video."""
        block = int(np.searchsorted(self._edges, first, side="right")) - 1 if len(self.blocks) > 1 else 0
        start = int(self._edges[block])
        return self.blocks[block].between(first - start, last - start)

    def of(self, videos: IntArray) -> tuple[IntArray, IntArray]:
        """Return where the rows of videos begin and end."""
        return np.searchsorted(self.owner, videos), np.searchsorted(self.owner, videos, side="right")

    def times(self, first: int, last: int) -> list[tuple[float | None, ...]]:
        """Return starts and ends of rows; None if unknown."""
        columns = (self.starts_s[first:last].tolist(), self.ends_s[first:last].tolist())
        return [tuple(None if math.isnan(time_s) else time_s for time_s in column) for column in columns]


@dataclass(frozen=True, eq=False)
class Question:
    """Queries to the rows in lists near them.

    Attributes
    ----------
    shelf : Shelf
        The rows.
    queries : ndarray of float32, shape (q, dim)
        Unit rows.
    kept : ndarray of bool, optional
        Which videos may be found; None: all.
    """

    shelf: Shelf
    queries: FloatArray
    kept: BoolArray | None

    def videos_near(self, k: int, names: Names) -> IntArray:
        """Return the videos of the `k` nearest rows of each query, ties by name."""
        found = self.shelf.nearest(self.queries, k, self.kept, names)
        return np.unique(self.shelf.owner[np.concatenate(found)])

    def best_of(self, videos: IntArray) -> FloatArray:
        """Return for each of (v,) videos the mean over the queries of their best row in it; NaN if it has none."""
        return self.shelf.scored(self.queries, joined(*self.shelf.of(videos))).best_of(videos)


@dataclass(frozen=True, eq=False)
class Scores:
    """What queries score with every row of a shelf, or with every row of some of its videos.

    Attributes
    ----------
    shelf : Shelf
        The rows.
    queries : ndarray of float32, shape (q, dim)
        Unit rows.
    lines : ndarray of float32, shape (q, m)
        Cosines; -inf for rows that may not be found.
    owner : ndarray of int, shape (m,)
        Number of the video of each column, ascending.
    rows : ndarray of int, shape (m,), optional
        Row of each column, ascending; None if all rows of the shelf are there.
    """

    shelf: Shelf
    queries: FloatArray
    lines: FloatArray
    owner: IntArray
    rows: IntArray | None

    def videos_near(self, k: int, names: Names) -> IntArray:
        """Return the videos of the `k` nearest rows of each query, ties by name."""
        found = [self._near(number, query, k, names) for number, query in enumerate(self.queries)]
        return np.unique(self.owner[np.concatenate(found)])

    def _near(self, number: int, query: FloatArray, k: int, names: Names) -> IntArray:
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
        exact = rounded(self.shelf.cosines(query, rows))
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
            columns = joined(first[there], last[there])
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
