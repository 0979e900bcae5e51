"""The process for untrusted files: it may fail, hang, grow and die, and the next job runs."""

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon.errors import ConfigError, WeightsError
from antiphon.workers import child, memory
from antiphon.workers.limits import CrashError, JobError, LimitError, StoppedError, WorkerLimits
from antiphon.workers.steps import finish_step
from antiphon.workers.worker import Worker

MARK = "ANTIPHON_TEST_JOB_HAS_BEGUN"


def prepare(offset: int) -> Callable[[str], int]:
    return lambda job: _jobs(job) + offset


def _jobs(job: str) -> int:
    if job == "die":
        os._exit(1)
    if job == "hang":
        time.sleep(60)
    if job == "start":
        Path(os.environ[MARK]).touch()
        time.sleep(60)
    if job == "stumble":
        raise KeyError("a fault of ours")
    if job == "grow":
        return len(bytearray(3 << 30))
    if job == "fail":
        raise ConfigError("no good")
    return os.getpid()


def prepare_badly() -> Callable[[str], int]:
    raise WeightsError("no weights")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker[str, int]]:
    found = Worker[str, int](prepare, (0,), WorkerLimits(job_s=3.0, memory_bytes=1_000_000_000))
    yield found
    found.close()


def test_jobs_run_elsewhere_in_one_process(worker: Worker[str, int]) -> None:
    assert worker.run("") == worker.run("") != os.getpid()


@pytest.mark.parametrize(
    ("job", "error", "said"),
    [
        ("die", CrashError, "crashed the decoder"),
        ("hang", LimitError, "took longer than 3 s"),
        ("grow", LimitError, r"needed more than 1 GB of memory"),
        ("fail", ConfigError, "no good"),
        ("stumble", JobError, "KeyError: 'a fault of ours'"),
    ],
)
def test_a_bad_job_is_an_error_and_the_next_one_runs(
    worker: Worker[str, int], job: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        worker.run(job)
    assert worker.run("") > 0


def test_what_hinders_the_start_is_told() -> None:
    with pytest.raises(WeightsError, match="no weights"):
        Worker[str, int](prepare_badly).run("")


def test_a_fault_of_ours_ends_no_process_and_brings_its_traceback() -> None:
    worker = Worker[str, int](prepare, (0,))
    before = worker.run("")
    with pytest.raises(JobError) as raised:
        worker.run("stumble")
    assert 'raise KeyError("a fault of ours")' in raised.value.traceback
    assert worker.run("") == before
    worker.close()


def prepare_unlimited() -> Callable[[str], Iterator[int]]:
    """As on systems that cannot limit the address space."""
    child.limit_address_space = lambda memory_bytes: None
    return _grow


def _grow(job: str) -> Iterator[int]:
    held: list[bytes] = []
    while job == "":
        held.append(bytes(10_000_000).replace(b"\0", b"1"))
        time.sleep(0.005)
        if len(held) == 10:
            yield len(held)
    yield 0


def test_memory_is_measured_from_outside_too() -> None:
    worker = Worker[str, int](prepare_unlimited, (), WorkerLimits(memory_bytes=300_000_000))
    with pytest.raises(LimitError, match="needed more than 0.3 GB of memory"):
        list(worker.stream(""))
    assert worker.run("fine") == 0
    worker.close()


def prepare_busy() -> Callable[[str], Iterator[int]]:
    child.limit_address_space = lambda memory_bytes: None
    return _busy


def _busy(job: str) -> Iterator[int]:
    held: list[bytes] = []
    for number in range(160):
        time.sleep(0.025)
        if "large" in job:
            held.append(bytes(10_000_000).replace(b"\0", b"1"))
        if "steps" in job:
            finish_step()
        else:
            yield number


@pytest.mark.parametrize("job", ["steps", "items", "large steps", "large items"])
def test_a_job_that_reports_often_has_its_limits_too(job: str) -> None:
    limits = WorkerLimits(memory_bytes=200_000_000) if "large" in job else WorkerLimits(job_s=0.5)
    worker = Worker[str, int](prepare_busy, (), limits)
    said = "needed more than 0.2 GB of memory" if "large" in job else "took longer than 0.5 s"
    with pytest.raises(LimitError, match=said):
        list(worker.stream(job))
    worker.close()


def test_a_process_that_works_ahead_is_measured_while_nobody_waits_for_it() -> None:
    worker = Worker[str, int](prepare_unlimited, (), WorkerLimits(memory_bytes=300_000_000))
    results = worker.stream("")
    assert next(results) == 10
    until = time.monotonic() + 30
    while not worker._is_too_large and time.monotonic() < until:
        worker.watch()
        time.sleep(0.05)
    with pytest.raises(LimitError, match="needed more than 0.3 GB of memory"):
        next(results)
    worker.close()


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_memory_is_the_same_by_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    by_files = memory.resident_bytes(os.getpid())
    monkeypatch.setattr(memory, "_PROCESSES", Path("/no/such/folder"))
    assert memory.resident_bytes(os.getpid()) == pytest.approx(by_files, rel=0.2)
    assert memory.resident_bytes(2**22 + 1) == 0
    memory.limit_address_space(1)  # Does nothing.


def test_closing_ends_the_job_that_runs_and_those_that_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = tmp_path / "begun"
    monkeypatch.setenv(MARK, str(begun))
    worker = Worker[str, int](prepare, (0,), WorkerLimits(job_s=30.0))
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(worker.run, "start")
        while not begun.exists():
            time.sleep(0.02)
        waiting = pool.submit(worker.run, "")
        worker.close()
        for job in (running, waiting):
            with pytest.raises(StoppedError, match="was closed"):
                job.result()
    with pytest.raises(StoppedError):
        worker.run("")


def test_the_process_of_a_worker_that_is_forgotten_ends() -> None:
    """In a cycle, as states of a service are, and without a warning that it still ran."""
    forgotten = Worker[str, int](prepare, (0,))
    pid = forgotten.run("pid")
    cycle: list[object] = [forgotten]
    cycle.append(cycle)
    del forgotten, cycle
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
