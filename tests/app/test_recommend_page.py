"""The page of recommendations: what is liked and disliked stands in the address, and results play."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from antiphon.recommendation import recommend
from antiphon.search import Index
from antiphon.shortlists import Shortlists, added
from antiphon.workspace import Workspace

from .conftest import IDS, SCRIPT
from .test_browser import complaints, phone, tab, wide  # noqa: F401 - fixtures


def ids_of(text: str) -> list[str]:
    """Ids in the order of the page, from the addresses of its titles."""
    import re
    from html import unescape
    from urllib.parse import unquote

    part = text.partition('id="recommended"')[2]
    return [unquote(unescape(one)) for one in re.findall(r'<p class="title"><a href="/video/([^"]+)"', part)]


def test_it_recommends_what_the_index_recommends(client: TestClient, index: Index) -> None:
    page = client.get("/recommend", params={"like": ["plain", IDS[1]]}).text
    assert ids_of(page) == [hit.id for hit in recommend(index, ["plain", IDS[1]], 12)]
    assert "like " in page
    alone = client.get("/recommend", params={"like": ["plain"], "weight": 1}).text
    assert ids_of(alone) == [hit.id for hit in recommend(index, ["plain"], 12, weight=1.0)]


def test_what_is_disliked_is_left_out_and_pushes_back_what_is_like_it(client: TestClient) -> None:
    first = ids_of(client.get("/recommend", params={"like": ["plain"]}).text)
    after = ids_of(client.get("/recommend", params={"like": ["plain"], "dislike": [first[0]]}).text)
    assert first[0] not in after and "plain" not in after
    vectors = {"liked": [1.0, 0, 0], "near bad": [0.8, 0.6, 0], "fine": [0.75, 0, 0.66], "bad": [0, 1.0, 0]}
    source = (list(vectors), np.array(list(vectors.values())))
    assert [hit.id for hit in recommend(source, "liked")] == ["near bad", "fine", "bad"]
    found = recommend(source, "liked", disliked="bad")
    assert [hit.id for hit in found] == ["fine", "near bad"]
    unit = {name: np.array(row) / np.linalg.norm(row) for name, row in vectors.items()}
    expected = [unit[id] @ unit["liked"] - unit[id] @ unit["bad"] / 3 for id in ("fine", "near bad")]
    assert [hit.score for hit in found] == pytest.approx(expected, abs=1e-6)


def test_links_change_the_address_and_nothing_else(client: TestClient) -> None:
    page = client.get("/recommend", params={"like": ["plain"], "dislike": [IDS[3]], "genre": ""}).text
    assert "%22quotes%27" in page
    assert SCRIPT not in page
    assert 'href="/recommend?dislike=' in page  # plain taken away
    assert "You like" in page and "Not like" in page
    both = client.get("/recommend", params={"like": ["plain"], "dislike": ["plain"]}).text
    assert "Not like" not in both


def test_a_list_is_liked_as_a_whole(client: TestClient, workspace: Workspace, index: Index) -> None:
    lists = Shortlists(workspace.shortlists)
    made = lists.create("Openers <b>")
    lists.change(made.key, lambda one: added(added(one, "plain"), IDS[2]))
    page = client.get("/recommend", params={"list": made.key}).text
    assert ids_of(page) == [hit.id for hit in recommend(index, ["plain", IDS[2]], 12)]
    assert "2 music videos of a list" in page and "Openers &lt;b&gt;" in page
    lists.delete(made.key)
    assert "no such list any more" in client.get("/recommend", params={"list": made.key}).text


def test_what_cannot_be_recommended_from_is_told(client: TestClient) -> None:
    assert "To begin with" in client.get("/recommend").text
    assert "Not in this catalogue or its index" in client.get("/recommend?like=nobody").text
    assert client.get("/recommend?weight=2").status_code == 422
    assert client.get("/recommend", params={"like": [str(n) for n in range(51)]}).status_code == 422
    assert "Nothing to choose from has these words" in client.get("/recommend?q=no+such+words+here").text
    assert client.post("/api/recommend", json={"history": ["plain"], "disliked": ["nobody"]}).status_code == 404
    found = client.post("/api/recommend", json={"history": ["plain"], "disliked": [IDS[2]]}).json()["hits"]
    assert IDS[2] not in [hit["id"] for hit in found]


@pytest.mark.parametrize("tab", [wide("dark"), phone("light")], ids=["wide", "phone"], indirect=True)
def test_it_is_driven_in_a_browser(tab: Any, axe: str, complaints: list[str]) -> None:  # noqa: F811
    tab.goto("/recommend?like=plain")
    tab.locator("[data-results] .player").first.click()
    tab.wait_for_function("() => playing.some((one) => one.currentTime > 0.2 && one.duration > 1)")
    tab.keyboard.press("Escape")
    first = tab.locator("[data-results] .title").first.inner_text()
    tab.locator("[data-results] a >> text=not this").first.click()
    tab.wait_for_url("**dislike=**")
    assert tab.locator("[data-results] .title").first.inner_text() != first
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.evaluate(axe)
    found = tab.evaluate("axe.run().then((found) => found.violations)")
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert tab.evaluate("window.hacked === undefined")
    assert complaints == []
