"""`antiphon study` on small features: everything in one command, going on after a stop, wrong calls."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from antiphon.cli.app import run
from antiphon.experiments.study import load_study, resolved_steps
from antiphon.model.recipe import load_recipe

STUDIES = Path(__file__).parents[2] / "results" / "youtube8m"

TEXT = """
name = "small"
seeds = 1
draws = { count = 2, test = 30 }
[[step]]
name = "cca"
[[step]]
name = "paper-base"
[[step]]
name = "more"
inherits = "paper-base"
extra = true
"""


@pytest.fixture
def place(tmp_path):
    """A study, and two tables with YouTube-8M's columns."""
    mix = np.random.default_rng(9)
    maps = [mix.normal(size=(5, 12)) for _ in range(2)]
    for name, count in (("music", 120), ("other", 40)):
        random = np.random.default_rng(count)
        shared = random.normal(size=(count, 5))
        sides = {
            side: (shared @ weights + 0.3 * random.normal(size=(count, 12))).astype(np.float32)
            for side, weights in zip(("mean_audio", "mean_rgb"), maps, strict=True)
        }
        table = {"id": [f"{name}-{row}" for row in range(count)], "labels": [[1]] * count}
        pl.DataFrame(table | sides).write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "study.toml").write_text(TEXT)
    return tmp_path


def arguments(place):
    names = [f"yt8m:{place / name}.parquet" for name in ("music", "other")]
    return [
        "study",
        str(place / "study.toml"),
        "--features",
        names[0],
        "--extra",
        names[1],
        "--out",
        str(place / "out"),
    ]


def test_a_study_in_one_command_and_again(place, capsys):
    assert run([*arguments(place), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["step"] for row in found["rows"]] == ["cca", "paper-base", "more"]
    assert found["rows"][2]["train_pairs"] == found["rows"][1]["train_pairs"] + 40
    assert found["data"]["pairs"] == 120 and found["data"]["extra"] == 40 and found["reference"] == "more"
    out = place / "out"
    assert {path.name for path in out.iterdir()} == {
        *("study.json", "study.csv", "study.md", "study.tex", "cells.csv", "study.html", "cells")
    }
    kept = {path: path.stat().st_mtime_ns for path in out.glob("cells/*/*.npz")}
    assert len(kept) == 6
    assert run(arguments(place)) == 0
    assert "paper-base" in capsys.readouterr().out
    assert kept == {path: path.stat().st_mtime_ns for path in out.glob("cells/*/*.npz")}
    assert json.loads((out / "study.json").read_text())["rows"] == found["rows"]


def test_a_workspace_can_be_studied(place, capsys):
    (place / "study.toml").write_text(TEXT.split('[[step]]\nname = "more"', maxsplit=1)[0])
    files = [str(place / "music.parquet"), "--audio", "mean_audio", "--video", "mean_rgb"]
    assert run(["-w", str(place / "w"), "features", "import", *files]) == 0
    capsys.readouterr()
    common = ["study", str(place / "study.toml"), "--json", "--out", str(place / "out")]
    assert run([*common, "--features", str(place / "w")]) == 0
    named = json.loads(capsys.readouterr().out)
    assert run(["-w", str(place / "w"), *common]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == named["rows"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({1: "none.toml"}, "none.toml: no such study file"),
        ({3: "yt8m:none.parquet"}, "none.parquet: no such files"),
        ({3: "music"}, "--features music: unknown kind of data; use yt8m:FILES"),
        ({5: "."}, "--extra .: not a workspace (no catalogue in it). Name a workspace, or yt8m:FILES"),
    ],
)
def test_wrong_calls_say_what_is_wrong(place, capsys, change, message):
    given = arguments(place)
    for number, value in change.items():
        given[number] = value
    assert run(given) == 1
    assert message in capsys.readouterr().err


def test_the_committed_studies_resolve_and_the_staircase_ends_one_ingredient_from_our_recipe():
    assert resolved_steps(load_study(STUDIES / "small.toml"), STUDIES)
    steps = [step for step in resolved_steps(load_study(STUDIES / "staircase.toml"), STUDIES) if step.recipe]
    settings = [step.recipe.model_dump(exclude={"name", "description"}) for step in steps]
    assert settings[0] == load_recipe("paper-base").model_dump(exclude={"name", "description"})
    assert settings[-1] == load_recipe("antiphon-base").model_dump(exclude={"name", "description"})
    for before, after in pairwise(settings):
        # Everything that a step changes is in one part of the recipe.
        assert len([part for part in after if after[part] != before[part]]) == 1
