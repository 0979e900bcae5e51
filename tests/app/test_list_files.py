"""Two music videos of a list side by side, in step; and a list as one file that plays and runs nothing."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from fastapi.testclient import TestClient

from antiphon.app import list_files
from antiphon.shortlists import Shortlist, Shortlists, added, noted
from antiphon.workspace import Workspace

from .conftest import IDS, SCRIPT
from .test_browser import complaints, faults, large, phone, tab

__all__ = ["complaints", "tab"]

NOTE = "</style><img src=x onerror=alert(1)> the bridge"


@pytest.fixture(scope="module")
def listed(workspace: Workspace) -> Iterator[Shortlist]:
    """A list with a hostile title, a hostile note, and one that is gone."""
    store = Shortlists(workspace.shortlists)
    made = store.create("Titles <b> & co")
    for id in (IDS[3], "plain", "gone"):
        made = store.change(made.key, lambda one, id=id: added(one, id))
    yield store.change(made.key, lambda one: noted(one, "plain", NOTE))
    store.delete(made.key)


def compared(listed: Shortlist, *ids: str) -> tuple[str, dict[str, list[str]]]:
    return f"/lists/{listed.key}/compare", {"id": list(ids)}


def test_two_of_a_list_are_shown_side_by_side(client: TestClient, listed: Shortlist) -> None:
    place, asked = compared(listed, "plain", IDS[3])
    page = client.get(place, params=asked).text
    assert page.count('<video class="side"') == 2 and SCRIPT not in page and "<img src=x" not in page
    assert re.findall(r'class="side" src="/media/([^"]+)"', page)[0] == "plain"  # in the order of the address
    assert "Left pictures with the right song" in page
    shared = client.get(f"/shared/{listed.token}/compare", params=asked).text
    assert f'href="/shared/{listed.token}"' in shared and f"/lists/{listed.key}" not in shared


@pytest.mark.parametrize("ids", [[], ["plain"], ["plain", "plain"], ["plain", "gone"], ["plain", "x/.."], IDS[:4]])
def test_anything_but_two_of_the_list_is_refused_in_words(
    client: TestClient, listed: Shortlist, ids: list[str]
) -> None:
    found = client.get(*compared(listed, *ids)[:1], params={"id": ids})
    assert found.status_code == 422 and "Choose two music videos" in found.text
    assert client.get("/lists/none/compare?id=plain").status_code == 404
    assert client.get("/shared/none/html").status_code == 404


@pytest.fixture(scope="module")
def written(client: TestClient, listed: Shortlist) -> str:
    """The list as one file."""
    found = client.get(f"/shared/{listed.token}/html")
    assert found.status_code == 200
    assert found.headers["content-disposition"].startswith("attachment; filename=")
    assert found.headers["content-disposition"].endswith(".html")
    return found.text


def test_a_list_is_one_file_that_needs_nothing_else(written: str) -> None:
    assert "<script" not in written and "<img src=x" not in written and "onerror=alert(1)&gt;" in written
    assert "default-src 'none'" in written
    addresses = re.findall(r'(?:src|href|poster)="([^"]*)"', written)
    assert len(addresses) == 4 and all(one.startswith("data:") for one in addresses)
    assert "3 music videos, 2 of them with 10 s to play" in written and "at most 50 players and 21 MB" in written
    assert "Titles &lt;b&gt; &amp; co" in written and "3. gone" in written
    for player in re.findall(r'src="data:video/mp4;base64,([^"]*)"', written):
        content = base64.b64decode(player)
        assert len(content) < 1.2 * 300_000
        with av.open(io.BytesIO(content)) as container:
            assert {stream.type for stream in container.streams} == {"audio", "video"}
            assert 9 < float(container.duration or 0) / av.time_base < 11


def test_its_size_is_bounded(client: TestClient, listed: Shortlist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "MAX_PLAYERS", 1)
    text = client.get(f"/shared/{listed.token}/html").text
    assert text.count("<video") == 1 and text.count("Nothing to play") == 2
    monkeypatch.setattr(list_files, "MAX_BYTES", 0)
    assert client.get(f"/shared/{listed.token}/html").text.count("<video") == 0


@pytest.mark.parametrize("tab", [large("light"), phone("dark")], ids=["large", "phone"], indirect=True)
def test_the_file_opens_from_a_disk_and_plays(
    tab: Any, written: str, axe: str, complaints: list[str], tmp_path: Path
) -> None:
    place = tmp_path / "list.html"
    place.write_text(written, encoding="utf-8")
    tab.goto(place.as_uri())
    assert tab.evaluate("window.hacked === undefined && document.scripts.length === 0")
    tab.evaluate("document.querySelector('video').play()")
    tab.wait_for_function("() => document.querySelector('video').currentTime > 0.3")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [one for one in complaints if not one.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("tab", [large("light"), large("dark"), phone("light"), phone("dark")], ids=repr, indirect=True)
def test_both_play_in_step_and_one_is_heard(tab: Any, listed: Shortlist, axe: str, complaints: list[str]) -> None:
    tab.goto(f"/lists/{listed.key}")
    assert faults(tab, axe) == []
    tab.get_by_role("button", name="Compare two").click()
    tab.wait_for_url("**/compare?id=*&id=*")
    tab.wait_for_selector("#both:visible")
    tab.wait_for_function("() => [...document.querySelectorAll('.side')].every((one) => one.readyState > 2)")
    tab.locator("h1").click()
    tab.keyboard.press("Space")
    tab.wait_for_function(
        "() => { const [a, b] = document.querySelectorAll('.side');"
        " return a.currentTime > 0.7 && Math.abs(a.currentTime - b.currentTime) < 0.2 && !a.muted && b.muted; }"
    )
    tab.keyboard.press("2")
    assert tab.evaluate("[...document.querySelectorAll('.side')].map((one) => one.muted)") == [True, False]
    tab.locator("#place").evaluate("(one) => { one.value = 6; one.dispatchEvent(new Event('input')); }")
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.side')].every((one) => one.currentTime > 6 && one.currentTime < 9)"
    )
    tab.keyboard.press("Space")
    assert tab.evaluate("[...document.querySelectorAll('.side')].every((one) => one.paused)")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(tab, axe) == []
    assert complaints == []
