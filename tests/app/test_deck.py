"""The player that stays, in a real browser: early enough, to the end of both sides, sought, changed and closed."""

from typing import Any

import pytest

from antiphon.search import Index, Query

from .test_browser import complaints, phone, tab, wide

__all__ = ["complaints", "tab"]

PLAYS = "() => document.querySelector('[data-deck=toggle]').getAttribute('aria-pressed') === 'true'"


def test_it_starts_early_enough_for_20_s(tab: Any) -> None:
    """By hand: of two sides that match near their ends, both start as much earlier as is needed and there is."""
    tab.goto("/help")
    found = tab.evaluate(
        """() => import('/static/pair.js').then(async ({ Pair }) => {
          const made = (duration) => ({ duration, currentTime: 0, readyState: 4, seeking: false,
            addEventListener() {}, removeEventListener() {}, pause() {} });
          const starts = [];
          for (const [song, songAt, film, filmAt] of [
            [60, 50, 90, 40], [60, 50, 90, 3], [37, 33, 40, 30], [300, 100, 300, 50], [37, 33, 40, 0]]) {
            const sides = [{ element: made(song), at: songAt }, { element: made(film), at: filmAt }];
            await new Pair(sides).ready();
            starts.push(sides.map(({ element }) => element.currentTime));
          }
          return starts;
        })"""
    )
    assert found == [[40, 30], [47, 0], [17, 14], [100, 50], [33, 0]]


def test_pictures_go_on_when_the_song_has_ended(tab: Any, complaints: list[str]) -> None:
    tab.goto("/match/plain?target=audio")
    player = tab.locator(".hits .player").first
    length_s = tab.evaluate(
        """(address) => new Promise((resolve) => {
          const song = document.createElement('audio');
          song.onloadedmetadata = () => resolve(song.duration);
          song.src = address;
        })""",
        player.get_attribute("data-audio"),
    )
    player.evaluate("(one, at) => Object.assign(one.dataset, { audioAt: at, videoAt: 0 })", length_s - 1)
    player.click()
    tab.wait_for_function("() => playing.some((one) => one.localName === 'video' && one.currentTime > 2.5)")
    assert tab.evaluate("playing.filter((one) => one.localName === 'audio').every((one) => one.paused)")
    assert tab.evaluate(PLAYS)
    seek = tab.locator("[data-deck=seek]")
    assert float(seek.get_attribute("max")) > length_s + 5
    seek.evaluate("(one, to) => { one.value = to; one.dispatchEvent(new Event('input')); }", length_s - 0.8)
    tab.wait_for_function("() => playing.some((one) => one.localName === 'audio' && !one.paused)")
    assert complaints == []


def test_it_stays_while_lists_change_and_goes_to_the_next(tab: Any, index: Index, complaints: list[str]) -> None:
    tab.goto("/video/plain")
    tab.locator(".by-sound .player").first.click()
    tab.wait_for_function(PLAYS)
    best = tab.locator(".by-sound .title").first.inner_text()
    assert tab.locator("[data-deck=title]").inner_text() == best
    tab.wait_for_selector("#deck path", state="attached")
    tab.get_by_label("other artists only").check()
    tab.wait_for_url("**other_artists=true**")
    assert tab.evaluate(PLAYS) and tab.locator("#deck").is_visible()
    tab.locator("[data-deck=volume]").fill("0.25")
    tab.keyboard.press("Escape")
    assert tab.locator("#deck").is_hidden()
    tab.locator(".by-sound .player").first.click()
    tab.wait_for_function(PLAYS)
    assert tab.evaluate("playing.at(-1).volume") == 0.25
    tab.locator("main").focus()
    tab.keyboard.press("n")
    tab.wait_for_function(
        "(title) => document.querySelector('[data-deck=title]').textContent === title",
        arg=tab.locator(".by-sound .title").nth(1).inner_text(),
    )
    tab.wait_for_function(PLAYS)
    tab.keyboard.press("Space")
    tab.wait_for_function(f"() => !({PLAYS})()")
    assert tab.locator(".player[aria-pressed=true]").count() == 0
    assert complaints == []


def test_the_mark_is_where_the_match_is(tab: Any, index: Index) -> None:
    tab.goto("/match/plain?target=audio")
    moment = index.search(Query.from_id(index, "plain"), target="audio", k=1)[0].moments[0]
    tab.locator(".hits .player").first.click()
    tab.wait_for_function(PLAYS)
    seek = tab.locator("[data-deck=seek]")
    low, high = (float(seek.get_attribute(name)) for name in ("min", "max"))
    left = tab.locator("[data-deck=match]").evaluate("(one) => parseFloat(one.style.left)")
    assert left == pytest.approx(100 * ((moment.start_s or 0) - low) / (high - low), abs=0.2)
    assert low == pytest.approx(min(0.0, (moment.start_s or 0) - (moment.query_start_s or 0)), abs=0.01)


@pytest.mark.parametrize("tab", [wide("light"), wide("dark"), phone("light"), phone("dark")], indirect=True)
def test_it_fits_and_has_no_serious_fault(tab: Any, axe: str, complaints: list[str]) -> None:
    tab.goto("/match/plain")
    tab.locator(".hits .player").first.click()
    tab.wait_for_function(PLAYS)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = tab.locator("#deck").bounding_box()
    assert box["height"] < 160 and box["width"] <= tab.viewport_size["width"]
    tab.evaluate(axe)
    found = tab.evaluate("axe.run().then((found) => found.violations)")
    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []
    assert complaints == []
