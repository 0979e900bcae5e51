"""What is silent throughout is no answer by sound, and what is black throughout is none by pictures."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.app.templating import address
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN

SILENT, BLACK, HALF = IDS[9], IDS[10], IDS[7]


@pytest.fixture
def visitor(workspace: Workspace, index: Index) -> Iterator[TestClient]:
    """A service in which one is silent, one black, and one silent in its first segment."""
    app = create_app(workspace, index, RUN)
    videos = app.state.antiphon.searcher.library.videos
    for id, words, whole in (
        (SILENT, "Silent sound", True),
        (BLACK, "Black pictures", True),
        (HALF, "Silent sound", False),
    ):
        first, *others = videos[id].segments
        assert others
        flagged = [replace(one, flags=(words,)) for one in ([first, *others] if whole else [first])]
        videos[id] = replace(videos[id], segments=(*flagged, *([] if whole else others)))
    with TestClient(app, base_url=HOST) as client:
        yield client


@pytest.mark.parametrize(("side", "gone", "words"), [("audio", SILENT, "silent"), ("video", BLACK, "black")])
def test_an_empty_side_is_no_answer_and_that_is_said(visitor: TestClient, side: str, gone: str, words: str) -> None:
    def found(**asked: str) -> set[str]:
        hits = visitor.get("/api/similar", params={"id": "plain", "k": "11"} | asked).json()["hits"]
        return {hit["id"] for hit in hits}

    assert found(by=side) == {*IDS} - {"plain", gone}
    assert found() == {*IDS} - {"plain"}
    said = f"1 music video left out: {words} throughout."
    matches = visitor.get("/match/plain", params={"target": side, "k": "12"}).text
    assert said in matches and f'"{address(gone)}"' not in matches and f'"{address(HALF)}"' in matches
    assert said in visitor.get("/video/plain").text
    assert visitor.get("/cut/plain", params={"target": side}).status_code == 200
