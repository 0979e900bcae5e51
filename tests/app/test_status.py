"""How a service stands: what is there, what failed and why, in JSON and on a page."""

import pytest
from fastapi.testclient import TestClient

from antiphon.app import status
from antiphon.app.application import create_app
from antiphon.catalogue import Catalogue
from antiphon.search import Index
from antiphon.workspace import Failure, Workspace

from .conftest import HOST, RUN


@pytest.fixture
def place(workspace: Workspace, tmp_path) -> Workspace:
    found = Workspace(tmp_path / "work")
    found.folder.mkdir()
    for path in workspace.folder.iterdir():
        if path.name not in {"page", "failures.parquet"}:
            (found.folder / path.name).symlink_to(path)
    return found


def test_failures_are_told_with_their_reasons_and_without_folders(place: Workspace, index: Index) -> None:
    where = place.folder / "segments" / "x"
    place.write_failures([Failure("plain", "extract", "DecodeError", f"<b> {where}: is damaged.")])
    with TestClient(create_app(place, index, RUN), base_url=HOST) as client:
        found = client.get("/api/status").json()
        assert (found["videos"], found["searchable"], found["failed"], found["run"]) == (12, 12, 1, RUN)
        assert found["failures"] == [{"id": "plain", "stage": "extract", "message": "<b> x: is damaged."}]
        assert found["upkeep"] is None and found["versions"]["antiphon"] and found["free_bytes"] > 0
        page = client.get("/status").text
        assert "&lt;b&gt; x: is damaged." in page and str(place.folder) not in page
        part = client.get("/status", headers={"hx-request": "true"}).text
        assert "is damaged" in part and "<html" not in part


def test_a_damaged_catalogue_is_told(place: Workspace, index: Index) -> None:
    app = create_app(place, index, RUN)
    place.catalogue.unlink()
    place.catalogue.write_bytes(b"PAR1 no more")
    with TestClient(app, base_url=HOST) as client:
        assert "catalogue.parquet" in client.get("/api/status").json()["fault"]
        assert client.get("/status").status_code == 200


def test_only_what_watches_a_folder_looks_again(client: TestClient) -> None:
    answer = client.post("/api/refresh")
    assert answer.status_code == 409 and "antiphon up" in answer.json()["detail"]


def test_an_unchanged_catalogue_is_counted_once(
    place: Workspace, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create_app(place, index, RUN), base_url=HOST) as client:
        reads: list[object] = []
        read = Catalogue.load
        monkeypatch.setattr(status.Catalogue, "load", lambda path: (reads.append(path), read(path))[1])
        found = [client.get("/api/status").json()["videos"] for _ in range(3)]
        assert (found, len(reads)) == ([12, 12, 12], 1)
        catalogue = Catalogue(Catalogue.load(place.catalogue).records()[:5])
        place.catalogue.unlink()
        catalogue.save(place.catalogue)
        assert client.get("/api/status").json()["videos"] == 5
