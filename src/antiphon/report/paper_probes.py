"""Table 2 for the page: classifiers on six representations, with the paper's numbers, and further rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.evaluation.representations import BASELINES, CONTRASTIVE
from antiphon.metrics.classification_metrics import METRICS
from antiphon.presentation.numbers import score
from antiphon.report.neighbour_charts import Line, lines_chart

Row = Mapping[str, Any]

METRIC_NAMES = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "f1": "F1"}
KINDS = {"perceptron": "Perceptron", "linear": "Linear"}
VERDICTS = {"better": "▲", "worse": "▼", "no difference found": "≈"}
"""Verdicts on the interval of a difference, with their marks."""

_TITLES = {"genre": "Genre (experiment 2)", "tags": "Tags (experiment 3)"}
_COLOURS = {"audio": "sound", "video": "pictures"}


def difference_verdict(gap: Mapping[str, Any]) -> str:
    """Judge a difference by its interval.

    Parameters
    ----------
    gap : mapping
        "ci95" of the difference.

    Returns
    -------
    {"better", "worse", "no difference found"}
        Whether the interval is above 0, below 0, or includes it.

    Examples
    --------
    >>> difference_verdict({"ci95": [0.01, 0.02]}), difference_verdict({"ci95": [-0.01, 0.02]})
    ('better', 'no difference found')
    """
    low, high = gap["ci95"]
    return "better" if low > 0 else "worse" if high < 0 else "no difference found"


def is_of_paper(row: Row) -> bool:
    """Return whether the paper's table 2 has the row: one of six representations, alone, with a classifier."""
    return row["representation"] in (*BASELINES, *CONTRASTIVE) and row["kind"] in KINDS


def beyond_name(row: Row) -> str:
    """Name a row that is not in the paper.

    Parameters
    ----------
    row : mapping
        The row.

    Returns
    -------
    str
        Its name.

    Examples
    --------
    >>> beyond_name({"representation": "both backbones", "kind": "fusion-late"})
    'late fusion'
    >>> beyond_name({"representation": "contrastive + backbones", "kind": "linear"})
    'contrastive + backbones, linear'
    """
    if row["kind"] in KINDS:
        return f"{row['representation']}, {row['kind']}"
    return f"{row['kind'].removeprefix('fusion-')} fusion"


def trainings_sentence(seeds: int) -> str:
    """Say how often the heads and the perceptron were trained.

    Parameters
    ----------
    seeds : int
        Trainings of the perceptron.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> trainings_sentence(3)
    'The heads were trained once (seed 0), the perceptron 3 times.'
    """
    return f"The heads were trained once (seed 0), the perceptron {'once' if seeds == 1 else f'{seeds} times'}."


def probe_context(target: str, found: Mapping[str, Any], paper: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return one of the `probes` for the template `paper_table_2.html`.

    Parameters
    ----------
    target : str
        "genre" or "tags".
    found : mapping
        What `antiphon.evaluation.probe` returned, or {"reason"}.
    paper : mapping of str to mapping
        The paper's numbers: representation → target → metric → value.

    Returns
    -------
    dict
        The context.
    """
    about = {"target": target, "title": _TITLES[target]}
    if "reason" in found:
        return about | {"reason": found["reason"]}
    names = [name for name in ("tracks", "segments") if any(row["level"] == name for row in found["table"])]
    return about | {
        "reason": None,
        "found": found,
        "trainings": trainings_sentence(found["seeds"]),
        "levels": [_level(name, target, found["table"], paper) for name in names],
    }


def _level(name: str, target: str, table: Sequence[Row], paper: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    rows = [row for row in table if row["level"] == name]
    by_kind = {kind: [row for row in rows if row["kind"] == kind and is_of_paper(row)] for kind in KINDS}
    kinds = [kind for kind in KINDS if by_kind[kind]]
    first = by_kind[kinds[0]]
    return {
        "name": name,
        "n": first[0]["n"],
        "groups": first[0]["groups"],
        "kinds": [(kind, KINDS[kind]) for kind in kinds],
        "chance": {metric: first[0][metric]["chance"] for metric in METRICS},
        "labels": first[0]["labels"],
        "left_out": first[0]["left_out"],
        "rows": [
            {
                "representation": row["representation"],
                "of": row["of"],
                "dim": row["dim"],
                "paper": paper.get(row["representation"], {}).get(target, {}),
                "kinds": {kind: by_kind[kind][place] for kind in kinds},
            }
            for place, row in enumerate(first)
        ],
        "differences": [row for kind in kinds for row in by_kind[kind] if "difference" in row["roc_auc"]],
        "beyond": [{**row, "name": beyond_name(row)} for row in rows if not is_of_paper(row)],
        "charts": [_values_chart(first), _differences_chart(first)],
    }


def _values_chart(rows: Sequence[Row]) -> dict[str, Any]:
    lines = [
        Line(row["representation"].capitalize(), _colour(row), found["value"], found["ci95"], found["null95"])
        for row in rows
        for found in [row["roc_auc"]]
    ]
    low = min(0.4, *(edge for line in lines for edge in (*line.ci95, *(line.null or ()))))
    return {
        "title": "ROC-AUC",
        "note": KINDS[rows[0]["kind"]].lower(),
        "drawn": lines_chart(lines, score, "macro ROC-AUC", low=low, high=1.0),
        "null": True,
    }


def _differences_chart(rows: Sequence[Row]) -> dict[str, Any]:
    lines = [
        Line(
            f"{row['representation'].capitalize()} − {gap['baseline']}",
            _colour(row),
            gap["value"],
            gap["ci95"],
            mark=0.0,
        )
        for row in rows
        if row["representation"] not in BASELINES
        for gap in [row["roc_auc"]["difference"]]
    ]
    edges = [abs(edge) for line in lines for edge in line.ci95]
    return {
        "title": "Embeddings minus the best backbone",
        "note": KINDS[rows[0]["kind"]].lower(),
        "drawn": lines_chart(
            lines,
            score,
            "difference of macro ROC-AUC; left of the dashed line: worse",
            high=max(0.25 * max(edges), *(line.ci95[1] for line in lines)),
        ),
        "null": False,
    }


def _colour(row: Row) -> str:
    return next((colour for side, colour in _COLOURS.items() if side in row["representation"].split()), "main")
