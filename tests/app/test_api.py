"""The programming interface."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.app.encoding import FileFacts
from antiphon.dual_encoder import DualEncoder
from antiphon.search import Index, Query
from antiphon.workers.limits import JobError
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN


def test_health_says_on_what_it_works(client: TestClient) -> None:
    found = client.get("/api/health").json()
    assert (found["status"], found["run"], found["videos"], found["encodes_files"]) == ("ok", RUN, len(IDS), True)


@pytest.mark.parametrize("by", ["audio", "video", "both"])
def test_similar_gives_what_the_index_finds(client: TestClient, index: Index, by: str) -> None:
    found = client.get("/api/similar", params={"id": "plain", "by": by, "k": 5, "weight": 0.3}).json()
    expected = index.search(Query.from_id(index, "plain"), k=5, by=by, weight=0.3)  # pyright: ignore[reportArgumentType]
    assert [(hit["id"], hit["score"]) for hit in found["hits"]] == [(hit.id, hit.score) for hit in expected]
    assert found["hits"][0]["moments"][0]["start_s"] == expected[0].moments[0].start_s
    assert "plain" not in [hit["id"] for hit in found["hits"]]


@pytest.mark.parametrize("target", ["audio", "video"])
def test_match_gives_what_the_index_finds(client: TestClient, index: Index, target: str) -> None:
    found = client.get("/api/match", params={"id": "plain", "target": target, "k": 4}).json()
    expected = index.search(Query.from_id(index, "plain"), target=target, k=4)  # pyright: ignore[reportArgumentType]
    assert [hit["id"] for hit in found["hits"]] == [hit.id for hit in expected]


def test_filters_hold(client: TestClient) -> None:
    mine = client.get("/api/items", params={"q": "plain"}).json()["items"][0]
    others = client.get("/api/similar", params={"id": "plain", "other_artists": True}).json()["hits"]
    assert others and mine["artist"] not in {hit["artist"] for hit in others}
    genre = others[0]["genre"]
    kept = client.get("/api/similar", params={"id": "plain", "genre": genre}).json()["hits"]
    assert {hit["genre"] for hit in kept} == {genre}


@pytest.mark.parametrize("id", IDS)
def test_every_id_can_be_asked_for_and_leads_to_its_file(server: str, id: str) -> None:
    with httpx.Client(base_url=server, timeout=60) as client:
        items = client.get("/api/items", params={"q": id}).json()["items"]
        assert items[0]["id"] == id
        assert client.get("/api/similar", params={"id": id}).status_code == 200
        for place in ("page", "thumbnail", "media"):
            assert client.get(items[0][place]).status_code == 200, items[0][place]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("/api/similar?id=nobody", 404),
        ("/api/match?id=nobody&target=audio", 404),
        ("/api/match?id=plain&target=smell", 422),
        ("/api/match?id=plain", 422),
        ("/api/similar?id=plain&k=0", 422),
        ("/api/similar?id=plain&k=1000000", 422),
        ("/api/similar?id=plain&weight=2", 422),
        ("/api/nothing", 404),
    ],
)
def test_errors_are_told_as_documented(client: TestClient, query: str, status: int) -> None:
    found = client.get(query)
    assert found.status_code == status
    assert set(found.json()) == {"detail"}


def test_a_file_is_embedded_as_the_model_does_it(client: TestClient, workspace: Workspace, song: Path) -> None:
    found = client.post("/api/embed", content=song.read_bytes(), headers={"content-type": "video/mp4"}).json()
    model = DualEncoder.load(workspace.run(RUN))
    for side in ("audio", "video"):
        expected = model.encode_file(song)[side]  # pyright: ignore[reportArgumentType]
        assert [tuple(window) for window in found[side]["windows"]] == expected.windows
        np.testing.assert_allclose(found[side]["vectors"], expected.segments, atol=1e-4)


def test_a_file_of_the_catalogue_finds_itself(client: TestClient, song: Path) -> None:
    found = client.post("/api/similar", content=song.read_bytes(), headers={"content-type": "video/mp4"}).json()
    assert found["hits"][0]["id"] == "plain"
    assert found["hits"][0]["score"] > 0.9


def test_a_form_is_as_good_as_a_body(client: TestClient, song: Path) -> None:
    plain = client.post("/api/match?target=audio", content=song.read_bytes(), headers={"content-type": "video/mp4"})
    form = client.post(
        "/api/match?target=audio", data={"question": "songs"}, files={"file": ("../../x.mp4", song.read_bytes())}
    )
    assert form.json() == plain.json()


def test_recommendations_are_new_and_say_why(client: TestClient) -> None:
    liked = ["plain", IDS[0]]
    found = client.post("/api/recommend", json={"history": liked, "k": 4}).json()["hits"]
    assert len(found) == 4 and not {hit["id"] for hit in found} & set(liked)
    assert all(hit["reasons"][0].startswith("like ") for hit in found)
    assert client.post("/api/recommend", json={"history": []}).status_code == 422


def test_a_history_with_unknown_videos_is_refused_by_their_names(client: TestClient) -> None:
    found = client.post("/api/recommend", json={"history": ["plain", "nobody", "<b>"]})
    assert found.status_code == 404
    assert found.json()["detail"] == "Not in this catalogue or its index: 'nobody', '<b>'."
    many = client.post("/api/recommend", json={"history": [f"no{number}" for number in range(1000)]})
    assert many.json()["detail"].endswith("'no9' and 990 more.")


def test_a_video_that_is_not_indexed_is_refused_without_a_path(workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(workspace.index, tmp_path / "index")
    index = Index.open(tmp_path / "index")
    index.remove("plain")
    with TestClient(create_app(workspace, index, RUN), base_url=HOST) as client:
        for route in ("similar?id=plain", "match?id=plain&target=audio"):
            found = client.get(f"/api/{route}")
            assert (found.status_code, found.json()["detail"]) == (404, "No video 'plain' in this index.")
        assert client.get("/api/similar?id=plain&min_year=99999999999999999999").status_code == 422


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "Body: is missing."),
        ("[1]", "Body: must be an object"),
        ("{", "The body is not JSON: "),
        ('{"k": 3}', "Body, field history: is missing."),
        ('{"history": ["plain", 7], "k": 0}', "Body, field history.1: must be text, not “7”; Body, field k: "),
    ],
)
def test_what_is_wrong_with_a_body_is_told_by_its_place(client: TestClient, body: str | None, said: str) -> None:
    found = client.post("/api/recommend", content=body, headers={"content-type": "application/json"})
    assert found.status_code == 422
    assert found.json()["detail"].startswith(said)


def test_what_is_wrong_with_a_parameter_is_told_by_its_name(client: TestClient) -> None:
    assert client.get("/api/match?id=plain").json()["detail"] == "Parameter target: is missing."


def test_a_fault_of_ours_is_not_blamed_on_the_file(
    app: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumbles(job: object) -> Iterator[object]:
        yield FileFacts(0.0, 1.0, True, True)
        raise JobError("KeyError", "'secret'", "the traceback")

    encoder = app.state.antiphon.encoder
    monkeypatch.setattr(encoder, "stream", stumbles)
    found = client.post("/api/embed", content=b"x", headers={"content-type": "video/mp4"})
    assert (found.status_code, found.json()["detail"]) == (500, "The service failed on this file; see its log.")
    assert "the traceback" in capsys.readouterr().err


def test_the_page_shows_every_route_and_the_fields_of_bodies(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.url.path == "/api"
    document = client.get("/api/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, asked in methods.items():
            assert f"<code>{method.upper()} {path}</code>" in page.text
            assert all(one.get("description") for one in asked.get("parameters", ())), path
    recommend = page.text.partition("<code>POST /api/recommend</code>")[2].partition("</section>")[0]
    assert "<td><code>history</code></td><td>list of string</td><td>required</td>" in recommend
    assert "<td><code>k</code></td><td>integer, 1 to 100</td><td>10</td>" in recommend
    assert "The body is the file itself" in page.text.partition("<code>POST /api/embed</code>")[2]


def test_the_description_names_all_refusals(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    for path in ("/api/similar", "/api/match", "/api/embed"):
        assert {"408", "413", "415", "422", "500", "503", "507"} <= set(paths[path]["post"]["responses"])
    assert "404" in paths["/api/similar"]["get"]["responses"]
    assert not [path for path in paths if not path.startswith("/api/")]
    assert "/api/similar" in paths


def test_conditions_hold_for_a_file_as_for_an_id(client: TestClient, song: Path) -> None:
    kinds = {"content-type": "video/mp4"}
    asked = {"content": song.read_bytes(), "headers": kinds}
    for path in ("similar?k=20", "match?k=20&target=audio"):
        genres = [one["genre"] for one in client.post(f"/api/{path}", **asked).json()["hits"]]
        found = client.post(f"/api/{path}&genre={genres[0]}", **asked).json()["hits"]
        assert {one["genre"] for one in found} == {genres[0]} < set(genres)


def test_a_parameter_that_is_misspelt_is_refused(client: TestClient) -> None:
    found = client.get("/api/similar?id=plain&gerne=folk")
    assert found.status_code == 422
    assert "Unknown parameter: gerne. Known: artist, by, diversity, genre, id, k" in found.json()["detail"]
