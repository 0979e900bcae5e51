"""Jobs in processes: results, errors, and workers that die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from antiphon.errors import DecodeError
from antiphon.features.executors import run_in_processes


def work(job):
    if job == "bad":
        raise DecodeError("this one is bad")
    if job == "bug":
        raise ZeroDivisionError("a bug of ours")
    if job == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    return job.upper()


def once(job):
    """Dies the first time that the marked job is tried."""
    if Path(job).name == "victim" and not Path(job).exists():
        Path(job).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "fine"


def test_every_job_comes_back_with_its_result_or_its_error():
    found = dict(run_in_processes(work, ["a", "bad", "b", "c"], workers=2))
    assert str(found.pop("bad")) == "this one is bad"
    assert found == {"a": "A", "b": "B", "c": "C"}


def test_a_job_that_kills_its_worker_is_a_failure_and_the_others_are_done():
    jobs = [*"abc", "killer", *"defg"]
    found = list(run_in_processes(work, jobs, workers=2))
    assert sorted(job for job, _ in found) == sorted(jobs)
    results = dict(found)
    assert isinstance(results["killer"], DecodeError)
    assert "crashed" in str(results.pop("killer"))
    assert results == {job: job.upper() for job in "abcdefg"}


def test_an_innocent_job_under_way_when_a_worker_died_is_run_again(tmp_path):
    found = dict(run_in_processes(once, [str(tmp_path / "victim"), str(tmp_path / "other")], workers=1))
    assert set(found.values()) == {"fine"}


def test_a_bug_is_not_hidden_as_a_failure():
    with pytest.raises(ZeroDivisionError, match="a bug of ours"):
        list(run_in_processes(work, ["a", "bug"], workers=1))


def test_a_script_without_a_main_guard_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from antiphon.features.executors import run_in_processes\nlist(run_in_processes(int, [1], 1))\n")
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert 'put its calls under `if __name__ == "__main__":`' in found.stderr


def test_jobs_are_taken_as_they_are_needed():
    taken = []

    def jobs():
        for number in range(50):
            taken.append(number)
            yield "a"

    stream = run_in_processes(work, jobs(), workers=1)
    next(stream)
    assert len(taken) <= 5
    stream.close()


def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from antiphon.features.executors import run_in_processes\n"
        "def wait(job):\n"
        "    Path(sys.argv[1], str(os.getpid())).touch()\n"
        "    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    list(run_in_processes(wait, [1, 2], 2))\n",
        encoding="utf-8",
    )
    marks = tmp_path / "pids"
    marks.mkdir()
    with subprocess.Popen([sys.executable, str(script), str(marks)], stderr=subprocess.DEVNULL) as parent:
        while len(list(marks.iterdir())) < 2:
            assert parent.poll() is None
            time.sleep(0.05)
        parent.kill()
    workers = [int(mark.name) for mark in marks.iterdir()]
    until = time.monotonic() + 30
    while any(map(runs, workers)):
        assert time.monotonic() < until
        time.sleep(0.05)


def runs(pid):
    """Whether a process runs; one that has ended may wait for somebody to ask about it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
