"""The server stops although a job would run for a minute, and tells the one who waits for it."""

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from antiphon.app import application as service
from antiphon.app import served
from antiphon.app.server import Server
from antiphon.search import Index
from antiphon.workers.worker import Worker
from antiphon.workspace import Workspace

from .conftest import RUN

MARK = "ANTIPHON_TEST_FILE_IS_BEING_READ"


def prepare() -> Callable[[object], object]:
    """Stands for the model: reads for a minute."""
    return lambda job: (Path(os.environ[MARK]).touch(), time.sleep(60))


def test_stopping_tells_who_is_sending_a_file(workspace: Workspace, index: Index) -> None:
    app = service.create_app(workspace, index, RUN)
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        server = Server(app)
        serving = threading.Thread(target=server.run, kwargs={"sockets": [line]}, daemon=True)
        serving.start()
        with socket.create_connection(line.getsockname(), timeout=30) as sender:
            sender.sendall(
                b"POST /api/embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                b"Content-Length: 100000\r\n\r\n" + bytes(1000)
            )
            while not app.state.antiphon.uploads.under_way:
                time.sleep(0.02)
            server.should_exit = True
            answer = sender.recv(1 << 16).decode()
        serving.join(30)
    assert not serving.is_alive()
    assert answer.startswith("HTTP/1.1 503")
    assert not app.state.antiphon.uploads.folder.exists()


def test_stopping_ends_the_job_that_runs_and_answers(
    workspace: Workspace, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    monkeypatch.setenv(MARK, str(begun))
    monkeypatch.setattr(served, "encoder", lambda run, fingerprint, limits: Worker[object, object](prepare))
    app = service.create_app(workspace, index, RUN)
    with socket.socket() as line, ThreadPoolExecutor(1) as pool:
        line.bind(("127.0.0.1", 0))
        line.listen()
        server = Server(app)
        serving = threading.Thread(target=server.run, kwargs={"sockets": [line]}, daemon=True)
        serving.start()
        url = f"http://127.0.0.1:{line.getsockname()[1]}/api/embed"
        kind = {"content-type": "video/mp4"}
        answer = pool.submit(httpx.post, url, content=b"song", headers=kind, timeout=60)
        while not begun.exists():
            time.sleep(0.02)
        server.should_exit = True
        found = answer.result()
        serving.join(30)
    assert not serving.is_alive()
    assert (found.status_code, "shutting down" in found.text) == (503, True)
    assert not app.state.antiphon.uploads.folder.exists()
