"""The pages of a catalogue whose every text is hostile, in a real browser: everything is shown, nothing runs."""

import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from antiphon.app.application import create_app
from antiphon.app.templating import address
from antiphon.catalogue import Catalogue
from antiphon.judging.names import MAX_CHARACTERS
from antiphon.runs import GALLERY_PAGE
from antiphon.search import Index
from antiphon.workspace import Workspace

from ..hostile import TEXTS, assert_harmless, text, watched
from .conftest import IDS, RUN
from .serving import serving


@pytest.fixture(scope="module")
def hostile(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace with hostile titles, artists, genres, tags and file names, and a report that wants to get out."""
    root = tmp_path_factory.mktemp("hostile") / "work"
    shutil.copytree(workspace.root, root, ignore=shutil.ignore_patterns("page"))
    found = Workspace(root)
    rows = Catalogue.load(found.catalogue).records()
    for number, row in enumerate(rows):
        named = root / f"{number} {TEXTS[number].replace('/', '∕').replace(chr(0), '')[:60]}.mp4"
        named.symlink_to(row["path"])
        row |= {
            "path": str(named),
            "title": text(number),
            "artist": text(number + 4),
            "genre": text(number // 2 + 9),
            "tags": [text(number + 12, "a"), text(number + 17, "b")],
        }
    Catalogue(rows).save(found.catalogue)
    script = (
        "<script>window.hacked = 1; try { parent.document.title = 'out' } catch {}; document.cookie = 'x=1'</script>"
    )
    (found.run(RUN) / GALLERY_PAGE).write_text(f"<!doctype html><h1>Page</h1>{script}", encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def site(hostile: Workspace) -> Iterator[str]:
    """The service over it."""
    with serving(create_app(hostile, Index.open(hostile.index), RUN)) as (_, place):
        yield f"http://127.0.0.1:{place[1]}"


def addresses() -> list[str]:
    """Every page, of several videos, and with hostile words where words are asked for."""
    found = ["/", "/map", "/gallery", "/evaluation", "/help", "/api", "/judge", "/judge/question", "/judge/report"]
    found += [address(id) for id in IDS] + [address(id, "match") for id in IDS[::3]]
    found += [f"{address(id, 'cut')}?target={side}" for id, side in ((IDS[1], "audio"), (IDS[3], "video"))]
    for number, words in enumerate(TEXTS[:-2]):
        asked = quote(words, safe="")
        found += [f"/?q={asked}", (f"/find?q={asked}", f"/video/{asked}", f"/nothing/{asked}")[number % 3]]
    some = quote(TEXTS[3], safe="")
    found += [f"/video/plain?genre={some}&artist={some}", f"/match/plain?target={some}", f"/gallery?seed={some}"]
    return found


def test_no_page_of_the_service_runs_what_it_shows(browser: Any, site: str) -> None:
    with watched(browser, base_url=site) as (page, complaints):
        for path in addresses():
            page.goto(path, wait_until="domcontentloaded")
            if page.locator("#map").count():
                page.wait_for_selector("#map[data-ready]")
            assert_harmless(page, complaints, page.locator("script[src^='/static/']").count())
        page.goto(address(IDS[1]))
        assert page.locator("h1").inner_text() in TEXTS


def test_what_people_type_and_choose_runs_nothing(browser: Any, site: str) -> None:
    with watched(browser, base_url=site) as (page, complaints):
        page.goto("/")
        scripts = page.evaluate("document.scripts.length")
        page.fill("#q", "hacked")
        page.wait_for_selector("#suggestions .title")
        assert_harmless(page, complaints, scripts)
        page.goto("/map")
        page.wait_for_selector("#map[data-ready]")
        page.locator("#map").focus()
        for arrow in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
            page.keyboard.press(arrow)
            page.wait_for_selector("#card .id")
            assert page.evaluate("window.hacked === undefined")
        for name in [one[:MAX_CHARACTERS] for one in TEXTS[:12]]:
            page.goto("/judge")
            if page.locator("form input[name=name]").count():
                page.fill("form input[name=name]", name)
                page.keyboard.press("Enter")
                page.wait_for_load_state("domcontentloaded")
            assert page.evaluate("window.hacked === undefined")


def test_a_page_of_the_run_stays_in_an_origin_of_its_own(browser: Any, site: str) -> None:
    with watched(browser, base_url=site) as (page, _):
        page.goto("/evaluation/gallery")
        assert page.evaluate("window.hacked") == 1
        assert page.evaluate("origin") == "null"
        assert page.evaluate("fetch('/api/health').then(() => 'read', () => 'refused')") == "refused"
        assert page.context.cookies() == []


@pytest.mark.parametrize("words", [TEXTS[0], TEXTS[3], TEXTS[4], TEXTS[10]], ids=["script", "image", "svg", "link"])
def test_the_same_words_unescaped_would_run(browser: Any, words: str) -> None:
    with watched(browser) as (page, complaints):
        page.set_content(f"<p>{words}</p>", wait_until="load")
        with pytest.raises(AssertionError):
            assert_harmless(page, complaints, 0)
