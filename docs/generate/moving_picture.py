"""Record the search page and the cut room as a moving picture, from a demo's workspace.

Run as `python docs/generate/moving_picture.py WORKSPACE docs/page.webp` after `antiphon demo`; needs Chromium, and
Playwright and Pillow of the extra `dev`. Frames are taken as fast as the page is drawn, and shown evenly.
"""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

_VIEW, _SHOWN, _FRAME_MS, _QUALITY = (1100, 780), (770, 546), 250, 50
_WORDS = "calm piano, no drums"


@contextmanager
def served(workspace: Path) -> Generator[str]:
    """Serve a workspace on a free port, and yield its address."""
    command = [sys.executable, "-u", "-m", "antiphon", "--workspace", str(workspace), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as service:
        try:
            yield next(found[0] for line in service.stdout or () if (found := re.search(r"http://127\S+?:\d+", line)))
        finally:
            service.terminate()


class Recorder:
    """Takes frames of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []

    def take(self, count: int) -> None:
        """Take frames, with a pause before each."""
        for _ in range(count):
            self.page.wait_for_timeout(_FRAME_MS / 2)
            shot = Image.open(io.BytesIO(self.page.screenshot()))
            self.frames.append(shot.convert("RGB").resize(_SHOWN, Image.Resampling.LANCZOS))


def _shown(page: Page, what: str) -> None:
    page.locator(what).first.evaluate("element => element.scrollIntoView()")


def recorded(address: str, page: Page) -> list[Image.Image]:
    """Ask in words, play a match, and change songs in the cut room."""
    record = Recorder(page)
    page.goto(address)
    record.take(3)
    for start in range(0, len(_WORDS), 5):
        page.locator("#q").press_sequentially(_WORDS[start : start + 5], delay=20)
        record.take(1)
    page.locator("#q").press("Enter")
    page.wait_for_selector("#by-words")
    _shown(page, "#by-words")
    record.take(4)
    page.goto(page.locator("#by-words a[href*='/video/']").first.evaluate("link => link.href"))
    record.take(3)
    page.get_by_role("link", name="Songs for these pictures").click()
    page.wait_for_load_state()
    _shown(page, ".tabs")
    record.take(2)
    page.get_by_role("button", name=re.compile("^Play")).first.click()
    page.wait_for_timeout(800)
    record.take(6)
    page.get_by_role("link", name="Cut room").first.click()
    page.wait_for_selector("[data-room]")
    _shown(page, "[data-room]")
    page.wait_for_timeout(2500)
    record.take(3)
    page.keyboard.press("Space")
    record.take(4)
    for key in ("2", "3"):
        page.keyboard.press(key)
        record.take(5)
    page.keyboard.press("ArrowRight")
    record.take(4)
    return record.frames


def main() -> None:
    """Record and write the picture."""
    workspace, target = map(Path, sys.argv[1:])
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with served(workspace) as address, sync_playwright() as playwright:
        browser: Any = playwright.chromium.launch(executable_path=chromium, args=flags)
        width, height = _VIEW
        frames = recorded(address, browser.new_page(viewport={"width": width, "height": height}))
        browser.close()
    frames[0].save(
        target, save_all=True, append_images=frames[1:], duration=_FRAME_MS, loop=0, quality=_QUALITY, method=6
    )


if __name__ == "__main__":
    main()
