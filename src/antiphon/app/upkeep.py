"""Keeps a workspace up to date with a folder, by the verbs of the command line, while its pages are served."""

import contextlib
import hashlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from antiphon.app.verbs import Step, Verbs
from antiphon.errors import AntiphonError
from antiphon.workspace import Workspace

_STOP_S = 10.0
_RETRY_S = 60.0

Doing = Literal["waiting", "working", "stopped"]


@dataclass(frozen=True)
class Progress:
    """What upkeep does at the moment.

    Attributes
    ----------
    doing : {"waiting", "working", "stopped"}
        Whether something is done.
    step : str
        What is done, in words.
    line : str
        How far it is, as the verb says it.
    fault : str
        Why the last round did not end well; "" if it did.
    """

    doing: Doing = "waiting"
    step: str = ""
    line: str = ""
    fault: str = ""


class Upkeep:
    """Adds what is new in a folder to the catalogue, and brings features and index up to date, in a thread.

    Every verb runs in a process of its own, with a lower priority than the service's: killed at any moment, it loses
    the work in flight alone. A file that still grows is waited for.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    folder : Path
        Folder of music videos.
    steps : callable
        Yields what is to be done when the folder has changed; each step is asked for when the one before is done.
    beside : sequence of Path
        Further files to watch, such as a table.
    every_s : float
        Seconds between two looks at the folder, and for which nothing in it must have changed.
    """

    def __init__(
        self,
        workspace: Workspace,
        folder: Path,
        steps: Callable[[], Iterable[Step]],
        beside: Sequence[Path] = (),
        every_s: float = 10.0,
    ) -> None:
        self.folder, self.progress = folder, Progress()
        self._workspace, self._steps, self._beside, self._every_s = workspace, steps, beside, every_s
        self._stopping, self._changed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._verbs = Verbs(workspace, self._follow)

    def start(self) -> None:
        """Begin to watch the folder."""
        self._thread.start()

    def look_now(self) -> None:
        """Look at the folder at once."""
        self._changed.set()

    def interrupt(self) -> None:
        """Ask what is being done to end, and do no more."""
        self._stopping.set()
        self._changed.set()
        self._verbs.interrupt()

    def stop(self) -> None:
        """Interrupt what is being done, and wait for it to end."""
        self.interrupt()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        self._verbs.kill()

    def _run(self) -> None:
        done, before, again_s, since_s = "", "", 0.0, time.monotonic()
        while not self._stopping.is_set():
            now = listing(self.folder, self._beside)
            if now != before:
                before, since_s = now, time.monotonic()
            # Nothing is being copied any more.
            is_quiet = time.monotonic() - since_s >= self._every_s
            if is_quiet and (now != done or (self.progress.fault and time.monotonic() > again_s)):
                self._round()
                done, again_s = now, time.monotonic() + _RETRY_S
            self._changed.wait(min(self._every_s, 1.0) if now != done else self._every_s)
            self._changed.clear()
        self.progress = replace(self.progress, doing="stopped", step="", line="")

    def _round(self) -> None:
        fault = ""
        try:
            with self._verbs.turn():
                for step in self._steps():
                    self.progress = replace(self.progress, doing="working", step=step.words, line="")
                    fault = self._verbs.call(step.verb)
                    if fault or self._stopping.is_set():
                        break
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may go well
            fault = str(error) or type(error).__name__
            with contextlib.suppress(OSError, AntiphonError):  # The disk may be what is wrong.
                self._workspace.log(traceback.format_exc())
        if fault not in ("", self.progress.fault):
            sys.stderr.write(f"{fault}\n")  # once, however often it is tried again
            sys.stderr.flush()
        self.progress = replace(self.progress, doing="waiting", step="", line="", fault=fault)

    def _follow(self, line: str) -> None:
        self.progress = replace(self.progress, line=line)


def listing(folder: Path, beside: Sequence[Path] = ()) -> str:
    """Return a text that changes when a file of a folder does.

    Parameters
    ----------
    folder : Path
        The folder.
    beside : sequence of Path
        Further files.

    Returns
    -------
    str
        Hash of the files' names, sizes and times.
    """
    digest = hashlib.sha256()
    for path in [*_files(folder), *beside]:
        with contextlib.suppress(OSError):
            about = path.stat()
            digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place) / name for name in sorted(names) if not name.startswith(".")]
    return found
