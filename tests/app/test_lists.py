"""Lists on pages: hearts, order, notes, undo, read-only links, and what is exported."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from antiphon.app.admission import Access
from antiphon.app.application import create_app
from antiphon.search import Index
from antiphon.shortlists import Shortlists
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN, SCRIPT
from .serving import until

ROOT = "/m"


@pytest.fixture
def visitor(workspace: Workspace, index: Index) -> Iterator[TestClient]:
    app = create_app(workspace, index, RUN, access=Access(root=ROOT))
    forget(workspace)
    with TestClient(app, base_url=HOST) as client:
        yield client
    forget(workspace)


def forget(workspace: Workspace) -> None:
    """Delete all lists, such as those of tests that send whatever they can."""
    for path in workspace.root.glob("shortlists.sqlite*"):
        path.unlink()


def told(page: str) -> list[str]:
    """Titles in order."""
    part = page.partition("<ol")[2]
    return re.findall(r'<p class="title"><a href="[^"]*/video/([^"]+)"', part)


def test_a_list_without_scripts(visitor: TestClient, workspace: Workspace) -> None:
    assert "None yet" in visitor.get("/m/lists").text
    page = visitor.post("/m/lists", data={"name": "Opening <b>"})
    place = page.url.path
    assert place.startswith("/m/lists/") and "Opening &lt;b&gt;" in page.text and "<b>" not in page.text
    for id in (IDS[3], "plain", IDS[0]):
        page = visitor.post("/m/keep", data={"id": id})
        assert page.url.path == place
    assert len(told(page.text)) == 3 and told(page.text)[1] == "plain"
    page = visitor.post(place, data={"do": "up", "id": "plain"})
    assert told(page.text)[0] == "plain"
    page = visitor.post(place, data={"do": "note", "id": "plain", "text": f"=1+1 {SCRIPT}"})
    assert SCRIPT not in page.text and "=1+1 &lt;script" in page.text
    page = visitor.post(place, data={"do": "note", "id": "plain", "text": "я" * 900})
    assert page.status_code == 200 and "я" * 900 in page.text
    visitor.post(place, data={"do": "undo"})
    page = visitor.post(place, data={"do": "undo"})
    assert "=1+1" not in page.text
    visitor.post(place, data={"do": "note", "id": "plain", "text": "=1+1"})
    page = visitor.post("/m/keep", data={"id": IDS[0]})  # The heart takes it off again.
    assert len(told(page.text)) == 2
    page = visitor.post(place, data={"do": "delete"})
    assert "This list is deleted" in page.text and "None yet" in visitor.get("/m/lists").text
    assert visitor.post(place, data={"do": "undo"}).status_code == 200
    assert "Opening" in visitor.get("/m/lists").text


def test_who_reads_may_not_change_and_takes_it_along(visitor: TestClient, workspace: Workspace) -> None:
    store = Shortlists(workspace.shortlists)
    place = visitor.post("/m/lists", data={"name": "Shared"}).url.path
    for id in ("plain", IDS[5]):
        visitor.post("/m/keep", data={"id": id})
    visitor.post(place, data={"do": "note", "id": "plain", "text": "=cmd()"})
    (made,) = store.all()
    shared = f"/m/shared/{made.token}"
    page = visitor.get(shared).text
    assert "=cmd()" in page and 'method="post"' not in page.partition("<main")[2]
    assert made.key not in page
    assert visitor.post(shared, data={"do": "remove", "id": "plain"}).status_code == 405
    assert visitor.get(f"/m/lists/{made.token}").status_code == 404
    assert visitor.get(f"/m/shared/{made.key}").status_code == 404
    table = list(csv.DictReader(io.StringIO(visitor.get(f"{shared}/csv").text)))
    assert [(row["place"], row["id"], row["note"]) for row in table] == [
        ("1", "plain", "'=cmd()"),
        ("2", "'" + IDS[5] if IDS[5].startswith("=") else IDS[5], ""),
    ]
    answer = visitor.get(f"{shared}/m3u")
    lines = answer.text.splitlines()
    assert lines[0] == "#EXTM3U" and lines[1].startswith("#EXTINF:12,") and len(lines) == 5
    assert lines[2] == f"{HOST}/m/media/plain"
    assert visitor.get(lines[2], headers={"range": "bytes=0-3"}).status_code == 206
    assert answer.headers["content-disposition"].startswith('attachment; filename="Shared.m3u8"')


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"do": "add", "id": "nobody"}, 404),
        ({"do": "explode"}, 422),
        ({"do": "rename", "text": " "}, 422),
        ({"do": "note", "id": "plain", "text": "x" * 1001}, 422),
        ({}, 422),
    ],
)
def test_what_will_not_do_is_refused(visitor: TestClient, form: dict[str, str], status: int) -> None:
    place = visitor.post("/m/lists", data={"name": "One"}).url.path
    visitor.post("/m/keep", data={"id": "plain"})
    assert visitor.post(place, data=form).status_code == status
    assert visitor.post("/m/lists/nobody", data={"do": "undo"}).status_code == 404
    assert visitor.post("/m/keep", data={"id": "nobody"}).status_code == 404
    page = visitor.post("/m/lists", data={"name": ""})
    assert page.status_code == 422 and "needs a name" in page.text
    assert visitor.post(place, data={"do": "undo"}, headers={"origin": "https://evil.example"}).status_code == 403


def test_a_service_for_reading_has_no_hearts(workspace: Workspace, index: Index) -> None:
    with TestClient(create_app(workspace, index, RUN, access=Access(read_only=True)), base_url=HOST) as client:
        assert 'class="heart"' not in client.get("/video/plain").text
        page = client.get("/lists").text
        assert "New list" not in page and "heart" not in page
        assert client.post("/keep", data={"id": "plain"}).status_code == 403


def test_hearts_in_a_browser(browser: Any, server: str, workspace: Workspace, axe: str) -> None:
    forget(workspace)
    context = browser.new_context(viewport={"width": 390, "height": 800}, is_mobile=True, has_touch=True)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{server}/video/plain")
    hearts = tab.locator("form.heart button")
    first = hearts.nth(1)
    first.click()
    tab.wait_for_selector("form.heart button[aria-pressed=true]")
    assert first.get_attribute("aria-pressed") == "true"
    assert "On “My list”" in tab.locator("#said").inner_text()
    tab.reload()
    tab.wait_for_selector("form.heart button[aria-pressed=true]")
    tab.goto(f"{server}/lists")
    tab.get_by_role("link", name="My list").click()
    tab.wait_for_load_state()
    assert tab.locator("ol.kept > li").count() == 1
    tab.evaluate(axe)
    found = tab.evaluate("axe.run()")["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.locator("ol.kept .player").click()
    tab.wait_for_selector("ol.kept .player[aria-pressed=true]")
    tab.get_by_role("button", name=re.compile("Remove ")).click()
    tab.wait_for_load_state()
    assert tab.get_by_text("Nothing on it yet.").is_visible()
    assert complaints == []
    context.close()
    until(lambda: not Shortlists(workspace.shortlists).all()[0].entries)
    forget(workspace)
