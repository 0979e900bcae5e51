"""Batches in which no two rows are of one video."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def batches(groups: npt.NDArray[np.generic], batch_size: int, generator: np.random.Generator | None) -> list[IntArray]:
    """One epoch: every row once, in batches of at most `batch_size` without two rows of one group.

    There are as few batches as this allows: as many as the largest group has rows, or as `batch_size` asks for. Rows
    are dealt to them like cards, group after group, so their sizes differ by one at the most, and with it the level of
    the loss, which depends on the batch's size. A batch of a single row makes no pairings and is left out: that happens
    where one group has more rows than all others together, and where a `batch_size` of 2 leaves one row over.

    Parameters
    ----------
    groups : (n,) video of each row.
    batch_size : rows in a batch at the most, at least 2.
    generator : shuffles groups, their rows, and the order of the batches; None keeps the order, for validation.

    Examples
    --------
    >>> [batch.tolist() for batch in batches(np.array(["a", "a", "b", "c", "c"]), 3, None)]
    [[0, 2, 4], [1, 3]]
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    rows = np.arange(len(groups))
    if generator is not None:
        rows = generator.permutation(rows)
        numbers = generator.permutation(numbers.max(initial=-1) + 1)[numbers]
    # The rows of a group are neighbours here, and neighbours go to different batches.
    dealt = rows[np.argsort(numbers[rows], kind="stable")]
    count = max(int(np.bincount(numbers).max(initial=0)), -(-len(rows) // batch_size))
    order = np.arange(count) if generator is None else generator.permutation(count)
    return [batch for first in order if len(batch := dealt[first::count]) > 1]
