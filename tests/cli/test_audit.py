"""`antiphon audit` on a workspace of ready-made features."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from antiphon.cli.app import run

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """120 videos whose sound and pictures belong together, and a run trained on them."""
    place = tmp_path_factory.mktemp("audit")
    random = np.random.default_rng(0)
    shared = random.normal(size=(120, 5))
    sides = {
        name: shared @ random.normal(size=(5, 12)) + 0.3 * random.normal(size=(120, 12)) for name in ("ears", "eyes")
    }
    table = {"id": [f"v{row}" for row in range(120)], "splits": ["train"] * 70 + ["validation"] * 20 + ["test"] * 30}
    pl.DataFrame(table | {name: side.astype(np.float32) for name, side in sides.items()}).write_parquet(
        place / "f.parquet"
    )
    base = ["-w", str(place / "w")]
    columns = ["--audio", "ears", "--video", "eyes", "--splits", "splits"]
    assert run([*base, "features", "import", str(place / "f.parquet"), *columns]) == 0
    assert run([*base, "train", "--recipe", "paper-temperature-0.3", "--name", "base", "--no-learning-curve"]) == 0
    return base


def test_a_clean_run_passes_and_the_finding_is_kept(workspace, capsys):
    capsys.readouterr()
    assert run([*workspace, "audit", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["fail"] == 0
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["Model: shuffled pairs"]["status"] == "pass"
    assert run([*workspace, "audit", "--no-retrain", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["Model: shuffled pairs"]["status"] == "n/a"


def test_the_published_formula_fails_with_exit_code_1_and_is_not_kept(workspace, capsys):
    assert run([*workspace, "audit", "--no-retrain"]) == 0
    kept = run_file(workspace).read_text()
    capsys.readouterr()
    assert run([*workspace, "audit", "--metric", "published", "--no-retrain"]) == 1
    said = capsys.readouterr().out
    assert "Metric: oracle" in said
    assert "Mend this before you rely on the ranks" in said
    assert run_file(workspace).read_text() == kept


def run_file(workspace):
    return Path(workspace[1]) / "runs" / "base" / "audit.json"
