"""A page of a run of several stages: it opens at once, fills as the run goes, and leads to the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from antiphon.presentation.page_frame import page_environment, page_frame
from antiphon.tables import write_text

RELOAD_S = 4
_SHOWN_S = 4
"""Where videos begin, so that a picture is seen before they are played: many start with black."""
_MAX_FILMS = 6


@dataclass(frozen=True)
class Stage:
    """A stage of a run.

    Attributes
    ----------
    name : str
        What it does, for people: "Train".
    state : {'done', 'now', 'next'}
        Whether it is over, under way, or to come.
    words : str
        What it found, or how far it is; "" for nothing to say.
    """

    name: str
    state: Literal["done", "now", "next"] = "next"
    words: str = ""


def write_progress_page(
    path: Path, title: str, about: str, stages: Sequence[Stage], films: Sequence[Path], report: Path | None, over: bool
) -> None:
    """Write the page; while it is open, the browser reads it again every few seconds until the run is over.

    Parameters
    ----------
    path : Path
        File to write.
    title, about : str
        Heading, and a sentence on what is done.
    stages : sequence of Stage
        All stages, in order.
    films : sequence of Path
        Music videos that are ready, below the folder of `path`; the first ones are shown.
    report : Path or None
        Report that the run ends with, below the folder of `path`; None until it is written.
    over : bool
        Whether the run has ended, or failed.
    """
    names = [film.relative_to(path.parent).as_posix() for film in films[:_MAX_FILMS]]
    page = page_environment("antiphon.report").get_template("progress.html")
    text = page.render(
        **page_frame("antiphon.report", "progress.css", script="progress.js"),
        title=title,
        about=about,
        stages=stages,
        films=[{"address": quote(name), "name": Path(name).stem} for name in names],
        report=None if report is None else quote(report.relative_to(path.parent).as_posix()),
        shown_s=_SHOWN_S,
        reload_s=None if over else RELOAD_S,
    )
    write_text(text, path)
