"""Music videos that clients add and remove: jobs that are done one after the other, and can be followed."""

import heapq
import queue
import re
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from antiphon.app.verbs import Step, Verbs
from antiphon.documents import read_document
from antiphon.errors import AntiphonError
from antiphon.locks import held, is_free
from antiphon.tables import write_text
from antiphon.workspace import Workspace

_MAX_WAITING, _MAX_KEPT, _MAX_BYTES = 100, 1000, 1 << 20
_STOP_S = 10.0
_KEY = re.compile(r"[\w-]{16,64}", re.ASCII)
_INTERRUPTED = "The service was stopped before this was done. Ask again."


class Job(BaseModel):
    """Something that was asked for, and how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    what: Literal["add", "remove"]
    video: str = Field(description="Id of the music video.")
    state: Literal["waiting", "working", "done", "failed"] = "waiting"
    step: str = Field(default="", description="What is being done, in words.")
    line: str = Field(default="", description="How far that is.")
    fault: str = Field(default="", description="Why it failed; empty if it did not.")
    asked_s: float = Field(description="When it was asked for, in seconds since 1970.")


class _Record(Job):
    """A job, and the process that does it."""

    process: str


@dataclass(frozen=True)
class Order:
    """What a job is to do.

    Attributes
    ----------
    what : {"add", "remove"}
        What it does.
    video : str
        Id of the music video.
    steps : callable
        Yields the verbs.
    checked : callable
        Returns why the result is not what was asked for; "" if it is.
    """

    what: Literal["add", "remove"]
    video: str
    steps: Callable[[], Iterable[Step]]
    checked: Callable[[], str]


class BusyError(AntiphonError):
    """Too many jobs wait."""


class Jobs:
    """Jobs of a workspace. Any process of a service can be asked for them; that which took one does it.

    Parameters
    ----------
    workspace : Workspace
        The workspace; records are files in its page folder.
    plain : callable
        Takes out of a message what is not to be shown, such as where files lie.
    """

    def __init__(self, workspace: Workspace, plain: Callable[[str], str]) -> None:
        self._workspace, self._folder, self._plain = workspace, workspace.page / "jobs", plain
        self._verbs = Verbs(workspace, self._follow)
        self._waiting: queue.SimpleQueue[tuple[_Record, Order] | None] = queue.SimpleQueue()
        self._process = secrets.token_hex(8)
        self._alive = ExitStack()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._now: _Record | None = None

    def ask(self, order: Order) -> Job:
        """Take an order.

        Parameters
        ----------
        order : Order
            What to do.

        Returns
        -------
        Job
            The job, which waits.

        Raises
        ------
        BusyError
            Too many wait already.
        """
        if self._waiting.qsize() >= _MAX_WAITING:
            raise BusyError(f"{_MAX_WAITING} jobs wait already. Ask again later.")
        record = _Record(
            id=secrets.token_urlsafe(16),
            what=order.what,
            video=order.video,
            asked_s=time.time(),
            process=self._process,
        )
        with self._starting:
            if self._thread is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._alive.enter_context(held(self._folder / f"{self._process}.lock"))
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()
        self._keep(record)
        self._waiting.put((record, order))
        return _told(record)

    def get(self, id: str) -> Job | None:
        """Return a job; None if there is none with this id, or its record is damaged.

        Parameters
        ----------
        id : str
            Its id.

        Returns
        -------
        Job, optional
            How far it is.
        """
        record = read_record(self._folder / f"{id}.json") if _KEY.fullmatch(id) else None
        return None if record is None else self._current(record)

    def newest(self, count: int) -> list[Job]:
        """Return the jobs that were asked for last, of all processes; damaged records are left out.

        Parameters
        ----------
        count : int
            How many at most.

        Returns
        -------
        list of Job
            The last one first.
        """
        # A record changes while its job is done, so the time of the file does not say when it was asked for.
        records = [record for path in self._folder.glob("*.json") if (record := read_record(path)) is not None]
        newest = heapq.nlargest(count, records, key=lambda record: record.asked_s)
        return [self._current(record) for record in newest]

    def interrupt(self) -> None:
        """Ask the job that is done to end, and do no more."""
        self._verbs.interrupt()
        self._waiting.put(None)

    def stop(self) -> None:
        """Interrupt the job that is done, and wait for it to end."""
        self.interrupt()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_STOP_S)
        self._verbs.kill()
        self._alive.close()
        if self._thread is not None:
            (self._folder / f"{self._process}.lock").unlink(missing_ok=True)

    def _run(self) -> None:
        while (found := self._waiting.get()) is not None and not self._verbs.is_stopping:
            record, order = found
            self._now = record
            try:
                fault = self._do(order)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next job may go well
                fault = str(error) or type(error).__name__
                with suppress(OSError, AntiphonError):
                    self._workspace.log(traceback.format_exc())
            if self._verbs.is_stopping:
                fault = _INTERRUPTED
            with suppress(OSError, AntiphonError):  # The next job may find space.
                self._change(state="failed" if fault else "done", step="", line="", fault=self._plain(fault))

    def _current(self, record: _Record) -> Job:
        """Return what is told of a job: one whose process has ended is not done any more."""
        unfinished = record.state in {"waiting", "working"}
        if unfinished and record.process != self._process and is_free(self._folder / f"{record.process}.lock"):
            record = record.model_copy(update={"state": "failed", "step": "", "line": "", "fault": _INTERRUPTED})
        return _told(record)

    def _do(self, order: Order) -> str:
        with self._verbs.turn():
            for step in order.steps():
                if self._verbs.is_stopping:
                    return _INTERRUPTED
                self._change(state="working", step=step.words, line="")
                if fault := self._verbs.call(step.verb):
                    return fault
            return order.checked()

    def _follow(self, line: str) -> None:
        with suppress(OSError, AntiphonError):
            self._change(line=self._plain(line))

    def _change(self, **values: str) -> None:
        if self._now is not None:
            self._now = self._now.model_copy(update=values)
            self._keep(self._now)

    def _keep(self, record: _Record) -> None:
        write_text(record.model_dump_json(), self._folder / f"{record.id}.json")
        if record.state == "waiting":
            ages: dict[Path, int] = {}
            for path in self._folder.glob("*.json"):
                with suppress(FileNotFoundError):  # Another process of the service forgets old ones too.
                    ages[path] = path.stat().st_mtime_ns
            for old in sorted(ages, key=lambda path: ages[path], reverse=True)[_MAX_KEPT:]:
                old.unlink(missing_ok=True)


def read_record(path: Path) -> _Record | None:
    """Read the record of a job; None where there is none, or it is damaged.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Job, optional
        The job.
    """
    try:
        return _Record.model_validate_json(read_document(path, _MAX_BYTES))
    except (OSError, ValueError, ValidationError):
        return None


def _told(record: _Record) -> Job:
    return Job(**record.model_dump(exclude={"process"}))
