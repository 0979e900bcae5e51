"""The map on its page: reached by pointer and keyboard, coloured, searched, selected from, and put on lists."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.admission import Access
from antiphon.app.application import create_app
from antiphon.search import Index
from antiphon.shortlists import Shortlists
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN, SCRIPT
from .test_browser import complaints, large, phone, tab, wide  # noqa: F401 - fixtures
from .test_sent_files import answered, send

ROWS = sorted(IDS)


@pytest.fixture
def version(client: TestClient) -> str:
    """The version of the map, when it is there."""
    while (found := client.get("/map.json")).status_code == 202:
        time.sleep(0.02)
    return found.json()["version"]


@pytest.fixture
def lists(workspace: Workspace) -> Iterator[Shortlists]:
    """The lists; those of a test are removed."""
    found = Shortlists(workspace.shortlists)
    yield found
    for one in found.all():
        found.delete(one.key)


def settled(tab: Any, page: str = "/map") -> None:  # noqa: F811
    """Open the map and wait until it is drawn."""
    tab.goto(page)
    tab.wait_for_selector("#map[data-ready]")


def places(tab: Any) -> dict[str, tuple[float, float]]:  # noqa: F811
    """Where the videos are drawn, in pixels: where they lie depends on how a processor rounds."""
    found = tab.evaluate("(ids) => Promise.all(ids.map((id) => document.getElementById('map').placeOf(id)))", ROWS)
    return {name: (x, y) for name, (x, y) in zip(ROWS, found, strict=True)}


def marked(tab: Any) -> set[str]:  # noqa: F811
    """Ids of what is selected."""
    marks = tab.evaluate("Array.from(document.getElementById('map').drawing.marks)")
    return {id for id, mark in zip(ROWS, marks, strict=True) if mark}


def test_places_and_colours_are_sent_as_bytes(client: TestClient, app: FastAPI, version: str) -> None:
    drawn = app.state.antiphon.atlas.drawn
    pairs = np.frombuffer(client.get("/map/places", params={"version": version}).content, dtype="<u2").reshape(-1, 2)
    assert [one.id for one in drawn.videos] == ROWS
    assert len(pairs) == len(ROWS)
    assert pairs.max() == 65535 or pairs.min() == 0  # It reaches an edge.
    numbers = client.get("/map/colours", params={"version": version, "by": "split"}).content
    splits = [one.split for one in drawn.videos]
    assert len(set(zip(splits, numbers, strict=True))) == len(set(splits)) == 3
    assert client.get("/map/colours", params={"version": version, "by": "nothing"}).status_code == 404
    assert SCRIPT not in client.get("/map/legend", params={"version": version, "by": f"tag:{SCRIPT}"}).text
    for path in ("places", "colours", "legend", "items", "find"):
        assert client.get(f"/map/{path}", params={"version": "another"}).status_code == 409
        assert client.get(f"/map/{path}").status_code == 422


def test_rows_are_found_by_words_and_by_id(client: TestClient, version: str) -> None:
    def found(**asked: str) -> list[int]:
        return client.get("/map/find", params={"version": version} | asked).json()["rows"]

    assert found(id="plain") == [ROWS.index("plain")]
    assert found(id="nobody") == []
    assert ROWS.index(IDS[3]) in found(q="hacked")
    assert found(q="no such words at all") == []


def test_what_is_selected_is_put_on_a_list_in_one_change(client: TestClient, version: str, lists: Shortlists) -> None:
    def put(**given: str) -> Any:
        return client.post("/map/list", data={"version": version} | given)

    rows = ",".join(str(ROWS.index(id)) for id in ("plain", IDS[1], "plain"))
    made = put(rows=rows, name="From the map")
    assert made.json() | {"address": ""} == {"name": "From the map", "address": "", "count": 2}
    kept = lists.all()[0]
    assert [entry.id for entry in kept.entries] == ["plain", IDS[1]]
    assert made.json()["address"] == f"/lists/{kept.key}"
    assert put(rows=str(ROWS.index(IDS[2])), list=kept.key).status_code == 200
    assert len(lists.get(kept.key).entries) == 3
    assert len(lists.undo(kept.key).entries) == 2
    for wrong, code in (
        ({"rows": "12", "list": kept.key}, 422),
        ({"rows": "-1", "list": kept.key}, 422),
        ({"rows": "٣", "list": kept.key}, 422),
        ({"rows": "9" * 5000, "list": kept.key}, 422),
        ({"rows": "", "list": kept.key}, 422),
        ({"rows": "0", "name": "x" * 81}, 422),
        ({"rows": "0", "list": "nobody"}, 404),
        ({"rows": "0", "list": kept.key, "version": "other"}, 409),
    ):
        assert put(**wrong).status_code == code, wrong
    assert len(lists.all()) == 1


def test_a_map_is_laid_out_anew_when_somebody_asks_and_never_by_readers(
    workspace: Workspace, index: Index, client: TestClient, app: FastAPI, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = app.state.antiphon.atlas
    asked = list[bool]()
    monkeypatch.setattr(type(atlas), "start", lambda _, *, anew=False: asked.append(anew))
    found = client.post("/map", follow_redirects=False)
    assert (found.status_code, found.headers["location"], asked) == (303, "/map", [True])
    assert "Lay out anew" in client.get("/map").text
    reading = create_app(workspace, index, RUN, access=Access(read_only=True))
    with TestClient(reading, base_url=HOST) as reader:
        assert reader.post("/map").status_code == 403
        assert reader.post("/map/list", data={"version": version, "rows": "0", "name": "x"}).status_code == 403
        assert "Lay out anew" not in reader.get("/map").text


def test_a_point_plays_and_opens(tab: Any, complaints: list[str]) -> None:  # noqa: F811
    settled(tab)
    drawn = places(tab)
    apart = {one: min(math.dist(drawn[one], drawn[other]) for other in IDS if other != one) for one in IDS}
    alone = max(IDS, key=lambda name: apart[name])
    x, y = drawn[alone]
    box = tab.locator("#map").bounding_box()
    tab.mouse.move(box["x"] + x, box["y"] + y)
    tab.wait_for_function("(id) => document.querySelector('#card .id')?.textContent === id", arg=alone)
    tab.wait_for_function("() => playing.some((one) => one.currentTime > 0.2)")
    with tab.expect_navigation():
        tab.mouse.click(box["x"] + x, box["y"] + y)
    assert unquote(tab.url.rpartition("/video/")[2]) == alone
    assert complaints == []


def test_a_map_that_cannot_be_drawn_says_so(tab: Any) -> None:  # noqa: F811
    tab.route("**/map.json", lambda route: route.fulfill(status=500, json={"detail": "No such plane."}))
    tab.goto("/map")
    tab.wait_for_function("() => document.getElementById('map-state').innerText === 'No such plane.'")


def test_it_is_reached_by_keyboard_and_filtered(tab: Any, complaints: list[str]) -> None:  # noqa: F811
    settled(tab)
    drawn = places(tab)
    tab.locator("#map").focus()
    tab.wait_for_selector("#card .id")
    moves = 0
    for arrow, (right, down) in 2 * (
        ("ArrowRight", (1, 0)),
        ("ArrowDown", (0, 1)),
        ("ArrowLeft", (-1, 0)),
        ("ArrowUp", (0, -1)),
    ):
        before = tab.locator("#card .id").inner_text()
        x, y = drawn[before]
        ahead = {name: (to_x - x) * right + (to_y - y) * down for name, (to_x, to_y) in drawn.items()}
        tab.keyboard.press(arrow)
        if max(ahead.values()) <= 0.5:
            continue
        tab.wait_for_function("(id) => document.querySelector('#card .id').textContent !== id", arg=before)
        assert ahead[tab.locator("#card .id").inner_text()] > 0, arrow
        moves += 1
    assert moves > 1
    assert tab.locator("#said").inner_text()
    chosen = tab.locator("#card .id").inner_text()
    tab.keyboard.press("x")
    assert marked(tab) == {chosen}
    tab.get_by_role("button", name="None").click()
    assert tab.locator("[data-colour]:checked").count() == 0
    assert tab.locator("#map-state").inner_text() == "Nothing is ticked."
    assert tab.locator("#card .id").count() == 0
    tab.get_by_role("button", name="All").click()
    assert tab.locator("#map-state").is_hidden()
    tab.locator("#map").focus()
    tab.wait_for_selector("#card .id")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/video/**")
    assert complaints == []


@pytest.mark.parametrize("tab", [wide("dark"), phone("light")], ids=["wide", "phone"], indirect=True)
def test_colours_change_in_place_and_the_legend_does_not_jump(tab: Any, complaints: list[str]) -> None:  # noqa: F811
    settled(tab)
    where = "document.getElementById('legend').getBoundingClientRect().top + scrollY"
    top = tab.evaluate(where)
    tab.locator("#map").focus()
    tab.wait_for_selector("#card .id")
    assert tab.evaluate(where) == top
    tab.get_by_label("Colour by").select_option("split")
    tab.wait_for_function("() => document.getElementById('legend').innerText.includes('validation')")
    assert tab.url.endswith("/map?by=split")
    assert tab.evaluate(where) == top
    counts = tab.evaluate("Array.from(document.getElementById('map').drawing.colours)")
    assert sorted(counts.count(number) for number in set(counts)) == [3, 3, 6]
    tab.locator("#legend .name").first.evaluate("(one) => { one.textContent = 'A name '.repeat(60); }")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.get_by_label("Colour by").select_option("tempo")
    tab.wait_for_selector("#legend .scale")
    tab.reload()
    tab.wait_for_selector("#map[data-ready]")
    assert tab.get_by_label("Colour by").input_value() == "tempo"
    assert tab.evaluate("document.getElementById('map').drawing.isScale")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_words_select_and_the_selection_goes_to_a_list(
    tab: Any,  # noqa: F811
    complaints: list[str],  # noqa: F811
    lists: Shortlists,
) -> None:
    settled(tab, "/map?q=hacked")
    assert marked(tab) == {IDS[3]}
    assert "1 found" in tab.locator("#map-found").inner_text()
    tab.wait_for_function("(title) => document.getElementById('selected-said').innerText === title", arg=SCRIPT)
    tab.get_by_label("Name").fill("<i>Mine</i>")
    tab.get_by_role("button", name="Put on the list").click()
    tab.wait_for_selector("#selected-said a >> text=<i>Mine</i>")
    assert [[entry.id for entry in one.entries] for one in lists.all()] == [[IDS[3]]]
    tab.get_by_label("Find on the map").fill("no such words")
    tab.keyboard.press("Enter")
    tab.wait_for_function("() => document.getElementById('map-found').innerText.startsWith('Nothing')")
    assert marked(tab) == set()
    assert tab.locator("#selected").is_hidden()
    assert complaints == []


def test_a_lasso_selects_what_it_goes_around(tab: Any, complaints: list[str]) -> None:  # noqa: F811
    settled(tab)
    drawn = places(tab)
    box = tab.locator("#map").bounding_box()
    middle = sorted(x for x, _ in drawn.values())[len(drawn) // 2] - 0.5
    wanted = {id for id, (x, y) in drawn.items() if x < middle and y > 60}  # The tools lie above.
    tab.get_by_role("button", name="lasso").click()
    corners = [(2, 60), (middle, 60), (middle, box["height"] - 2), (2, box["height"] - 2)]
    tab.mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
    tab.mouse.down()
    for x, y in corners[1:]:
        tab.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    tab.mouse.up()
    assert marked(tab) == wanted
    assert f"{len(wanted)} music video" in tab.locator("#selected-count").inner_text()
    assert tab.get_by_role("button", name="lasso").get_attribute("aria-pressed") == "false"
    tab.get_by_role("button", name="Clear").click()
    assert marked(tab) == set()
    assert complaints == []


def test_the_table_says_the_same_and_selects(tab: Any, app: FastAPI) -> None:  # noqa: F811
    settled(tab)
    rows = tab.locator("section[aria-labelledby=clusters] tbody tr")
    counts = [int(text) for text in rows.locator("td.n").all_inner_texts()]
    assert sum(counts) == len(IDS)
    rows.first.get_by_role("button").click()
    tab.wait_for_selector("#selected:not([hidden])")
    assert len(marked(tab)) == counts[0]


def test_where_a_music_video_is_stands_in_the_address(tab: Any, complaints: list[str]) -> None:  # noqa: F811
    tab.goto("/video/plain")
    tab.get_by_role("link", name="on the map").click()
    tab.wait_for_selector("#map[data-ready]")
    assert tab.locator("#card .id").inner_text() == "plain"
    x, y = places(tab)["plain"]
    assert (x, y) == pytest.approx((tab.evaluate("map.clientWidth") / 2, tab.evaluate("map.clientHeight") / 2), abs=1)
    settled(tab, "/map?at=nobody%3Cb%3E")
    assert tab.locator("#map-found").inner_text() == "That music video is not on the map."
    assert complaints == []


def test_a_file_is_on_the_map_of_whoever_sent_it(client: TestClient, song: Path, version: str) -> None:
    place = answered(client, send(client, song.read_bytes(), "<b>mine.mp4"))
    at = f"/map?at=file%3A{place.rpartition('/')[2]}"
    assert f'href="{at}"' in client.get(place).text
    page = client.get(at).text
    assert (
        ", your file, stands among “<a" in page
        and "</a>”, “<a" in page
        and "Only people with this link can see it." in page
        and "&lt;b&gt;mine" in page
        and "<b>mine" not in page
    )
    assert f'data-version="{version}"' in page  # Places and rows of the others stay.
    plain = client.get("/map?at=plain").text
    assert 'id="guest"' not in plain and "data-guest" not in plain
    gone = client.get("/map?at=file%3AAAAAAAAAAAAAAAAAAAAAAA", follow_redirects=False)
    assert (gone.status_code, gone.headers["location"]) == (303, "/file/AAAAAAAAAAAAAAAAAAAAAA")


@pytest.mark.parametrize("tab", [wide("light"), phone("dark")], ids=["wide", "phone"], indirect=True)
def test_a_file_is_drawn_played_and_opened_and_is_on_no_list(
    tab: Any,  # noqa: F811
    complaints: list[str],  # noqa: F811
    server: str,
    song: Path,
) -> None:
    with httpx.Client(base_url=server, timeout=120) as service:
        place = answered(service, send(service, song.read_bytes()))  # pyright: ignore[reportArgumentType]
    tab.goto(place)
    tab.get_by_role("link", name="On the map").click()
    tab.wait_for_selector("#map[data-ready]")
    assert tab.locator("#card .title").inner_text() == "a clip"
    assert tab.locator("#card .artist").inner_text() == "Your file"
    drawing = "document.getElementById('map').drawing"
    assert tab.evaluate(f"[{drawing}.guest, {drawing}.chosen, {drawing}.count]") == [12, 12, 13]
    x, y = tab.evaluate(f"{drawing}.place(12)")
    assert (x, y) == pytest.approx((tab.evaluate("map.clientWidth") / 2, tab.evaluate("map.clientHeight") / 2), abs=1)
    tab.locator("#map").focus()
    tab.keyboard.press("x")
    tab.get_by_role("button", name="None").click()  # The file stays.
    assert tab.evaluate(f"{drawing}.chosen") == 12 and tab.locator("#selected").is_hidden()
    tab.locator("#map").focus()
    tab.keyboard.press(" ")
    tab.wait_for_function("() => playing.some((one) => one.currentTime > 0.2)")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**{place}")
    assert complaints == []


RECORDED = """
  window.written = [];
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    written.push({ text, x, y, width: this.measureText(text).width });
    return fillText.call(this, text, x, y);
  };
"""


def named(tab: Any) -> list[dict[str, Any]]:  # noqa: F811
    """What is written on the canvas when it is drawn once."""
    return tab.evaluate("() => { written.length = 0; map.drawing.draw(); return written; }")


@pytest.mark.parametrize("tab", [large("light"), phone("dark")], ids=["large", "phone"], indirect=True)
@pytest.mark.parametrize("of", ["a music video", "a file"])
def test_who_is_most_like_what_was_asked_for_is_named_on_the_map(
    tab: Any,  # noqa: F811
    complaints: list[str],  # noqa: F811
    server: str,
    song: Path,
    of: str,
) -> None:
    at, own = "plain", None
    if of == "a file":
        with httpx.Client(base_url=server, timeout=120) as service:
            place = answered(service, send(service, song.read_bytes()))  # pyright: ignore[reportArgumentType]
        at, own = f"file%3A{place.rpartition('/')[2]}", "your file"
    tab.add_init_script(RECORDED)
    settled(tab, f"/map?at={at}")
    said = tab.locator("#guest a, #near a").all_inner_texts()
    assert len(said) == 4
    found = named(tab)
    assert found[0]["text"] == (own or said[0])
    for one, title in zip(found[1:], said[1:], strict=True):
        text = one["text"]
        assert text == title or (text.endswith("…") and len(text) > 8 and title.startswith(text[:-1]))
    boxes = [(one["x"], one["y"] - 8, one["x"] + one["width"], one["y"] + 8) for one in found]
    tools = tab.evaluate(
        "() => { const [box, on] = [document.querySelector('.tools'), map].map((one) => one.getBoundingClientRect());"
        "return [box.left - on.left, box.top - on.top, box.right - on.left, box.bottom - on.top]; }"
    )
    width, height = tab.evaluate("[map.clientWidth, map.clientHeight]")
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0 and top >= 0 and right <= width and bottom <= height
        for other in (*boxes[:place], tools):
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    assert ("guest" if own else "near") in tab.locator("#map").get_attribute("aria-describedby").split()
    tab.get_by_role("button", name="None").click()  # What is not shown is not named either.
    assert [one["text"] for one in named(tab)] == ([own] if own else [])
    settled(tab, "/map")
    assert named(tab) == []
    assert complaints == []


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], ids=["no scripts"], indirect=True)
def test_without_scripts_there_is_the_table(tab: Any, version: str) -> None:  # noqa: F811
    tab.goto("/map?by=split")
    assert "The same as a table" in tab.locator("main").inner_text()
    assert "validation" in tab.locator("#legend").inner_text()


def test_many_points_are_drawn_as_density(tab: Any, complaints: list[str]) -> None:  # noqa: F811
    settled(tab)
    found = tab.evaluate(
        """() => {
          const { drawing } = document.getElementById("map");
          const bytes = new Uint16Array(2 * 60000);
          for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 2654435761) % 65536;
          drawing.take(bytes.buffer);
          const inside = drawing.draw();
          const picture = drawing.pen.getImageData(0, 0, drawing.canvas.width, drawing.canvas.height).data;
          let filled = 0;
          for (let at = 3; at < picture.length; at += 4) filled += picture[at] > 0;
          const dense = drawing.isDense;
          drawing.view.scale = 8;
          return [inside, dense, filled > 1000, drawing.draw() < 20000, drawing.isDense];
        }"""
    )
    assert found == [60000, True, True, True, False]
    assert complaints == []
