"""Clients' files of a service with several processes: each answers for all, whichever took or reads them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.app.encoding import FileFacts
from antiphon.app.own_folder import OwnFolder
from antiphon.app.sent_files import SentFiles, SentLimits
from antiphon.app.sent_records import SentFile, dumped, read_sent
from antiphon.embeddings import ModalityEmbeddings
from antiphon.locks import is_free
from antiphon.search import Index
from antiphon.search.record import Origin
from antiphon.workspace import Workspace

from .conftest import HOST, RUN
from .serving import until
from .test_sent_files import answered, send

LIMITS = SentLimits(keep_s=100, max_files=3, max_bytes=1000)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the first process makes for all."""
    own = OwnFolder(tmp_path_factory.mktemp("files"))
    yield own.path
    own.close()


@pytest.fixture(scope="module")
def both(workspace: Workspace, index: Index, shared: Path) -> Iterator[tuple[TestClient, TestClient]]:
    """Two processes of one service, in one."""
    one, other = (create_app(workspace, index, RUN, worker=number, sent=shared) for number in range(2))
    with TestClient(one, base_url=HOST) as first, TestClient(other, base_url=HOST) as second:
        yield first, second


@pytest.fixture(scope="module")
def token(both: tuple[TestClient, TestClient], song: Path) -> str:
    """Sent to one, followed and awaited at the other."""
    place = send(both[0], song.read_bytes())
    assert "a clip" in both[1].get(place).text
    return answered(both[1], place).rpartition("/")[2]


def test_its_page_is_the_same_in_each(both: tuple[TestClient, TestClient], token: str) -> None:
    for target in ("audio", "video", "both"):
        pages = [client.get(f"/file/{token}?target={target}") for client in both]
        assert pages[0].text == pages[1].text and pages[1].text.count('class="place"') > 5


def test_what_belongs_to_it_is_answered_by_the_other(
    both: tuple[TestClient, TestClient], token: str, song: Path
) -> None:
    id, other = quote(f"file:{token}", safe=""), both[1]
    found = other.get(f"/media/{id}", headers={"range": "bytes=2-5"})
    assert (found.status_code, found.content) == (206, song.read_bytes()[2:6])
    assert "sandbox" in found.headers["content-security-policy"]
    head = other.head(f"/media/{id}")
    assert (head.content, head.headers["content-length"]) == (b"", str(song.stat().st_size))
    assert other.get(f"/thumbnail/{id}?at=1").content[:2] == b"\xff\xd8"
    assert other.get(f"/outline/audio/{id}").json()["peaks"]
    room = other.get(f"/cut/{id}")
    choice = re.search(r'name="with" value="([^"]+)"', room.text)
    assert room.status_code == 200 and "a clip" in room.text
    chosen = {"with": choice[1] if choice else "plain"}
    assert "a clip" in other.get(f"/export/csv/{id}", params=chosen).text
    assert other.get(f"/match/{id}", follow_redirects=False).headers["location"] == f"/file/{token}"


def test_not_this_holds_in_each(both: tuple[TestClient, TestClient], token: str) -> None:
    said = {"asking": f"file:{token}", "target": "audio", "id": "plain", "query": "", "do": ""}
    shown = [client.get(f"/file/{token}?target=audio").text.count('class="place"') for client in both]
    assert both[1].post("/not-this", data=said, follow_redirects=False).status_code == 303
    assert [client.get(f"/file/{token}?target=audio").text.count('class="place"') for client in both] == [
        count - 1 for count in shown
    ]
    both[0].post("/not-this", data={**said, "do": "undo"})
    assert [client.get(f"/file/{token}?target=audio").text.count('class="place"') for client in both] == shown


def test_nobody_else_may_open_the_folder_and_no_token_names_a_file(
    both: tuple[TestClient, TestClient], token: str, shared: Path
) -> None:
    assert shared.stat().st_mode & 0o077 == 0
    assert not [path for path in shared.iterdir() if token in path.name]
    record = next(shared.glob("*.json")).name
    for wrong in (record, record.removesuffix(".json"), token.swapcase(), token[:-1], f"../{shared.name}/x", "\ud800"):
        known = both[0].app.state.antiphon.sent  # pyright: ignore[reportFunctionMemberAccess]
        assert known.get(wrong) is None


@pytest.mark.skipif(os.name != "posix", reason="sockets are handed on")
def test_every_process_of_a_real_service_answers_for_a_file(workspace: Workspace, song: Path) -> None:
    command = [sys.executable, "-m", "antiphon", "-w", str(workspace.root), "--json", "serve", "--workers", "2"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None and run.stderr is not None
            url = read_json(run.stdout)["url"]
            if Path("/proc/self/task").exists():  # The networks are loaded in a process of their own, before any file.
                processes = children(run.pid, b"spawn_main")
                assert len(processes) == 2
                until(lambda: all(children(one, b"antiphon.workers.child") for one in processes))
            form = {"file": ("a clip.mp4", song.read_bytes(), "video/mp4")}
            place = httpx.post(f"{url}find/file", files=form, timeout=60).headers["location"]
            id, asked, answers = quote(f"file:{place.rpartition('/')[2]}", safe=""), set[int](), set[int]()
            end = time.monotonic() + 120
            while asked != {0, 1} or httpx.get(f"{url}{place[1:]}/progress").status_code == 200:
                asked.add(httpx.get(f"{url}api/status", timeout=60).json()["worker"])
                answers.add(httpx.get(f"{url}{place[1:]}", timeout=60).status_code)
                assert time.monotonic() < end
            for _ in range(12):
                answers.add(httpx.get(f"{url}media/{id}", headers={"range": "bytes=0-9"}, timeout=60).status_code)
            assert answers == {200, 206}
            run.send_signal(signal.SIGTERM)
            assert run.wait(60) == 0
            assert run.stderr.read() == f"Loading {workspace.folder}…\n"
            assert not [path for path in (workspace.page / "files").glob("*/*") if is_free(path.parent / ".lock")]
        finally:
            run.kill()


def children(process: int, called: bytes) -> list[int]:
    """Processes that a process has started with something in their command lines."""
    found = [one for place in Path(f"/proc/{process}/task").glob("*/children") for one in place.read_text().split()]
    return [int(one) for one in found if called in Path(f"/proc/{one}/cmdline").read_bytes()]


def read_json(lines: IO[str]) -> Any:
    """Read what a command says as JSON, before it ends."""
    text = ""
    while not text.rstrip().endswith("}"):
        text += (line := lines.readline())
        assert line
    return json.loads(text)


def added(kept: SentFiles, size: int = 10) -> SentFile:
    path = kept.folder / "arrived"
    path.write_bytes(bytes(size))
    return kept.add(path, "x.mp4")


def test_the_bounds_are_those_of_all_processes(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    one, other = (SentFiles(tmp_path, LIMITS, shared=folder) for _ in range(2))
    files = [added(kept) for kept in (one, other, one, other)]
    assert [other.get(file.token) is not None for file in files] == [False, True, True, True]
    assert one.begin(files[1]) and not other.begin(files[1])
    assert (one.waiting, one.waiting_here, other.waiting, other.waiting_here) == (1, 1, 1, 0)
    one.close()
    assert other.get(files[2].token) is not None
    other.close()
    assert files[2].path.exists()  # Whoever made the folder deletes it.


def test_a_file_whose_process_ended_is_refused_and_not_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    one, other = (SentFiles(tmp_path, LIMITS, shared=folder) for _ in range(2))
    file = added(one)
    assert one.begin(file)
    one._alive.close()  # as when it is killed
    found = other.get(file.token)
    assert found is not None and found.status == 503 and "has ended" in found.fault
    assert not file.path.exists() and other.waiting == 0
    other.close()


def test_what_was_removed_meanwhile_does_not_come_back(tmp_path: Path) -> None:
    kept = SentFiles(tmp_path, LIMITS)
    file = added(kept)
    assert kept.begin(file)
    for _ in range(3):
        added(kept)
    kept.read(file, FileFacts(0.0, 1.0, True, True))
    kept.embedded(file, {}, Origin())
    assert kept.get(file.token) is None and kept.refuse(file, "late", 415) is None
    kept.close()


def test_a_record_says_all_that_is_known(tmp_path: Path) -> None:
    rows = np.eye(3, 4, dtype=np.float32)
    sides = {
        "audio": ModalityEmbeddings.from_segments(rows, starts_s=[0, 1.5, None], ends_s=[1, 2.5, None]),
        "video": ModalityEmbeddings(rows[0], rows[:0]),
    }
    file = SentFile("token", tmp_path / f"{'0a' * 8}.mp4", "ä 1.mp4", 5, 1e9, 3, FileFacts(0.0, 9.5, True, False))
    file = replace(file, encodings=sides, origin=Origin("m", "a", "v"), rejected={"audio": ("x", "y")})
    place = tmp_path / "record.json"
    place.write_text(dumped(file))
    found = read_sent(place)
    assert found is not None
    for name in ("token", "path", "name", "size_bytes", "until_s", "number", "facts", "origin", "rejected", "fault"):
        assert getattr(found, name) == getattr(file, name)
    for side, one in file.encodings.items():
        np.testing.assert_array_equal(found.encodings[side].segments, one.segments)
        np.testing.assert_array_equal(found.encodings[side].track, one.track)
        assert found.encodings[side].windows == one.windows
    assert found.video is not None and len(found.video.segments) == 2


@pytest.mark.parametrize(
    "change", [("0a0a", "../a"), ("AACAPwAAAAA", "AACAPw"), ('"size_bytes":5', '"size_bytes":"x"')]
)
def test_a_damaged_record_is_none(tmp_path: Path, change: tuple[str, str]) -> None:
    sides = {"audio": ModalityEmbeddings.from_segments(np.eye(1, 4, dtype=np.float32))}
    file = SentFile("token", tmp_path / f"{'0a' * 8}.mp4", "1.mp4", 5, 1e9, encodings=sides)  # pyright: ignore[reportArgumentType]
    place = tmp_path / "record.json"
    assert change[0] in dumped(file)
    place.write_text(dumped(file).replace(*change))
    assert read_sent(place) is None
