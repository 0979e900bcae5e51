"""What clients send: refused or queued within limits, and gone afterwards."""

import asyncio
import io
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import av
import httpx
import pytest
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.app.bodies import bounded
from antiphon.app.uploads import UploadLimits, Uploads
from antiphon.search import Index
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Workspace

from .conftest import HOST, RUN

VIDEO = {"content-type": "video/mp4"}


@pytest.fixture
def uploads_folder(workspace: Workspace) -> Path:
    """Where files lie while they are read."""
    return workspace.page / "uploads"


@pytest.fixture(autouse=True)
def nothing_is_left(uploads_folder: Path) -> Iterator[None]:
    """After every test, and nothing outside either."""
    yield
    until = time.monotonic() + 10
    while files_in(uploads_folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert files_in(uploads_folder) == []


def files_in(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.fixture(scope="module")
def small(workspace: Workspace, index: Index) -> Iterator[TestClient]:
    """A service that takes files up to a mebibyte."""
    app = create_app(workspace, index, RUN, uploads=UploadLimits(max_bytes=1 << 20))
    with TestClient(app, base_url=HOST) as client:
        yield client


def zip_bomb() -> bytes:
    """A zip archive of a few kilobytes that unpacks to 50 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50_000_000))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        zip_bomb(),
        b"not a film at all" * 100,
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        struct.pack(">I", 2**31) + b"ftypisom" + bytes(1000),
        b"\x00",
    ],
    ids=["zip", "text", "playlist", "lying header", "one byte"],
)
def test_what_is_no_film_is_refused(client: TestClient, body: bytes) -> None:
    found = client.post("/api/embed", content=body, headers=VIDEO)
    assert found.status_code == 415
    assert "upload-" not in found.text and "page/uploads" not in found.text


@pytest.mark.parametrize("kind", ["text/html", "application/zip", "image/png", "", "application/json"])
def test_a_wrong_type_is_refused_before_anything_is_read(tmp_path: Path, client: TestClient, kind: str) -> None:
    pieces = iter([b"x"])
    with pytest.raises(HTTPException, match="Send audio/"):
        received(tmp_path, pieces, kind)
    assert list(pieces) == [b"x"]
    assert client.post("/api/embed", content=b"x", headers={"content-type": kind}).status_code == 415


def test_a_declared_size_above_the_limit_is_refused_at_once(server: str) -> None:
    place = urlsplit(server)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as line:
        line.sendall(
            f"POST /api/embed HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: video/mp4\r\n"
            f"Content-Length: {2 << 30}\r\n\r\n".encode()
            + bytes(1000)
        )
        assert b" 413 " in line.recv(1000).split(b"\r\n")[0]


def test_an_undeclared_size_is_refused_when_it_is_reached(small: TestClient, uploads_folder: Path) -> None:
    largest = 0

    def body() -> Iterator[bytes]:
        nonlocal largest
        for _ in range(4 << 4):
            largest = max(largest, sum(path.stat().st_size for path in files_in(uploads_folder)))
            yield bytes(1 << 16)

    assert small.post("/api/embed", content=body(), headers=VIDEO).status_code == 413
    assert largest <= 1 << 20


@pytest.mark.parametrize("disposition", [b'name="field"', b'name="file"; filename="a.mp4"'], ids=["field", "file"])
def test_a_form_is_measured_whole_and_refused_when_it_is_too_large(tmp_path: Path, disposition: bytes) -> None:
    pieces = iter([b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n", *[bytes(1 << 16)] * 64])
    with pytest.raises(HTTPException, match="larger than 1 MiB"):
        received_form(tmp_path, pieces)
    assert len(list(pieces)) >= 64 - 17


def test_what_follows_the_file_of_a_form_is_not_read(tmp_path: Path) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    pieces = iter([head + b"song\r\n--b\r\n", b"the rest"])
    assert received_form(tmp_path, pieces) == b"song"
    assert list(pieces) == [b"the rest"]


def received_form(folder: Path, pieces: Iterator[bytes]) -> bytes:
    """The file of a form without a declared size, of which at most a mebibyte is taken."""
    return received(folder, pieces, "multipart/form-data; boundary=b")[1]


def received(folder: Path, pieces: Iterator[bytes], kind: str) -> tuple[Path, bytes]:
    """Where a request's file lies while it is read, seen from the folder of uploads, and what it holds."""
    uploads = Uploads(folder, UploadLimits(max_bytes=1 << 20))

    async def receive() -> dict[str, object]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def take() -> tuple[Path, bytes]:
        async with uploads.receive(request) as (path, _):
            return path.resolve().relative_to(uploads.folder.resolve()), path.read_bytes()

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    request = Request(*bounded(scope, receive))
    # In a thread of its own: the browser's driver may have left a loop running in this one.
    with closing(uploads), ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(take())).result()


@pytest.mark.parametrize("name", ["../../evil.mp4", "/tmp/evil.mp4", "..\\\\evil.mp4", "evil\x00.mp4", "evil.mp4"])  # noqa: S108
def test_the_client_s_name_is_no_path(tmp_path: Path, name: str) -> None:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    place, content = received(tmp_path, iter([head + b"song\r\n--b--\r\n"]), "multipart/form-data; boundary=b")
    assert content == b"song"
    assert len(place.parts) == 1 and place.name.startswith("upload-")
    assert "evil" not in place.name


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"no boundary here"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'),
        ("video/mp4", b""),
    ],
    ids=["no boundary", "damaged", "no file", "empty"],
)
def test_a_form_without_a_file_is_refused(client: TestClient, kind: str, body: bytes) -> None:
    assert client.post("/api/embed", content=body, headers={"content-type": kind}).status_code == 422


def test_fifty_at_once_are_refused_or_answered_and_the_service_stays_up(server: str, song: Path) -> None:
    body = song.read_bytes()
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(httpx.post(f"{server}/api/embed", content=body, headers=VIDEO, timeout=120))

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {status: sum(one.status_code == status for one in answers) for status in (200, 503)}
    assert counts[200] >= 8
    assert counts[200] + counts[503] == 50
    assert all("retry-after" in one.headers for one in answers if one.status_code == 503)
    assert httpx.get(f"{server}/api/health", timeout=60).json()["files_under_way"] == 0


def test_a_client_that_goes_away_leaves_nothing(server: str, uploads_folder: Path) -> None:
    place = urlsplit(server)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=10) as line:
        line.sendall(
            f"POST /api/embed HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: video/mp4\r\n"
            f"Content-Length: 100000\r\n\r\n".encode()
            + bytes(50_000)
        )
        until = time.monotonic() + 10
        while not files_in(uploads_folder) and time.monotonic() < until:
            time.sleep(0.02)
        assert files_in(uploads_folder)


def test_a_file_that_takes_too_long_or_too_much_kills_only_the_worker(
    workspace: Workspace, index: Index, song: Path
) -> None:
    app = create_app(workspace, index, RUN, encoding=WorkerLimits(job_s=0.01))
    with TestClient(app, base_url=HOST) as client:
        found = client.post("/api/embed", content=song.read_bytes(), headers=VIDEO)
        assert found.status_code == 415
        assert "took longer" in found.json()["detail"]
        assert client.get("/api/health").status_code == 200


def black_film(path: Path, side_px: int, frames: int) -> Path:
    """A valid film of a few kilobytes a frame, however large its pictures are."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = side_px
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame(side_px, side_px, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.pts = number
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def test_a_small_film_that_unfolds_to_gigabytes_kills_only_the_worker(
    workspace: Workspace, index: Index, tmp_path: Path
) -> None:
    film = black_film(tmp_path / "bomb.mp4", 4096, 100)
    unfolded = 100 * 4096 * 4096 * 3 // 2
    assert unfolded > 1000 * film.stat().st_size
    app = create_app(workspace, index, RUN, encoding=WorkerLimits(memory_bytes=32 << 20))
    with TestClient(app, base_url=HOST) as client:
        found = client.post("/api/embed", content=film.read_bytes(), headers=VIDEO)
        assert found.status_code == 415
        assert client.get("/api/health").status_code == 200


def test_another_service_leaves_what_is_under_way_and_removes_what_was_left(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"other")
    first = Uploads(tmp_path)
    arriving = first.folder / "upload-abc"
    arriving.write_bytes(b"half a song")
    left = tmp_path / "process-gone"
    left.mkdir()
    (left / "upload-abc").write_bytes(b"left")
    second = Uploads(tmp_path)
    assert arriving.read_bytes() == b"half a song"
    assert not left.exists()
    first.close()
    second.close()
    assert {path.name for path in tmp_path.iterdir()} - {".lock"} == {"kept"}


def test_a_process_that_was_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from antiphon.app.uploads import Uploads;"
        "(Uploads(pathlib.Path(sys.argv[1])).folder / 'upload-abc').touch(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    assert len(files_in(tmp_path)) == 1
    Uploads(tmp_path).close()
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}
