"""The command line, called as a shell calls it."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from antiphon.cli.app import run
from antiphon.cli.evaluate import show_ranks
from antiphon.evaluation_log import read_evaluations
from antiphon.metrics import retrieval

pytestmark = pytest.mark.usefixtures("quick_default")

ANTIPHON = [sys.executable, "-m", "antiphon"]


def call(capsys, *arguments):
    """Exit code, stdout and stderr of one call."""
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def call_json(capsys, *arguments):
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


@pytest.fixture(scope="module")
def workspace(extracted, tmp_path_factory):
    """A workspace taken from files to a trained run by the verbs alone."""
    place = tmp_path_factory.mktemp("cli") / "w"
    shutil.copytree(extracted, place)
    for arguments in (["train", "--name", "base"], ["evaluate"]):
        assert run(["--workspace", str(place), *map(str, arguments)]) == 0
    return place


def test_from_a_table_of_files_to_ranks(workspace):
    names = {path.name for path in workspace.iterdir()} - {".lock"}
    tables = {"catalogue.parquet", "segments.parquet", "failures.parquet", "attributes.parquet"}
    assert names == {*tables, "features", "runs"}
    assert {path.name for path in (workspace / "runs" / "base").iterdir()} - {"report.html"} == {
        "run.toml",
        "model.safetensors",
        "history.parquet",
        "videos.parquet",
        "learning_curve.json",
        "metrics.json",
        "evaluations",
    }


def test_adding_more_never_moves_what_is_there(synthetic_table, tmp_path, capsys):
    place, folder = tmp_path / "w", tmp_path / "videos"
    folder.mkdir()
    videos = sorted(synthetic_table.parent.glob("*.mp4"))
    for video in videos[:8]:
        shutil.copy(video, folder)
    code, _, err = call(capsys, "-w", place, "catalogue", "add", folder, "--metadata", synthetic_table)
    assert code == 0
    assert "4 rows name no file in the folder" in err
    before = {row["id"]: row["split"] for row in pl.read_parquet(place / "catalogue.parquet").to_dicts()}
    shutil.copy(videos[8], folder)
    assert call(capsys, "-w", place, "catalogue", "add", folder, "--seed", "5")[0] == 0
    after = {row["id"]: row["split"] for row in pl.read_parquet(place / "catalogue.parquet").to_dicts()}
    assert len(after) == 9
    assert all(after[video] == split for video, split in before.items())


def test_interrupted_while_measuring_the_learning_curve_the_model_is_there(workspace, tmp_path, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    shutil.copytree(workspace, tmp_path / "w")
    monkeypatch.setattr("antiphon.evaluation.learning_curve.learning_curve", interrupt)
    assert call(capsys, "-w", tmp_path / "w", "train", "--name", "stopped")[0] == 130
    assert call(capsys, "-w", tmp_path / "w", "evaluate", "--run", "stopped")[0] == 0


def test_every_verb_says_what_it_found_in_json(workspace, capsys):
    described = call_json(capsys, "-w", workspace, "catalogue", "describe")
    assert described["videos"] == 12
    assert sum(described["splits"].values()) == 12
    listed = call_json(capsys, "-w", workspace, "features", "list")
    assert [(row["name"], row["videos"], row["dim"]) for row in listed["features"]] == [
        ("efficientnet_lite0", 12, 2560),
        ("musicnn-mtt", 12, 1506),
    ]
    extracted = call_json(capsys, "-w", workspace, "extract", "--sections", "2")
    assert (extracted["segments"], extracted["failures"]) == (24, [])
    found = call_json(capsys, "-w", workspace, "evaluate")
    assert found["run"] == "base"
    assert found["a2v"]["n"] == 2 * described["splits"]["test"]
    stored = json.loads((workspace / "runs" / "base" / "metrics.json").read_text())
    assert stored == found
    listed = call_json(capsys, "backbones", "list")["backbones"]
    assert {"efficientnet_lite0", "musicnn-mtt"} <= {row["name"] for row in listed}
    shown = call(capsys, "backbones", "list")[1]
    assert re.search(r"basic-pitch  audio, 176 values, 0\.\d MB", shown) and " 0 MB" not in shown


def test_a_frozen_test_set_is_evaluated_and_every_evaluation_stays(workspace, capsys):
    folder = workspace / "runs" / "base"
    metrics = (folder / "metrics.json").read_bytes()
    first = call_json(capsys, "-w", workspace, "evaluate", "--run", "base", "--freeze", "may")
    again = call_json(capsys, "-w", workspace, "evaluate", "--run", "base", "--test-set", "may")
    assert again == first
    assert (folder / "metrics.json").read_bytes() == metrics
    kept = read_evaluations(folder)
    assert [one.test_set for one in kept[-2:]] == ["may", "may"]
    assert kept[-1].metrics["a2v"]["n"] == first["a2v"]["n"] == json.loads(metrics)["a2v"]["n"]
    for wrong in (["--freeze", "may"], ["--test-set", "june"]):
        assert call(capsys, "-w", workspace, "evaluate", "--run", "base", *wrong)[0] == 1


def test_the_same_ranks_as_the_python_api(workspace, capsys):
    import antiphon as ap
    from antiphon.cli.opening import workspace_features
    from antiphon.workspace import Workspace

    model = ap.DualEncoder.load(workspace / "runs" / "base")
    features = workspace_features(Workspace(workspace), None, None)["test"]
    audio, video = model.embed(features)
    expected = retrieval(audio, video, groups=features.groups)
    found = call_json(capsys, "-w", workspace, "evaluate")
    assert found["a2v"] == expected["a2v"]


def test_people_get_tables_and_a_report(workspace, capsys):
    code, out, err = call(capsys, "-w", workspace, "evaluate")
    assert code == 0
    assert "test videos, too few to say how good the model is" in " ".join(err.split())
    assert "audio → video" in out
    assert "null" in out
    code, out, _ = call(capsys, "-w", workspace, "catalogue", "describe")
    assert "12 videos" in out
    code, out, _ = call(capsys, "-w", workspace, "report")
    assert code == 0
    assert out.startswith("Report: file://")
    page = (workspace / "runs" / "base" / "report.html").read_text()
    assert "synthetic" in page.lower()
    assert "data:" in page or "base64" in page


def test_files_never_seen_are_embedded_and_bad_ones_listed(workspace, synthetic_table, tmp_path, capsys):
    video = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    (tmp_path / "empty.mp4").touch()
    out = tmp_path / "e.parquet"
    empty = tmp_path / "empty.mp4"
    code, text, _ = call(capsys, "-w", workspace, "--json", "embed", empty, video, "--model", "base", "--out", out)
    assert code == 1
    assert json.loads(text)["failures"] == {str(empty): f"{empty}: is empty (0 bytes)."}
    rows = pl.read_parquet(out)
    assert rows.columns == ["file", "modality", "start_s", "end_s", "vector"]
    assert rows["modality"].to_list() == ["audio", "audio", "video", "video"]
    np.testing.assert_allclose(np.linalg.norm(rows["vector"].to_numpy(), axis=1), 1, atol=1e-5)
    code, *_ = call(capsys, "-w", workspace, "embed", tmp_path / "empty.mp4", "--out", tmp_path / "none.parquet")
    assert code == 1
    assert not (tmp_path / "none.parquet").exists()


def test_a_song_is_tagged(synthetic_table, capsys):
    video = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    tags = call_json(capsys, "tag", video)["tags"]
    assert len(tags) == 50
    assert all(0 <= score <= 1 for score in tags.values())
    code, out, _ = call(capsys, "tag", video, "--top", "3")
    assert code == 0
    assert out.splitlines()[0].split()[0] == next(iter(tags)).split()[0]
    assert len(out.splitlines()) == 3


def test_several_songs_are_tagged_and_bad_ones_listed(synthetic_table, tmp_path, capsys):
    first, second = sorted(synthetic_table.parent.glob("*.mp4"))[:2]
    bad = tmp_path / "bad.mp3"
    bad.write_text("words and words, not a song " * 40, encoding="utf-8")
    code, out, _ = call(capsys, "--json", "tag", bad, first, second)
    found = json.loads(out)
    assert code == 1
    assert [item["file"] for item in found["files"]] == [str(first), str(second)]
    assert found["failures"] == {str(bad): f"{bad}: is text or a playlist, not a media file."}
    assert found["files"][0]["tags"] == call_json(capsys, "tag", first)["tags"]
    code, out, _ = call(capsys, "tag", bad, first, "--top", "2")
    assert (code, len(out.splitlines())) == (1, 4)
    assert "is text or a playlist" in out


def test_limits_of_files_are_options(synthetic_table, capsys):
    video = sorted(synthetic_table.parent.glob("*.mp4"))[0]
    code, _, err = call(capsys, "tag", video, "--max-decoding-s", "0.000001")
    assert code == 1
    assert f"{video}: took longer than 1e-06 s. It is damaged, or needs higher limits." in err


def test_imported_features_train_and_evaluate(tmp_path, capsys):
    random = np.random.default_rng(0)
    shared = random.normal(size=(300, 8))
    sides = {name: shared @ random.normal(size=(8, 16)) + 0.3 * random.normal(size=(300, 16)) for name in "av"}
    frame = pl.DataFrame({"id": [f"v{n}" for n in range(300)], **{k: v.tolist() for k, v in sides.items()}})
    frame.write_parquet(tmp_path / "f.parquet")
    place = tmp_path / "w"
    imported = call_json(
        capsys, "-w", place, "features", "import", tmp_path / "f.parquet", "--audio", "a", "--video", "v"
    )
    assert imported["videos"] == 300
    trained = call_json(capsys, "-w", place, "train", "--no-learning-curve")
    assert trained["run"] == "antiphon-base"
    assert trained["learning_curve"] is None
    found = call_json(capsys, "-w", place, "evaluate")
    assert found["a2v"]["ci95"][1] < found["a2v"]["null95"][0]
    assert "tracks" not in found


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["bogus"], 2, 'Unknown command "bogus"'),
        (["train", "--nope"], 2, "nope"),
        (["train"], 1, "no catalogue here. Create one with `antiphon catalogue add FOLDER`"),
        (["evaluate"], 1, "no catalogue here"),
        (["catalogue", "add", "gone"], 1, "gone: no such folder"),
        (["features", "import"], 1, "name at least one to import"),
        (["tag", "gone.wav"], 1, "gone.wav: no such file"),
        (["embed"], 1, "name at least one file"),
        (["backbones", "fetch", "musicnn-mtx"], 1, "musicnn-mtx"),
        (["demo", "--videos", "3"], 2, "videos"),
        (["extract", "--sections", "0"], 2, "sections"),
        (["extract", "--workers", "-1"], 2, "workers"),
        (["embed", __file__, "--model", "x" * 300], 1, "File name too long"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr_with_its_exit_code(arguments, code, message, tmp_path, capsys):
    found, out, err = call(capsys, "-w", tmp_path / "w", *arguments)
    assert found == code
    assert message in err
    assert out == ""
    assert not (tmp_path / "w" / "catalogue.parquet").exists()


def test_runs_and_backbones_that_are_not_there_are_named(workspace, capsys):
    for arguments, message in (
        (["evaluate", "--run", "other"], "has no trained model"),
        (["evaluate", "--run", "../../etc"], "cannot name a run"),
        (["train", "--recipe", "best"], "Unknown recipe 'best'"),
        (["train", "--audio", "musicnn-msd"], "no features here"),
        (["extract", "--audio", "musicnn-mtx", "--sections", "2"], "musicnn-mtx"),
        (["extract", "--sections", "3"], "was drawn with"),
    ):
        code, _, err = call(capsys, "-w", workspace, *arguments)
        assert code == 1
        assert message in err


def test_a_run_that_is_there_is_not_trained_again(workspace, tmp_path, capsys):
    shutil.copytree(workspace, tmp_path / "w")
    train = ["-w", tmp_path / "w", "train", "--name", "base"]
    weights = tmp_path / "w" / "runs" / "base" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    again = call_json(capsys, *train)
    assert again["unchanged"]
    assert weights.stat().st_mtime_ns == before
    assert again["learning_curve"]["points"]
    other = call_json(capsys, *train, "--seed", "9", "--no-learning-curve")
    assert not other["unchanged"]
    assert weights.stat().st_mtime_ns > before
    assert not (tmp_path / "w" / "runs" / "base" / "metrics.json").exists()


def test_few_pairs_are_a_plain_warning(workspace, capsys):
    code, _, err = call(capsys, "-w", workspace, "train", "--name", "few", "--no-learning-curve")
    assert code == 0
    assert "training videos are few for antiphon-base, which needs at least 100" in err
    shutil.rmtree(workspace / "runs" / "few")


def test_two_writers_do_not_meet(workspace, capsys):
    from antiphon.workspace import Workspace

    with Workspace(workspace).lock():
        code, _, err = call(capsys, "-w", workspace, "extract", "--sections", "2")
    assert code == 1
    assert "another process is writing to this workspace" in err


def test_help_teaches_without_loading_torch():
    verbs = [[], ["catalogue"], ["extract"], ["train"], ["demo"], ["embed"], ["tag"]]
    code = (
        "import sys; from antiphon.cli.app import run\n"
        f"for verb in {verbs}:\n    assert run([*verb, '--help']) == 0\n    assert 'torch' not in sys.modules, verb"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    for verb in verbs:
        assert f"Usage: {' '.join(['antiphon', *verb])}" in found.stdout


def test_interrupted_it_stops_with_130_and_goes_on_from_there(synthetic_table, tmp_path, capsys):
    place = str(tmp_path / "w")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    assert call(capsys, "-w", place, "catalogue", "add", synthetic_table)[0] == 0
    process = subprocess.Popen([*ANTIPHON, "-w", place, "extract", "--sections", "2"], start_new_session=True, **quiet)
    while not Path(place, "segments.parquet").exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert not list(Path(place).rglob("*.partial"))
    assert call_json(capsys, "-w", place, "extract", "--sections", "2")["segments"] == 24


def test_the_table_of_ranks_shows_whole_numbers_on_80_columns():
    """The widest there are: pools of hundreds, halves in every number."""
    ranks = {"median_rank": 115.5, "n": 192, "ci95": [111.5, 121.5], "null95": [76.2, 109.3], "chance": 96.5}
    ranks |= {"recall@10": 0.406, "mrr": 0.15, "groups": 64}
    both = {"a2v": ranks, "v2a": ranks}
    printed = io.StringIO()
    levels = {"tracks": both | {"times_alone": {"a2v": 90.5, "v2a": 91.0}}, "other_tracks": both}
    show_ranks({"run": "base", "split": "test", **both, **levels}, Console(file=printed, width=80))
    assert "…" not in printed.getvalue()
    assert "MRR" in printed.getvalue()


def test_a_video_is_taken_out_of_the_catalogue(workspace, tmp_path, capsys):
    place = tmp_path / "w"
    shutil.copytree(workspace, place)
    ids = pl.read_parquet(place / "catalogue.parquet")["id"].to_list()
    code, _, err = call(capsys, "-w", place, "catalogue", "remove", ids[0], ids[1][:-1])
    assert (code, "nothing was removed. Did you mean" in err) == (1, True)
    assert call(capsys, "-w", place, "catalogue", "remove", ids[0], ids[1])[1] == f"2 removed, {len(ids) - 2} left.\n"
    assert pl.read_parquet(place / "catalogue.parquet")["id"].to_list() == ids[2:]
