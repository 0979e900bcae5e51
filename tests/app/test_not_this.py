"""“Not this”: left out of the next answers to the same question, on its page, in its cut room, and by recommend."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.search import Index
from antiphon.shortlists import Rejections
from antiphon.workspace import Workspace

from .conftest import HOST, RUN
from .test_sent_files import answered, send


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The workspace, with a file of rejections of its own."""
    found = Workspace(tmp_path / "work")
    found.folder.mkdir()
    for path in workspace.folder.iterdir():
        if path.name != "page" and "rejections" not in path.name:
            (found.folder / path.name).symlink_to(path)
    return found


@pytest.fixture
def asked(own: Workspace, index: Index) -> Iterator[TestClient]:
    with TestClient(create_app(own, index, RUN), base_url=HOST) as client:
        yield client


def answers(page: str) -> list[str]:
    """Ids of the answers of a page."""
    return [unescape(id) for id in re.findall(r'<p class="id">([^<]*)</p>\s*</div>\s*</li>', page)]


def say(client: TestClient, id: str, asking: str = "plain", target: str = "audio", **more: str) -> str:
    """Say that an answer does not fit; where that leads."""
    data = {"asking": asking, "target": target, "id": id, **more}
    found = client.post("/not-this", data=data, follow_redirects=False)
    assert found.status_code == 303, found.text
    return found.headers["location"]


def test_it_is_left_out_of_the_same_question_until_undone(asked: TestClient, own: Workspace) -> None:
    before = answers(asked.get("/match/plain?k=4").text)
    assert say(asked, before[1], query="k=4&genre=&target=video") == "/match/plain?k=4&target=audio"
    page = asked.get("/match/plain?k=4").text
    assert answers(page)[:3] == [before[0], *before[2:]]
    assert len(answers(page)) == 4  # the next one takes its place
    assert "Undo “not this”" in page and "3 of" not in page
    assert before[1] in answers(asked.get("/match/plain?k=11&target=video").text)  # another question
    assert before[1] not in re.findall(r'data-row data-id="([^"]*)"', asked.get("/cut/plain?target=audio").text)
    assert Rejections(own.rejections).of("plain", "audio") == (before[1],)
    say(asked, before[1], do="undo")
    assert answers(asked.get("/match/plain?k=4").text) == before


def test_it_is_respected_by_recommend(asked: TestClient) -> None:
    best = asked.post("/api/recommend", json={"history": ["plain"], "k": 3}).json()["hits"][0]["id"]
    assert say(asked, best, target="both") == "/video/plain"
    found = asked.post("/api/recommend", json={"history": ["plain"], "k": 11}).json()["hits"]
    assert best not in [hit["id"] for hit in found] and len(found) == 10
    others = asked.post("/api/recommend", json={"history": ["x/.."], "k": 11}).json()["hits"]
    assert best in [hit["id"] for hit in others]
    assert best not in answers(asked.get("/video/plain").text)


def test_it_goes_with_a_clients_file(asked: TestClient, own: Workspace, song: Path) -> None:
    place = answered(asked, send(asked, song.read_bytes()))
    asking = f"file:{place.rpartition('/')[2]}"
    before = answers(asked.get(place).text)
    assert say(asked, before[0], asking, query="k=12") == f"{place}?k=12&target=audio"
    assert answers(asked.get(place).text) == before[1:]
    assert before[0] in answers(asked.get(f"{place}?target=both").text)
    assert not own.rejections.exists()
    say(asked, before[0], asking, do="undo")
    assert answers(asked.get(place).text) == before


@pytest.mark.parametrize(
    ("asking", "target", "id", "do", "status"),
    [
        ("nobody", "audio", "plain", "", 404),
        ("plain", "audio", "nobody", "", 404),
        ("plain", "smell", "x/..", "", 422),
        ("plain", "audio", "x/..", "burn", 422),
        ("file:AAAA", "audio", "plain", "", 404),
    ],
)
def test_what_is_no_answer_is_refused(
    asked: TestClient, asking: str, target: str, id: str, do: str, status: int
) -> None:
    data = {"asking": asking, "target": target, "id": id, "do": do}
    assert asked.post("/not-this", data=data, follow_redirects=False).status_code == status


def test_no_address_leads_away(asked: TestClient) -> None:
    for query in ("//evil.example", "?x=1#y", "https://evil.example/?a=b", "a=1\r\nSet-Cookie: x=1"):
        assert say(asked, "x/..", query=query).startswith("/match/plain?")


def test_what_was_said_first_is_forgotten_first(tmp_path: Path) -> None:
    said = Rejections(tmp_path / "rejections.sqlite", 20)
    assert said.of("a", "audio") == () and said.of_any(["a"]) == frozenset()
    said.remove("a", "audio", "x")
    assert not said.path.exists()
    for number in range(21):
        said.add("a", "audio", f"v{number}")
        said.add("a", "audio", f"v{number}")
    assert said.of("a", "audio") == tuple(f"v{number}" for number in range(3, 21))
    said.add("b", "both", "v1")
    assert said.of_any(["a", "b", "c"]) == {"v1", *(f"v{number}" for number in range(3, 21))}
