"""A file that is asked with is opened for decoding once by Python and service, and everybody gets the same list."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

import antiphon as ap
from antiphon.app.api import match as match_route
from antiphon.app.application import create_app
from antiphon.app.schemas import conditions as http_conditions
from antiphon.app.schemas import conditions_of_match
from antiphon.app.state import State
from antiphon.cli.app import run
from antiphon.cli.search import search as search_verb
from antiphon.media import decoding, probing, windows
from antiphon.search.filters import Conditions
from antiphon.segments import reading
from antiphon.workspace import Workspace

from .conftest import HOST, RUN, TestClient
from .test_sent_files import answered, send

TARGETS = ("both", "audio", "video")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often files are opened for decoding and for probing in this process."""
    counts: Counter[str] = Counter()

    def counting(name: str, original):
        def counted(uri, *arguments, **options):
            counts[name] += 1
            return original(uri, *arguments, **options)

        return counted

    monkeypatch.setattr(decoding, "open_container", counting("decoded", decoding.open_container))
    monkeypatch.setattr(reading, "probe_media", counting("probed", probing.probe_media))
    assert windows.decode_stretches is decoding.decode_stretches
    yield counts


@pytest.fixture
def in_process(workspace: Workspace, index: ap.Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The service with its worker's work done in this process, where it can be counted."""
    from antiphon.app.encoding import prepare_model

    app = create_app(workspace, index, RUN)
    state: State = app.state.antiphon
    work = prepare_model(str(workspace.run(RUN)), index.origin.model)
    assert state.encoder is not None
    monkeypatch.setattr(state.encoder, "stream", work)
    with TestClient(app, base_url=HOST) as client:
        yield client


@pytest.mark.parametrize("target", TARGETS)
def test_python_command_line_and_service_agree_and_open_no_file_twice_in_a_process(
    target: str, workspace: Workspace, song: Path, in_process: TestClient, opened: Counter[str], capsys
) -> None:
    model = ap.DualEncoder.load(workspace.run(RUN))
    index = ap.Index.open(workspace.index)
    hits = index.search(ap.Query.from_file(song, model), target=target, k=5)  # pyright: ignore[reportArgumentType]
    assert opened == {"decoded": 1, "probed": 1}

    opened.clear()
    asked = ["-w", str(workspace.root), "--json", "search", str(song), "--target", target, "-k", "5"]
    assert run(asked) == 0
    printed = json.loads(capsys.readouterr().out)["hits"]
    assert opened == {}, "the command line reads a file in a process of its own, with limits"
    assert printed == hits.to_dicts()

    opened.clear()
    page = in_process.get(answered(in_process, send(in_process, song.read_bytes(), query=f"?target={target}&k=5")))
    assert opened == {"decoded": 1, "probed": 1}
    assert [unescape(id) for id in re.findall(r'<p class="id">(.*?)</p>', page.text)] == [hit.id for hit in hits]

    opened.clear()
    route = "similar" if target == "both" else f"match?target={target}"
    answer = in_process.post(
        f"/api/{route}{'&' if '?' in route else '?'}k=5",
        content=song.read_bytes(),
        headers={"content-type": "video/mp4"},
    ).json()
    assert opened == {"decoded": 1, "probed": 1}
    assert [{key: hit[key] for key in printed[0]} for hit in answer["hits"]] == printed


def test_a_file_is_asked_under_all_conditions_of_an_id(
    in_process: TestClient, song: Path, workspace: Workspace
) -> None:
    place = answered(in_process, send(in_process, song.read_bytes()))

    def listed(**conditions: object) -> list[str]:
        found = in_process.get(place, params=conditions)
        assert found.status_code == 200
        return [unescape(id) for id in re.findall(r'<p class="id">(.*?)</p>', found.text)]

    index = ap.Index.open(workspace.index)
    every = listed()
    about = {id: index.item(id).metadata for id in every}
    genre, artist = about[every[0]]["genre"], about[every[0]]["artist"]
    assert listed(genre=genre) == [id for id in every if about[id]["genre"] == genre]
    assert listed(artist=artist) == [id for id in every if about[id]["artist"] == artist]
    assert listed(not_artist=artist) == [id for id in every if about[id]["artist"] != artist]
    year = about[every[1]]["year"]
    assert listed(min_year=year) == [id for id in every if about[id]["year"] >= year]
    assert listed(max_year=year) == [id for id in every if about[id]["year"] <= year]
    assert listed(k=2) == every[:2]
    query = ap.Query.from_file(song, ap.DualEncoder.load(workspace.run(RUN)))
    for options in ({"diversity": 0.9}, {"rerank": True}, {"weight": 0.0}):
        assert listed(target="both", **options) == [hit.id for hit in index.search(query, k=len(every), **options)], (
            options
        )
    assert listed(diversity=0.9) != every


def test_conditions_have_one_name_each() -> None:
    """In Python, on the command line, and over HTTP."""
    names = set(inspect.signature(Conditions).parameters)
    over_http = set(inspect.signature(http_conditions).parameters) | set(
        inspect.signature(conditions_of_match).parameters
    )
    assert over_http - {"others"} == names
    python = set(inspect.signature(ap.Index.search).parameters) | set(inspect.signature(ap.Where).parameters)
    assert names <= python
    assert issubclass(inspect.signature(search_verb).parameters["conditions"].default.__class__, Conditions)
    for side in ("target", "by"):
        assert side in inspect.signature(search_verb).parameters
        assert side in inspect.signature(ap.Index.search).parameters
    assert "target" in inspect.signature(match_route).parameters


def test_artists_can_be_left_out_by_name_over_http(client: TestClient) -> None:
    first = client.get("/api/similar", params={"id": "plain"}).json()["hits"][0]
    kept = client.get("/api/similar", params={"id": "plain", "not_artist": first["artist"]}).json()["hits"]
    assert kept
    assert first["artist"] not in {hit["artist"] for hit in kept}
