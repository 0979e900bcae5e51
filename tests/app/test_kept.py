"""What is made once and kept: the gallery and the map, until the index or the catalogue changes."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from antiphon.app import searching
from antiphon.app.application import create_app
from antiphon.app.kept import Kept
from antiphon.app.searching import Searcher
from antiphon.catalogue import Catalogue
from antiphon.errors import SearchError
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, TestClient


@pytest.fixture
def place(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of the test's own."""
    found = Workspace(tmp_path / "work")
    shutil.copytree(workspace.root, found.root, ignore=shutil.ignore_patterns("page", "runs", "features"))
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that searches were made with."""
    ids: list[str] = []
    original = Searcher.by_id

    def counted(self: Searcher, id: str, *given: Any, **named: Any) -> Any:
        ids.append(id)
        return original(self, id, *given, **named)

    monkeypatch.setattr(Searcher, "by_id", counted)
    return ids


def serve(place: Workspace) -> TestClient:
    """The service, which looks at the files at every request."""
    app = create_app(place, Index.open(place.index))
    app.state.antiphon.served.snapshot._every_s = 0
    return TestClient(app, base_url=HOST)


def test_few_things_are_kept_and_the_oldest_goes() -> None:
    kept: Kept[int] = Kept(2)
    made: list[int] = []

    def make(number: int, may_be_kept: bool = True) -> int:
        return kept.get(number, lambda: (made.append(number) or number, may_be_kept))

    assert [make(number) for number in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 2]
    assert made == [1, 2, 3, 2]
    assert len(kept) == 2
    assert [make(9, may_be_kept=False) for _ in range(2)] == [9, 9]
    assert made[-2:] == [9, 9]
    kept.clear()
    assert len(kept) == 0


def test_a_gallery_is_made_once_until_the_index_changes(place: Workspace, asked: list[str]) -> None:
    client = serve(place)
    first = client.get("/gallery?seed=3")
    assert first.status_code == 200
    assert len(asked) == 8
    assert client.get("/gallery?seed=3").text == first.text
    assert len(asked) == 8
    client.get("/gallery?seed=4")
    assert len(asked) == 16
    Index.open(place.index).remove([asked[0]])
    assert client.get("/gallery?seed=3").text != first.text
    assert len(asked) > 16


def drawn(client: TestClient) -> str:
    """The version of the map, when it is there."""
    while (found := client.get("/map.json")).status_code == 202:
        time.sleep(0.02)
    return found.json()["version"]


def test_gallery_and_map_show_the_catalogue_of_today(place: Workspace) -> None:
    client = serve(place)
    version = drawn(client)
    before = [client.get(path).text for path in ("/gallery", "/map")]
    rows = [dict(row) | {"title": "Renamed", "genre": "new wave"} for row in Catalogue.load(place.catalogue).records()]
    Catalogue(rows).save(place.catalogue)
    gallery = client.get("/gallery").text
    assert drawn(client) == version
    after = [gallery, client.get("/map").text]
    for was, now in zip(before, after, strict=True):
        assert "Renamed" in now
        assert "Renamed" not in was
    assert "new wave" in after[1]
    assert "new wave" not in before[1]
    found = client.get("/map/items", params={"version": version}).json()
    assert {item[1] for item in found} == {"Renamed"}


def test_a_failure_is_not_kept(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(place)

    def fails(*_: Any, **__: Any) -> Any:
        raise SearchError("out of order")

    with monkeypatch.context() as patch:
        patch.setattr(Searcher, "by_id", fails)
        assert "out of order" in client.get("/gallery").text
    assert "out of order" not in client.get("/gallery").text


def test_what_was_kept_is_gone_when_the_index_is_of_another_model(place: Workspace) -> None:
    client = serve(place)
    kept = client.get("/gallery").text
    ids = Index.open(place.index).ids
    Index.from_vectors(
        ids, [[float(row == column) for column in range(len(ids))] for row in range(len(ids))], place.index
    )
    after = client.get("/gallery")
    assert after.status_code == 200
    assert after.text != kept


def test_what_is_usual_is_measured_once_for_all_requests(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[object] = []
    original = searching.usual_cosines
    monkeypatch.setattr(searching, "usual_cosines", lambda space: (measured.append(space), original(space))[1])
    monkeypatch.setattr("antiphon.recommendation.reasons.usual_cosines", lambda space: pytest.fail("measured again"))
    client = serve(place)
    first, second = (client.post("/api/recommend", json={"history": [IDS[0]]}).json() for _ in range(2))
    assert first == second
    assert first["hits"]
    assert client.get("/api/similar", params={"id": "plain"}).status_code == 200
    assert len(measured) == 1
