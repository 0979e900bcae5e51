"""What pages are narrowed to: every filter against a naive loop, as chips, in the address, on every page of answers."""

import itertools
import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from antiphon.app.library import Library, Video
from antiphon.app.narrowing import Narrowed, changed, chips
from antiphon.app.searching import Searcher
from antiphon.search import Index
from antiphon.search.explaining import TrackFacts, facts_of, workspace_facts
from antiphon.search.filters import Where
from antiphon.workspace import Workspace

PAGES = ("/match/plain?target=audio", "/match/plain?target=video", "/video/plain?", "/?q=plain+guitar", "/gallery?")


@pytest.fixture(scope="module")
def library(workspace: Workspace) -> Library:
    return Library.of(workspace)


@pytest.fixture(scope="module")
def searcher(library: Library, workspace: Workspace, index: Index) -> Searcher:
    return Searcher(library, index, workspace_facts(workspace))


def naive(video: Video, asked: Narrowed, facts: TrackFacts, dark: float, bright: float) -> bool:
    """Whether a music video meets all conditions, one after the other."""
    tags, tempo, luma = [tag.lower() for tag in video.tags], facts.measures.get("tempo_bpm"), facts.measures.get("luma")
    return (
        (not asked.genre or video.genre.lower() in [one.lower() for one in asked.genre])
        and all(tag.lower() in tags for tag in asked.tag)
        and not any(tag.lower() in tags for tag in asked.not_tag)
        and (not asked.artist or video.artist in asked.artist)
        and video.artist not in asked.not_artist
        and (asked.min_year is None or (video.year is not None and video.year >= asked.min_year))
        and (asked.max_year is None or (video.year is not None and video.year <= asked.max_year))
        and (asked.min_bpm is None or (tempo is not None and tempo >= asked.min_bpm))
        and (asked.max_bpm is None or (tempo is not None and tempo <= asked.max_bpm))
        and (asked.light != "dark" or (luma is not None and luma <= dark))
        and (asked.light != "bright" or (luma is not None and luma >= bright))
        and (asked.min_length_s is None or (video.duration_s or 0) >= asked.min_length_s)
        and (asked.max_length_s is None or (video.duration_s or 0) <= asked.max_length_s)
        and (asked.only != "audio" or not video.has_video)
        and (asked.only != "video" or not video.has_audio)
    )


def test_every_filter_finds_what_a_loop_finds(searcher: Searcher, library: Library) -> None:
    videos = list(library.videos.values())
    one, lengths = videos[4], sorted(video.duration_s or 0 for video in videos)
    tempos = sorted(t for f in searcher.facts.tracks.values() if (t := f.measures.get("tempo_bpm")) is not None)
    years = sorted(video.year for video in videos if video.year is not None)
    dark, bright = searcher.facts.quartiles["luma"]
    tried = [
        {"genre": (one.genre.upper(),)},
        {"tag": one.tags[:1]},
        {"tag": tuple(tag.upper() for tag in one.tags[:2])},
        {"not_tag": one.tags[:1]},
        {"artist": (one.artist,)},
        {"not_artist": (one.artist,)},
        {"min_year": years[len(years) // 2]} if years else {"min_year": 1990},
        {"max_year": years[len(years) // 2]} if years else {"max_year": 1990},
        {"min_bpm": tempos[len(tempos) // 2]},
        {"max_bpm": tempos[len(tempos) // 2]},
        {"light": "dark"},
        {"light": "bright"},
        {"min_length_s": lengths[5]},
        {"max_length_s": lengths[5]},
        {"only": "audio"},
        {"only": "video"},
    ]
    several = 0
    for asked in [Narrowed(**both) for a, b in itertools.combinations(tried, 2) for both in (a, a | b)]:
        wanted = {
            video.id
            for video in videos
            if naive(video, asked, searcher.facts.tracks.get(video.id, TrackFacts()), dark, bright)
        }
        assert set(searcher.meeting(asked)) == wanted, asked
        found = searcher.by_id("plain", Narrowed(**{**vars(asked), "k": 100}))
        assert {hit.video.id for hit in found} == wanted - {"plain"}, asked
        several += 0 < len(wanted) < len(videos)
    assert several > 20


def test_answers_are_counted_of_those_that_have_the_side(searcher: Searcher, library: Library) -> None:
    asking = library.videos["plain"]
    assert len(searcher.meeting(Narrowed(), "audio", asking)) == 11
    mine = [video for video in library.videos.values() if video.artist == asking.artist]
    assert len(searcher.meeting(Narrowed(other_artists=True), "video", asking)) == 12 - len(mine)


def test_tags_are_conditions_of_the_api_too(client: TestClient, library: Library) -> None:
    tag = library.videos["plain"].tags[0]
    with_it = {video.id for video in library.videos.values() if tag in video.tags} - {"plain"}
    found = client.get("/api/similar", params={"id": "plain", "tag": tag.upper(), "k": 100}).json()["hits"]
    assert {hit["id"] for hit in found} == with_it
    found = client.get("/api/similar", params={"id": "plain", "not_tag": tag, "k": 100}).json()["hits"]
    assert {hit["id"] for hit in found} == set(library.videos) - with_it - {"plain"}


@pytest.mark.parametrize("page", PAGES)
def test_each_filter_is_a_chip_that_its_link_removes(client: TestClient, library: Library, page: str) -> None:
    genre = next(iter(library.genres))
    asked = f"&genre={genre}&tag=&max_length_s=9999&min_year=&not_artist=Nobody%20%26%20Co&light="
    text = client.get(f"{page}{asked}").text
    there = re.findall(r'<a class="chip" href="([^"]*)" aria-label="Remove the filter “([^”]*)”"', text)
    assert [unescape(words) for _, words in there] == [f"genre {genre}", "not by Nobody & Co", "at most 166:39 long"]
    without = client.get(unescape(there[1][0])).text
    left = re.findall(r"Remove the filter “([^”]*)”", without)
    assert left == [f"genre {genre}", "at most 166:39 long"]
    assert "q=plain+guitar" in there[0][0] or "q=" not in page
    last = client.get(unescape(re.findall(r'href="([^"]*)" aria-label="Remove the filter', without)[0])).text
    assert re.findall(r"Remove the filter “([^”]*)”", last) == ["at most 166:39 long"]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_meets_them_is_said_with_the_filters(client: TestClient, page: str) -> None:
    text = client.get(f"{page}&tag=no%20such%20tag").text
    assert "Remove the filter “tag no such tag”" in text and 'class="place"' not in text
    assert "Relax them" in text or "No music video has all of this" in text


def test_links_of_an_id_with_slashes_lead_to_it(client: TestClient) -> None:
    text = client.get("/match/live%2F..%2F%C3%84%201.mp4?k=3&genre=").text
    assert 'hx-get="/match/live%2F..%2F%C3%84%201.mp4"' in text
    assert 'href="/match/live%2F..%2F%C3%84%201.mp4?k=15"' in text


def test_more_answers_are_a_link(client: TestClient) -> None:
    text = client.get("/match/plain?k=3&sort=title").text
    assert re.search(r'<p class="more">3 of 11 best, by title\s', text)
    more = unescape(re.findall(r'<a class="button" href="([^"]*)" hx-get', text)[0])
    assert more == "/match/plain?sort=title&k=15"
    assert client.get(more).text.count('class="place"') == 11


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("title", lambda video: video.title.casefold()),
        ("artist", lambda video: video.artist.casefold()),
        ("length", lambda video: video.duration_s),
    ],
)
def test_answers_are_sorted(searcher: Searcher, sort: str, key) -> None:
    asked = Narrowed(k=6, sort=sort)  # type: ignore[arg-type]
    best = searcher.by_id("plain", asked)
    found = asked.sorted(best, searcher.facts)
    assert [one.video.id for one in found] == [one.video.id for one in sorted(best, key=lambda one: key(one.video))]


def test_what_is_unknown_comes_last(searcher: Searcher) -> None:
    best = searcher.by_id("plain", Narrowed(k=5))
    known = {best[0].video.id: TrackFacts(), best[1].video.id: TrackFacts(measures={"tempo_bpm": 90.0})}
    facts = facts_of([])
    facts = type(facts)(known, {}, {}, {}, 0.0)
    assert Narrowed(sort="tempo").sorted(best, facts)[0] is best[1]


@pytest.mark.parametrize(
    "asked",
    ["min_year=x", "min_bpm=nan", "light=pink", "only=words", "sort=worst", "min_length_s=-1", "min_year=1&min_year=2"],
)
def test_what_is_no_condition_is_refused(client: TestClient, asked: str) -> None:
    for page in ("/match/plain", "/", "/gallery", "/video/plain"):
        assert client.get(f"{page}?{asked}").status_code == 422


def test_years_the_wrong_way_round_are_refused_in_words(client: TestClient) -> None:
    found = client.get("/match/plain?min_year=2000&max_year=1990")
    assert "is after max_year" in found.text


def test_conditions_by_hand() -> None:
    asked = Narrowed(genre=("a", "b"), other_artists=True, max_year=1999, min_length_s=61, only="audio")
    assert [chip.words for chip in chips(asked)] == [
        "genre a",
        "genre b",
        "other artists only",
        "until 1999",
        "at least 1:01 long",
        "sound only",
    ]
    assert changed("a=1&a=2&b=3", "a", "2") == "?a=1&b=3"
    assert Where(tag="x").reads_metadata
