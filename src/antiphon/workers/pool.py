"""Jobs in several worker processes: whatever a job does to its worker, the others go on."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from antiphon.errors import AntiphonError, StorageError
from antiphon.workers.limits import CrashError, StoppedError, WorkerLimits
from antiphon.workers.memory import polling_interval_s
from antiphon.workers.worker import Worker

Job = TypeVar("Job")
Result = TypeVar("Result")

_ATTEMPTS = 2


@dataclass(frozen=True)
class Part(Generic[Job, Result]):
    """Part of what a job returns.

    Attributes
    ----------
    number : int
        Number of the job, in the order of the jobs.
    job : Job
        The job.
    value : Result or None
        A result; None in the last part.
    is_last : bool
        Whether the job is done.
    error : AntiphonError or None
        In the last part: why it failed.
    """

    number: int
    job: Job
    value: Result | None = None
    is_last: bool = False
    error: AntiphonError | None = None


def run_in_processes(
    function: Callable[[Job], Result], jobs: Iterable[Job], workers: int, limits: WorkerLimits | None = None
) -> Iterator[tuple[Job, Result | AntiphonError]]:
    """Apply a function to jobs in worker processes, and yield the results as they are ready.

    At most `workers` + 2 jobs are running or waiting to be yielded, so that memory does not grow with the number of
    jobs. If a worker dies (a decoder can crash on a damaged file), its job is repeated, and a job that crashes its
    worker again yields a `CrashError`.

    Parameters
    ----------
    function : callable
        Importable function, since workers are new processes.
    jobs : iterable of Job
        Arguments of the function, one each; read in other threads, one at a time.
    workers : int
        Maximum number of processes.
    limits : WorkerLimits, optional
        Limits of a job. Default: none.

    Yields
    ------
    job : Job
        A job, in order of completion.
    result : Result or AntiphonError
        Its result, or the error that it raised: `JobError` for what is not an `AntiphonError`.

    Raises
    ------
    ConfigError
        Worker processes cannot be started.
    OSError
        A job cannot write: the disk is full, or the folder is not writable.
    """
    pool = _Pool(function, iter(jobs), workers, limits, ahead=2)
    values: dict[int, Result | None] = {}
    try:
        for part in pool.parts():
            if part.is_last:
                value = values.pop(part.number, None)
                yield part.job, cast(Result, value) if part.error is None else part.error
            else:
                values[part.number] = part.value
    finally:
        pool.stop()


def lasting_workers(
    function: Callable[[Job], Iterator[Result]], count: int, limits: WorkerLimits | None = None
) -> list[Worker[Job, Result]]:
    """Make workers for several calls of `stream_in_processes`, which then start no processes of their own.

    Parameters
    ----------
    function : callable
        As in `stream_in_processes`.
    count : int
        Number of processes.
    limits : WorkerLimits, optional
        Limits of a job. Default: none.

    Returns
    -------
    list of Worker
        The workers; each starts with its first job and ends with this process, or when it is closed.
    """
    return [Worker[Job, Result](_given, (function,), limits) for _ in range(count)]


def stream_in_processes(
    function: Callable[[Job], Iterator[Result]],
    jobs: Iterable[Job],
    workers: int | Sequence[Worker[Job, Result]],
    limits: WorkerLimits | None = None,
    ahead: int = 2,
) -> Generator[Part[Job, Result]]:
    """Apply a generator function to jobs in worker processes, and yield its results as they are ready.

    Memory grows neither with the number of jobs nor with the number of results of a job: a worker waits until its
    results are taken. The results of a job are in order; those of several jobs alternate.

    Parameters
    ----------
    function : callable
        Importable generator function. A job whose worker crashed is repeated once, from its first result on.
    jobs, limits
        As in `run_in_processes`.
    workers : int or sequence of Worker
        Maximum number of processes, or `lasting_workers` of the same function and limits, which are not closed.
        Calls at the same time may share them.
    ahead : int, default 2
        Number of results that may wait to be yielded.

    Yields
    ------
    Part
        A result, or the end of a job.

    Raises
    ------
    ConfigError, OSError
        As in `run_in_processes`.
    """
    pool = _Pool(function, iter(jobs), workers, limits, ahead)
    try:
        yield from pool.parts()
    finally:
        pool.stop()


class _Pool(Generic[Job, Result]):
    """Threads with a worker process each."""

    def __init__(
        self,
        function: Callable[[Job], Result] | Callable[[Job], Iterator[Result]],
        jobs: Iterator[Job],
        workers: int | Sequence[Worker[Job, Result]],
        limits: WorkerLimits | None,
        ahead: int,
    ) -> None:
        self._jobs = enumerate(jobs)
        self._turn = threading.Lock()
        self._room = threading.Semaphore(ahead)
        self._stopped = False
        self._parts: queue.SimpleQueue[Part[Job, Result] | BaseException | None] = queue.SimpleQueue()
        self._owns = isinstance(workers, int)
        self._workers = (
            [Worker[Job, Result](_given, (function,), limits) for _ in range(workers)]
            if isinstance(workers, int)
            else workers
        )
        self._threads = [threading.Thread(target=self._drive, args=(worker,), daemon=True) for worker in self._workers]

    def parts(self) -> Iterator[Part[Job, Result]]:
        """Yield the parts of all jobs."""
        for thread in self._threads:
            thread.start()
        running = len(self._threads)
        while running:
            part = self._parts.get()
            if part is None:
                running -= 1
            elif isinstance(part, BaseException):
                raise part
            else:
                self._room.release()
                yield part

    def stop(self) -> None:
        """End the threads, and the processes that were started for them."""
        self._stopped = True
        self._room.release(len(self._threads))
        for worker in self._workers if self._owns else ():
            worker.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _drive(self, worker: Worker[Job, Result]) -> None:
        """Run jobs in one worker until there are none left."""
        try:
            while not self._stopped and (numbered := self._next_job()) is not None:
                worker.start()
                for part in self._attempts(worker, *numbered):
                    while not self._room.acquire(timeout=polling_interval_s()):
                        worker.watch()  # It works ahead while its results wait.
                    if self._stopped:
                        return
                    self._parts.put(part)
        except StoppedError:
            return
        except BaseException as error:  # noqa: BLE001 - raised where the parts are taken
            self._parts.put(error)
        finally:
            if self._owns:
                worker.close()
            self._parts.put(None)

    def _next_job(self) -> tuple[int, Job] | None:
        with self._turn:
            return next(self._jobs, None)

    def _attempts(self, worker: Worker[Job, Result], number: int, job: Job) -> Iterator[Part[Job, Result]]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with closing(worker.stream(job)) as results:
                    for value in results:
                        yield Part(number, job, value)
            except CrashError as error:
                if attempt == _ATTEMPTS:
                    yield Part(number, job, is_last=True, error=error)
            except (StoppedError, StorageError):
                raise
            except AntiphonError as error:
                yield Part(number, job, is_last=True, error=error)
                return
            else:
                yield Part(number, job, is_last=True)
                return


def _given(function: Any) -> Any:
    """Prepare a worker: nothing beyond the import of the function."""
    return function
