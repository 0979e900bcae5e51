"""`antiphon reproduce` on small features: the whole, parts of it, and going on after a stop."""

import json

import numpy as np
import polars as pl
import pytest

from antiphon.cli.app import run
from antiphon.runs import RUN_FILE

pytestmark = pytest.mark.usefixtures("quick_default")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Features of 150 made-up videos with genre and tags."""
    place = tmp_path_factory.mktemp("reproduce")
    random = np.random.default_rng(0)
    shared = random.normal(size=(150, 5))
    sides = {
        side: shared @ random.normal(size=(5, 12)) + 0.3 * random.normal(size=(150, 12))
        for side in ("mean_audio", "mean_rgb")
    }
    table = {
        "id": [f"v{row}" for row in range(150)],
        "splits": ["train"] * 90 + ["validation"] * 25 + ["test"] * 35,
        "genres": np.where(shared[:, 0] > 0, "rock", "soul"),
        "labels": [[column for column in range(3) if row[column] > 0] for row in shared],
    }
    pl.DataFrame(table | {side: rows.astype(np.float32) for side, rows in sides.items()}).write_parquet(
        place / "f.parquet"
    )
    columns = [
        "--audio",
        "mean_audio",
        "--video",
        "mean_rgb",
        "--splits",
        "splits",
        "--genres",
        "genres",
        "--labels",
        "labels",
    ]
    assert run(["-w", str(place / "w"), "features", "import", str(place / "f.parquet"), *columns]) == 0
    return place


def test_the_paper_in_one_command(workspace, capsys):
    place = workspace / "w"
    capsys.readouterr()
    assert run(["-w", str(place), "reproduce", "--seeds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"]["alignment"].startswith("Contrastive learning ")
    assert found["data"]["synthetic"] is False
    stored = json.loads((place / "paper.json").read_text())
    assert stored == {key: value for key, value in found.items() if key != "page"}
    page = (place / "paper.html").read_text()
    assert found["verdict"]["rq2"][:40] in page
    assert (place / "paper" / "table-1.csv").read_text().count("paper-") >= 6
    assert "contrastive aggregated" in (place / "paper" / "table-2.csv").read_text()
    assert (place / "runs" / found["run"] / RUN_FILE).is_file()


def test_it_goes_on_where_it_stopped_and_leaves_the_users_runs_alone(workspace, capsys):
    place = workspace / "w"
    run(["-w", str(place), "reproduce", "--seeds", "1"])
    models = {path: path.stat().st_mtime_ns for path in place.glob("runs/paper/*/model.safetensors")}
    assert len(models) == 12
    assert run(["-w", str(place), "train", "--recipe", "paper-base", "--no-learning-curve"]) == 0
    assert run(["-w", str(place), "reproduce", "--seeds", "1"]) == 0
    assert {path: path.stat().st_mtime_ns for path in models} == models
    capsys.readouterr()
    assert run(["-w", str(place), "evaluate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == "paper-base"
    assert run(["-w", str(place), "evaluate", "--run", "paper/paper-base-seed-0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == "paper/paper-base-seed-0"


def test_one_experiment_of_features_imported_on_the_way(workspace, tmp_path, capsys):
    call = ["-w", str(tmp_path / "w"), "reproduce", "--features", f"yt8m:{workspace}/f*.parquet", "--experiment", "3"]
    assert run([*call, "--seeds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["experiment_3"]["target"] == "tags"
    assert "not requested" in found["experiment_1"]["reason"]
    assert found["commands"][0].endswith(
        "--experiment 3 --features 'yt8m:" + str(workspace) + "/f*.parquet' --seeds 1 --loss info_nce"
    )
    assert "This part was not requested." in (tmp_path / "w" / "paper.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--features", "nothing:x"], "use yt8m:FILES"),
        (["--features", "yt8m:/nowhere/*.tfrecord"], "no such files"),
        (["--features", "yt8m:x", "--synthetic"], "choose one"),
        ([], "no catalogue here"),
    ],
)
def test_a_wrong_call_says_what_to_do(tmp_path, capsys, arguments, said):
    assert run(["-w", str(tmp_path / "w"), "reproduce", *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../x", "paper/../../x", "a/b/c", "/etc", "paper/.x"])
def test_a_run_cannot_lie_outside_the_workspace(workspace, capsys, name):
    assert run(["-w", str(workspace / "w"), "evaluate", "--run", name]) == 1
    assert "cannot name a run" in capsys.readouterr().err
