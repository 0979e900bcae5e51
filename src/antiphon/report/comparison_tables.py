"""A comparison of backbones as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from antiphon.experiments.comparison.result import BackboneComparison, comparison_cells

_WAYS = ("sound → pictures", "pictures → sound")
_RANKS = (
    "Backbones, method",
    *(way.capitalize() for way in _WAYS),
    "Null",
    "Chance",
    *(f"MRR {way}" for way in _WAYS),
    "Gain",
    "Training",
)


def comparison_markdown(found: Mapping[str, Any]) -> str:
    """Format a comparison as Markdown: the answer, ranks, probes and costs.

    Parameters
    ----------
    found : mapping
        Content of compare.json.

    Returns
    -------
    str
        Markdown.
    """
    result = BackboneComparison(found)
    parts = [
        f"**{result.sentence}**",
        f"{result.title} ({found['source']}). `{found['command']}`",
        _table(_RANKS, [comparison_cells(row) for row in found["rows"]]),
        *(_probe(table) for table in found["probes"]),
    ]
    if found["costs"]:
        parts.append(_table(("Backbone", "Processor time a music video", "Memory"), map(_cost, found["costs"])))
    return "\n\n".join([*parts, result.notes]) + "\n"


def _probe(table: Mapping[str, Any]) -> str:
    name = f"{table['target'].capitalize()}, {table['backbones']}"
    if "reason" in table:
        return f"{name}: not measured. {table['reason']}"
    rows = [(row["representation"], str(row["dim"]), *_auc(row["roc_auc"])) for row in table["rows"]]
    return _table((name, "Values", "ROC-AUC", "Difference to the backbones"), rows)


def _auc(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['value']:.3f} ({found['ci95'][0]:.3f}–{found['ci95'][1]:.3f})"
    apart = found.get("difference")
    yield "" if apart is None else f"{apart['value']:+.3f} ({apart['ci95'][0]:+.3f} to {apart['ci95'][1]:+.3f})"


def _cost(cost: Mapping[str, Any]) -> tuple[str, str, str]:
    if "reason" in cost:
        return cost["backbone"], f"not measured: {cost['reason']}", ""
    return cost["backbone"], f"{cost['processor_s']:.2f} s", f"{cost['memory_mb']:,} MB"


def _table(header: tuple[str, ...], rows: Any) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
