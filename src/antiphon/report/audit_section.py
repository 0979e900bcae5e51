"""The audit for the page: failures first, grouped by topic, with charts."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.report.audit_charts import copies_chart, room_chart
from antiphon.report.formula import formula_context

Check = Mapping[str, Any]

STATUSES = {
    "fail": ("✕", "failed"),
    "warn": ("!", "warning"),
    "n/a": ("–", "not checked"),
    "pass": ("✓", "passed"),
}
"""Mark and word of each status, worst first."""

_PARTS = {
    "metric": ("The metric", "Does it measure ranks? Tested on embeddings with known ranks."),
    "model": ("The model", "Is it better than a model that has learned nothing?"),
    "pairs": ("The pairs", "Do paired rows belong together?"),
    "leakage": ("The splits", "Does the test split contain anything seen in training?"),
    "loss": ("The loss", "Can it show whether anything was learned?"),
}


def audit_context(found: Mapping[str, Any], rerun: str = "", *, formula: bool = True) -> dict[str, Any]:
    """Return `audit` for the templates `audit.html` and `formula.html`.

    Parameters
    ----------
    found : mapping
        What `antiphon.evaluation.audit` returned, or {"reason"}; optionally with a "note" on which audit it is.
    rerun : str
        Command that also trains a control, shown if none was trained.
    formula : bool
        Explain the published formula; False for a page that includes `formula.html` elsewhere.

    Returns
    -------
    dict
        The context.
    """
    if "reason" in found:
        return {"reason": found["reason"], "note": found.get("note", ""), "failed": [], "formula": None}
    checks: list[Check] = found["checks"]
    by_name: dict[str, Check] = {check["name"]: check for check in checks}
    published = by_name.get("Model: published formula")
    uncontrolled = by_name.get("Model: shuffled pairs", {}).get("status") == "n/a"
    return {
        "reason": None,
        "note": found.get("note", ""),
        "verdict": found["verdict"],
        "failed": [check["name"] for check in checks if check["status"] == "fail"],
        "counts": [_count(status, found["counts"].get(status, 0)) for status in STATUSES],
        "marks": STATUSES,
        "parts": [_part(part, checks) for part in _PARTS if any(check["part"] == part for check in checks)],
        "pictures": _pictures(by_name),
        "rerun": rerun if uncontrolled else "",
        "formula": formula_context(published) if formula and published else None,
    }


def _count(status: str, count: int) -> tuple[str, str, str, int]:
    """Return a status with its mark, its word for so many checks, and their number."""
    mark, word = STATUSES[status]
    return status, mark, "warnings" if status == "warn" and count != 1 else word, count


def _part(part: str, checks: Sequence[Check]) -> dict[str, Any]:
    title, question = _PARTS[part]
    own = [_worded(check) for check in checks if check["part"] == part]
    order = list(STATUSES)
    open_ones = sorted(
        (check for check in own if check["status"] != "pass"), key=lambda one: order.index(one["status"])
    )
    passed = [check for check in own if check["status"] == "pass"]
    return {"title": title, "question": question, "open": open_ones, "passed": passed}


def _worded(check: Check) -> dict[str, Any]:
    return {"status": check["status"], "finding": check["finding"], "name": check["name"].split(": ", 1)[-1]}


def _pictures(by_name: Mapping[str, Check]) -> list[dict[str, Any]]:
    """Return the charts of what was measured, with titles."""
    found: list[dict[str, Any]] = []
    for side, name in (("sound", "Leakage: sound"), ("pictures", "Leakage: pictures")):
        numbers = by_name.get(name, {}).get("numbers", {})
        if "histogram" in numbers:
            drawn = copies_chart(side, numbers)
            found.append(
                {"title": f"Similarity to the nearest training video, by {side}", "kind": side, "drawn": drawn}
            )
    room, validation = (by_name.get(f"Loss: {name}", {}).get("numbers", {}) for name in ("room", "validation"))
    if room and validation:
        found.append({"title": "Range of the loss", "kind": "room", "drawn": room_chart(room, validation)})
    return found
