"""Rows of a chart of median ranks: name, both directions with intervals, and the null."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from antiphon.presentation import svg
from antiphon.presentation.charts import QUERY, WIDTH
from antiphon.presentation.numbers import brief
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.presentation.svg import Scale

ROW = 48
"""Height of a row."""
TOP = 24
"""Top of the first row."""
MIDDLE = 31
"""Height of the points within a row."""

_INSET = 4
_VALUES = 114
_APART = {"a2v": -5, "v2a": 5}


def rank_scale(pool: float) -> Scale:
    """Return the logarithmic scale of ranks in a pool, which leaves room for values on the right.

    Parameters
    ----------
    pool : float
        Largest rank.

    Returns
    -------
    Scale
        The scale.
    """
    return Scale(1, pool, _INSET, WIDTH - _VALUES, log=True)


def rank_row(row: Mapping[str, Any], scale: Scale, top: float, note: str, words: str) -> Markup:
    """Draw a row.

    Parameters
    ----------
    row : mapping
        "label", "trainings", and after a successful training "a2v" and "v2a" with "median_rank" and "null95".
    scale : Scale
        Scale of ranks.
    top : float
        Top of the row.
    note : str
        Small text below the values.
    words : str
        The row in a sentence, for its tooltip.

    Returns
    -------
    Markup
        SVG.
    """
    middle = top + MIDDLE
    parts = [
        svg.text(row["label"], 0, top + 13, "label"),
        svg.text(note, WIDTH, middle + 13, "tick", "end"),
        svg.line(scale.start, middle, scale.end, middle, "rail"),
    ]
    if not row["trainings"]:
        parts.append(svg.text("failed", WIDTH, middle + 5, "value", "end"))
        return svg.element("g", *parts)
    low = min(row[way]["null95"][0] for way in DIRECTIONS)
    high = max(row[way]["null95"][1] for way in DIRECTIONS)
    parts.append(svg.box(scale(low), middle - 11, max(scale(high) - scale(low), 2), 22, "null", round_=2))
    for way in DIRECTIONS:
        parts += _point(way, row[way]["median_rank"], scale, middle + _APART[way])
    values = " / ".join(brief(row[way]["median_rank"]["value"]) for way in DIRECTIONS)
    parts.append(svg.text(values, WIDTH, middle - 2, "value", "end"))
    return svg.element("g", *parts, svg.box(0, top, WIDTH, ROW, "hover", words))


def with_interval(found: Mapping[str, Any]) -> str:
    """Return a number with its interval.

    Examples
    --------
    >>> with_interval({"value": 31.6, "ci95": [29.0, 34.5]})
    '31.6 (29–34.5)'
    """
    return f"{brief(found['value'])} ({brief(found['ci95'][0])}–{brief(found['ci95'][1])})"


def _point(way: str, found: Mapping[str, Any], scale: Scale, y: float) -> list[Markup]:
    low, high = (scale(edge) for edge in found["ci95"])
    return [
        svg.box(low, y - 4, max(high - low, 3), 8, f"bar {QUERY[way]}", round_=3),
        svg.element("circle", cx=scale(found["value"]), cy=y, r=3.5, class_=f"dot {QUERY[way]}"),
    ]
