"""The staircase chart of a study: median ranks step by step, and the factor by which each step brings partners up."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from antiphon.experiments.study import CCA
from antiphon.presentation import svg
from antiphon.presentation.charts import QUERY, WIDTH, rank_axis
from antiphon.presentation.numbers import whole
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.presentation.svg import Scale
from antiphon.report.rank_rows import MIDDLE, ROW, TOP, rank_row, rank_scale, with_interval


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
    scale = rank_scale(pool)
    bottom = TOP + ROW * len(rows) + 4
    chance = scale((pool + 1) / 2)
    parts = [
        svg.text("chance", chance, 12, "tick", "middle"),
        svg.line(chance, 18, chance, bottom, "chance"),
        svg.path(_stairs(rows, scale), "stair"),
        *(
            rank_row(row, scale, TOP + ROW * number, step_factor(row), step_words(row))
            for number, row in enumerate(rows)
        ),
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
    ways = [f"by {QUERY[way]} {with_interval(row[way]['median_rank'])}" for way in DIRECTIONS]
    factor = step_factor(row)
    words = f"{row['label']}: median rank of {whole(row['n'])} {', '.join(ways)}"
    return f"{words}; gain over {row['against']['previous']['step']} {factor}" if factor else words


def step_factor(row: Mapping[str, Any]) -> str:
    """Format the factor by which a step ranks partners higher, in both directions; "" for the first step.

    Examples
    --------
    >>> step_factor({"against": {"previous": {"both": {"ratio": 1.432, "ci95": [1.345, 1.529]}}}})
    '×1.43 (1.34–1.53)'
    """
    if "previous" not in row.get("against", {}):
        return ""
    both = row["against"]["previous"]["both"]
    return f"×{both['ratio']:.2f} ({both['ci95'][0]:.2f}–{both['ci95'][1]:.2f})"


def _stairs(rows: Sequence[Mapping[str, Any]], scale: Scale) -> list[tuple[float, float]]:
    """Return the corners of the line through the steps, at the mean of both directions."""
    corners: list[tuple[float, float]] = []
    for number, row in enumerate(rows):
        if not row["trainings"] or row["step"] == CCA:
            continue
        place = sum(scale(row[way]["median_rank"]["value"]) for way in DIRECTIONS) / len(DIRECTIONS)
        height = TOP + ROW * number + MIDDLE
        corners += [(corners[-1][0], height)] if corners else []
        corners.append((place, height))
    return corners
