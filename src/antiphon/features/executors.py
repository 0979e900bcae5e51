"""Worker processes: a job that crashes its worker does not end the run."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import TypeVar

from antiphon.errors import AntiphonError, ConfigError, DecodeError

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_in_processes(
    function: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Iterator[tuple[Job, Result | AntiphonError]]:
    """Apply a function to jobs in worker processes, and yield the results as they are ready.

    At most `workers` + 2 jobs are running or waiting to be yielded, so that memory does not grow with the number of
    jobs. If a worker dies (a decoder can crash on a damaged file), the running jobs are repeated one by one, and a job
    that crashes its worker again yields a `DecodeError`.

    Parameters
    ----------
    function : callable
        Importable function, since workers are spawned. Errors other than `AntiphonError` end the run.
    jobs : iterable of Job
        Arguments of the function, one each.
    workers : int
        Number of processes.

    Yields
    ------
    job : Job
        A job, in order of completion.
    result : Result or AntiphonError
        Its result, or the error that it raised.

    Raises
    ------
    ConfigError
        Worker processes cannot be started.
    """
    waiting = iter(jobs)
    while True:
        suspects: list[Job] = []
        with _pool(workers) as pool:
            _wait_until_ready(pool)
            under_way: dict[Future[Result], Job] = {}
            try:
                yield from _feed(pool, function, waiting, under_way, workers + 2)
                return
            except BrokenProcessPool:
                suspects = list(under_way.values())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for job in suspects:
            yield job, _run_alone(function, job)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=workers, mp_context=multiprocessing.get_context("spawn"), initializer=_follow_parent
    )


def _follow_parent() -> None:
    """Initialise a worker: leave interrupts to the parent, and exit when the parent does, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _wait_until_ready(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(int).result()
    except BrokenProcessPool:
        raise ConfigError(
            "Worker processes cannot be started. Workers import the calling script, so put its calls under "
            '`if __name__ == "__main__":`; otherwise see the error above.'
        ) from None


def _feed(
    pool: ProcessPoolExecutor,
    function: Callable[[Job], Result],
    waiting: Iterator[Job],
    under_way: dict[Future[Result], Job],
    max_jobs: int,
) -> Iterator[tuple[Job, Result | AntiphonError]]:
    exhausted = False
    while under_way or not exhausted:
        while not exhausted and len(under_way) < max_jobs:
            try:
                job = next(waiting)
            except StopIteration:
                exhausted = True
                break
            try:
                under_way[pool.submit(function, job)] = job
            except BrokenProcessPool:
                under_way[Future()] = job
                raise
        if not under_way:
            break
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            result = _outcome(future)
            yield under_way.pop(future), result


def _outcome(future: Future[Result]) -> Result | AntiphonError:
    try:
        return future.result()
    except AntiphonError as error:
        return error


def _run_alone(function: Callable[[Job], Result], job: Job) -> Result | AntiphonError:
    with _pool(1) as pool:
        try:
            return pool.submit(function, job).result()
        except BrokenProcessPool:
            return DecodeError("The decoder crashed on this file, which is damaged. Encode it again.")
        except AntiphonError as error:
            return error
