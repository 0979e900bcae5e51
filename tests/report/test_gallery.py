"""Queries and answers on the page: the model's own, with every preview embedded once."""

import base64
import io

import av
import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.dual_encoder import DualEncoder
from antiphon.features.assembly import assemble
from antiphon.metrics.ranks import ranks
from antiphon.workspace import Workspace

from .page import Node, media_of
from .small_workspace import RUN, TEMPLATE, TEST_VIDEOS


def test_gallery_answers_are_the_models(page: Node, shared_workspace: Workspace) -> None:
    catalogue = Catalogue.load(shared_workspace.catalogue)
    features = assemble(shared_workspace, catalogue, "hearing", "seeing")["test"]
    sound, pictures = DualEncoder.load(shared_workspace.run(RUN)).embed(features, per="track")
    videos = np.unique(features.groups)
    names = {row["id"]: row["title"] for row in catalogue.records()}
    found = {"v2a": ranks(pictures, sound)[0], "a2v": ranks(sound, pictures)[0]}
    order = np.argsort(np.log(found["v2a"]) + np.log(found["a2v"]), kind="stable")
    cards = page.all("article")
    assert len(cards) == 12
    for card, row in ((cards[0], order[0]), (cards[-1], order[-1])):
        assert card.one("h3").text == names[videos[row]]
        for question, way in zip(card.all("div", class_="question"), ("v2a", "a2v"), strict=True):
            assert float(question.one("p", class_="place").one("data").attributes["value"]) == found[way][row]
            scores = pictures[row] @ sound.T if way == "v2a" else sound[row] @ pictures.T
            best = [names[videos[index]] for index in np.argsort(-scores)[:5]]
            missed = bool(found[way][row] > 5)
            assert [node.text for node in question.all("p", class_="title")] == best + missed * [names[videos[row]]]
            partner = question.one("li", class_="partner")
            assert ("missed" in partner.attributes["class"].split()) == missed
            assert float(partner.one("span", class_="score").text.removeprefix("score ").replace("−", "-")) == (
                pytest.approx(scores[row], abs=6e-4)
            )
            if missed:
                assert f"rank {found[way][row]:g}" in partner.text


def test_marks_say_what_is_shared(page: Node, shared_workspace: Workspace) -> None:
    rows = {row["title"]: row for row in Catalogue.load(shared_workspace.catalogue).records() if row["split"] == "test"}
    checked = 0
    for card in page.all("article"):
        query = rows[card.one("h3").text]
        for item in card.all("li"):
            if not item.all("p", class_="title") or "partner" in item.attributes.get("class", ""):
                continue
            other = rows[item.one("p", class_="title").text]
            shared = ["same artist"] if other["artist"] == query["artist"] else []
            shared += [query["genre"]] if other["genre"] == query["genre"] else []
            shared += [tag for tag in query["tags"] if tag in other["tags"]]
            assert [node.text for node in item.all("span", class_="mark")] == shared
            checked += bool(shared)
    assert checked > 20


def test_players_match_what_there_is(page: Node) -> None:
    """Each preview is embedded once; sound only, pictures only and unreadable files can be told."""
    media = media_of(page)
    used = {node.attributes["data-item"] for node in page.all("button") if "data-item" in node.attributes}
    assert used == set(media)
    assert len(media) == TEST_VIDEOS - 1
    for text, title in {"sound only": TEMPLATE, "no preview": "Song 3"}.items():
        blank = [
            node for node in page.all("button") if [one for one in node.all("span", class_="blank") if one.text == text]
        ]
        assert blank
        assert all(title in node.attributes["aria-label"] for node in blank)
    silent = [
        node for node in page.all("button", class_="sound") if node.attributes["aria-label"].startswith("Song 2 ")
    ]
    assert silent
    assert all("disabled" in node.attributes for node in silent)
    assert "1 of 12 videos has no preview" in page.one("section", id="gallery").text


def test_embedded_previews_decode(page: Node) -> None:
    kinds: list[set[str]] = []
    for entry in media_of(page).values():
        assert set(entry) == {"mp4", "poster"}
        with av.open(io.BytesIO(base64.b64decode(entry["mp4"], validate=True))) as container:
            kinds.append({type(frame).__name__ for frame in container.decode()})
        poster = base64.b64decode(entry["poster"], validate=True)
        assert poster.startswith(b"\xff\xd8") == ("VideoFrame" in kinds[-1])
    assert kinds.count({"VideoFrame"}) == kinds.count({"AudioFrame"}) == 1
    assert kinds.count({"VideoFrame", "AudioFrame"}) == TEST_VIDEOS - 3
