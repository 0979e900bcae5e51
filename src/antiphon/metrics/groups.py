"""Resampling and permuting by group, so that segments of one video stay together."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def group_numbers(groups: npt.ArrayLike | None, count: int) -> IntArray:
    """Number the groups of `count` rows from 0; without groups every row is its own.

    Raises
    ------
    ValueError
        `groups` has not one entry a row.
    """
    if groups is None:
        return np.arange(count)
    names = np.asarray(groups)
    if names.shape != (count,):
        raise ValueError(f"groups has shape {names.shape}; it must name the video of each of the {count} rows.")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def bootstrap_weights(numbers: IntArray, resamples: int, generator: np.random.Generator) -> IntArray:
    """(resamples, n) weight of each row when whole groups are drawn with replacement."""
    total = int(numbers.max(initial=-1)) + 1
    weights = generator.multinomial(total, np.full(total, 1 / total), size=resamples)
    return weights[:, numbers]


def permuted_rows(numbers: IntArray, permutations: int, generator: np.random.Generator) -> IntArray:
    """(permutations, n) row that each row is paired with when whole groups change places at random.

    The p-th row of a group goes to the p-th row of the group that takes its partner's place; where that group has
    fewer rows they are used again. Groups of one row make this a plain permutation.
    """
    total = int(numbers.max(initial=-1)) + 1
    order = np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers, minlength=total)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    place = np.empty(len(numbers), dtype=np.int64)
    place[order] = np.arange(len(numbers)) - starts[numbers[order]]
    result = np.empty((permutations, len(numbers)), dtype=np.int64)
    for index in range(permutations):
        other = generator.permutation(total)[numbers]
        result[index] = order[starts[other] + place % sizes[other]]
    return result
