"""Keeps a workspace up to date with a folder, by the verbs of the command line, while its pages are served."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from antiphon.errors import AntiphonError
from antiphon.workspace import Workspace

_STOP_S = 10.0
_NICER = 10
_MAX_LINE = 300
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


@dataclass(frozen=True)
class Step:
    """A verb of the command line, and what it does in words."""

    words: str
    verb: tuple[str, ...]


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
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin to watch the folder."""
        self._thread.start()

    def look_now(self) -> None:
        """Look at the folder at once."""
        self._changed.set()

    def stop(self) -> None:
        """Interrupt what is being done, and wait for it to end."""
        self._stopping.set()
        self._changed.set()
        child = self._child
        if child is not None and child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGINT)
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        if child is not None and child.poll() is None:
            child.kill()

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
            for step in self._steps():
                self.progress = replace(self.progress, doing="working", step=step.words, line="")
                fault = self._call(step.verb)
                if fault or self._stopping.is_set():
                    break
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may go well
            fault = str(error) or type(error).__name__
            with contextlib.suppress(OSError, AntiphonError):  # The disk may be what is wrong.
                self._workspace.log(traceback.format_exc())
        self.progress = replace(self.progress, doing="waiting", step="", line="", fault=fault)

    def _call(self, verb: Sequence[str]) -> str:
        """Run a verb; return why it failed, or nothing."""
        command = [sys.executable, "-m", "antiphon", "--workspace", str(self._workspace.root), "--json", *verb]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as child:
            self._child = child
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.pid, _NICER)
            if self._stopping.is_set():
                child.send_signal(signal.SIGINT)
            reading = threading.Thread(target=self._follow, args=(child,), daemon=True)
            reading.start()
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            answer = child.stdout.read()
            reading.join()
        self._child = None
        if child.returncode in {0, -signal.SIGINT, 130}:
            return ""
        return _reason(answer) or f"antiphon {verb[0]} ended with code {child.returncode}: {self.progress.line}"

    def _follow(self, child: "subprocess.Popen[str]") -> None:
        assert child.stderr is not None  # noqa: S101 - a pipe was asked for
        for line in child.stderr:
            if line.strip():
                self.progress = replace(self.progress, line=line.strip()[:_MAX_LINE])


def _reason(answer: str) -> str:
    try:
        return str(json.loads(answer)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""


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
