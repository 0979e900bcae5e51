"""Resampling and permuting by group, so that segments of one video stay together."""

from collections.abc import Iterator
from math import isnan

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]

_BLOCK = 2**20
"""Numbers in one block of weights or ranks: some 40 MB at work, whatever is resampled."""


def group_numbers(groups: npt.ArrayLike | None, count: int) -> IntArray:
    """Number the groups of rows from 0.

    Parameters
    ----------
    groups : array_like or None, shape (count,)
        Group of each row. Default: every row is its own group.
    count : int
        Number of rows.

    Returns
    -------
    ndarray of int64, shape (count,)
        Number of each row's group.

    Raises
    ------
    ValueError
        `groups` has another number of entries, or an entry is None or NaN.
    """
    if groups is None:
        return np.arange(count)
    names = np.asarray(groups)
    if names.shape != (count,):
        raise ValueError(f"groups has shape {names.shape}; it must name the video of each of the {count} rows.")
    if names.dtype == object or np.issubdtype(names.dtype, np.floating):
        missing = [row for row, name in enumerate(names) if name is None or (isinstance(name, float) and isnan(name))]
        if missing:
            raise ValueError(f"groups names no video for {len(missing)} rows, the first is {missing[0]}.")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def bootstrap_weights(numbers: IntArray, resamples: int, generator: np.random.Generator) -> Int32Array:
    """Draw whole groups with replacement.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Group of each row; see `group_numbers`.
    resamples : int
        Number of draws.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int32, shape (resamples, n)
        How often each row is drawn.
    """
    total = int(numbers.max(initial=-1)) + 1
    counts = generator.multinomial(total, np.full(total, 1 / total), size=resamples).astype(np.int32)
    return counts[:, numbers]


def weight_blocks(numbers: IntArray, resamples: int, generator: np.random.Generator) -> Iterator[Int32Array]:
    """Draw the rows of `bootstrap_weights` in blocks of bounded size.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Group of each row.
    resamples : int
        Number of draws.
    generator : numpy.random.Generator
        Source of randomness.

    Yields
    ------
    ndarray of int32, shape (block, n)
        The same weights as of `bootstrap_weights`, in order.
    """
    for block in blocks(resamples, len(numbers)):
        yield bootstrap_weights(numbers, block.stop - block.start, generator)


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Cut the rows of a (rows, width) array into blocks of at most 2**20 numbers, or of one row.

    Parameters
    ----------
    rows, width : int
        Shape of the array.

    Yields
    ------
    slice
        Rows of a block.
    """
    step = max(1, _BLOCK // max(width, 1))
    for first in range(0, rows, step):
        yield slice(first, min(first + step, rows))


def permuted_rows(numbers: IntArray, permutations: int, generator: np.random.Generator) -> Int32Array:
    """Permute whole groups at random.

    The p-th row of a group is paired with the p-th row of the group that takes its partner's place; where that group
    has fewer rows, they are reused. With groups of one row this is a plain permutation.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Group of each row.
    permutations : int
        Number of permutations.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int32, shape (permutations, n)
        Row that each row is paired with.
    """
    total = int(numbers.max(initial=-1)) + 1
    result = np.empty((permutations, len(numbers)), dtype=np.int32)
    for index in range(permutations):
        result[index] = rows_of_others(numbers, generator.permutation(total))
    return result


def rows_of_others(numbers: IntArray, others: IntArray) -> Int32Array:
    """Pair each row with one of the group that takes its group's place, p-th with p-th, cycling through smaller groups.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Group of each row.
    others : ndarray of int64, shape (groups,)
        Group that takes the place of each.

    Returns
    -------
    ndarray of int32, shape (n,)
        Row that each row is paired with.
    """
    order = np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers, minlength=len(others))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    place = np.empty(len(numbers), dtype=np.int64)
    place[order] = np.arange(len(numbers)) - starts[numbers[order]]
    other = others[numbers]
    return order[starts[other] + place % sizes[other]].astype(np.int32)


def members(numbers: IntArray) -> IntArray:
    """List all rows of each row's group.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Group of each row.

    Returns
    -------
    ndarray of int64, shape (n, m)
        m is the size of the largest group; rows of smaller groups are padded with -1.
    """
    order = np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers)
    there = np.arange(sizes.max(initial=0)) < sizes[:, None]
    table = np.full(there.shape, -1, dtype=np.int64)
    table[there] = order
    return table[numbers]
