"""`antiphon judge`: from runs to a round, answers and a report."""

import json

import polars as pl
import pytest

from antiphon.cli.app import run
from antiphon.judging import Judgements

from .features import with_features

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def place(synthetic_table, tmp_path_factory):
    """Synthetic media with made-up features, and two runs."""
    workspace = with_features(tmp_path_factory.mktemp("judge-cli") / "w", synthetic_table)
    base = ["-w", str(workspace.root)]
    for name, seed in (("base", 0), ("other", 1)):
        recipe = ["--recipe", "paper-base", "--no-learning-curve", "--name", name, "--seed", str(seed)]
        assert run([*base, "train", *recipe]) == 0
    return workspace


def call(capsys, *arguments):
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_from_runs_to_a_report_and_a_table(place, capsys, tmp_path):
    judge = ("-w", place.root, "judge")
    code, _, err = call(capsys, *judge, "report")
    assert (code, "Run antiphon judge prepare" in err) == (1, True)

    prepare = (*judge, "prepare", "--run", "base", "--run", "other", "--split", "all", "--questions", "9")
    code, out, _ = call(capsys, *prepare, "--json")
    made = json.loads(out)
    assert (code, made["number"], made["questions"], made["pool"]) == (0, 1, 9, 12)
    assert sum(made["aspects"].values()) == sum(made["kinds"].values()) == 9
    assert "Round 1: 9 questions from 12 videos" in call(capsys, *prepare)[1]

    people = Judgements(place.judgements)
    people.join("=Ada()")
    people.answer_all("=Ada()", {task.item: "left" for task in people.unanswered("=Ada()")})
    code, out, _ = call(capsys, *judge, "simulate", "--run", "base", "--judges", "2", "--noise", "0", "--json")
    assert (code, len(json.loads(out)["judges"])) == (0, 2)
    simulate = [*judge, "simulate", "--run", "base", "--judges", "2", "--noise", "0", "--json"]
    again = json.loads(call(capsys, *simulate)[1])
    assert (again["judges"], again["answers"]) == (json.loads(out)["judges"], 0)
    other = json.loads(call(capsys, *simulate, "--seed", "1")[1])
    assert not set(other["judges"]) & set(again["judges"])
    assert other["answers"] > 0

    code, out, _ = call(capsys, *judge, "report", "--json")
    found = json.loads(out)
    assert (code, found["answers"], [one["name"] for one in found["judges"]]) == (0, 9, ["=Ada()"])
    code, out, _ = call(capsys, *judge, "report", "--simulated")
    assert code == 0
    assert "base, compared by what was asked about, agrees with the judges in 100% (66.4%–100%): above chance" in out
    assert "say nothing about people" in out

    code, out, _ = call(capsys, *judge, "score", "--run", "base", "--json")
    assert json.loads(out) == {"round": 1, "run": "base", "scored": 9, "questions": 9}
    assert len(json.loads(call(capsys, *judge, "report", "--json")[1])["similarities"]) == 8  # no run twice

    for name, read, judge_name in (("a.csv", pl.read_csv, "'=Ada()"), ("a.parquet", pl.read_parquet, "=Ada()")):
        code, _, _ = call(capsys, *judge, "export", tmp_path / name)
        table = read(tmp_path / name)
        assert (code, table["judge"].unique().to_list()) == (0, [judge_name])
        assert table["answer"].to_list() == ["left"] * len(table)
    assert call(capsys, *judge, "export", tmp_path / "a.xlsx")[0] == 1


def test_what_is_not_there_is_said(place, capsys):
    judge = ("-w", place.root, "judge")
    assert call(capsys, *judge, "prepare", "--run", "nine")[0] == 1
    code, _, err = call(capsys, *judge, "report", "--round", "9")
    assert (code, "no round 9" in err) == (1, True)
