"""Whether a training stands at chance: the validation ranks tell, where a loss may not."""

import math

from antiphon.runs import Epoch

_SURE = 2.0
"""Standard errors below chance at which ranks count as learned."""


def stands_at_chance(best: Epoch, pairs: int, videos: int) -> bool:
    """Return whether the validation ranks of an epoch may be those of a model that knows nothing.

    The mean log rank of `pairs` candidates in random order is compared with that of the epoch; with the independence of
    whole videos alone, its standard error is at most the deviation of one log rank over √videos.

    Parameters
    ----------
    best : Epoch
        Epoch that was kept.
    pairs : int
        Number of validation pairs, the pool of each rank.
    videos : int
        Number of their videos.

    Returns
    -------
    bool
        True where the ranks are less than two standard errors better than chance.

    Examples
    --------
    >>> from dataclasses import replace
    >>> epoch = Epoch(1, 0.01, 1.0, 9.2, 9.2, 7.8, 9.2, 9.2, 7.8, 50.5, 3.637, True)
    >>> stands_at_chance(epoch, 100, 100), stands_at_chance(replace(epoch, validation_log_rank=3.2), 100, 100)
    (True, False)
    """
    logs = [math.log(rank) for rank in range(1, pairs + 1)]
    mean = sum(logs) / pairs
    deviation = math.sqrt(sum((value - mean) ** 2 for value in logs) / pairs)
    return best.validation_log_rank > mean - _SURE * deviation / math.sqrt(videos)
