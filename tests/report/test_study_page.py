"""The page and the tables of a study: what they say is what was found."""

import csv
import io
import math
from pathlib import Path
from typing import Any

import pytest

from antiphon.report.staircase import staircase, step_words
from antiphon.report.study_page import build_study_page
from antiphon.report.study_tables import ROLES, cells_csv, size_words, study_csv, study_markdown

from ..pictures import silent_pictures
from .page import read_page


def number(value, spread=0.1):
    return {"value": value, "ci95": [value * (1 - spread), value * (1 + spread)]}


def way(median):
    return {
        "median_rank": number(median),
        "recall@10": number(0.3),
        "mrr": number(0.2),
        "null95": [450.0, 550.0],
        "by_training": [median - 1, median + 1],
    }


def gain(step, ratio):
    found = {"ratio": ratio, "ci95": [ratio * 0.9, ratio * 1.1]}
    return {"step": step, "both": found, "a2v": found, "v2a": found}


def line(step, label, size, median=None, against=None):
    row = {"step": step, "label": label, "size": size, "trainings": 0, "failures": 0, "failed": []}
    if median is None:
        return row | {"failures": 2, "failed": ["Training <diverged>."]}
    row |= {"trainings": 2, "n": 1000.0, "chance": 500.5, "train_pairs": 900.0}
    return row | {"a2v": way(median), "v2a": way(median + 1), "against": against or {}}


@pytest.fixture
def study():
    rows = [
        *(line("cca", "Linear <CCA>", size, 21.0, {"reference": gain("ours", 0.8)}) for size in ("all", 300)),
        line("base", "The base", "all", 48.0, {"cca": gain("cca", 0.41), "reference": gain("ours", 0.3)}),
        line("ours", "Cooler", "all", 16.0, {"previous": gain("base", 3.07), "cca": gain("cca", 1.31)}),
        line("base", "The base", 300),
        line("ours", "Cooler", 300, 60.0, {"cca": gain("cca", 1.02)}),
    ]
    cell = {
        "step": "base",
        "size": 300,
        "draw": 0,
        "seed": 0,
        "a2v": None,
        "v2a": None,
        "reason": "Training <diverged>.",
    }
    return {
        "name": "Steps & stairs",
        "description": "",
        "reference": "ours",
        "seeds": 1,
        "sizes": ["all", 300],
        "draws": {"count": 2, "test": 1000, "validation_share": 0.1, "seed": 0},
        "data": {"source": "made up", "audio": "", "video": "", "pairs": 4000, "videos": 4000, "extra": 0},
        "command": "antiphon study stairs.toml",
        "rows": rows,
        "cells": [cell],
    }


def test_the_page_has_a_staircase_and_a_table_for_each_size(study, tmp_path):
    path = build_study_page(tmp_path, study)
    page = read_page(path)
    assert page.one("h1").text == "Steps & stairs"
    assert [heading.text for heading in page.all("h2")][:2] == [
        "Trained on all remaining videos",
        "Trained on 300 videos",
    ]
    assert len(page.all("svg")) == len(page.all("table")) == 2
    assert "×3.07 2.76–3.38" in page.text and "all trainings failed" in page.text
    assert "Linear <CCA>" in page.text and "Training <diverged>." in page.text
    text = path.read_text(encoding="utf-8")
    assert "<diverged>" not in text and "http" not in text.replace("http-equiv", "")


def test_the_staircase_puts_lower_ranks_further_left_on_a_logarithmic_axis(study):
    rows = [row for row in study["rows"] if row["size"] == "all"]
    drawn = str(staircase(rows))
    dots = [float(part.split('cx="')[1].split('"')[0]) for part in drawn.split("<circle")[1:]]
    sounds = dots[::2]
    assert sounds[2] < sounds[0] < sounds[1]
    ratio = (sounds[1] - sounds[0]) / (sounds[1] - sounds[2])
    assert ratio == pytest.approx(math.log(48 / 21) / math.log(48 / 16), abs=1e-3)
    assert (
        step_words(rows[2]).startswith("Cooler: median rank of 1,000 by sound 16 (14.4–17.6)") and "base ×3.07" in drawn
    )


def test_a_step_without_trainings_is_drawn_as_failed(study):
    drawn = str(staircase([row for row in study["rows"] if row["size"] == 300]))
    assert drawn.count("<circle") == 4 and ">failed<" in drawn


def test_the_csv_has_every_number_of_the_table(study):
    rows = list(csv.DictReader(io.StringIO(study_csv(study))))
    assert [(row["step"], row["size"]) for row in rows] == [(row["step"], str(row["size"])) for row in study["rows"]]
    ours = next(row for row in rows if (row["step"], row["size"]) == ("ours", "all"))
    assert float(ours["v2a_median_rank_high"]) == pytest.approx(17 * 1.1)
    assert float(ours["previous_gain_both_low"]) == pytest.approx(3.07 * 0.9) and ours["previous_step"] == "base"
    assert ours["a2v_by_training"] == "15 17" and ours["reference_gain_both"] == "" and float(ours["chance"]) == 500.5
    broken = next(row for row in rows if (row["step"], row["size"]) == ("base", "300"))
    assert broken["failures"] == "2" and broken["a2v_median_rank"] == ""
    assert {f"{role}_gain_{way}" for role in ROLES for way in ("both", "a2v", "v2a")} <= set(rows[0])
    assert "Training <diverged>." in cells_csv(study)


def test_the_markdown_is_a_table_for_each_size(study):
    text = study_markdown(study)
    assert text.startswith("# Steps & stairs\n\n4,000 pairs of 4,000 videos (made up).")
    assert "2 disjoint draws of 1,000 videos; on each 1 training." in text
    assert "| Cooler | 16 [14.4, 17.6] | 17 [15.3, 18.7] |" in text and "| ×3.07 [2.76, 3.38] |" in text
    assert "| The base | failed | – |" in text
    assert f"The base, {size_words(300)}: 2 of 2 trainings failed: Training <diverged>." in text
    tables = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert set(tables) == {11}


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_a_complaint_and_fits(browser: Any, study: dict[str, Any], tmp_path: Path, width: int) -> None:
    path = build_study_page(tmp_path, study)
    context = browser.new_context(viewport={"width": width, "height": 800})
    tab, complaints = context.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(path.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert silent_pictures(tab) == []
    assert complaints == []
    context.close()


def test_gains_over_the_step_before_stand_only_where_there_are_steps(study: dict[str, Any], tmp_path: Path) -> None:
    words = "the step before"
    assert words in build_study_page(tmp_path, study).read_text(encoding="utf-8")
    for row in study["rows"]:
        row.get("against", {}).pop("previous", None)
    assert words not in build_study_page(tmp_path, study).read_text(encoding="utf-8")
