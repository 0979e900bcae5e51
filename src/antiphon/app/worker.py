"""Worker process for untrusted files, with a time limit and a memory limit. It may crash."""

import multiprocessing
import resource
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Generic, TypeVar

from antiphon.errors import AntiphonError, DecodeError, ModelError

STOPPING = "The service is shutting down; try again later."


class StoppedError(AntiphonError):
    """The worker was closed while the job ran or waited."""


class JobError(AntiphonError):
    """A job failed through a bug; the traceback is on stderr."""


Job = TypeVar("Job")
Result = TypeVar("Result")

_START_S = 300.0
_PATIENCE_S = 2.0


@dataclass(frozen=True)
class WorkerLimits:
    """Limits of a job.

    Attributes
    ----------
    job_s : float
        Maximum time in seconds.
    memory_bytes : int
        Maximum memory, beyond what the process holds when ready.
    """

    job_s: float = 120.0
    memory_bytes: int = 3 << 30


class Worker(Generic[Job, Result]):
    """Runs one job at a time in another process, which is started on first use and restarted after a crash.

    Jobs and results are pickled between these two processes and contain no foreign objects; the process gets the path
    of a file and reads it itself.

    Parameters
    ----------
    prepare : callable
        Importable by name, since the process is spawned. Called once there with `arguments`; returns the function that
        runs the jobs.
    arguments : tuple
        Arguments of `prepare`.
    limits : WorkerLimits, optional
        Limits of a job.
    """

    def __init__(
        self,
        prepare: Callable[..., Callable[[Job], Result]],
        arguments: tuple[Any, ...] = (),
        limits: WorkerLimits | None = None,
    ) -> None:
        self._prepare, self._arguments, self._limits = prepare, arguments, limits or WorkerLimits()
        self._turn = threading.Lock()
        self._closed = False
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def run(self, job: Job) -> Result:
        """Run a job; blocks until it is done, after those that were queued before.

        Parameters
        ----------
        job : Job
            The job.

        Returns
        -------
        Result
            Its result.

        Raises
        ------
        AntiphonError
            Raised by the job.
        DecodeError
            The process exceeded a limit or crashed: the file is damaged or malicious.
        JobError
            The job raised another exception.
        StoppedError
            The worker was closed, before or during the job.
        """
        with self._turn:
            line = self._ready()
            try:
                line.send(job)
                if not line.poll(self._limits.job_s):
                    self._end()
                    raise DecodeError(f"Reading the file took longer than {self._limits.job_s:g} s.")
                result = line.recv()
            except (EOFError, OSError):
                self._end()
                if self._closed:
                    raise _stopped() from None
                raise DecodeError("The decoder crashed on this file, which is damaged or malicious.") from None
        if isinstance(result, AntiphonError):
            raise result
        return result

    def close(self) -> None:
        """End the process and its running job, and accept no more jobs."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()  # Before taking the lock, which the running job holds.
        with self._turn:
            self._end()

    def _ready(self) -> Connection:
        if self._closed:
            raise _stopped()
        if self._line is not None and self._process is not None and self._process.is_alive():
            return self._line
        self._end()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, self._prepare, self._arguments, self._limits.memory_bytes), daemon=True
        )
        process.start()
        theirs.close()
        self._process, self._line = process, ours
        try:
            ready = ours.recv() if not self._closed and ours.poll(_START_S) else None
        except (EOFError, OSError):
            ready = None
        if ready is not True or self._closed:
            self._end()
            if self._closed:
                raise _stopped()
            raise ready if isinstance(ready, AntiphonError) else ModelError("The worker process did not start.")
        return ours

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(_PATIENCE_S)
        if self._line is not None:
            self._line.close()
        self._process, self._line = None, None


def _stopped() -> StoppedError:
    return StoppedError(STOPPING)


def _serve(
    line: Connection, prepare: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...], memory_bytes: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work = prepare(*arguments)
    except AntiphonError as error:
        line.send(error)
        return
    _limit_memory(memory_bytes)
    line.send(True)
    while True:
        try:
            job = line.recv()
        except EOFError:
            return
        line.send(_outcome(work, job))


def _outcome(work: Callable[[Any], Any], job: Any) -> Any:
    try:
        return work(job)
    except AntiphonError as error:
        return error
    except MemoryError:
        return DecodeError("Reading the file exceeded the memory limit.")
    except Exception:  # noqa: BLE001 - a bug, not a bad file
        traceback.print_exc()
        return JobError("The service failed on this file; see its log.")


def _limit_memory(memory_bytes: int) -> None:
    """Limit the address space to what is in use and `memory_bytes` more, where the system reports its use."""
    usage = Path("/proc/self/statm")
    if usage.exists():
        used = int(usage.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
