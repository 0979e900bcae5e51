"""Verbs of the command line, each in a process of its own, one at a time for a workspace."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from antiphon.locks import held
from antiphon.workspace import Workspace

_NICER = 10
_MAX_LINE = 300


@dataclass(frozen=True)
class Step:
    """A verb of the command line, and what it does in words."""

    words: str
    verb: tuple[str, ...]


class Verbs:
    """Calls verbs with a lower priority than the service's; killed at any moment, one loses the work in flight alone.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    said : callable
        Called with every line that a verb writes to stderr: how far it is.
    """

    def __init__(self, workspace: Workspace, said: Callable[[str], None]) -> None:
        self._workspace, self._said = workspace, said
        self._stopping = threading.Event()
        self._child: subprocess.Popen[str] | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether no more verbs are to be called."""
        return self._stopping.is_set()

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Wait until no other thread or process of a service calls verbs for this workspace, and keep them waiting."""
        self._workspace.page.mkdir(parents=True, exist_ok=True)
        with held(self._workspace.page / "verbs.lock"):
            yield

    def interrupt(self) -> None:
        """Ask the running verb to end, and call no more."""
        self._stopping.set()
        child = self._child
        if child is not None and child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the running verb."""
        child = self._child
        if child is not None and child.poll() is None:
            child.kill()

    def call(self, verb: Sequence[str]) -> str:
        """Run a verb.

        Parameters
        ----------
        verb : sequence of str
            Its words.

        Returns
        -------
        str
            Why it failed; "" if it did not.
        """
        command = [sys.executable, "-m", "antiphon", "--workspace", str(self._workspace.root), "--json", *verb]
        last = [""]
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
            reading = threading.Thread(target=self._follow, args=(child, last), daemon=True)
            reading.start()
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            answer = child.stdout.read()
            reading.join()
        self._child = None
        if child.returncode in {0, -signal.SIGINT, 130}:
            return ""
        return _reason(answer) or f"antiphon {verb[0]} ended with code {child.returncode}: {last[0]}"

    def _follow(self, child: "subprocess.Popen[str]", last: list[str]) -> None:
        assert child.stderr is not None  # noqa: S101 - a pipe was asked for
        for line in child.stderr:
            if line.strip():
                last[0] = line.strip()[:_MAX_LINE]
                self._said(last[0])


def _reason(answer: str) -> str:
    try:
        return str(json.loads(answer)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
