"""How the ranks of a run changed from one evaluation to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from antiphon.evaluation_log import Evaluation
from antiphon.presentation.charts import Curve, panel

_MAX_ROWS = 100


@dataclass(frozen=True)
class Row:
    """One evaluation: when, among how many, median ranks with their intervals, and the level of chance."""

    at: datetime
    n: float
    chance: float
    a2v: Mapping[str, Any]
    v2a: Mapping[str, Any]


@dataclass(frozen=True)
class Course:
    """Evaluations on one test set.

    Attributes
    ----------
    test_set : str
        Its name; "" for the test split.
    rows : sequence of Row
        The evaluations, the earliest first; at most the last hundred.
    chart : Markup, optional
        Normalised ranks in the order of time; None for fewer than two evaluations.
    changed : bool
        Whether the number of videos changed.
    """

    test_set: str
    rows: Sequence[Row]
    chart: Markup | None
    changed: bool


def courses(evaluations: Sequence[Evaluation]) -> list[Course]:
    """Group evaluations by test set; one that stands alone on the test split is left out, as the page shows it anyway.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The evaluations of a run, the earliest first.

    Returns
    -------
    list of Course
        The test split first, then frozen test sets by name.
    """
    found: list[Course] = []
    for name in sorted({one.test_set for one in evaluations}):
        rows = [_row(one) for one in evaluations if one.test_set == name][-_MAX_ROWS:]
        if name or len(rows) > 1:
            found.append(Course(name, rows, _chart(rows), len({row.n for row in rows}) > 1))
    return found


def _row(one: Evaluation) -> Row:
    part = one.metrics.get("tracks") or one.metrics
    a2v, v2a = part["a2v"], part["v2a"]
    return Row(one.at.astimezone(), a2v["n"], a2v["chance"], a2v, v2a)


def _chart(rows: Sequence[Row]) -> Markup | None:
    if len(rows) < 2:
        return None
    shares = {way: [getattr(row, way)["median_rank"] / row.n for row in rows] for way in ("a2v", "v2a")}
    curves = [Curve("sound", "main", shares["a2v"]), Curve("pictures", "level", shares["v2a"])]
    return panel(
        "Median rank, by the number of videos", [*range(1, len(rows) + 1)], curves, "evaluation", min_value=0.0
    )
