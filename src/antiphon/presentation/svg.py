"""The SVG elements that charts need, as markup with every value escaped."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape


def element(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """Return an element. Underscores in attribute names become hyphens; attributes that are None are omitted.

    Examples
    --------
    >>> element("text", "a < b", x=1.50, text_anchor="end", class_="tick")
    Markup('<text x="1.5" text-anchor="end" class="tick">a &lt; b</text>')
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup(f"<{name}{given}>{inside}</{name}>")  # noqa: S704 - every part is escaped above


def join(parts: Iterable[Markup]) -> Markup:
    """Concatenate elements."""
    return Markup("").join(parts)


def text(content: str, x: float, y: float, class_: str = "tick", anchor: str = "start") -> Markup:
    """Return a line of text with its baseline at y."""
    return element("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def box(
    x: float, y: float, width: float, height: float, class_: str, tip: str | None = None, round_: float = 0
) -> Markup:
    """Return a rectangle, optionally with a tooltip."""
    return element(
        "rect",
        x=x,
        y=y,
        width=max(width, 0),
        height=max(height, 0),
        rx=round_ or None,
        class_=class_,
        data_tip=tip,
    )


def path(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Return a line through points."""
    drawn = " ".join(f"{'L' if number else 'M'}{_value(x)} {_value(y)}" for number, (x, y) in enumerate(points))
    return element("path", d=drawn, class_=class_)


def drawing(width: float, height: float, label: str, *children: Markup) -> Markup:
    """Return a whole picture, with a text alternative."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return str(escape(value))
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


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
