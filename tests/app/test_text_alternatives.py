"""What is drawn is said too: on every page, once scripts have drawn theirs."""

from typing import Any

import pytest

from ..pictures import silent_pictures
from .test_browser import PAGES, complaints, phone, settle, tab, wide

__all__ = ["complaints", "tab"]

DRAWN = (
    "/cut/plain",
    "/cut/plain?target=video",
    "/map?by=tempo",
    "/map?at=plain",
    "/match/plain?target=video",
    "/judge",
)


@pytest.mark.parametrize("tab", [wide("light"), phone("dark")], ids=["wide", "phone"], indirect=True)
def test_every_picture_of_every_page_is_said(tab: Any) -> None:
    for page in (*PAGES, *DRAWN):
        tab.goto(page)
        settle(tab)
        assert silent_pictures(tab) == [], page


SHAPE = '<path d="M0 0L9 9"/>'
IMAGE = 'src="/thumbnail/plain"'
SILENT = (
    f"<svg>{SHAPE}</svg>",
    f'<svg role="img" aria-label="Chart">{SHAPE}</svg>',
    f'<svg aria-hidden="true">{SHAPE}</svg>',
    "<canvas></canvas>",
    f"Beside.<img {IMAGE}>",
    f'<div><div><div><div><img {IMAGE} alt=""></div></div></div></div>',
)
SAID = (
    f'<svg role="img" aria-label="Ranks of both">{SHAPE}</svg><svg aria-hidden="true">{SHAPE}</svg>',
    f'Beside.<svg aria-hidden="true">{SHAPE}</svg><img {IMAGE} alt="">',
    f'<img {IMAGE} alt="Words">',
    '<svg aria-hidden="true"><g></g></svg>',
)


def test_what_says_nothing_is_found_and_nothing_else(tab: Any) -> None:
    tab.goto("/help")
    for markup, count in [*((one, 1) for one in SILENT), *((one, 0) for one in SAID)]:
        tab.evaluate("(markup) => { document.body.innerHTML = `<div><div>${markup}</div></div>`; }", markup)
        assert len(silent_pictures(tab)) == count, markup


def test_waveforms_beats_and_cuts_are_told(tab: Any, complaints: list[str]) -> None:
    tab.goto("/help")
    outlines = [
        {"length_s": 100, "peaks": 90 * [20] + 10 * [200], "beats_s": [n / 2 for n in range(200)]},
        {"length_s": 70, "peaks": [0, 0, 0], "beats_s": []},
        {"length_s": 30, "peaks": [9, 8, 7], "beats_s": []},
        {"length_s": 60, "cuts_s": [10, 20, 40]},
        {"length_s": 60, "cuts_s": [10]},
        {"length_s": 60, "cuts_s": []},
        None,
    ]
    told = tab.evaluate("(all) => import('/static/outline-words.js').then(({ inWords }) => all.map(inWords))", outlines)
    assert told == [
        "Loudest from 1:30 to 1:40, quietest from 0:00 to 0:10; 200 beats, about 120 a minute.",
        "Silent.",
        "Loudest from 0:00 to 0:10, quietest from 0:20 to 0:30; no beats.",
        "3 cuts, one about every 15.0 s.",
        "1 cut.",
        "No cuts.",
        "",
    ]
    tab.goto("/cut/plain")
    settle(tab)
    assert tab.locator("#ruler svg").get_attribute("aria-label").startswith("The pictures over time: ")
    row = tab.locator("[data-row] .track").first
    about = tab.locator(f"#{row.get_attribute('aria-describedby')}").inner_text()
    assert about.startswith("Loudest from 0:")
    tab.goto("/match/plain?target=audio")
    tab.locator(".hits .player").first.click()
    tab.wait_for_selector("[data-deck=wave][aria-label*='Loudest from']", state="attached")
    assert silent_pictures(tab) == []
    assert complaints == []
