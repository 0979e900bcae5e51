"""The page of the paper's reproduced experiments: published numbers beside ours."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from antiphon.catalogue import Catalogue
from antiphon.presentation.page_frame import page_environment, page_frame
from antiphon.report import about
from antiphon.report.audit_section import audit_context
from antiphon.report.formula import formula_context
from antiphon.report.inputs import Inputs, read_inputs
from antiphon.report.neighbour_gallery import FILTERS, STYLES, neighbour_context
from antiphon.report.paper_alignment import alignment_context
from antiphon.report.paper_probes import METRIC_NAMES, VERDICTS, difference_verdict, probe_context
from antiphon.runs import versions
from antiphon.tables import write_text
from antiphon.workspace import Workspace

PAPER_PAGE = "paper.html"

Progress = Callable[[int, int, str], None]


def build_paper_page(workspace: Workspace, paper: Mapping[str, Any], *, progress: Progress | None = None) -> Path:
    """Write `paper.html` in the workspace, a single file that works offline.

    Parameters
    ----------
    workspace : Workspace
        Workspace of the catalogue, its media and the run.
    paper : mapping
        What `antiphon reproduce` found; {"reason"} for a part that was not measured.
    progress : callable, optional
        Called while stills and previews are encoded: number done, total, a short remark.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelError
        There is a qualitative part but not its run, or a file of the run is damaged.
    """
    qualitative = paper["qualitative"]
    inputs = None if "reason" in qualitative else read_inputs(workspace, paper["run"])
    environment = page_environment("antiphon.report")
    cast(dict[str, Any], environment.filters).update(FILTERS, verdict=difference_verdict)
    text = environment.get_template("paper.html").render(
        **page_frame("antiphon.report", *STYLES, "audit.css", "paper.css"),
        **_context(workspace, paper),
        neighbours=_neighbours(inputs, qualitative, progress),
    )
    path = workspace.folder / PAPER_PAGE
    write_text(text, path)
    return path


def _context(workspace: Workspace, paper: Mapping[str, Any]) -> dict[str, Any]:
    catalogue = Catalogue.load(workspace.catalogue) if workspace.catalogue.exists() else None
    probes = {"genre": paper["experiment_2"], "tags": paper["experiment_3"]}
    return {
        "paper": paper,
        "numbers_file": "paper.json",
        "synthetic": about.synthetic_notice(catalogue) if catalogue else None,
        "alignment": alignment_context(paper["experiment_1"]),
        "probes": [probe_context(target, found, paper["probe_paper"]) for target, found in probes.items()],
        "metrics": METRIC_NAMES,
        "verdict_marks": VERDICTS,
        "audit": audit_context(paper["audit"], formula=False),
        "formula": formula_context(_published_check(paper["audit"])),
        "written_at": datetime.now(UTC),
        "written_by": versions(),
    }


def _published_check(audit: Mapping[str, Any]) -> Mapping[str, Any] | None:
    named = (check for check in audit.get("checks", ()) if check["name"] == "Model: published formula")
    return next(named, None)


def _neighbours(inputs: Inputs | None, found: Mapping[str, Any], progress: Progress | None) -> dict[str, Any]:
    if inputs is None:
        return {"reason": found["reason"], "media": {}, "segments": []}

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total, "previews")

    return {"reason": None} | neighbour_context(inputs, found, tell)
