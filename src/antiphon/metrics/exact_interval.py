"""Exact intervals of shares, for counts too small for a bootstrap."""

import math
from collections.abc import Callable

_STEPS = 60


def exact_interval(successes: float, count: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson for a share.

    Parameters
    ----------
    successes : float
        How many of `count`; a fraction, as of answers that count half, is rounded outwards.
    count : int
        Number of independent trials, at least 1.
    level : float, default 0.95
        Probability that the interval covers the share, or more.

    Returns
    -------
    tuple of (float, float)
        Its ends.

    References
    ----------
    Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of the
    binomial. Biometrika 26, 404–413.

    Examples
    --------
    >>> [round(end, 3) for end in exact_interval(3, 3)], [round(end, 3) for end in exact_interval(5, 10)]
    ([0.292, 1.0], [0.187, 0.813])
    """
    tail = (1 - level) / 2
    fewest, most = math.floor(successes + 1e-9), math.ceil(successes - 1e-9)
    low = 0.0 if fewest <= 0 else _root(lambda share: _at_least(fewest, count, share) - tail)
    high = 1.0 if most >= count else 1 - _root(lambda share: _at_least(count - most, count, share) - tail)
    return low, high


def _at_least(wanted: int, count: int, share: float) -> float:
    """Return the probability of at least so many successes."""
    if share <= 0:
        return 0.0
    logs = (math.log(share), math.log1p(-share))
    return math.fsum(
        math.exp(_log_choices(count, number) + number * logs[0] + (count - number) * logs[1])
        for number in range(wanted, count + 1)
    )


def _log_choices(count: int, number: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(number + 1) - math.lgamma(count - number + 1)


def _root(rising: Callable[[float], float]) -> float:
    """Find where a rising function of a share is 0, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
