"""`antiphon serve --workers`: real processes on one socket, each with the index of today, replaced when they end."""

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.cli.serving import ServeOptions, listening
from antiphon.cli.session import Session
from antiphon.cli.workers import WorkersError, run_workers
from antiphon.search import Index
from antiphon.workspace import Workspace

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sockets are handed on")
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
Captured = pytest.CaptureFixture[str]
IDS = [f"v{number}" for number in range(6)]


def asked(url: str, path: str) -> Any:
    """An answer over a connection of its own."""
    with urllib.request.urlopen(f"{url}{path}", timeout=60) as answer:
        return json.loads(answer.read())


def answers(url: str, times: int = 40) -> dict[int, list[Any]]:
    """What each process says of its health, in the order of time."""
    found: dict[int, list[Any]] = {}
    for _ in range(times):
        with contextlib.suppress(urllib.error.HTTPError, urllib.error.URLError, ConnectionError):
            now = asked(url, "api/status")
            found.setdefault(now["worker"], []).append(now)
    return found


def until(so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 120
    while not so():
        assert time.monotonic() < end
        time.sleep(0.1)


def children(process: int) -> list[int]:
    """Processes that a process has started, but for those that keep books."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(one) for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace with an index of four vectors."""
    found = Workspace(tmp_path / "w")
    Catalogue([{"id": id, "path": None} for id in IDS]).save(found.catalogue)
    Index.from_vectors(IDS[:4], np.eye(4, dtype=np.float32), path=found.index)
    return found


@contextlib.contextmanager
def service(place: Workspace) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Two processes that serve a workspace, and where."""
    command = [sys.executable, "-m", "antiphon", "-w", str(place.root), "--json", "serve", "--workers", "2"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            text = ""
            while not text.rstrip().endswith("}"):
                text += (line := process.stdout.readline())
                assert line
            yield process, json.loads(text)["url"]
        finally:
            process.kill()


@needs_proc
def test_several_processes_share_an_index_and_follow_a_new_one(place: Workspace) -> None:
    with service(place) as (process, url):
        until(lambda: set(answers(url)) == {0, 1})
        assert {one["searchable"] for said in answers(url).values() for one in said} == {4}
        Index.from_vectors(IDS, np.eye(6, dtype=np.float32), path=place.index)
        until(lambda: [{one["searchable"] for one in said[-1:]} for said in answers(url).values()] == 2 * [{6}])
        before = children(process.pid)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(children(process.pid)) == 2 and before[0] not in children(process.pid))
        until(lambda: set(answers(url)) == {0, 1})
        left = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not any(Path(f"/proc/{one}").exists() for one in left)
        assert not list((place.page / "files").glob("process-*"))


@needs_proc
def test_a_script_that_starts_it_in_the_background_can_interrupt_it(
    place: Workspace, request: pytest.FixtureRequest
) -> None:
    """There a process ignores SIGINT from the start."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with service(place) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@needs_proc
def test_they_end_with_the_first_process_however_that_ends(place: Workspace) -> None:
    with service(place) as (process, _):
        left = children(process.pid)
        assert len(left) == 2
        process.kill()
        process.wait(60)
        until(lambda: not any(is_running(one) for one in left))


def is_running(process: int) -> bool:
    """Whether a process runs: one that has ended may wait for whoever inherits it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_process_that_does_not_start_ends_them_all_and_says_why(place: Workspace, capfd: Captured) -> None:
    (place.index / "index.toml").write_text("no record")
    with pytest.raises(WorkersError, match="does not start; see above"):
        serve(place)
    assert not multiprocessing.active_children()
    said = capfd.readouterr().err
    assert "index.toml is damaged" in said and "Traceback" not in said
    assert not list((place.page / "files").glob("process-*"))


def test_one_that_ends_before_it_answers_again_and_again_ends_them_all(
    place: Workspace, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.cli.workers._MAX_FALLS", 1)
    monkeypatch.setattr("antiphon.cli.workers._CALM_S", 0.0)  # However long it takes to fail, it has not answered.

    def damage() -> None:
        (place.index / "index.toml").write_text("no record")
        next(one for one in multiprocessing.active_children() if one.name == "worker-1").kill()

    with pytest.raises(WorkersError, match="again and again"):
        serve(place, damage)
    assert not multiprocessing.active_children()
    assert capfd.readouterr().err.count("starting another") == 2


def test_one_that_does_not_end_by_itself_is_ended(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.cli.workers._STOP_S", 0.5)

    def interrupt() -> None:
        os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGSTOP)
        raise KeyboardInterrupt

    serve(place, interrupt)
    assert not multiprocessing.active_children()


def serve(place: Workspace, then: Callable[[], object] = lambda: None) -> None:
    """Serve with two processes until it fails; call something once both answer."""
    options = ServeOptions(port=0)
    with patch("antiphon.cli.workers.said_address", lambda *_: then()), listening(options.host, options.port) as line:
        run_workers(Session(), place, "", options, 2, line)


def test_the_number_of_processes_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(tmp_path), "serve", "--workers", "0"]) != 0
    assert "--workers" in capsys.readouterr().err
