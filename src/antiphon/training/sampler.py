"""Batches in which no two rows are of one video."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def batches(groups: npt.NDArray[np.generic], batch_size: int, generator: np.random.Generator | None) -> list[IntArray]:
    """One epoch: every row once, in batches of at most `batch_size` without two rows of one group.

    Each round takes one row of every group that still has some, in random order, and cuts them into batches of nearly
    equal size, so that the loss, whose level depends on the batch's size, hardly changes its meaning. A round of one
    single row makes no pairings and is left out.

    Parameters
    ----------
    groups : (n,) video of each row.
    generator : shuffles; None keeps the order, for validation.

    Examples
    --------
    >>> [batch.tolist() for batch in batches(np.array(["a", "a", "b", "c", "c"]), 2, None)]
    [[0, 2], [1, 4]]
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    order = np.arange(len(groups)) if generator is None else generator.permutation(len(groups))
    by_group = order[np.argsort(numbers[order], kind="stable")]
    sizes = np.bincount(numbers)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    result: list[IntArray] = []
    for round_number in range(int(sizes.max(initial=0))):
        rows = by_group[starts[sizes > round_number] + round_number]
        rows = rows if generator is None else generator.permutation(rows)
        pieces = -(-len(rows) // batch_size)
        result += [piece for piece in np.array_split(rows, pieces) if len(piece) > 1]
    return result
