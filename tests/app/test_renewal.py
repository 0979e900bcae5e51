"""An index of another model is served once it is there, and the first one too; a damaged one changes nothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.app.renewal import renew
from antiphon.errors import SearchError
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, RUN
from .serving import until


@pytest.fixture
def place(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The workspace with a copy of the index."""
    found = Workspace(tmp_path / "work")
    found.folder.mkdir()
    for path in workspace.folder.iterdir():
        if path.name not in {"index", "page"}:
            (found.folder / path.name).symlink_to(path)
    shutil.copytree(workspace.index, found.index)
    return found


def test_another_model_s_index_is_served_without_a_restart(place: Workspace) -> None:
    app = create_app(place, Index.open(place.index), RUN)
    with TestClient(app, base_url=HOST) as client:
        assert client.get("/api/health").json()["run"] == RUN
        ids = Index.open(place.index).ids
        Index.from_vectors(ids, np.eye(len(ids)), path=place.index)
        until(lambda: client.get("/api/health").json()["run"] == "")
        found = client.get(f"/api/similar?id={'plain'}").json()["hits"]
        assert len(found) == 10 and {hit["score"] for hit in found} == {0.0}
        assert client.post("/api/embed", content=b"x").status_code == 503


def test_until_the_first_index_there_is_a_page_that_says_so(place: Workspace) -> None:
    index = place.index.rename(place.folder / "later")
    app = create_app(place, None)
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        assert client.get("/").headers["location"] == "/status"
        assert "none of which can be searched yet" in client.get("/status").text
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        for path in ("/map", "/gallery", "/video/plain", "/api/search?q=calm"):
            answer = client.get(path)
            assert answer.status_code == 503 and "being prepared" in answer.text
        index.rename(place.index)
        until(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/").status_code == 200


def test_what_cannot_be_opened_changes_nothing(place: Workspace) -> None:
    app = create_app(place, Index.open(place.index), RUN)
    here, before = app.state.antiphon, app.state.antiphon.served
    assert not renew(here)
    (place.index / "index.toml").write_text("format = 'none'")
    with pytest.raises(SearchError):
        renew(here)
    assert here.served is before
