"""The page that shows how far a demo is, from its first minute on."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from antiphon.report.progress_page import RELOAD_S, Stage, write_progress_page

PAGE = "demo.html"
_STAGES = ("Render", "Extract features", "Train", "Evaluate", "Audit", "Report", "Index")


class DemoPage:
    """Page of a demo, written anew whenever there is more to say.

    Parameters
    ----------
    workspace : Path
        Folder of the workspace, which gets the page.
    about : str
        What is done, in a sentence.
    """

    def __init__(self, workspace: Path, about: str) -> None:
        self.path = workspace / PAGE
        self._about = about
        self._stages = [Stage(name) for name in _STAGES]
        self._written_s = 0.0
        self._over = False

    def start(self, number: int, found: str = "") -> None:
        """Start a stage, counted from 0, and say what the one before found."""
        if number:
            self._stages[number - 1] = replace(self._stages[number - 1], state="done", words=found)
        self._stages[number] = replace(self._stages[number], state="now", words="")
        self._write(None)

    def progress(self, number: int, done: int, total: int) -> None:
        """Say how many videos a stage has done; not more often than the page is read."""
        self._stages[number] = replace(self._stages[number], words=f"{done:,} of {total:,}")
        if time.monotonic() - self._written_s > RELOAD_S or done == total:
            self._write(None)

    @contextmanager
    def watched(self) -> Generator[None]:
        """Say on the page where the block ends early, and stop reading it again."""
        try:
            yield
        except BaseException as error:
            words = "stopped" if isinstance(error, KeyboardInterrupt) else f"failed: {error}"
            self._stages = [replace(one, words=words) if one.state == "now" else one for one in self._stages]
            self._over = True
            self._write(None)
            raise

    def finish(self, report: Path) -> None:
        """Say that all is done, and lead to the report."""
        self._stages = [replace(stage, state="done") for stage in self._stages]
        self._over = True
        self._write(report)

    def _write(self, report: Path | None) -> None:
        films = sorted((self.path.parent / "synthetic").glob("synthetic-*.mp4"))
        write_progress_page(self.path, "Synthetic music videos", self._about, self._stages, films, report, self._over)
        self._written_s = time.monotonic()
