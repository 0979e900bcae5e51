"""The audit for the page: what failed first, grouped by what was looked at, with a picture where one says more."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.report.audit_charts import copies_chart, room_chart
from antiphon.report.formula import formula_context

Check = Mapping[str, Any]

STATUSES = {
    "fail": ("✕", "failed"),
    "warn": ("!", "to know"),
    "n/a": ("–", "not looked at"),
    "pass": ("✓", "passed"),
}
"""Mark and word of each status, the worst first."""

_PARTS = {
    "metric": ("The metric", "Does it measure ranks? Tried on embeddings whose ranks are known."),
    "model": ("The model", "Is what it finds more than what a model finds that knows nothing?"),
    "pairs": ("The pairs", "Do the rows that stand side by side belong together?"),
    "leakage": ("The splits", "Does the test hold anything that the training saw?"),
    "loss": ("The loss", "Could it have shown whether anything is learned?"),
}


def audit_context(found: Mapping[str, Any], rerun: str = "", *, formula: bool = True) -> dict[str, Any]:
    """`audit` for the templates `audit.html` and `formula.html`.

    Parameters
    ----------
    found : mapping
        What `antiphon.evaluation.audit` returns, or {"reason"} where there is none; and maybe a "note" on what audit
        it is.
    rerun : str
        The command that also trains a control, where none was trained.
    formula : bool
        Whether the section explains the published formula too; a page that includes `formula.html` elsewhere does not
        want it twice.
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
        "counts": [(status, *STATUSES[status], found["counts"].get(status, 0)) for status in STATUSES],
        "marks": STATUSES,
        "parts": [_part(part, checks) for part in _PARTS if any(check["part"] == part for check in checks)],
        "pictures": _pictures(by_name),
        "rerun": rerun if uncontrolled else "",
        "formula": formula_context(published) if formula and published else None,
    }


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
    """Title, note and drawing of what was measured; a check that could not be made has no picture."""
    found: list[dict[str, Any]] = []
    for side, name in (("sound", "Leakage: sound"), ("pictures", "Leakage: pictures")):
        numbers = by_name.get(name, {}).get("numbers", {})
        if "histogram" in numbers:
            drawn = copies_chart(side, numbers)
            found.append({"title": f"How near the nearest training video is, by {side}", "kind": side, "drawn": drawn})
    room, validation = (by_name.get(f"Loss: {name}", {}).get("numbers", {}) for name in ("room", "validation"))
    if room and validation:
        found.append({"title": "The room of the loss", "kind": "room", "drawn": room_chart(room, validation)})
    return found
