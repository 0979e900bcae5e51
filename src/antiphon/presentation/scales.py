"""Scales and ticks of charts."""

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Scale:
    """Map from `low` … `high` to `start` … `end`, linear or logarithmic.

    Examples
    --------
    >>> Scale(1, 100, 0, 200)(50.5), Scale(1, 100, 0, 200, log=True)(10)
    (100.0, 100.0)
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value; values outside are clipped."""
        inside = min(max(value, self.low), self.high)
        if self.high == self.low:
            return (self.start + self.end) / 2
        if self.log:
            part = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            part = (inside - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers from `low` to `high`.

    Examples
    --------
    >>> ticks(0, 10), ticks(4.2, 6.1)
    ([0.0, 5.0, 10.0], [4.5, 5.0, 5.5, 6.0])
    """
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(round(number * step, 10)) for number in range(first, last + 1)]


def rank_ticks(pool: int, *, log: bool = False) -> list[int]:
    """Return the ranks to label on an axis from 1 to the size of the pool, both ends included.

    Examples
    --------
    >>> rank_ticks(96), rank_ticks(1000, log=True)
    ([1, 20, 40, 60, 80, 96], [1, 10, 100, 1000])
    """
    if log:
        # A label needs about a sixth of the axis.
        inner = [10**power for power in range(1, 10) if 10**power < pool ** (5 / 6)]
    else:
        inner = [int(tick) for tick in ticks(0, pool, 5) if 0.12 * pool < tick < 0.88 * pool and tick >= 2]
    return [1, *inner, pool] if pool > 1 else [1]


def spaced(places: list[float], min_gap: float) -> list[float]:
    """Move labels apart so that no two are closer than `min_gap`, each staying near its place.

    Examples
    --------
    >>> spaced([10, 12, 50], 10)
    [6.0, 16.0, 50.0]
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = [float(place) for place in places]
    for _ in range(50):
        for above, below in pairwise(order):
            lack = min_gap - (moved[below] - moved[above])
            if lack > 1e-6:
                moved[above] -= lack / 2
                moved[below] += lack / 2
    return [round(place, 3) for place in moved]
