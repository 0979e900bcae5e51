"""Jobs in processes: results, errors, and workers that die."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from antiphon.disk import writing
from antiphon.errors import AntiphonError, ConfigError, DecodeError, StorageError
from antiphon.workers.limits import CrashError, JobError, LimitError, WorkerLimits
from antiphon.workers.pool import run_in_processes, stream_in_processes
from antiphon.workers.steps import finish_step


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


def test_an_error_of_another_kind_is_a_failure_with_its_traceback():
    found = dict(run_in_processes(work, ["a", "bug", "b"], workers=1))
    error = found.pop("bug")
    assert isinstance(error, JobError)
    assert (error.kind, error.message) == ("ZeroDivisionError", "a bug of ours")
    assert "in work" in error.traceback
    assert found == {"a": "A", "b": "B"}


class Stubborn(AntiphonError):
    """An error that cannot be made again from what was sent of it."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Poisoned:
    """A result that cannot be made again from what was sent of it."""

    def __reduce__(self):
        return (int, ("not a number",))


def odd(job):
    if job == "stubborn":
        raise Stubborn("this", "that")
    if job == "silent":
        raise Silent
    if job == "exit":
        sys.exit(3)
    if job == "disk":
        raise OSError(errno.ENOSPC, "No space left on device", "/full/file")
    return {"lambda": lambda: 1, "poisoned": Poisoned(), "fine": 7}[job]


def test_what_cannot_be_sent_is_a_failure_of_its_job_alone():
    jobs = ["stubborn", "lambda", "poisoned", "silent", "exit", "fine"]
    found = dict(run_in_processes(odd, jobs, workers=1))
    assert found.pop("fine") == 7
    assert (found["stubborn"].kind, str(found["stubborn"])) == ("Stubborn", "Stubborn: this and that")
    assert "lambda" in str(found["lambda"])
    assert "cannot be read" in str(found["poisoned"])
    assert str(found["silent"]) == "Silent"
    assert isinstance(found["exit"], CrashError)
    assert all(isinstance(found[job], JobError) for job in jobs[:4])


def test_a_full_disk_ends_the_run():
    with pytest.raises(OSError, match="No space left on device") as raised:
        list(run_in_processes(odd, ["fine", "disk", "fine"], workers=1))
    assert raised.value.filename == "/full/file"


def written(job):
    with writing(Path(job)):
        if job == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
    return job


def test_a_disk_that_is_full_for_what_we_write_ends_the_run():
    with pytest.raises(StorageError, match=r"^full: cannot be written \(no space left on device\)\. Free some space"):
        list(run_in_processes(written, ["fine", "full", "fine"], workers=1))


def test_a_job_beyond_a_limit_is_a_failure_and_the_others_are_done():
    slow = dict(run_in_processes(greedy, ["fine", "hang", "spin", "fine too"], 2, WorkerLimits(step_s=1.5)))
    large = dict(run_in_processes(greedy, ["fine", "at once", "slowly"], 1, WorkerLimits(memory_bytes=300_000_000)))
    assert slow["fine"] == slow["fine too"] == large["fine"] == "done"
    for error in (slow["hang"], slow["spin"]):
        assert isinstance(error, LimitError) and str(error) == "took longer than 1.5 s"
    for error in (large["at once"], large["slowly"]):
        assert isinstance(error, LimitError) and str(error) == "needed more than 0.3 GB of memory"


def greedy(job):
    if job == "hang":
        time.sleep(600)
    while job == "spin":
        pass
    if job == "at once":
        bytearray(10_000_000_000)
    held = []
    while job == "slowly":
        held.append(bytearray(50_000_000))
    return "done"


def count(job):
    for number in range(job):
        if number == 70:
            raise DecodeError("seventy")
        Path(os.environ["COUNTED"]).write_text(str(number), encoding="utf-8")
        yield number, bytes(1_000_000)


def test_results_of_a_stream_come_in_order_and_only_as_they_are_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    parts = stream_in_processes(count, [50, 0, 71], 1, ahead=2)
    first = [next(parts).value[0] for _ in range(5)]
    time.sleep(0.3)  # It could be far ahead by now.
    assert int((tmp_path / "counted").read_text()) <= 5 + 2 + 2
    rest = list(parts)
    assert first + [part.value[0] for part in rest[:45]] == list(range(50))
    assert [(part.job, part.is_last) for part in rest[45:47]] == [(50, True), (0, True)]
    assert [part.value[0] for part in rest[47:-1]] == list(range(70))
    assert str(rest[-1].error) == "seventy" and rest[-1].is_last


def slow_steps(job):
    for _ in range(4):
        time.sleep(0.4)
        if job == "steps":
            finish_step()
    return "done"


def test_a_long_job_in_steps_has_the_whole_time_for_each(tmp_path):
    found = dict(run_in_processes(slow_steps, ["steps", "at once"], 1, WorkerLimits(step_s=1.0)))
    assert found["steps"] == "done"
    assert str(found["at once"]) == "took longer than 1 s"
    (whole,) = run_in_processes(slow_steps, ["steps"], 1, WorkerLimits(step_s=1.0, job_s=1.2))
    assert str(whole[1]) == "took longer than 1.2 s"


def test_a_script_needs_no_main_guard_for_our_functions(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from antiphon.workers.pool import run_in_processes\nprint(list(run_in_processes(int, ['1'], 1)))\n"
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "[('1', 1)]\n")


def test_a_script_that_defines_the_function_is_told_to_guard_its_calls(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from antiphon.workers.pool import run_in_processes\n"
        "def work(job):\n    return job\n"
        "list(run_in_processes(work, [1], 1))\n"
    )
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert 'Put its calls under `if __name__ == "__main__":`' in found.stderr


def test_workers_that_cannot_be_started_end_the_run(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ConfigError, match="Worker processes cannot be started: No such file"):
        list(run_in_processes(work, ["a"], 1))


def test_an_iteration_that_is_given_up_leaves_no_process(tmp_path):
    before = threading.active_count()
    stream = run_in_processes(own_pid, [1, 600, 600], 2)
    _, pid = next(stream)
    assert runs(pid)
    stream.close()
    assert not Path(f"/proc/{pid}").exists()  # Not even a zombie.
    assert threading.active_count() == before


def own_pid(seconds):
    time.sleep(seconds - 1)
    return os.getpid()


def test_an_error_of_the_jobs_themselves_is_raised():
    def jobs():
        yield "a"
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        list(run_in_processes(work, jobs(), 2))


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
        "from antiphon.workers.pool import run_in_processes\n"
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
