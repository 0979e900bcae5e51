"""`antiphon probe`, called as a shell calls it, on imported features."""

import json

import numpy as np
import polars as pl
import pytest

from antiphon.cli.app import run
from antiphon.metrics import classification

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A trained run on small features of 90 music videos, whose sound tells the genre."""
    place = tmp_path_factory.mktemp("probe")
    random = np.random.default_rng(0)
    genre = random.integers(0, 2, 90)
    shared = random.normal(size=(90, 4))
    sound = np.column_stack([np.eye(2)[genre] * 3, shared]) + 0.3 * random.normal(size=(90, 6))
    table = pl.DataFrame(
        {
            "id": [f"v{row}" for row in range(90)],
            "ears": sound.astype(np.float32),
            "eyes": (shared + 0.3 * random.normal(size=(90, 4))).astype(np.float32),
            "genre": np.array(["folk", "rock"])[genre],
            "tags": [["loud"] if row % 3 else [] for row in range(90)],
            "split": ["train"] * 50 + ["validation"] * 20 + ["test"] * 20,
        }
    )
    table.write_parquet(place / "table.parquet")
    columns = {"audio": "ears", "video": "eyes", "genres": "genre", "labels": "tags", "splits": "split"}
    options = [f"--{name}={column}" for name, column in columns.items()]
    for arguments in (
        ["features", "import", str(place / "table.parquet"), *options],
        ["train", "--name", "base", "--no-learning-curve"],
    ):
        assert run(["--workspace", str(place / "w"), *arguments]) == 0
    return place / "w"


def call(capsys, workspace, *arguments):
    """Exit code, stdout and stderr of one call."""
    code = run(["--workspace", str(workspace), "probe", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_people_get_tables_of_eighty_columns_and_files_hold_what_they_show(workspace, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = call(capsys, workspace, "--seeds", 1)
    assert code == 0
    assert "Run base, genre, perceptron, 20 tracks" in out
    assert "Run base, genre, linear, 20 tracks" in out
    tables = [line for line in out.splitlines() if "[" in line and not line.startswith("2 labels")]
    assert "Run base, genre, supervised fusion, 20 tracks" in out
    assert len(tables) == 2 * (7 + 4) + 3 + 3
    assert max(map(len, tables)) <= 80
    assert not any("…" in line for line in tables)
    stored = json.loads((workspace / "runs" / "base" / "probe-genre.json").read_text())
    first = stored["table"][0]
    value, (low, high) = first["roc_auc"]["value"], first["roc_auc"]["ci95"]
    shown = f"{value:.3f} [{low:.3f}, {high:.3f}]".replace("0.", ".").replace("1.000", "1.00")
    assert shown in tables[0]
    assert "2 labels, macro averages; trained on the training split, tested on the test split." in out
    assert "Chance: .500 ROC-AUC, .500 PR-AUC, .500 F1." in out


def test_machines_get_json_and_the_scores_give_the_same_numbers(workspace, capsys):
    code, out, _ = call(capsys, workspace, "--seeds", 1, "--folds", 3, "--aggregate", "mean", "--json")
    assert code == 0
    found = json.loads(out)
    assert found == json.loads((workspace / "runs" / "base" / "probe-genre.json").read_text())
    assert (found["run"], found["protocol"], found["folds"], found["aggregate"]) == ("base", "folds", 3, "mean")
    scores = pl.read_parquet(workspace / "runs" / "base" / "probe-genre.parquet")
    for one in found["table"]:
        rows = scores.filter(representation=one["representation"], kind=one["kind"])
        assert one["n"] == len(rows) == 90
        truth = [found["labels"].index(label) for (label,) in rows["target"].to_list()]
        again = classification(rows["scores"].to_numpy(), truth, rows["video_id"].to_numpy(), names=found["labels"])
        for metric in ("roc_auc", "pr_auc", "f1"):
            assert again[metric].items() <= one[metric].items()


def test_training_again_removes_what_was_found_of_the_model_before(workspace, capsys):
    assert call(capsys, workspace, "--target", "tags", "--seeds", 1)[0] == 0
    assert call(capsys, workspace, "--target", "genre", "--seeds", 1)[0] == 0
    folder = workspace / "runs" / "base"
    expected = {"probe-genre.json", "probe-genre.parquet", "probe-tags.json", "probe-tags.parquet"}
    assert {path.name for path in folder.glob("probe-*")} == expected
    assert run(["--workspace", str(workspace), "train", "--name", "base", "--no-learning-curve", "--seed", "7"]) == 0
    assert not list(folder.glob("probe-*"))


def test_what_cannot_be_told_is_said_in_words_and_nothing_is_written(workspace, capsys):
    code, _, err = call(capsys, workspace, "--target", "tags", "--min-positives", 1000)
    assert code == 1
    assert "0 tags with at least 1000 videos among the videos to train on" in err
    assert not list((workspace / "runs" / "base").glob("probe-tags*"))
