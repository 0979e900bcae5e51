"""The pages as they are written: whole, escaped, and of use without scripts."""

import io
import json
import os
import re
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from rich.console import Console

from antiphon.app.application import create_app
from antiphon.app.templating import address
from antiphon.catalogue import Catalogue
from antiphon.cli.evaluate import show_ranks
from antiphon.embeddings import Modality as Side
from antiphon.presentation.numbers import clock
from antiphon.runs import METRICS_FILE, REPORT_FILE
from antiphon.search import Index, Query
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN, SCRIPT

PAGES = (
    "/",
    "/map",
    "/gallery",
    "/evaluation",
    "/help",
    "/api",
    "/video/plain",
    "/match/plain?target=video",
    "/cut/plain?target=audio",
    "/?q=plain",
)


class Links(HTMLParser):
    """All that a page refers to, and all that is written into its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for name in ("src", "href", "action") if (value := given.get(name))]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole_and_takes_nothing_from_elsewhere(client: TestClient, page: str) -> None:
    found = client.get(page)
    assert found.status_code == 200
    links = Links(found.text)
    assert links.inline == []
    assert [link for link in links.links if not link.startswith(("/", "#"))] == []
    for link in links.links:
        if link.startswith("/static/"):
            assert client.get(link).status_code == 200


def test_titles_and_ids_are_text(client: TestClient) -> None:
    found = client.get("/?q=hacked").text
    assert SCRIPT not in found
    assert "&lt;script&gt;" in found
    assert "{{ 7 * 7 }} %0A" in client.get("/?q=7").text
    named = IDS[3]
    assert named not in client.get("/", params={"q": named}).text


def test_the_search_works_without_scripts(client: TestClient) -> None:
    assert address("plain") in client.get("/?q=plain").text
    assert "Nothing in the catalogue" in client.get("/?q=zzzz").text
    assert client.get("/find?q=plain").text.count("<li>") == 1
    nothing = client.get("/find?q=sad+and+slow%2C+no+drums")
    assert nothing.status_code == 200 and "Nothing in the catalogue has “sad and slow, no drums”" in nothing.text


def test_a_long_text_that_finds_nothing_is_echoed_in_part(client: TestClient) -> None:
    assert f"“{'z' * 79}…”" in client.get(f"/?q={'z' * 500}").text


def test_match_plays_the_pictures_with_the_other_song(client: TestClient, index: Index) -> None:
    best = index.search(Query.from_id(index, "plain"), target="audio", k=1)[0]
    found = client.get("/match/plain?target=audio").text
    moment = best.moments[0]
    assert f'data-video="/media/plain" data-video-at="{moment.query_start_s:.2f}"' in found
    assert f'data-audio="{address(best.id, "media")}" data-audio-at="{moment.start_s:.2f}"' in found


@pytest.mark.parametrize("target", ["audio", "video"])
def test_match_says_from_where_song_and_pictures_play(client: TestClient, index: Index, target: Side) -> None:
    moment = index.search(Query.from_id(index, "plain"), target=target, k=1)[0].moments[0]
    theirs, own = clock(moment.start_s or 0.0), clock(moment.query_start_s or 0.0)
    song, pictures = (theirs, own) if target == "audio" else (own, theirs)
    found = re.sub("<[^>]+>", "", client.get(f"/match/plain?target={target}").text)
    assert f"song from {song}, pictures from {pictures}" in found


def test_three_reasons_are_shown_and_the_rest_unfolds(client: TestClient) -> None:
    hits = client.get("/api/similar", params={"id": "plain", "by": "both", "k": 8}).json()["hits"]
    long = next(hit for hit in hits if len(hit["reasons"]) > 3)
    found = client.get("/video/plain").text
    rest = " · ".join(escape(one) for one in long["reasons"][3:])
    assert f'<p class="why">{" · ".join(escape(one) for one in long["reasons"][:3])}</p>' in found
    assert f"<summary>{len(long['reasons']) - 3} more</summary>{rest}</details>" in found


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/evaluation",
        "/map",
        "/gallery",
        f"/video/{quote(IDS[0], safe='')}",
        f"/match/{quote(IDS[0], safe='')}?target=audio",
    ],
)
def test_synthetic_videos_are_called_that(
    workspace: Workspace, index: Index, client: TestClient, tmp_path: Path, page: str
) -> None:
    assert f"All {len(IDS)} videos are" in client.get(page).text
    records = Catalogue.load(workspace.catalogue).records()
    for synthetic, said in ((3, f"3 of {len(IDS)} videos are"), (1, f"1 of {len(IDS)} videos is"), (0, None)):
        place = Workspace(tmp_path / str(synthetic))
        names = [
            f"synthetic-{number:04d}.mp4" if number < synthetic else f"own-{number}.mp4" for number in range(len(IDS))
        ]
        Catalogue([row | {"path": name} for row, name in zip(records, names, strict=True)]).save(place.catalogue)
        metrics = place.run(RUN) / METRICS_FILE
        metrics.parent.mkdir(parents=True)
        metrics.write_bytes((workspace.run(RUN) / METRICS_FILE).read_bytes())
        with TestClient(create_app(place, index, RUN), base_url=HOST) as other:
            found = other.get(page).text
        assert ("Synthetic music videos." in found) == (said is not None)
        assert said is None or said in found


def test_a_report_that_is_older_than_the_evaluation_says_so(client: TestClient, workspace: Workspace) -> None:
    metrics, report = (workspace.run(RUN) / name for name in (METRICS_FILE, REPORT_FILE))
    assert "Evaluated on " in client.get("/evaluation").text
    assert "may show other numbers" not in client.get("/evaluation").text
    before = report.stat().st_mtime_ns
    os.utime(report, ns=(0, metrics.stat().st_mtime_ns - 10**9))
    assert "may show other numbers" in client.get("/evaluation").text
    os.utime(report, ns=(before, before))


def test_the_evaluation_shows_ranks_with_pool_and_chance(client: TestClient) -> None:
    found = client.get("/evaluation").text
    assert "Pictures → sound" in found and "Chance" in found and "3 tracks" in found
    assert "Only 3 test videos, too few to say how good the model is" in found and "Half of the" not in found
    assert client.get("/evaluation/report").text.startswith("<!doctype html>")
    assert client.get("/evaluation/gallery").status_code == 404


def test_the_evaluation_shows_what_the_terminal_prints(client: TestClient, workspace: Workspace) -> None:
    """All but how a table is drawn: pools with their numbers, and the sentences below."""
    path = workspace.run(RUN) / METRICS_FILE
    measured = path.read_bytes()
    found = json.loads(measured) | {"run": RUN, "flagged": 2}
    found["authors_dot_product"] = found["other_tracks"]
    found["tracks"]["times_alone"] = {"a2v": 1.5, "v2a": 2.5}
    path.write_text(json.dumps(found), encoding="utf-8")
    try:
        page = client.get("/evaluation").text
    finally:
        path.write_bytes(measured)
    printed = io.StringIO()
    show_ranks(found, Console(file=printed, width=300))
    lines = printed.getvalue().splitlines()
    rows, sentences = [line for line in lines[2:] if "→" in line], [line for line in lines[2:] if "→" not in line]
    assert len(rows) == 8 and len(sentences) >= 5
    cells = re.sub(
        r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page.partition("<tbody>")[2].partition("</tbody>")[0]))
    )
    for row in rows:
        pool, way, median, size, *numbers = re.fullmatch(r"(\w+), (\S+) → .*?([\d.]+) of (\d+) +(.*)", row).groups()
        words = {"audio": "Sound → pictures", "video": "Pictures → sound"}[way]
        shown = " ".join([words, size, pool, median, *numbers[0].split()])
        assert shown in cells, row
    for sentence in sentences[1:]:
        assert escape(sentence, quote=False) in page.replace("&#39;", "'"), sentence


def test_errors_are_pages_that_lead_back(client: TestClient) -> None:
    found = client.get("/video/nobody")
    assert found.status_code == 404
    assert "No video &#39;nobody&#39;" in found.text
    form = found.text.partition('<form class="find" action="/" method="get"')[2].partition("</form>")[0]
    assert 'name="q"' in form and "<button" in form
    kind = {"content-type": "text/html"}
    whole = client.post("/find/file?target=audio", content=b"x", headers=kind)
    part = client.post("/find/file?target=audio", content=b"x", headers=kind | {"hx-request": "true"})
    assert (whole.status_code, whole.text.startswith("<!doctype html>")) == (415, True)
    assert (part.status_code, part.text.startswith("<section>"), part.text.count('role="alert"')) == (415, True, 1)


def test_vectors_without_a_model_can_be_looked_at(workspace: Workspace, tmp_path: Path) -> None:
    catalogue = Catalogue([row | {"path": None} for row in Catalogue.load(workspace.catalogue).records()])
    place = Workspace(tmp_path)
    catalogue.save(place.catalogue)
    vectors = [[float(number), 1.0] for number in range(len(IDS))]
    index = Index.from_vectors(catalogue.ids, vectors, place.index)
    with TestClient(create_app(place, index), base_url=HOST) as client:
        for page in (*PAGES[:-3], "/api/health"):
            assert client.get(page).status_code == 200, page
        assert client.post("/api/embed", content=b"x", headers={"content-type": "video/mp4"}).status_code == 503
        assert client.get("/media/plain").status_code == 404
