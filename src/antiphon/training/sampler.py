"""Batches in which no two rows are of one video."""

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def batches(groups: npt.NDArray[np.generic], batch_size: int, generator: np.random.Generator | None) -> list[IntArray]:
    """Deal all rows into batches of at most `batch_size`, without two rows of one group in a batch.

    There are as few batches as this allows: as many as the largest group has rows, or as `batch_size` requires. Rows
    are dealt like cards, group after group, so that batch sizes differ by at most one, and with them the level of the
    loss. A batch of a single row has no negatives and is dropped: it occurs where one group has more rows than all
    others together, and where a `batch_size` of 2 leaves one row over.

    Parameters
    ----------
    groups : ndarray, shape (n,)
        Video of each row.
    batch_size : int
        Maximum rows per batch, at least 2.
    generator : numpy.random.Generator or None
        Shuffles groups, their rows, and the order of the batches; None keeps the order, for validation.

    Returns
    -------
    list of ndarray of int64
        Rows of each batch.

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
