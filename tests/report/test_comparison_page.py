"""The page of a comparison: what it says is what was found."""

import re

import pytest

from antiphon.report.comparison_page import build_comparison_page, comparison_chart
from antiphon.report.comparison_tables import comparison_markdown

from ..pictures import silent_pictures
from .page import read_page


def number(value):
    return {"value": value, "ci95": [value * 0.9, value * 1.1]}


def line(method, median, gain=None, backbones="one <b>+two"):
    way = {"median_rank": number(median), "recall@10": number(0.3), "mrr": number(0.2), "null95": [45.0, 55.0]}
    found = {
        "backbones": backbones,
        "method": method,
        "trained": method == "ours",
        "trainings": 5,
        "failed": [],
        "dims": [3, 4],
    }
    over = gain and {"ratio": gain, "ci95": [gain * 0.9, gain * 1.1], "backbones": backbones, "method": "cca"}
    return found | {"n": 100.0, "chance": 50.5, "train_s": 1.25, "a2v": way, "v2a": way, "gain": over}


@pytest.fixture
def found():
    zero = {
        "backbones": "one <b>+two",
        "method": "zero-shot",
        "trainings": 0,
        "failed": ["Sizes <differ>."],
        "dims": [3, 4],
    }
    auc = {"value": 0.912, "ci95": [0.9, 0.93]}
    apart = auc | {"difference": {"baseline": "both backbones", "value": -0.01, "ci95": [-0.02, 0.01]}}
    probe = {"backbones": "one <b>+two", "target": "genre", "labels": ["a", "b"], "videos": {"test": 20.0}}
    rows = [{"representation": "both backbones", "dim": 9, "roc_auc": auc}]
    rows += [{"representation": "contrastive + backbones", "dim": 12, "roc_auc": apart | {"value": 0.902}}]
    return {
        "videos": 500,
        "draws": {"count": 5, "test": 100},
        "seeds": 1,
        "source": "the workspace",
        "synthetic": True,
        "rows": [zero, line("cca", 20.0), line("ours", 15.0, 1.31)],
        "probes": [probe | {"rows": rows}, {"backbones": "x", "target": "tags", "reason": "Too <few>."}],
        "costs": [
            {"backbone": "one", "videos": 3, "processor_s": 1.234, "memory_mb": 1024},
            {"backbone": "two", "reason": "No <files>."},
        ],
        "verdict": {"sentence": "Worth <it>.", "untrained": {"backbones": "one <b>+two", "method": "cca"}},
        "command": "antiphon compare '<x>'",
    }


def test_the_page_shows_what_was_found(tmp_path, found):
    page = build_comparison_page(tmp_path, found)
    text = page.read_text()
    said = " ".join(read_page(page).text.split())
    for words in (
        "Worth <it>.",
        "500 music videos (the workspace)",
        "These music videos are synthetic.",
        "zero-shot: Sizes <differ>.",
        "×1.31",
        "0.912",
        "−0.010",
        "Not measured: Too <few>.",
        "1.23 s",
        "1,024 MB",
        "No <files>.",
        "antiphon compare '<x>'",
    ):
        assert words in said, words
    assert not re.search(r"<(it|differ|few|files|x)>", text)


def test_the_markdown_has_the_same_numbers(found):
    text = comparison_markdown(found)
    assert text.startswith("**Worth <it>.**\n\n500 music videos, 5 draws of at least 100 test videos (the workspace).")
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert {len(line) for line in lines if "ours" in line[0]} == {9}
    for words in ("×1.31 (1.18–1.44)", "0.902 (0.900–0.930) | -0.010 (-0.020 to +0.010)", "1.23 s", "Too <few>."):
        assert words in text


def test_the_chart_has_a_row_a_method_and_names_the_gain(found):
    drawn = str(comparison_chart([row | {"label": row["method"]} for row in found["rows"]]))
    for words in ("zero-shot: failed", "ours: median rank of 100 by sound 15", "×1.31 (1.18–1.44)"):
        assert words in drawn


def test_what_is_drawn_is_said(browser, tmp_path, found):
    tab = browser.new_page()
    tab.goto(build_comparison_page(tmp_path, found).as_uri())
    assert tab.locator("svg").count() and silent_pictures(tab) == []
    tab.close()
