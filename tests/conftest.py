"""What several test packages share: real media, made once, and a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.synthetic import SyntheticConfig, render_catalogue

MEDIA = Path(__file__).parents[2] / "shared" / "data" / "media"


@pytest.fixture(scope="session")
def synthetic_table(tmp_path_factory):
    """CSV of a small synthetic catalogue: twelve music videos of 12 s by six artists."""
    config = SyntheticConfig(videos=12, duration_s=12, duration_spread_s=1, songs_per_artist=2, coupling=1)
    return render_catalogue(tmp_path_factory.mktemp("synthetic"), config)


@pytest.fixture(scope="session")
def media_folder():
    """The sample of real files."""
    if not MEDIA.exists():
        pytest.skip("the sample media are not beside this checkout")
    return MEDIA


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; one for all, since a process can have one Playwright at a time."""
    sync_api: Any = pytest.importorskip(
        "playwright.sync_api", reason="needs the Python package playwright: pip install playwright"
    )
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium on the PATH: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        opened = playwright.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()
