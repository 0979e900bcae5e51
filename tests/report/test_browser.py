"""The page in a real browser: it loads without an error, fits a phone, and plays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.report.build import REPORT_FILE
from antiphon.workspace import Workspace

from ..pictures import silent_pictures
from .page import Node
from .small_workspace import RUN

TIME_LIMIT_MS = 20_000
PLAYS = """
() => playing.length > 0 && playing.every(
  (one) => !one.paused && one.currentTime > 0.3 && (one.muted || one.webkitAudioDecodedByteCount > 0)
)
"""


@pytest.fixture
def complaints() -> list[str]:
    """What the page complains about or asks of the network."""
    return []


@pytest.fixture(params=[(1280, 900, False), (360, 740, True)], ids=["desktop", "phone"])
def tab(
    request: pytest.FixtureRequest, browser: Any, page: Node, shared_workspace: Workspace, complaints: list[str]
) -> Iterator[Any]:
    """The report, opened; `playing` holds the media elements that were started since the last look."""
    assert page.children
    width, height, phone = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone)
    found = context.new_page()
    found.set_default_timeout(TIME_LIMIT_MS)
    found.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
    found.add_init_script(
        "window.playing = []; const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play = function () { playing.push(this); return play.call(this); };"
    )
    path: Path = shared_workspace.run(RUN) / REPORT_FILE
    found.goto(path.resolve().as_uri())
    yield found
    context.close()


def test_page_fits_and_runs_nothing_of_the_catalogue(tab: Any, complaints: list[str]) -> None:
    for fold in tab.locator("summary").all():
        fold.click()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("window.hacked === undefined")
    broken = "[...document.images].filter((one) => !one.complete || !one.naturalWidth).length"
    assert tab.evaluate(f"document.images.length > 0 && {broken} === 0")
    assert tab.locator("svg").count() > 3 and silent_pictures(tab) == []
    assert complaints == []


def test_a_query_plays_and_stops(tab: Any, complaints: list[str]) -> None:
    for mode, element in (("pictures", "VIDEO"), ("sound", "AUDIO")):
        button = tab.locator(f".query button.{mode}[data-item]").first
        tab.evaluate("window.playing = []")
        button.click()
        tab.wait_for_function(PLAYS, timeout=TIME_LIMIT_MS)
        assert tab.evaluate("playing.map((one) => [one.tagName, one.muted])") == [[element, mode == "pictures"]]
        assert button.get_attribute("aria-pressed") == "true"
        button.click()
        assert tab.evaluate("playing.every((one) => one.paused)")
        assert button.get_attribute("aria-pressed") == "false"
    assert complaints == []


def test_an_answer_plays_with_its_query_and_by_the_keyboard(tab: Any, complaints: list[str]) -> None:
    both = tab.locator(".question.asks-pictures:has(.query button[data-item]) .results button.sound[data-item]").first
    both.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function(PLAYS, timeout=TIME_LIMIT_MS)
    assert sorted(tab.evaluate("playing.map((one) => one.tagName)")) == ["AUDIO", "VIDEO"]
    assert tab.locator("[aria-pressed=true]").count() == 2
    tab.keyboard.press("Escape")
    assert tab.locator("[aria-pressed=true]").count() == 0
    assert complaints == []


def test_the_commands_fit_and_can_be_copied(tab: Any) -> None:
    commands = tab.locator("#commands")
    assert commands.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    tab.get_by_role("button", name="Copy the commands").click()
    told = tab.locator("#numbers [role=status]").last
    tab.wait_for_function(
        "() => [...document.querySelectorAll('#numbers [role=status]')].some((one) => one.textContent)"
    )
    assert told.inner_text() in ("Copied.", "Selected: copy with the keyboard.")
    if told.inner_text() != "Copied.":
        assert tab.evaluate("getSelection().toString().trim()") == commands.inner_text().strip()


def test_reasons_of_failures_break_between_words(tab: Any) -> None:
    cell = tab.locator("#failures table.wide td").first
    style = cell.evaluate("(one) => [getComputedStyle(one).overflowWrap, getComputedStyle(one).wordBreak]")
    assert style == ["break-word", "normal"]
    assert (
        tab.locator("#failures table.wide th[scope=row]").first.evaluate("(one) => getComputedStyle(one).overflowWrap")
        == "normal"
    )


def test_pointing_at_a_chart_says_its_numbers(tab: Any) -> None:
    bar = tab.locator("#answer svg .hover").first
    bar.scroll_into_view_if_needed()
    tab.wait_for_timeout(500)  # the smooth scroll would close it again
    if tab.evaluate("navigator.maxTouchPoints > 0"):
        bar.tap()
    else:
        bar.hover()
    assert tab.locator("#tip").inner_text() == bar.get_attribute("data-tip")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
