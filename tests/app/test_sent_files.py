"""Clients' files that have a page: kept for an hour, within bounds, as untrusted as ever, and gone afterwards."""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.admission import Access
from antiphon.app.application import create_app
from antiphon.app.encoding import FileFacts
from antiphon.app.sent_files import SentFiles, SentLimits
from antiphon.app.sent_names import plain_name
from antiphon.app.sent_records import SentFile
from antiphon.app.state import State
from antiphon.app.telemetry import Telemetry
from antiphon.search import Index, Query
from antiphon.workspace import Workspace

from .conftest import HOST, RUN

HOSTILE = "../../<script>window.hacked = 1<\\/script>\u202e.mp4"


@pytest.fixture(scope="module")
def service(workspace: Workspace, index: Index) -> FastAPI:
    return create_app(workspace, index, RUN)


@pytest.fixture(scope="module")
def asked(service: FastAPI) -> Iterator[TestClient]:
    with TestClient(service, base_url=HOST) as client:
        yield client


@pytest.fixture(scope="module")
def sent(asked: TestClient, song: Path) -> str:
    """The page of a file that was worked on."""
    return answered(asked, send(asked, song.read_bytes()))


def send(client: TestClient, content: bytes, name: str = "a clip.mp4", query: str = "") -> str:
    """Send a file as a form does; where that leads."""
    found = client.post(f"/find/file{query}", files={"file": (name, content, "video/mp4")}, follow_redirects=False)
    assert found.status_code == 303, found.text
    return found.headers["location"]


def answered(client: TestClient, place: str) -> str:
    """Wait until a file was worked on."""
    end = time.monotonic() + 120
    while client.get(f"{place.partition('?')[0]}/progress").status_code == 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    return place


def state_of(app: FastAPI) -> State:
    return app.state.antiphon


def test_a_file_has_a_page_that_stays_with_all_that_a_match_has(asked: TestClient, sent: str) -> None:
    assert re.fullmatch(r"/file/[\w-]{22}", sent)
    for target, heading in (("audio", "Songs for these pictures"), ("video", "Pictures for this song")):
        pages = [asked.get(f"{sent}?target={target}").text for _ in range(2)]
        assert pages[0] == pages[1]  # reloaded
        assert f'<p class="kicker">{heading}</p>' in pages[0] and "<h1" in pages[0] and "a clip" in pages[0]
        assert pages[0].count('class="place"') > 5
        assert "closer than" in pages[0]  # a reason
        assert '<select name="genre"' in pages[0] and "Cut room" in pages[0]
    assert f"{sent}?target=both" in pages[0]
    assert len(asked.get(f"{sent}?target=audio&k=3").text.split('class="place"')) == 4


def test_its_answers_are_those_of_the_same_file_sent_to_the_api(asked: TestClient, sent: str, song: Path) -> None:
    for target in ("audio", "video"):
        page = asked.get(f"{sent}?target={target}&k=4").text
        hits = asked.post(
            f"/api/match?target={target}&k=4", content=song.read_bytes(), headers={"content-type": "video/mp4"}
        ).json()["hits"]
        assert re.findall(r'<p class="title"><a href="([^"]+)"', page) == [hit["page"] for hit in hits]


def test_the_conditions_are_the_address(asked: TestClient, song: Path, index: Index) -> None:
    genre = index.search(Query.from_id(index, "plain"), k=1)[0].metadata["genre"]
    place = send(asked, song.read_bytes(), query=f"?target=video&genre={quote(genre)}")
    assert place.endswith(f"?target=video&genre={quote(genre)}")
    page = asked.get(answered(asked, place)).text
    assert f'<option value="{genre}" selected>' in page
    assert asked.post("/find/file?target=none", files={"file": ("a.mp4", b"x")}).status_code == 422


def test_a_script_is_told_the_address(asked: TestClient, song: Path) -> None:
    found = asked.post(
        "/find/file", files={"file": ("a.mp4", song.read_bytes())}, headers={"accept": "application/json"}
    )
    assert found.status_code == 201
    answered(asked, found.json()["page"])


def test_progress_is_told_in_steps_and_refreshed_without_scripts(service: FastAPI, asked: TestClient) -> None:
    here = state_of(service)
    path = here.workspace.page / "uploads" / "waiting"
    path.write_bytes(b"x" * 2_500_000)
    file = here.sent.add(path, "wait.mp4")
    assert here.sent.begin(file) and not here.sent.begin(file)
    place = f"/file/{file.token}"
    page = asked.get(place).text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert re.findall(r'<li class="(\w+)"', page) == ["done", "now", "later", "later"]
    assert "Received wait.mp4, 2.5 MB" in page and "Reading…" in page
    here.sent.read(file, FileFacts(0.0, 61.0, True, False))
    steps = asked.get(f"{place}/progress")
    assert re.findall(r'<li class="(\w+)"', steps.text) == ["done", "done", "now", "later"]
    assert "Read 1:01 of sound" in steps.text and "Listening…" in steps.text and "<html" not in steps.text
    here.sent.refuse(file, "It is damaged.", 415)
    done = asked.get(f"{place}/progress")
    assert (done.status_code, done.headers["hx-refresh"]) == (204, "true")
    assert asked.get(place).status_code == 415
    assert not file.path.exists()


def test_a_file_that_cannot_be_read_says_why_and_is_deleted(service: FastAPI, asked: TestClient) -> None:
    before = files(service)
    place = answered(asked, send(asked, b"PK\x03\x04 nothing"))
    page = asked.get(place)
    assert page.status_code == 415 and "This file cannot be used" in page.text
    assert str(state_of(service).workspace.page) not in page.text and "process-" not in page.text
    assert files(service) == before


def files(app: FastAPI) -> list[str]:
    folder = state_of(app).workspace.page / "files"
    return sorted(path.name for path in folder.glob("*/[!.]*") if path.suffix not in {".lock", ".json"})


def test_a_hostile_name_runs_nothing_and_is_no_path(service: FastAPI, asked: TestClient, song: Path) -> None:
    place = answered(asked, send(asked, song.read_bytes(), HOSTILE))
    page = asked.get(place).text
    assert "<script>window.hacked" not in page and "\u202e" not in page
    assert all(re.fullmatch(r"[0-9a-f]{16}(\.mp4)?", name) for name in files(service))


def test_its_media_are_served_as_no_page_ever_is(asked: TestClient, sent: str, song: Path) -> None:
    id = quote(f"file:{sent.rpartition('/')[2]}", safe="")
    found = asked.get(f"/media/{id}")
    assert found.content == song.read_bytes()
    assert found.headers["content-type"] == "video/mp4"
    assert "sandbox" in found.headers["content-security-policy"]
    assert found.headers["x-content-type-options"] == "nosniff"
    assert asked.get(f"/media/{id}", headers={"range": "bytes=2-5"}).content == song.read_bytes()[2:6]
    assert asked.get(f"/thumbnail/{id}?at=1").content[:2] == b"\xff\xd8"
    assert asked.get(f"/outline/audio/{id}").json()["peaks"]
    stills = state_of(asked.app).workspace.page / "stills"  # pyright: ignore[reportArgumentType]
    before = len(list(stills.glob("*")))
    asked.get(f"/thumbnail/{id}?at=2")
    assert len(list(stills.glob("*"))) == before  # nothing of it outlives it


@pytest.mark.parametrize("place", ["/video/file%3A{}", "/match/file%3A{}"])
def test_other_pages_of_it_lead_to_its_own(asked: TestClient, sent: str, place: str) -> None:
    token = sent.rpartition("/")[2]
    found = asked.get(f"{place.format(token)}?target=video", follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (303, f"/file/{token}?target=video")


def test_what_is_gone_is_said_so(asked: TestClient) -> None:
    for place in ("/file/AAAAAAAAAAAAAAAAAAAAAA", "/file/x", "/file/%2E%2E"):
        found = asked.get(place, follow_redirects=True)
        assert found.status_code == 404
    assert "This file is gone" in asked.get("/file/AAAAAAAAAAAAAAAAAAAAAA").text
    assert "kept for 60 minutes" in asked.get("/file/AAAAAAAAAAAAAAAAAAAAAA").text
    assert asked.get("/media/file%3AAAAA").status_code == 404
    assert asked.get("/cut/file%3AAAAA").status_code == 404


class Clock:
    """Seconds that pass when they are told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[SentFiles]:
    found = SentFiles(tmp_path / "files", SentLimits(keep_s=100, max_files=3, max_bytes=1000), clock)
    yield found
    found.close()


def added(kept: SentFiles, tmp_path: Path, size: int = 10) -> SentFile:
    path = tmp_path / "arrived"
    path.write_bytes(bytes(size))
    return kept.add(path, "x.mp4")


def test_a_file_goes_when_its_time_is_over(kept: SentFiles, tmp_path: Path, clock: Clock) -> None:
    file = added(kept, tmp_path)
    clock.now_s = 99.9
    kept.sweep()
    assert kept.get(file.token) is not None and kept.by_id(file.id) is not None and file.path.exists()
    clock.now_s = 100.0
    assert kept.get(file.token) is None
    kept.sweep()
    assert kept.size_bytes == 0 and {path.suffix for path in kept.folder.iterdir()} <= {"", ".lock"}


def test_the_first_files_go_when_there_are_too_many_or_too_large_ones(kept: SentFiles, tmp_path: Path) -> None:
    made = [added(kept, tmp_path) for _ in range(4)]
    assert [kept.get(file.token) is not None for file in made] == [False, True, True, True]
    large = added(kept, tmp_path, 985)
    assert [kept.get(file.token) is not None for file in [*made, large]] == [False, False, False, True, True]
    assert sorted(path.name for path in kept.folder.glob("*.mp4")) == sorted([made[3].path.name, large.path.name])
    kept.close()
    assert not list((tmp_path / "files").glob("process-*"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("", "Your file"),
        ("a/b\\c.mov", "c.mov"),
        ("\u202egpj.exe\x00\n", "gpj.exe"),
        ("x" * 500 + ".mp4", "x" * 112 + "….mp4"),
        ("…", "…"),
        ("./", "Your file"),
    ],
)
def test_names_are_plain_text(given: str, shown: str) -> None:
    assert plain_name(given) == shown


def test_too_many_that_wait_are_told_to_come_again(service: FastAPI, asked: TestClient, tmp_path: Path) -> None:
    here = state_of(service)
    waiting = [added(here.sent, tmp_path) for _ in range(here.sent.limits.max_waiting)]
    assert all(here.sent.begin(file) for file in waiting)
    found = asked.post("/find/file", files={"file": ("a.mp4", b"x")})
    assert found.status_code == 503 and found.headers["retry-after"]
    assert asked.get("/api/health").json()["files_under_way"] == len(waiting)
    for file in waiting:
        here.sent.refuse(file, "left", 415)


def test_a_read_only_service_takes_none(workspace: Workspace, index: Index) -> None:
    with TestClient(create_app(workspace, index, RUN, access=Access(read_only=True)), base_url=HOST) as client:
        assert client.post("/find/file", files={"file": ("a.mp4", b"x")}).status_code == 403
        assert "data-max-bytes" not in client.get("/help").text


def test_the_log_does_not_tell_who_may_see_it(workspace: Workspace, index: Index) -> None:
    log = io.StringIO()
    with TestClient(create_app(workspace, index, RUN, telemetry=Telemetry(log)), base_url=HOST) as client:
        for place in ("/file/SECRET", "/media/file:SECRET", "/cut/file%3ASECRET", "/thumbnail/file:SECRET"):
            client.get(place)
    assert log.getvalue().count("\n") == 4 and "SECRET" not in log.getvalue()
