"""The page of a study: the staircase of each size, and its numbers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from antiphon.presentation.page_frame import page_environment, page_frame
from antiphon.report import study_tables
from antiphon.report.staircase import staircase
from antiphon.report.study_verdict import study_verdict
from antiphon.runs import versions
from antiphon.tables import write_text

STUDY_PAGE = "study.html"


def build_study_page(folder: Path, study: Mapping[str, Any]) -> Path:
    """Write `study.html`, a single file that works offline and without scripts.

    Parameters
    ----------
    folder : Path
        Folder of the file.
    study : mapping
        Content of study.json.

    Returns
    -------
    Path
        The file.
    """
    text = (
        page_environment("antiphon.report")
        .get_template("study.html")
        .render(
            **page_frame("antiphon.report", "paper.css"),
            study=study,
            parts=[_part(study, size) for size in study["sizes"]],
            sentence=study_tables.study_sentence(study),
            verdict=study_verdict(study),
            reading=study_tables.reading_sentence(study),
            failures=study_tables.failures(study),
            written_at=datetime.now(UTC),
            written_by=versions(),
        )
    )
    path = folder / STUDY_PAGE
    write_text(text, path)
    return path


def _part(study: Mapping[str, Any], size: int | str) -> dict[str, Any]:
    rows = [row for row in study["rows"] if row["size"] == size]
    return {
        "title": study_tables.size_words(size),
        "rows": rows,
        "stepwise": any("previous" in row.get("against", {}) for row in rows),
        "chart": staircase(rows) if any(row["trainings"] for row in rows) else None,
    }
