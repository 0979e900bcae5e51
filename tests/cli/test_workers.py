"""`antiphon serve --workers`: real processes on one socket, each with the index of today, replaced when they end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.search import Index
from antiphon.workspace import Workspace

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sockets are handed on")
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


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_several_processes_share_an_index_and_follow_a_new_one(tmp_path: Path) -> None:
    place = Workspace(tmp_path / "w")
    Catalogue([{"id": id, "path": None} for id in IDS]).save(place.catalogue)
    Index.from_vectors(IDS[:4], np.eye(4, dtype=np.float32), path=place.index)
    command = [sys.executable, "-m", "antiphon", "-w", str(place.root), "--json", "serve", "--workers", "2"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            text = ""
            while not text.rstrip().endswith("}"):
                text += (line := process.stdout.readline())
                assert line
            url = json.loads(text)["url"]
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
        finally:
            process.kill()


def test_processes_that_do_not_start_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(tmp_path), "serve", "--workers", "0"]) != 0
    assert "--workers" in capsys.readouterr().err
