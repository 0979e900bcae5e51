"""The process for untrusted files: it may fail, hang, grow and die, and the next job runs."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon.app.worker import JobError, StoppedError, Worker, WorkerLimits
from antiphon.errors import ConfigError, DecodeError, WeightsError

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
    found = Worker[str, int](prepare, (0,), WorkerLimits(job_s=3.0, memory_bytes=1 << 30))
    yield found
    found.close()


def test_jobs_run_elsewhere_in_one_process(worker: Worker[str, int]) -> None:
    assert worker.run("") == worker.run("") != os.getpid()


@pytest.mark.parametrize(
    ("job", "error", "said"),
    [
        ("die", DecodeError, "decoder crashed"),
        ("hang", DecodeError, "longer than 3 s"),
        ("grow", DecodeError, "exceeded the memory limit"),
        ("fail", ConfigError, "no good"),
        ("stumble", JobError, "service failed"),
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


def test_a_fault_of_ours_ends_no_process_and_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    worker = Worker[str, int](prepare, (0,))
    before = worker.run("")
    with pytest.raises(JobError):
        worker.run("stumble")
    assert worker.run("") == before
    worker.close()
    assert "a fault of ours" in capfd.readouterr().err


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
            with pytest.raises(StoppedError, match="shutting down"):
                job.result()
    with pytest.raises(StoppedError):
        worker.run("")
