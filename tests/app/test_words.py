"""Searching by words over HTTP and on the pages: every state is an address, and works without scripts."""

import re
from html import unescape
from urllib.parse import quote, unquote

import numpy as np
import pytest

from antiphon.app.searching import Searcher
from antiphon.app.wording import Wording
from antiphon.catalogue import Catalogue
from antiphon.errors import WeightsError
from antiphon.search.record import Origin
from antiphon.words.nudges import Effect


@pytest.fixture(scope="module")
def genre(workspace):
    """A genre of the catalogue that not all have."""
    return next(row["genre"] for row in Catalogue.load(workspace.catalogue).records() if row["genre"])


def test_words_find_music_videos(client, genre):
    found = client.get("/api/search", params={"q": f"{genre}, xyzzy", "k": 3}).json()
    assert found["query"] is None
    assert found["meant"]["unknown"] == ["xyzzy"] and found["meant"]["hint"] is None
    assert [term["wanted"] for term in found["meant"]["terms"]] == [True]
    assert found["meant"]["terms"][0]["without"] == "xyzzy"
    assert found["hits"][0]["genre"] == genre
    assert any(genre in reason for reason in found["hits"][0]["reasons"])
    assert len(found["hits"]) == 3


@pytest.mark.parametrize(
    ("text", "unknown"), [("xyzzy foo", ["xyzzy", "foo"]), ("🎸", ["🎸"]), ("some music", ["some", "music"])]
)
def test_where_nothing_was_understood_it_is_told_what_and_what_to_do(client, text, unknown):
    alone = client.get("/api/search", params={"q": text}).json()
    assert (alone["meant"]["terms"], alone["meant"]["unknown"], alone["hits"]) == ([], unknown, [])
    assert alone["meant"]["hint"].startswith("Ask for a mood, an instrument")
    beside = client.get("/api/search", params={"q": text, "id": "plain"}).json()
    assert beside["meant"]["unknown"] == unknown and beside["hits"]
    for place in ("/", "/video/plain"):
        page = client.get(place, params={"q": text}).text
        assert f"Words that mean nothing here: {', '.join(unknown)}." in page
        assert "Nothing understood. Ask for a mood, an instrument" in page


def test_what_musicnn_heard_counts(client):
    found = client.get("/api/search", params={"q": "guitar"}).json()
    assert found["hits"] and not found["meant"]["silent"]


def test_conditions_hold_and_unknown_parameters_are_refused(client, genre):
    found = client.get("/api/search", params={"q": "guitar", "genre": genre}).json()
    assert {hit["genre"] for hit in found["hits"]} == {genre}
    assert client.get("/api/search", params={"q": "guitar", "gender": genre}).status_code == 422
    assert client.get("/api/search").status_code == 422


def test_words_alone_cannot_be_nudged(client):
    assert client.get("/api/search", params={"q": "guitar", "nudge": "calmer"}).status_code == 422


def test_words_beside_a_music_video(client):
    found = client.get("/api/search", params={"q": "guitar", "id": "plain"}).json()
    assert found["query"] == "plain" and "plain" not in [hit["id"] for hit in found["hits"]]
    assert client.get("/api/search", params={"q": "guitar", "id": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    "text", ["\x00", "🎸", "قيثارة", "a" * 9_999, "<script>window.hacked = 1</script>", "%", "no no no"]
)
def test_no_characters_break_a_search(client, text):
    assert client.get("/api/search", params={"q": text}).status_code == 200
    page = client.get("/", params={"q": text})
    assert page.status_code == 200 and "<script>window.hacked" not in page.text
    assert client.get(f"/video/{quote('plain', safe='')}", params={"q": text}).status_code == 200


def chips(page):
    """Address of each chip by its words."""
    found = re.findall(r'<a class="chip" href="([^"]*)" aria-label="Remove “([^”]*)”"', page)
    return {unescape(words): unescape(address) for address, words in found}


def test_each_chip_is_a_link_to_the_search_without_it(client, genre):
    there = chips(client.get("/", params={"q": f"calm, {genre}, no drums"}).text)
    assert [*there][:: len(there) - 1] == ["calm", "no drums"]
    left = chips(client.get(there["calm"]).text)
    assert list(left) == list(there)[1:]


def test_the_page_lists_hits_with_reasons(client):
    page = client.get("/", params={"q": "guitar"}).text
    assert "What suits these words" in page and page.count('<span class="place">') >= 10
    assert "guitar: " in page


def test_a_video_page_shows_what_is_like_it_and_suits_words(client):
    plain, worded = (client.get("/video/plain", params=params).text for params in ({}, {"q": "guitar"}))
    assert "What was understood" not in plain
    assert chips(worded) == {"guitar": "/video/plain?q="}
    assert 'value="guitar"' in worded


def test_nudges_are_links_that_can_be_undone(client):
    told = client.get("/api/nudges").json()["nudges"]
    assert told and all(effect["random"][0] <= effect["random"][1] for effect in told)
    name = told[0]["name"]
    plain, nudged = (client.get("/video/plain", params=params).text for params in ({}, {"nudge": name}))
    assert (f"/video/plain?q=&amp;nudge={quote(name)}" in plain) == told[0]["works"]
    assert re.search(rf'href="/video/plain\?q=" aria-current="true"[^>]*>{name}', nudged)
    both = client.get("/video/plain", params={"nudge": name, "q": "guitar"}).text
    assert chips(both) == {"guitar": f"/video/plain?q=&nudge={quote(name)}"}  # words go, the nudge stays
    moved = client.get("/api/similar", params={"id": "plain", "nudge": name}).json()["hits"]
    assert moved != client.get("/api/similar", params={"id": "plain"}).json()["hits"]
    assert client.get("/api/similar", params={"id": "plain", "nudge": "nicer"}).status_code == 422


def test_more_like_this_one_is_a_link_on_each_hit_that_can_be_undone(client):
    plain = client.get("/video/plain", params={"q": "guitar"}).text
    links = re.findall(r'class="quiet steer" href="([^"]*)"', plain)
    assert links and all(link.startswith("/video/plain?q=guitar&amp;towards=") for link in links)
    led = client.get(unescape(links[0])).text
    (undo,) = re.findall(r'href="([^"]*)" aria-current="true" aria-label="Remove “more like', led)
    assert unescape(undo) == "/video/plain?q=guitar"
    assert chips(led)["guitar"] == "/video/plain?q=&towards=" + links[0].rpartition("towards=")[2]
    (kept,) = re.findall(r'<input type="hidden" name="towards" value="([^"]*)">', led)
    assert unescape(kept) == unquote(unescape(links[0]).rpartition("towards=")[2])
    both = client.get(unescape(re.findall(r'class="quiet steer" href="([^"]*)"', led)[-1])).text
    assert both.count("Remove “more like") == 2


def test_a_music_video_asks_with_words_nudges_and_hits_together(client):
    name = client.get("/api/nudges").json()["nudges"][0]["name"]
    first = client.get("/api/similar", params={"id": "plain"}).json()["hits"]
    last = first[-1]["id"]
    led = client.get("/api/similar", params={"id": "plain", "towards": last}).json()["hits"]
    assert [hit["id"] for hit in led].index(last) < len(first) - 1
    asked = {"id": "plain", "q": "guitar", "nudge": name, "towards": last}
    found = client.get("/api/search", params=asked).json()
    assert (
        found["meant"]["terms"]
        and found["hits"] != client.get("/api/search", params={**asked, "nudge": []}).json()["hits"]
    )
    assert client.get("/api/similar", params={"id": "plain", "towards": "nobody"}).status_code == 404
    assert client.get("/api/search", params={"q": "guitar", "towards": last}).status_code == 422


def test_an_uploaded_file_asks_with_words_nudges_and_hits(client, song, genre):
    name = client.get("/api/nudges").json()["nudges"][0]["name"]

    def asked(place, **params):
        body, kind = song.read_bytes(), {"content-type": "video/mp4"}
        return client.post(f"/api/{place}", params=params, content=body, headers=kind).json()

    plain = asked("similar")["hits"]
    assert asked("similar", nudge=name)["hits"] != plain
    assert asked("similar", towards=plain[-1]["id"])["hits"] != plain
    found = asked("search", q=f"no {genre}, xyzzy")
    assert found["query"] is None and found["meant"]["unknown"] == ["xyzzy"]
    assert [term["wanted"] for term in found["meant"]["terms"]] == [False]
    assert [hit["id"] for hit in found["hits"]] != [hit["id"] for hit in plain]
    both = asked("search", q=f"no {genre}", nudge=name, towards=plain[-1]["id"])
    assert {hit["score"] for hit in both["hits"]} != {hit["score"] for hit in found["hits"]}


class Told:
    """A worker that embeds one text, and fails at another."""

    def __init__(self):
        self.asked = []

    def run(self, text):
        self.asked.append(text)
        if text.startswith("broken"):
            raise WeightsError("not fetched")
        return {"audio": np.ones(3)}


def test_texts_are_embedded_once_and_a_model_that_cannot_leaves_the_terms(capsys):
    worker = Told()
    wording = Wording(worker)
    assert wording.embed_text("calm")["audio"] is wording.embed_text("calm")["audio"] and worker.asked == ["calm"]
    assert wording.embed_text("broken") == {} and "not fetched" in capsys.readouterr().err
    assert wording.embed_text("another")
    for number in range(3):
        assert wording.embed_text(f"broken {number}") == {}
    assert wording.embed_text("more") == {} and worker.asked[-1] == "broken 2"
    assert Wording.of("run", Origin(audio="musicnn-mtt", video="efficientnet_lite0")) is None
    assert Wording.of("run", Origin(audio="clap", video="efficientnet_lite0")) is not None


def test_the_page_shows_no_music_video_twice_and_says_what_a_score_is(client, genre):
    page = client.get("/", params={"q": genre}).text
    listed = re.findall(r'<p class="id">([^<]*)</p>', page)
    suggested = re.findall(r'<span class="id">([^<]*)</span>', page)
    assert listed and not set(listed) & set(suggested) and len(suggested) <= 3
    assert "How well it suits the words: 0.5 is the catalogue’s mean" in page
    assert page.index('id="by-words"') < page.index('id="drop"')  # results first
    assert "Similarity of the embeddings, at most 1" not in page
    beside, plain, silent = (client.get("/video/plain", params={"q": q}).text for q in ("guitar", "", "xyzzy"))
    assert "The mean of the similarity of the embeddings and of how well" in beside
    assert "Similarity of the embeddings, at most 1" in plain and "Similarity of the embeddings, at most 1" in silent


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_words_on_the_page_in_a_browser(browser, server, width, height):
    page = browser.new_page(viewport={"width": width, "height": height})
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(server)
    page.fill("#q", "guitar, no drums")
    page.keyboard.press("Enter")
    page.wait_for_selector("#by-words .hits li")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    help_line = page.locator(".find > p.small").first.bounding_box()
    field = page.locator("#q").bounding_box()
    assert help_line["y"] - field["y"] - field["height"] >= 6
    assert page.locator("#by-words .hits li").first.bounding_box()["y"] < height
    page.click("#by-words .chip >> text=no drums")
    page.wait_for_url("**/?q=guitar")
    assert page.locator("#by-words .chip").count() == 1
    assert not failures
    page.close()


def test_repeats_of_a_hit_or_a_nudge_are_ignored(client):
    name = client.get("/api/nudges").json()["nudges"][0]["name"]
    hits = client.get("/api/similar", params={"id": "plain"}).json()["hits"]
    once = {"id": "plain", "towards": [hits[-1]["id"]], "nudge": [name]}
    twice = {"id": "plain", "towards": 2 * once["towards"], "nudge": 2 * once["nudge"]}
    assert client.get("/api/similar", params=twice).json() == client.get("/api/similar", params=once).json()
    page = client.get("/video/plain", params=twice).text
    assert page.count("Remove “more like") == 1 and page.count('name="nudge"') == 1


def test_a_hit_that_is_not_here_is_named(client):
    answer = client.get("/api/similar", params={"id": "plain", "towards": "nope"})
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("'nope' is no music video of this catalogue")
    page = client.get("/video/plain", params={"towards": "nope"}).text
    assert "is no music video of this catalogue" in page and "index add" not in page


def test_a_nudge_says_whether_it_works_and_drops_its_opposite(client, monkeypatch):
    effects = [Effect("brighter", 0.1, (-0.2, 0.2), {}, 3), Effect("darker", 0.3, (-0.2, 0.2), {}, 3)]
    monkeypatch.setattr(Searcher, "nudges", property(lambda _: effects))
    page = client.get("/video/plain", params={"nudge": ["calmer", "brighter"]}).text
    assert 'href="/video/plain?q=&amp;nudge=calmer&amp;nudge=darker"' in page
    page = client.get("/video/plain").text
    assert "nudge=darker" in page and "nudge=brighter" not in page
    assert "no measured effect in this catalogue: brighter</li>" in page


@pytest.mark.parametrize("place", ["/api/search?q=guitar&q=piano", "/?q=guitar&q=piano", "/video/plain?q=a&q=b"])
def test_a_parameter_of_one_value_is_given_once(client, place):
    answer = client.get(place)
    assert answer.status_code == 422 and "Parameter given more than once: q." in answer.text
    assert client.get("/api/search?q=guitar&genre=a&genre=b").status_code == 200


@pytest.mark.parametrize("name", ["weight", "diversity"])
@pytest.mark.parametrize("value", ["nan", "-NaN", "inf"])
def test_no_number_is_no_share(client, name, value):
    answer = client.get("/api/similar", params={"id": "plain", name: value})
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"Parameter {name}: must be a number from 0 to 1, not “{value}”."
