"""Keeping segments and fine-tuning from the command line: a tuned run stands on its own."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from antiphon import DualEncoder
from antiphon.catalogue import Catalogue
from antiphon.cli import finetune
from antiphon.cli.app import run
from antiphon.errors import ModelError
from antiphon.features.assembly import assemble
from antiphon.runs import TUNED_FILE
from antiphon.training.windows import kept_rows
from antiphon.workspace import Workspace

pytestmark = pytest.mark.usefixtures("quick_default")

SPLITS = ["train", "train", "validation", "validation"]


def call_json(capsys, *arguments):
    assert run([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def place(synthetic_table, tmp_path_factory):
    """A workspace with kept segments and a run."""
    place = tmp_path_factory.mktemp("finetune") / "w"
    table = pl.read_csv(synthetic_table).head(len(SPLITS))
    paths = [str(synthetic_table.parent / path) for path in table["path"]]
    table.with_columns(path=pl.Series(paths), split=pl.Series(SPLITS)).write_csv(place.parent / "some.csv")
    for arguments in (
        ["catalogue", "add", place.parent / "some.csv"],
        ["extract", "--sections", "1", "--keep-segments", "--workers", "1"],
        ["train", "--name", "base", "--no-learning-curve"],
        ["finetune", "--run", "base", "--blocks", "1", "--epochs", "1", "--workers", "1"],
    ):
        assert run(["--workspace", str(place), *map(str, arguments)]) == 0
    return place


def test_segments_are_kept_and_counted(place, capsys):
    found = call_json(capsys, "--workspace", place, "extract", "--keep-segments")
    files = list((place / "segments").rglob("*.mkv"))
    assert len(files) == len(SPLITS)
    total = sum(path.stat().st_size for path in files)
    assert found["kept"] == {"segments": len(files), "bytes": total, "bytes_per_segment": total // len(files)}


def test_rows_stand_in_the_splits_of_the_catalogue(place):
    rows = kept_rows(Workspace(place))
    splits = {record["id"]: record["split"] for record in Catalogue.load(place / "catalogue.parquet").records()}
    assert sorted(row.video_id for found in rows.values() for row in found) == sorted(splits)
    assert all(splits[row.video_id] == split for split, found in rows.items() for row in found)
    assert all(row.path.exists() and (row.frames, row.window_frames) == (50, 30) for row in rows["train"])
    assert all(0 <= row.offset_s <= 2 for row in rows["train"])
    features = assemble(Workspace(place), Catalogue.load(place / "catalogue.parquet"), "musicnn-mtt", None)
    for row in (row for found in rows.values() for row in found):
        (number,) = np.flatnonzero(features.ids == row.segment_id)
        assert row.start_s == features.starts_s[number]
        assert (row.artist, row.labels) == (features.artists[number], features.labels[number])
        assert row.artist
        assert row.labels


def test_the_tuned_run_is_evaluated_on_its_own_features(place, capsys):
    assert {path.name for path in (place / "runs" / "base-tuned").iterdir()} == {
        "run.toml",
        "model.safetensors",
        TUNED_FILE,
        "history.parquet",
        "videos.parquet",
    }
    found = call_json(capsys, "--workspace", place, "evaluate", "--run", "base-tuned", "--split", "validation")
    model = DualEncoder.load(place / "runs" / "base-tuned")
    assert (found["audio"], found["video"]) == (model.audio_name, model.video_name)
    assert model.audio_name.startswith("musicnn-mtt+tuned-")
    assert model.video_name.startswith("efficientnet_lite0+tuned-")
    assert len(model.history) == 1


def test_it_encodes_files_with_the_tuned_backbones(place, tmp_path):
    model = DualEncoder.load(place / "runs" / "base-tuned")
    catalogue = Catalogue.load(place / "catalogue.parquet")
    record = catalogue.records()[0]
    features = assemble(Workspace(place), catalogue, model.audio_name, model.video_name)
    row = features.take(features.groups == record["id"])
    audio, video = model.embed(row)
    same = tmp_path / record["id"]  # segments are drawn by name
    shutil.copy(record["path"], same)
    for side, stored in (("audio", audio), ("video", video)):
        found = model.encode_file(same)[side]
        windows, vectors = found.windows, found.segments
        assert len(windows) == len(vectors) == len(stored) == 1
        assert windows[0][0] == pytest.approx(row.starts_s[0])
        np.testing.assert_allclose(vectors, stored, atol=1e-5)
    networks = model.tuned.both("cpu")
    assert [network.name for network in networks] == [model.audio_name, model.video_name]
    assert [network.fingerprint[:8] for network in networks] == [name[-8:] for name in (row.audio_name, row.video_name)]


def test_features_of_the_untuned_backbones_are_refused(place):
    tuned = DualEncoder.load(place / "runs" / "base-tuned")
    catalogue = Catalogue.load(place / "catalogue.parquet")
    plain = assemble(Workspace(place), catalogue, "musicnn-mtt", "efficientnet_lite0")
    with pytest.raises(ModelError, match=r"are of musicnn-mtt; this model was trained on musicnn-mtt\+tuned-"):
        tuned.embed(plain)
    changed = assemble(Workspace(place), catalogue, tuned.audio_name, tuned.video_name)
    with pytest.raises(ModelError, match=r"are of musicnn-mtt\+tuned-"):
        DualEncoder.load(place / "runs" / "base").embed(changed)
    assert not np.allclose(plain.video, changed.video)


def test_what_is_damaged_or_tuned_already_is_said(place, tmp_path, capsys):
    assert run(["--workspace", str(place), "finetune", "--run", "base-tuned"]) == 1
    assert "starts from a model that was trained on features of untuned backbones" in capsys.readouterr().err
    broken = tmp_path / "broken"
    shutil.copytree(place / "runs" / "base-tuned", broken)
    stored = bytearray((broken / TUNED_FILE).read_bytes())
    stored[-1] ^= 1
    (broken / TUNED_FILE).write_bytes(stored)
    with pytest.raises(ModelError, match="missing or damaged"):
        DualEncoder.load(broken)
    (broken / TUNED_FILE).unlink()
    with pytest.raises(ModelError, match="missing or damaged"):
        DualEncoder.load(broken)
    other = tmp_path / "other"
    shutil.copytree(place / "runs" / "base-tuned", other)
    text = (other / "run.toml").read_text()
    begin = text.index('audio_fingerprint = "') + len('audio_fingerprint = "')
    (other / "run.toml").write_text(text[:begin] + "0" * 64 + text[begin + 64 :])
    with pytest.raises(ModelError, match="The cached weights of musicnn-mtt are not those that the run was tuned from"):
        DualEncoder.load(other).tuned.both("cpu")


def test_validation_videos_that_the_run_was_trained_on_are_refused(place, tmp_path):
    split_again = tmp_path / "w"
    shutil.copytree(place, split_again)
    records = Catalogue.load(place / "catalogue.parquet").records()
    turned = {"train": "validation", "validation": "train"}
    again = [record | {"split": turned[record["split"]]} for record in records]
    Catalogue(again).save(split_again / "catalogue.parquet")
    model = DualEncoder.load(split_again / "runs" / "base")
    with pytest.raises(ModelError, match=r"2 videos are in both .* Bring back the splits that the model was trained"):
        model.fine_tune(split_again)


@pytest.mark.parametrize(("before", "after", "better"), [(2.0, 1.0, True), (1.0, 2.0, False)])
def test_whole_models_are_compared_and_damaged_files_named(place, capsys, monkeypatch, before, after, better):
    def fine_tune(model, workspace, config, progress):
        tuned = DualEncoder.load(place / "runs" / "base-tuned")
        (damaged,) = [row.segment_id for row in kept_rows(Workspace(place))["train"][:1]]
        found = {"log_rank_before": before, "log_rank_after": after, "damaged": [damaged]}
        tuned.tuned.origin = replace(tuned.tuned.origin, **found)
        return tuned

    monkeypatch.setattr(DualEncoder, "fine_tune", fine_tune)
    monkeypatch.setattr(finetune, "_extract", lambda *_: None)
    (damaged,) = [row.segment_id for row in kept_rows(Workspace(place))["train"][:1]]
    command = ["--workspace", str(place), "finetune", "--run", "base", "--name", "again"]
    assert run(command) == 0
    said = capsys.readouterr()
    ranks = f"rank of {np.exp(after):.1f} among 2 validation pairs, {np.exp(before):.1f} by run base"
    assert ranks in " ".join(said.out.split())
    assert ("run base is at least as good" in said.out) != better
    assert f"1 kept segments could not be read and were skipped: {damaged}" in " ".join(said.err.split())
    found = call_json(capsys, *command)
    assert (found["damaged"], found["pairs"], found["validation_pairs"]) == ([damaged], 1, 2)
    shutil.rmtree(place / "runs" / "again")
