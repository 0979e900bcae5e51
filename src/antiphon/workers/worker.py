"""A worker process for untrusted files, with a time limit and a memory limit. It may crash."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, Generic, TypeVar

from antiphon.errors import AntiphonError, ConfigError
from antiphon.workers.child import Message
from antiphon.workers.limits import CrashError, JobError, LimitError, StoppedError, WorkerLimits
from antiphon.workers.memory import polling_interval_s, resident_bytes
from antiphon.workers.process import Process, start_process

Job = TypeVar("Job")
Result = TypeVar("Result")

_START_S = 300.0


class Worker(Generic[Job, Result]):
    """Runs one job at a time in another process, which is started on first use and restarted after a crash.

    Jobs and results are pickled between these two processes and contain no foreign objects; the process gets the path
    of a file and reads it itself. It ends when this process does, even if that is killed.

    Parameters
    ----------
    prepare : callable
        Importable function. Called once in the process with `arguments`; returns the function that runs the jobs.
    arguments : tuple
        Arguments of `prepare`.
    limits : WorkerLimits, optional
        Limits of a job. Default: none.
    """

    def __init__(
        self,
        prepare: Callable[..., Callable[[Job], Result] | Callable[[Job], Iterator[Result]]],
        arguments: tuple[Any, ...] = (),
        limits: WorkerLimits | None = None,
    ) -> None:
        self._prepare, self._arguments, self._limits = prepare, arguments, limits
        self._turn = threading.Lock()
        self._closed = False
        self._process: Process | None = None
        self._held_bytes = 0
        self._is_too_large = False

    def run(self, job: Job) -> Result:
        """Run a job that has one result; blocks until it is done, after those that were queued before.

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
        LimitError
            The job exceeded a limit; its process was ended.
        CrashError
            The process crashed: the file is damaged or malicious.
        JobError
            The job raised another exception, or its result cannot be sent.
        OSError
            The job cannot write: the disk is full, or the folder is not writable.
        StoppedError
            The worker was closed, before or during the job.
        """
        with closing(self.stream(job)) as results:
            return next(results)

    def stream(self, job: Job) -> Generator[Result]:
        """Run a job whose function yields several results.

        The process waits until its results are taken, so memory does not grow with their number. An iteration that is
        given up ends the process.

        Parameters
        ----------
        job : Job
            The job.

        Yields
        ------
        Result
            Its results.

        Raises
        ------
        AntiphonError, OSError
            As in `run`.
        """
        with self._turn:
            process = self._started()
            self._send(process, job)
            finished, clock = False, _Clock(self._limits)
            try:
                while not finished:
                    message = self._receive(process, clock)
                    if message.kind == "item":
                        yield message.value
                    elif message.kind != "step":
                        finished = True
                        if message.kind != "end":
                            yield self._outcome(message)
            finally:
                if not finished:
                    self._end()

    def start(self) -> None:
        """Start the process, unless it runs.

        Raises
        ------
        ConfigError
            It cannot be started.
        AntiphonError
            Raised by `prepare`.
        """
        with self._turn:
            self._started()

    def watch(self) -> None:
        """End the process if it exceeds its memory while nobody waits for its results; they raise it."""
        process = self._process
        if process is not None and self._exceeds_memory(process):
            self._is_too_large = True
            process.kill()

    def close(self) -> None:
        """End the process and its running job, and accept no more jobs."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()  # Before taking the lock, which the running job holds.
        with self._turn:
            self._end()

    def _started(self) -> Process:
        if self._closed:
            raise _stopped()
        if self._process is not None and self._process.is_alive():
            return self._process
        self._end()
        memory_bytes = None if self._limits is None else self._limits.memory_bytes
        self._process = process = start_process(self._prepare, self._arguments, memory_bytes)
        try:
            ready = process.line.recv() if not self._closed and process.line.poll(_START_S) else None
        except (EOFError, OSError):
            ready = None
        if ready is None or ready.kind != "ready" or self._closed:
            self._end()
            raise _why_not_started(ready, self._closed)
        self._held_bytes, self._is_too_large = resident_bytes(process.popen.pid), False
        return process

    def _send(self, process: Process, job: Job) -> None:
        try:
            process.line.send(job)
        except OSError:
            self._end()
            raise self._crashed() from None

    def _receive(self, process: Process, clock: "_Clock") -> Message:
        """Wait for a message, and raise an error where a limit is exceeded."""
        try:
            with clock.step():
                while not process.line.poll(clock.polling_interval_s):
                    self._look(process, clock)
                message: Message = process.line.recv()
                if message.kind in ("step", "item") and clock.is_due():  # A job that reports often is never waited for.
                    self._look(process, clock)
                return message
        except (EOFError, OSError):
            raise self._crashed() from None
        except AntiphonError:
            raise
        except Exception as error:
            raise JobError(type(error).__name__, f"the result cannot be read ({error})", "") from error

    def _look(self, process: Process, clock: "_Clock") -> None:
        clock.check()
        if self._exceeds_memory(process):
            raise self._too_large()

    def _exceeds_memory(self, process: Process) -> bool:
        if self._limits is None:
            return False
        return resident_bytes(process.popen.pid) - self._held_bytes > self._limits.memory_bytes

    def _too_large(self) -> LimitError:
        if self._limits is None:
            return LimitError("needed more memory than there is")
        return LimitError(f"needed more than {self._limits.memory_bytes / 1e9:.3g} GB of memory")

    def _outcome(self, message: Message) -> Result:
        if message.kind == "result":
            return message.value
        if message.kind in ("refused", "cannot write"):
            raise message.value
        if message.kind == "too large":
            self._end()  # What the job has allocated may stay.
            raise self._too_large()
        raise JobError(*message.value)

    def _crashed(self) -> AntiphonError:
        if self._closed:
            return _stopped()
        if self._is_too_large:
            return self._too_large()
        return CrashError("crashed the decoder")

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
        self._process = None


class _Clock:
    """Time that a job takes, without the time that its results wait to be taken."""

    def __init__(self, limits: WorkerLimits | None) -> None:
        self._limits = limits
        self._spent_s = self._started_s = 0.0
        self._looked_s = time.monotonic()
        self.polling_interval_s = None if limits is None else min(polling_interval_s(), limits.step_s, limits.job_s)

    @contextmanager
    def step(self) -> Generator[None]:
        """Measure a step."""
        self._started_s = time.monotonic()
        yield
        self._spent_s += time.monotonic() - self._started_s

    def is_due(self) -> bool:
        """Return whether the last look at the limits is long ago."""
        return self.polling_interval_s is not None and time.monotonic() - self._looked_s >= self.polling_interval_s

    def check(self) -> None:
        """Raise an error where the step or the job takes too long."""
        self._looked_s = time.monotonic()
        step_s = self._looked_s - self._started_s
        limit_s = self._limits and self._limits.exceeded_s(step_s, self._spent_s + step_s)
        if limit_s is not None:
            raise LimitError(f"took longer than {limit_s:g} s")


def _stopped() -> StoppedError:
    return StoppedError("The worker was closed.")


def _why_not_started(ready: Message | None, closed: bool) -> Exception:
    if closed:
        return _stopped()
    if ready is not None and ready.kind in ("refused", "cannot write"):
        return ready.value
    if ready is not None and ready.kind == "failed":
        kind, text, trace = ready.value
        return ConfigError(f"Worker processes cannot be started: {kind}: {text}\n{trace}")
    return ConfigError(
        "Worker processes cannot be started; see the error above. A script that defines what they run must have its "
        'calls under `if __name__ == "__main__":`.'
    )
