"""`antiphon demo`, whole and small: it ends where somebody can go on."""

import re
import shlex
from functools import partial

import pytest

from antiphon.cli import demo
from antiphon.cli.app import run
from antiphon.errors import CatalogueError
from antiphon.search import Index
from antiphon.synthetic import SyntheticConfig

pytestmark = pytest.mark.usefixtures("quick_default")

VIDEOS = 48


def test_it_ends_with_how_to_open_the_page_and_what_neighbours_are_worth(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SyntheticConfig", partial(SyntheticConfig, duration_s=7, duration_spread_s=1))
    assert run(["demo", "--videos", str(VIDEOS), "--sections", "1", "--coupling", "1"]) == 0
    out, err = capsys.readouterr()
    # Before anything is done it says what will be, and where.
    first = err.strip().splitlines()[0]
    assert f"Renders {VIDEOS} music videos" in first
    page = (tmp_path / re.search(r"file://([^ ]*demo.html)", first)[1]).read_text()
    assert page.count('<li class="done"') == 7
    assert "synthetic" in page
    assert re.search(r"Median rank \d.* \(95%: .*–.*\) from sound to pictures and .* of \d+; chance \d", page)
    assert page.count("<video") == 6
    report = re.search(r'href="(runs/[^"]*)">Open the report', page)[1]
    root = shlex.split(out.strip().splitlines()[-1].removeprefix("Search and play: "))[-2]
    assert first.endswith(f"{(tmp_path / root).resolve()}.")
    assert (tmp_path / root / report).exists()
    last = out.strip().splitlines()[-1]
    call = shlex.split(last.removeprefix("Search and play: "))
    assert call[-1] == "serve"
    assert len(Index.open(f"{call[call.index('--workspace') + 1]}/index")) == VIDEOS
    assert f"Search in words: “{demo.WORDS}”. Understood: calm; folk; 1990–1999; no drums." in out
    assert len(re.findall(r"^  synthetic-\d{4}: .+ \(.+\)$", out, re.MULTILINE)) == 3
    for side in ("audio", "video", "both"):
        for what in ("same genre", "tags in common"):
            line = re.search(rf"by {side}, {what}: (.*)% \((.*)%–(.*)%\); chance (.*)%", out)
            assert line is not None
            value, low, high, chance = map(float, line.groups())
            assert 0 <= low <= value <= high <= 100
            assert 0 < chance < 100


def test_the_page_says_where_a_demo_ended_early(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def failing(*_, **__):
        raise CatalogueError("the disk is gone")

    monkeypatch.setattr(demo, "render_catalogue", failing)
    assert run(["demo", "--videos", str(VIDEOS)]) == 1
    (path,) = tmp_path.rglob("demo.html")
    page = path.read_text()
    assert re.search(r"<strong>Render</strong>\s*<span[^>]*>failed: the disk is gone", page)
    assert "data-reload-s" not in page
