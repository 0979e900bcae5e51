"""The process for untrusted files: it may fail, hang, grow and die, and the next job runs."""

import os
import time
from collections.abc import Callable, Iterator

import pytest

from antiphon.app.worker import Worker, WorkerLimits
from antiphon.errors import ConfigError, DecodeError, WeightsError


def prepare(offset: int) -> Callable[[str], int]:
    return lambda job: _jobs(job) + offset


def _jobs(job: str) -> int:
    if job == "die":
        os._exit(1)
    if job == "hang":
        time.sleep(60)
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
        ("die", DecodeError, "gave up"),
        ("hang", DecodeError, "longer than 3 s"),
        ("grow", DecodeError, "more memory"),
        ("fail", ConfigError, "no good"),
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
