"""What a study found in one sentence, and its table for LaTeX; and the example, which is a study."""

import copy
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from antiphon.cli.app import run
from antiphon.experiments.study import load_study, resolved_steps
from antiphon.report.study_verdict import study_latex, study_verdict


def row(step: str, rank: float, **against: tuple[str, float, float, float]) -> dict[str, Any]:
    """A row of a study; against: by role the step, the factor and its interval."""
    value = {"value": rank, "ci95": [rank - 2, rank + 2]}
    share = {"value": 0.25, "ci95": [0.2, 0.3]}
    way = {"median_rank": value, "recall@10": share, "mrr": share, "null95": [400.0, 600.0], "by_training": [rank]}
    gains = {
        role: {"step": other, "both": {"ratio": ratio, "ci95": [low, high]}}
        for role, (other, ratio, low, high) in against.items()
    }
    about = {"step": step, "label": f"{step}_&", "size": "all", "trainings": 2, "failures": 0, "failed": []}
    return about | {"n": 1000.0, "chance": 500.5, "a2v": way, "v2a": way, "against": gains}


STUDY: dict[str, Any] = {
    "name": "Steps_1",
    "sizes": ["all"],
    "reference": "base",
    "command": "antiphon study x.toml",
    "rows": [
        row("cca", 40.0, reference=("base", 0.5, 0.4, 0.6)),
        row("paper", 30.0, cca=("cca", 1.3, 1.1, 1.5), reference=("base", 0.7, 0.6, 0.8)),
        row("base", 20.0, previous=("paper", 1.05, 0.95, 1.15), cca=("cca", 2.0, 1.8, 2.25)),
    ],
}


def test_the_best_step_is_named_with_what_is_certain() -> None:
    assert study_verdict(STUDY) == (
        "base_& has the best median ranks, 20 and 20 of 1,000 (chance 500.5), trained on all remaining videos: "
        "not told apart from paper_& (×1.05 [0.95, 1.15]); better than cca_& (×2.00 [1.80, 2.25])."
    )


def test_chance_and_failure_are_called_so() -> None:
    lost = copy.deepcopy(STUDY)
    for one in lost["rows"]:
        for way in ("a2v", "v2a"):
            one[way]["median_rank"]["value"] = 450.0
    assert study_verdict(lost).startswith("No step is told apart from chance, trained on all remaining videos: ")
    failed = {**STUDY, "rows": [{**one, "trainings": 0} for one in STUDY["rows"]]}
    assert study_verdict(failed) == "No training succeeded, trained on all remaining videos."


def test_the_latex_table_is_booktabs_with_everything_escaped() -> None:
    found = study_latex(STUDY)
    lines = found.splitlines()
    assert [line for line in lines if line.startswith("\\") and "rule" in line] == [
        "\\toprule",
        "\\midrule",
        "\\bottomrule",
    ]
    assert r"\caption{Steps\_1, trained on all remaining videos.}" in lines
    body = [line for line in lines if line.endswith(r"\\") and not line.startswith("step")]
    assert len(body) == 3
    assert {line.count(" & ") for line in body} == {9}
    assert body[2].startswith(
        r"base\_\& & 20 [18, 22] & 20 [18, 22] & 400--600 & 400--600 & 500.5 of 1,000 & 0.250 & 0.250 & "
    )
    assert r"$\times$2.00 [1.80, 2.25] & –" in body[2] or r"2.00 [1.80, 2.25]" in body[2]
    assert f"% {study_verdict(STUDY)}" in lines


def test_the_example_is_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "--example"]) == 0
    printed = capsys.readouterr().out
    assert printed == resources.files("antiphon.experiments").joinpath("example_study.toml").read_text("utf-8")
    path = tmp_path / "study.toml"
    path.write_text(printed, encoding="utf-8")
    plan = load_study(path)
    steps = resolved_steps(plan, tmp_path)
    assert [step.name for step in steps] == ["cca", "paper-base", "temperature", "antiphon-base"]
    assert steps[2].recipe is not None and steps[2].recipe.loss.temperature == 0.3
    assert run(["study"]) == 1
    assert "antiphon study --example > study.toml" in capsys.readouterr().err
