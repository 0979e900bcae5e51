"""The documentation site: built without a warning, whole, and in need of no network."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_OUTSIDE = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


@pytest.fixture(scope="module")
def site(made_once: Callable[..., Path]) -> Path:
    """The built site. Its notebooks are executed for it."""
    pytest.importorskip("mkdocstrings", reason="needs the extra docs: pip install 'antiphon[docs]'")
    pytest.importorskip("nbclient", reason="needs the extra docs: pip install 'antiphon[docs]'")

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder / "site")]
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        assert "WARNING" not in done.stderr, done.stderr

    return made_once("documentation", make) / "site"


def test_the_site_has_every_page(site: Path) -> None:
    made = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    written = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    expected = {
        (path.parent / "index.html" if path.name == "README.md" else path.with_suffix(".html")) for path in written
    }
    assert {path.as_posix() for path in expected} <= made
    references = {f"reference/{name}.html" for name in ("python", "cli", "rest", "recipes", "tables")}
    assert references | {"results/index.html", "glossary.html", "changelog.html", "citation.html"} <= made


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("reference/python.html", ("encode_file", "recall@1", "NotIndexedError", "FrameLayout", "__call__(frames)")),
        ("reference/cli.html", ("antiphon catalogue add", "--diversity", "--max-decoding-s")),
        ("reference/rest.html", ("GET /api/match", "other_artists")),
        ("reference/recipes.html", ("learn_temperature", "antiphon-base", "num_landmarks")),
        ("reference/tables.html", ("content_hash", "float")),
        ("glossary.html", ("track embedding",)),
        ("results/index.html", ("staircase.csv", "antiphon study")),
    ],
)
def test_references_are_made_of_the_code(site: Path, page: str, words: tuple[str, ...]) -> None:
    text = re.sub(r"<[^>]+>", "", (site / page).read_text(encoding="utf-8"))
    for word in words:
        assert word in text
    assert "-m mkdocs" not in text


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert not _OUTSIDE.search(path.read_text(encoding="utf-8")), path
    for path in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("page", ["index.html", "reference/python.html", "notebooks/search.ipynb.html"])
def test_a_browser_asks_for_local_files_alone(site: Path, browser: Any, page: str) -> None:
    asked: list[str] = []
    view = browser.new_page(viewport={"width": 390, "height": 800})
    view.on("request", lambda request: asked.append(request.url))
    view.goto((site / page).as_uri())
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked), asked
    assert view.evaluate("document.documentElement.scrollWidth") <= 391
    view.close()


def test_notebooks_show_what_they_printed(site: Path) -> None:
    printed = {"report": "report.html: ", "improvement": "paired over ", "search": "no piano: less than in "}
    for path in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells), f"{path} is committed with outputs"
        page = (site / "notebooks" / f"{path.name}.html").read_text(encoding="utf-8")
        assert printed[path.stem] in page and "Traceback" not in page and "Warning" not in page
