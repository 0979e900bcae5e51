"""The staircase chart of a study: median ranks step by step, and the factor by which each step lowers them."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from antiphon.experiments.study import CCA
from antiphon.presentation import svg
from antiphon.presentation.charts import QUERY, WIDTH, rank_axis
from antiphon.presentation.numbers import brief, whole
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.presentation.scales import Scale

_INSET = 4
_VALUES = 114
_ROW = 48
_TOP = 24
_MIDDLE = 31
_APART = {"a2v": -5, "v2a": 5}


def staircase(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the steps of one size on a logarithmic axis of ranks, with chance, nulls and intervals.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of `antiphon.experiments.study_table.study_table`, at least one with ranks.

    Returns
    -------
    Markup
        SVG.
    """
    pool = max(row["n"] for row in rows if row["trainings"])
    scale = Scale(1, pool, _INSET, WIDTH - _VALUES, log=True)
    bottom = _TOP + _ROW * len(rows) + 4
    chance = scale((pool + 1) / 2)
    parts = [
        svg.text("chance", chance, 12, "tick", "middle"),
        svg.line(chance, 18, chance, bottom, "chance"),
        svg.path(_stairs(rows, scale), "stair"),
        *(_row(row, scale, _TOP + _ROW * number) for number, row in enumerate(rows)),
        rank_axis(scale, round(pool), bottom, "median rank, logarithmic"),
    ]
    label = " ".join(f"{step_words(row)}." for row in rows)
    return svg.drawing(WIDTH, bottom + 34, label, *parts)


def step_words(row: Mapping[str, Any]) -> str:
    """Describe a step in a sentence, for tooltips and screen readers.

    Examples
    --------
    >>> way = {"median_rank": {"value": 31.6, "ci95": [29.0, 34.5]}}
    >>> step_words({"label": "Temperature 0.3", "trainings": 3, "n": 1000, "a2v": way, "v2a": way, "against": {}})
    'Temperature 0.3: median rank of 1,000 by sound 31.6 (29–34.5), by pictures 31.6 (29–34.5)'
    """
    if not row["trainings"]:
        return f"{row['label']}: all trainings failed"
    ways = [f"by {QUERY[way]} {_with_interval(row[way]['median_rank'])}" for way in DIRECTIONS]
    factor = step_factor(row)
    words = f"{row['label']}: median rank of {whole(row['n'])} {', '.join(ways)}"
    return f"{words}; gain over {row['against']['previous']['step']} {factor}" if factor else words


def step_factor(row: Mapping[str, Any]) -> str:
    """Format the factor by which a step lowers the ranks in both directions; "" for the first step.

    Examples
    --------
    >>> step_factor({"against": {"previous": {"both": {"ratio": 1.432, "ci95": [1.345, 1.529]}}}})
    '×1.43 (1.34–1.53)'
    """
    if "previous" not in row.get("against", {}):
        return ""
    both = row["against"]["previous"]["both"]
    return f"×{both['ratio']:.2f} ({both['ci95'][0]:.2f}–{both['ci95'][1]:.2f})"


def _with_interval(found: Mapping[str, Any]) -> str:
    return f"{brief(found['value'])} ({brief(found['ci95'][0])}–{brief(found['ci95'][1])})"


def _row(row: Mapping[str, Any], scale: Scale, top: float) -> Markup:
    middle = top + _MIDDLE
    parts = [
        svg.text(row["label"], 0, top + 13, "label"),
        svg.text(step_factor(row), WIDTH, middle + 13, "tick", "end"),
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
    return svg.element("g", *parts, svg.box(0, top, WIDTH, _ROW, "hover", step_words(row)))


def _stairs(rows: Sequence[Mapping[str, Any]], scale: Scale) -> list[tuple[float, float]]:
    """Return the corners of the line through the steps, at the mean of both directions."""
    corners: list[tuple[float, float]] = []
    for number, row in enumerate(rows):
        if not row["trainings"] or row["step"] == CCA:
            continue
        place = sum(scale(row[way]["median_rank"]["value"]) for way in DIRECTIONS) / len(DIRECTIONS)
        height = _TOP + _ROW * number + _MIDDLE
        corners += [(corners[-1][0], height)] if corners else []
        corners.append((place, height))
    return corners


def _point(way: str, found: Mapping[str, Any], scale: Scale, y: float) -> list[Markup]:
    low, high = (scale(edge) for edge in found["ci95"])
    return [
        svg.box(low, y - 4, max(high - low, 3), 8, f"bar {QUERY[way]}", round_=3),
        svg.element("circle", cx=scale(found["value"]), cy=y, r=3.5, class_=f"dot {QUERY[way]}"),
    ]
