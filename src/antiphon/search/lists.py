"""Lists of rows that lie near each other: of a large part, only the lists nearest to a question are compared with it.

A part keeps nothing but the number of each row's list, in a column. Where a list lies is the mean of its vectors, so
whatever the numbers are, scores are exact; they only decide which rows are looked at.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MIN_ROWS = 50_000
"""Fewer rows of a side and level in a part have no lists: comparing all takes about as long (`results/index`)."""
_LISTS = 5.3
"""Lists, by the square root of the number of rows."""
_PROBES = 24
"""Lists of mean length that are compared with each vector of a question, and at least so many rows:"""
_MIN_COMPARED = 4_096
_COMPARED_FOR_ONE = 20
"""Rows that are compared for each that is asked for, at least."""
_SAMPLE = 20
_ROUNDS = 8
_BLOCK_ROWS = 1_024


def numbered(vectors: FloatArray) -> npt.NDArray[np.int32]:
    """Return the list of each of (n, dim) unit rows, by spherical k-means (Dhillon and Modha, 2001) of a sample.

    Same rows, same lists on the same machine.
    """
    count = min(len(vectors), max(1, round(_LISTS * math.sqrt(len(vectors)))))
    order = generator(0, "lists").permutation(len(vectors))
    sample = vectors[np.sort(order[: _SAMPLE * count])]
    centres = vectors[order[:count]]
    for _ in range(_ROUNDS):
        near = _nearest(sample, centres)
        place = np.argsort(near, kind="stable")
        there, first = np.unique(near[place], return_index=True)
        centres[there] = _directions(sample[place], np.append(first, len(place)))
    return _nearest(vectors, centres)


def _nearest(vectors: FloatArray, centres: FloatArray) -> npt.NDArray[np.int32]:
    near = np.empty(len(vectors), dtype=np.int32)
    for first in range(0, len(vectors), _BLOCK_ROWS):
        near[first : first + _BLOCK_ROWS] = (vectors[first : first + _BLOCK_ROWS] @ centres.T).argmax(axis=1)
    return near


def _directions(vectors: FloatArray, edges: IntArray) -> FloatArray:
    """Return the mean of each stretch of vectors at length 1; what sums up to nothing stays nothing."""
    # Many times as fast as np.add.reduceat.
    sums = np.stack([vectors[first:last].sum(axis=0) for first, last in pairwise(edges.tolist())])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of rows, one after the other.

    Attributes
    ----------
    centres : ndarray of float32, shape (m, dim)
        The direction of each.
    edges : ndarray of int, shape (m + 1,)
        Where each begins and ends; none is empty.
    """

    centres: FloatArray
    edges: IntArray

    @classmethod
    def of(cls, numbers: IntArray, vectors: FloatArray) -> "Lists":
        """Take at least one vector and the list of each, ascending."""
        edges = np.append(np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1)), len(numbers))
        return cls(_directions(vectors, edges), edges)

    def enough(self, k: int) -> float:
        """Return how many rows are compared at least to find the `k` nearest."""
        return max(_MIN_COMPARED, _PROBES * self._mean, _COMPARED_FOR_ONE * k)

    def near(self, queries: FloatArray, k: int, sizes: Callable[[IntArray], IntArray]) -> list[IntArray]:
        """Return for each of (q, dim) queries the nearest lists that together hold enough rows that may be found.

        Parameters
        ----------
        sizes : callable
            Returns how many rows of some lists, given by number, may be found. It is asked of the nearest lists, and of
            all only where these hold too few.

        Returns
        -------
        list of ndarray of int
            Numbers of lists, nearest first; lists in which nothing may be found are left out.
        """
        enough, count = self.enough(k), len(self.centres)
        far = -(queries @ self.centres.T)
        # To sort them all takes longer than to compare the rows of those that are needed.
        few = min(count, 4 * math.ceil(enough / self._mean))
        order = np.argpartition(far, few - 1, axis=1)[:, :few] if few < count else None
        everything = np.arange(count)
        every = sizes(everything) if order is None else None
        found: list[IntArray] = []
        for number, line in enumerate(far):
            some = everything if order is None else order[number]
            own = sizes(some) if every is None else every[some]
            if len(some) < count and own.sum() < enough:
                every = sizes(everything) if every is None else every
                some, own = everything, every
            nearest = np.argsort(line[some])
            some, own = some[nearest], own[nearest]
            found.append(some[(own > 0) & (np.cumsum(own) - own < enough)])
        return found

    @property
    def _mean(self) -> float:
        return self.edges[-1] / len(self.centres)
