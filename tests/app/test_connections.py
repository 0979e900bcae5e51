"""No client keeps others out: not by half a header, not by a slow body, not by an answer that it does not take."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from antiphon.app import bodies, connections
from antiphon.app.application import create_app
from antiphon.app.bodies import Body, BodyLimits
from antiphon.app.uploads import UploadLimits
from antiphon.media.opening import CataloguedFile
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import RUN
from .serving import serving, until

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: "
UPLOAD = b"POST /api/embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\nContent-Length: 99999\r\n\r\nsome"
JSON = (
    b"POST /api/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
)
FORM = b"POST /judge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nname="
MEDIA = b"GET /media/plain HTTP/1.1\r\nHost: localhost\r\n\r\n"


def opened(place: tuple[str, int], sent: bytes) -> socket.socket:
    """A connection on which something was sent, and which takes little."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(60)
    line.connect(place)
    line.sendall(sent)
    return line


def rest_of(line: socket.socket) -> bytes:
    """What still comes until the other side ends the connection."""
    found = b""
    with suppress(ConnectionError):
        while piece := line.recv(1 << 16):
            found += piece
    return found


@pytest.fixture
def app(workspace: Workspace, index: Index) -> FastAPI:
    """A service of its own, with room for two uploads."""
    return create_app(workspace, index, RUN, uploads=UploadLimits(max_concurrent=2))


@pytest.fixture
def film(app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of "plain" is larger than all buffers on the way."""
    found = tmp_path / "film.mp4"
    with found.open("wb") as file:
        file.write(b"\0\0\0\x18ftypisom")
        file.truncate(64 << 20)
    videos = app.state.antiphon.searcher.library.videos
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=CataloguedFile(str(found))))
    return found


@pytest.mark.usefixtures("film")
def test_ordinary_requests_are_answered_while_hundreds_of_others_are_held(
    app: FastAPI, record_property: Callable[[str, object], None]
) -> None:
    with serving(app) as (_, place), ExitStack() as held:
        for sent, count in ((HALF, 300), (UPLOAD, 100), (JSON, 20), (FORM, 20), (MEDIA, 20), (b"", 20)):
            for _ in range(count):
                held.enter_context(opened(place, sent))
        record_property("tried: connections held at once", 480)
        with httpx.Client(base_url=f"http://127.0.0.1:{place[1]}", timeout=60) as client:
            assert client.get("/").status_code == 200
            assert client.get("/media/plain", headers={"range": "bytes=0-9"}).status_code == 206
            assert client.get("/api/similar?id=plain").status_code == 200
            assert client.post("/api/recommend", json={"history": ["plain"]}).status_code == 200


def test_a_header_must_come_in_time_and_drops_do_not_prolong_it(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_S", 0.3)
    with serving(app) as (server, place):
        for sent in (
            b"",
            HALF,
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + HALF,
            UPLOAD.replace(b"video/", b"text/"),
        ):
            with opened(place, sent) as line:
                ended = threading.Event()

                def drip(line: socket.socket = line, ended: threading.Event = ended) -> None:
                    with suppress(OSError):
                        while not ended.wait(0.05):
                            line.sendall(b"x")

                thread = threading.Thread(target=drip)
                thread.start()
                rest_of(line)
                ended.set()
                thread.join()
        until(lambda: not server.server_state.connections)


@pytest.mark.usefixtures("film")
def test_an_answer_that_is_not_taken_ends_and_closes_the_file(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon.app.sources import LocalFile

    closed: list[Any] = []
    close = LocalFile.close
    monkeypatch.setattr(LocalFile, "close", lambda self: (closed.append(self), close(self)))
    monkeypatch.setattr(connections, "STALL_S", 0.3)
    with serving(app) as (server, place), opened(place, MEDIA):
        until(lambda: bool(closed))
        until(lambda: not server.server_state.connections)


def test_who_has_waited_longest_gives_its_place_and_who_waits_for_us_keeps_it(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.app.server.max_connections", lambda: 8)
    release, working = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow() -> str:
        working.set()
        release.wait(60)
        return "done"

    with serving(app) as (server, place), ExitStack() as held:
        ours = held.enter_context(opened(place, b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        working.wait(60)
        first = held.enter_context(opened(place, HALF))
        until(lambda: len(server.server_state.connections) == 2)
        for _ in range(20):
            last = held.enter_context(opened(place, HALF))
        until(lambda: len(server.server_state.connections) == 7)
        assert rest_of(first) == b""
        last.sendall(b"x\r\n\r\n")
        assert last.recv(12) == b"HTTP/1.1 200"
        release.set()
        assert ours.recv(12) == b"HTTP/1.1 200"


def test_a_slow_upload_gives_its_place_to_another(app: FastAPI, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_SLOW_AFTER_S", 0.0)
    with serving(app) as (_, place), opened(place, UPLOAD) as slow, opened(place, UPLOAD):
        until(lambda: app.state.antiphon.uploads.under_way == 2)
        found = httpx.post(
            f"http://127.0.0.1:{place[1]}/api/embed",
            content=song.read_bytes(),
            headers={"content-type": "video/mp4"},
            timeout=120,
        )
        assert found.status_code == 200
        assert slow.recv(12) == b"HTTP/1.1 408"
    until(lambda: app.state.antiphon.uploads.under_way == 0)


async def received(body: Body) -> int:
    """Bytes of a whole body."""
    size, more = 0, True
    while more:
        message = await body.receive()
        size, more = size + len(message["body"]), message["more_body"]
    return size


def pieces(*sizes: int, last: bool = True) -> Any:
    """A body that comes in pieces, and then no further."""
    waiting = list(sizes)

    async def receive() -> dict[str, object]:
        if not waiting:
            await asyncio.Event().wait()
        size = waiting.pop(0)
        return {"type": "http.request", "body": bytes(size), "more_body": bool(waiting) or not last}

    return receive


def test_a_body_is_bounded_in_size_and_time() -> None:
    async def all_of_it() -> None:
        limits = BodyLimits(max_bytes=100, min_bytes_per_s=1e9, grace_s=0.05)
        assert await received(Body(pieces(60, 0, 40), limits)) == 100
        with pytest.raises(HTTPException, match="413"):
            await received(Body(pieces(60, 41), limits))
        with pytest.raises(HTTPException, match="408"):
            await received(Body(pieces(60, last=False), limits))

    # In a thread of its own: the browser's driver may have left a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(all_of_it())).result()
