"""The pages in a real browser: searched, played, sent a file, and found without fault by axe-core."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.app.templating import address
from antiphon.search import Index, Query

from .conftest import IDS, RUN, SCRIPT

TIME_LIMIT_MS = 30_000
PAGES = (
    "/",
    "/?q=plain",
    "/video/plain",
    "/match/plain",
    "/map",
    "/map?by=year&q=plain",
    "/gallery",
    "/recommend",
    "/evaluation",
    "/lists",
    "/status",
    "/help",
    "/api",
    "/nothing",
)


@pytest.fixture
def complaints() -> list[str]:
    """What a page complains about or asks of other hosts."""
    return []


@pytest.fixture
def tab(request: pytest.FixtureRequest, browser: Any, server: str, complaints: list[str]) -> Iterator[Any]:
    """A page of the service; `playing` holds the media elements that were started."""
    options = getattr(request, "param", {"viewport": {"width": 1280, "height": 900}})
    context = browser.new_context(base_url=server, **options)
    found = context.new_page()
    found.set_default_timeout(TIME_LIMIT_MS)
    found.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda asked: None if asked.url.startswith((server, "blob:")) else complaints.append(asked.url))
    found.add_init_script(
        "window.playing = []; const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play = function () { playing.push(this); return play.call(this); };"
    )
    yield found
    context.close()


def phone(scheme: str) -> dict[str, Any]:
    """A small screen."""
    return {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True, "color_scheme": scheme}


def wide(scheme: str) -> dict[str, Any]:
    """A large screen."""
    return {"viewport": {"width": 1280, "height": 900}, "color_scheme": scheme}


def large(scheme: str) -> dict[str, Any]:
    """A screen of a desk."""
    return {"viewport": {"width": 1440, "height": 900}, "color_scheme": scheme}


def settle(tab: Any) -> None:
    """Wait until the map is drawn, where there is one."""
    if tab.locator("#map").count():
        tab.wait_for_selector("#map[data-ready]")
    tab.wait_for_load_state("networkidle")


@pytest.mark.parametrize("tab", [wide("light"), phone("dark")], ids=["wide light", "phone dark"], indirect=True)
def test_every_page_fits_and_has_no_serious_fault(tab: Any, axe: str, complaints: list[str]) -> None:
    for page in PAGES:
        tab.goto(page)
        settle(tab)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), page
        assert tab.evaluate("window.hacked === undefined")
        tab.evaluate(axe)
        found = tab.evaluate("axe.run().then((found) => found.violations)")
        serious = [
            (one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], page
    assert [one for one in complaints if "404 (Not Found)" not in one] == []


@pytest.mark.parametrize("tab", [large("dark"), phone("light"), phone("dark")], ids=["l", "p", "p dark"], indirect=True)
def test_every_page_is_reached_from_the_top_without_moving_sideways(tab: Any) -> None:
    tab.goto("/evaluation")
    links = tab.locator("header nav a")
    assert links.all_inner_texts()[-2:] == ["Lists", "Judge"]
    for width in (tab.viewport_size["width"], 320):
        tab.set_viewport_size({"width": width, "height": 800})
        boxes = [link.bounding_box() for link in links.all()]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes), (width, boxes)
        assert all(box["y"] + box["height"] < 200 for box in boxes)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    links.last.click()
    tab.wait_for_url("**/judge")


@pytest.mark.parametrize("tab", [phone("light")], ids=["phone"], indirect=True)
def test_a_video_s_page_is_short_on_a_phone(tab: Any) -> None:
    tab.goto("/video/plain")
    settle(tab)
    assert tab.locator("ol.hits > li").count() == 24
    assert tab.evaluate("document.documentElement.scrollHeight") <= 2500
    tab.get_by_role("heading", name="By both").scroll_into_view_if_needed()
    assert tab.get_by_role("heading", name="By both").is_visible()


@pytest.mark.parametrize("tab", [wide("light"), phone("dark")], ids=["wide", "phone"], indirect=True)
@pytest.mark.parametrize(
    ("page", "place", "lines"),
    [
        ("/", ".tile .title", 2),
        ("/?q=plain", ".suggestions .title", 2),
        ("/gallery", ".seed h2", 3),
        ("/video/plain", "h1", 3),
        ("/match/plain", "h1", 3),
        ("/match/plain", ".hits .title", 2),
    ],
)
def test_long_titles_take_few_lines(tab: Any, page: str, place: str, lines: int) -> None:
    tab.goto(page)
    one = tab.locator(place).first
    for title in ("A long word " * 100, "Unbroken" * 100):
        one.evaluate("(one, title) => { (one.querySelector('a') ?? one).textContent = title; }", title)
        size = one.evaluate(
            "(one) => one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight)"
        )
        assert size <= lines + 0.4
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_typing_finds_a_video_and_the_keyboard_opens_it(tab: Any, complaints: list[str]) -> None:
    tab.goto("/")
    tab.keyboard.press("/")
    tab.keyboard.type("hacked", delay=20)
    tab.wait_for_function("() => document.querySelectorAll('#suggestions .title').length === 1")  # not those of "h"
    assert tab.locator("#suggestions .title").inner_text() == SCRIPT
    tab.keyboard.press("Escape")
    tab.locator("#q").evaluate("one => one.blur()")
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**{address(IDS[3])}")
    assert tab.locator("h1").inner_text() == SCRIPT
    assert complaints == []


def test_a_result_plays_from_its_moment(tab: Any, index: Index, complaints: list[str]) -> None:
    tab.goto("/video/plain")
    tab.locator(".by-sound .player").first.click()
    start_s = index.search(Query.from_id(index, "plain"), k=1, by="audio")[0].moments[0].start_s or 0.0
    tab.wait_for_function("(start) => playing.some((one) => !one.paused && one.currentTime > start + 0.4)", arg=start_s)
    assert tab.evaluate("playing.every((one) => !one.muted)")
    tab.keyboard.press("Escape")
    assert tab.locator(".player video").count() == 0
    assert complaints == []


def test_a_match_plays_pictures_and_song_of_two_videos_in_sync(tab: Any, index: Index, complaints: list[str]) -> None:
    tab.goto("/match/plain?target=audio")
    tab.locator("ol.hits li").first.focus()
    tab.keyboard.press("Space")
    moment = index.search(Query.from_id(index, "plain"), target="audio", k=1)[0].moments[0]
    tab.wait_for_function(
        "(from) => { const [a] = playing.filter((one) => one.localName === 'audio');"
        " const [v] = playing.filter((one) => one.localName === 'video');"
        " if (!a || !v || a.currentTime < from[0] + 1.5) return false;"
        " window.drift = Math.abs(a.currentTime - from[0] - (v.currentTime - from[1])); return window.drift < 0.25; }",
        arg=[moment.start_s, moment.query_start_s],
    )
    muted = tab.evaluate(
        "playing.map((one) => [one.localName, one.muted, decodeURIComponent(one.src).includes('plain')])"
    )
    assert ["video", True, True] in muted
    assert ["audio", False, False] in muted
    assert complaints == []


def test_players_of_a_file_that_vanished_say_so(tab: Any) -> None:
    gone = {"status": 404, "content_type": "application/json", "body": "{}"}
    tab.route("**/media/**", lambda route: route.fulfill(**gone))
    tab.goto("/video/plain")
    tab.wait_for_selector(".video-head p.absent >> text=The file is missing.")
    assert not tab.locator("#stage").count()
    player = tab.locator(".hits .player").first
    player.click()
    player.locator("text=The file is missing").wait_for()
    assert player.is_disabled()


def test_choosing_a_segment_jumps_there(tab: Any) -> None:
    tab.goto("/video/plain")
    segment = tab.locator(".segment").nth(1)
    at_s = float(segment.get_attribute("data-at"))
    segment.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("(at) => document.getElementById('stage').currentTime > at + 0.2", arg=at_s)
    tab.keyboard.press("Escape")
    assert tab.locator("#stage").evaluate("(one) => one.paused")


def test_settings_change_the_lists_in_place(tab: Any, complaints: list[str]) -> None:
    tab.goto("/video/plain")
    before = tab.locator(".by-both .title").all_inner_texts()
    mine = tab.locator(".video-head .artist").inner_text().split(",")[0]
    assert mine in tab.locator("#neighbours").inner_text()
    tab.get_by_label("other artists only").check()
    tab.wait_for_url("**other_artists=true**")
    tab.wait_for_function(f"() => !document.getElementById('neighbours').innerText.includes({mine!r})")
    assert tab.locator(".by-both .title").all_inner_texts() != before
    assert complaints == []


def drop(tab: Any, place: str, file: Path, name: str = "../../x.mp4") -> None:
    """Drop a file on an element, as a hand would; leads to its page."""
    data = tab.evaluate_handle(
        "([bytes, name]) => { const data = new DataTransfer();"
        " data.items.add(new File([new Uint8Array(bytes)], name, { type: 'video/mp4' })); return data; }",
        [list(file.read_bytes()), name],
    )
    tab.dispatch_event(place, "dragover", {"dataTransfer": data})
    assert tab.locator("body.dropping").count() == 1
    tab.dispatch_event(place, "drop", {"dataTransfer": data})


@pytest.mark.parametrize("page", ["/", "/gallery", "/video/plain"])
def test_a_film_dropped_anywhere_lands_on_its_page_and_plays(
    tab: Any, song: Path, complaints: list[str], page: str
) -> None:
    tab.goto(page)
    drop(tab, "main", song)
    tab.wait_for_url("**/file/*")
    tab.wait_for_selector("#matches ol.hits li")
    assert tab.locator("h1").inner_text() == "x"
    assert tab.locator(".kicker").inner_text().casefold() == "songs for these pictures"
    tab.locator("#matches .player").first.click()
    tab.wait_for_function(
        "() => playing.some((one) => decodeURIComponent(one.src).includes('/media/file:') && one.currentTime > 0.5)"
    )
    assert complaints == []


def test_its_page_survives_reload_and_back(tab: Any, song: Path, complaints: list[str]) -> None:
    tab.goto("/")
    tab.set_input_files("#file", song)
    tab.get_by_role("button", name="Pictures for this song").click()
    tab.wait_for_url("**/file/*?target=video")
    tab.wait_for_selector("#matches ol.hits li")
    titles = tab.locator("#matches .title").all_inner_texts()
    tab.reload()
    assert tab.locator("#matches .title").all_inner_texts() == titles
    tab.locator("#matches .title a").first.click()
    tab.wait_for_url("**/video/**")
    tab.go_back()
    assert tab.locator("#matches .title").all_inner_texts() == titles
    tab.go_back()
    assert tab.url.endswith("/")
    assert complaints == []


@pytest.mark.parametrize("tab", [{"java_script_enabled": False}], ids=["no scripts"], indirect=True)
def test_a_file_is_sent_and_followed_without_scripts(tab: Any, song: Path) -> None:
    tab.goto("/")
    tab.set_input_files("#file", song)
    tab.get_by_role("button", name="Pictures for this song").click()
    tab.wait_for_selector("#matches ol.hits li")
    assert tab.locator(".kicker").inner_text().casefold() == "pictures for this song"
    assert tab.locator("ol.hits li").count() > 5
    tab.locator("nav[aria-label=Pages] a").first.click()
    tab.set_input_files("#file", {"name": "x.mp4", "mimeType": "video/mp4", "buffer": b"nothing"})
    tab.get_by_role("button", name="More like this").click()
    tab.wait_for_selector("h1:text('This file cannot be used')")


def test_a_file_that_is_no_film_is_refused_in_words(tab: Any) -> None:
    tab.goto("/")
    tab.set_input_files("#file", {"name": "x.mp4", "mimeType": "video/mp4", "buffer": b"PK\x03\x04 nothing"})
    tab.get_by_role("button", name="More like this").click()
    tab.wait_for_selector("h1:text('This file cannot be used')")
    tab.goto("/")
    tab.set_input_files("#file", {"name": "x.mp4", "mimeType": "video/mp4", "buffer": b""})
    tab.get_by_role("button", name="More like this").click()
    tab.wait_for_selector("#sending:text('empty')")


@pytest.mark.parametrize("tab", [large("light"), large("dark"), phone("light"), phone("dark")], ids=repr, indirect=True)
def test_the_page_of_a_file_fits_and_has_no_serious_fault(
    tab: Any, song: Path, axe: str, complaints: list[str]
) -> None:
    tab.goto("/")
    tab.set_input_files("#file", song)
    tab.get_by_role("button", name="Songs for these pictures").click()
    tab.wait_for_url("**/file/*?target=audio")
    assert faults(tab, axe) == []
    tab.wait_for_selector("#matches ol.hits li")
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(tab, axe) == []
    assert complaints == []


def faults(tab: Any, axe: str) -> list[Any]:
    """Serious faults of a page by axe-core."""
    tab.evaluate(axe)
    found = tab.evaluate("axe.run().then((found) => found.violations)")
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("may", [True, False], ids=["allowed", "refused"])
def test_ranks_are_copied_as_text_latex_and_csv(tab: Any, complaints: list[str], may: bool) -> None:
    tab.goto("/evaluation")
    if may:
        tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        tab.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error()))")
    begins = {"text": f"Run {RUN}, test split", "LaTeX": f"% Run {RUN}, test split", "CSV": "pool,query,target,n,"}
    for kind, begin in begins.items():
        tab.get_by_role("button", name=f"Copy as {kind}").click()
        told = "Copied." if may else "Selected: copy with the keyboard."
        tab.locator("main p [role=status]").get_by_text(told).wait_for()
        copied = tab.evaluate("navigator.clipboard.readText()" if may else "getSelection().toString()")
        assert copied.startswith(begin) and copied.strip() == tab.locator(f"#ranks-{kind}").text_content().strip()
    assert complaints == []
