"""The page of a run in the browser: it plays, is read again while nothing plays, and leads to the report."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.report.progress_page import Stage, write_progress_page

from ..pictures import silent_pictures

STAGES = [Stage("Render", "done", "2 <b>videos</b>"), Stage("Train", "now"), Stage("Report")]
TIME_LIMIT_MS = 20_000


@pytest.fixture
def folder(tmp_path: Path, synthetic_table: Path) -> Path:
    """A folder with two films whose name is no safe address."""
    (tmp_path / "films").mkdir()
    for number, film in enumerate(sorted(synthetic_table.parent.glob("*.mp4"))[:2]):
        shutil.copy(film, tmp_path / "films" / f"a #{number} 100%.mp4")
    return tmp_path


def write(folder: Path, stages: list[Stage], report: Path | None = None) -> Path:
    path = folder / "page.html"
    write_progress_page(
        path, "A <run>", "What it does.", stages, sorted(folder.glob("films/*.mp4")), report, report is not None
    )
    return path


def until(is_so: Callable[[], bool]) -> bool:
    """Wait: the page forbids scripts that a tool would wait with."""
    for _ in range(TIME_LIMIT_MS // 100):
        if is_so():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("width", [1280, 360])
def test_it_plays_and_fills_and_leads_to_the_report(width: int, folder: Path, browser: Any) -> None:
    complaints: list[str] = []
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.set_default_timeout(TIME_LIMIT_MS)
    tab.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(write(folder, STAGES).as_uri())
    assert tab.locator("h1").inner_text() == "A <run>"
    assert tab.locator("li[aria-current=step]").inner_text().split("\n")[0] == "Train"
    assert tab.locator("li.done").inner_text().endswith("2 <b>videos</b>")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert until(lambda: tab.evaluate("[...document.querySelectorAll('video')].every((one) => one.readyState >= 1)"))
    assert tab.locator("video").count() == 2
    # A picture is there before anything is played, and not the first one.
    assert until(lambda: tab.evaluate("[...document.querySelectorAll('video')].every((one) => one.currentTime > 1)"))
    assert tab.locator("a").count() == 0
    assert silent_pictures(tab) == []
    # While a video plays, the page is left alone.
    tab.evaluate(
        "window.here = true; const one = document.querySelector('video'); one.muted = one.loop = true; one.play()"
    )
    (folder / "report.html").write_text("<title>The report</title>")
    write(folder, [Stage(stage.name, "done") for stage in STAGES], folder / "report.html")
    tab.wait_for_timeout(6_000)
    assert tab.evaluate("window.here")
    tab.evaluate("document.querySelector('video').pause()")
    assert until(lambda: tab.locator("li.done").count() == 3)
    tab.get_by_role("link", name="Open the report").click()
    assert until(lambda: tab.title() == "The report")
    assert complaints == []
    tab.close()
