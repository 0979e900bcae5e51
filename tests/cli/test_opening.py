"""Which features a command takes where none are named: those of tuned backbones are not in the way."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from antiphon.backbones.arithmetic import OPENVINO, TORCH
from antiphon.cli.app import run
from antiphon.cli.opening import indexed, say_of_arithmetic
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.report.inputs import read_inputs
from antiphon.tables import SEGMENTS, write_table
from antiphon.workspace import Workspace

STUDY = """
name = "small"
seeds = 1
draws = { count = 1, test = 10 }
[[step]]
name = "cca"
"""


def add(place, audio_name, video_name):
    """Features of 40 videos, in stores of these names."""
    draws = np.random.default_rng(0)
    features = Features.from_arrays(
        audio=draws.normal(size=(40, 6)),
        video=draws.normal(size=(40, 5)),
        ids=[f"v{number}" for number in range(40)],
        audio_name=audio_name,
        video_name=video_name,
    )
    import_features(replace(features, splits=np.array(["train", "validation"] * 20)), Workspace(place))


@pytest.fixture
def place(tmp_path):
    """A workspace as `antiphon finetune` leaves it: two kinds of features a side."""
    add(tmp_path / "w", "sound", "pictures")
    add(tmp_path / "w", "sound+tuned-01234567", "pictures+tuned-89abcdef")
    return tmp_path / "w"


def trained_names(place):
    assert run(["-w", str(place), "train", "--recipe", "paper-base", "--name", "again", "--no-learning-curve"]) == 0
    text = (place / "runs" / "again" / "run.toml").read_text()
    return [line.split('"')[1] for line in text.splitlines() if line.startswith(("audio = ", "video = "))]


def test_train_takes_the_features_of_the_backbones_as_they_were(place):
    assert trained_names(place) == ["sound", "pictures"]


def test_train_takes_those_of_tuned_backbones_where_there_are_no_others(tmp_path):
    add(tmp_path / "w", "sound+tuned-01234567", "pictures+tuned-89abcdef")
    assert trained_names(tmp_path / "w") == ["sound+tuned-01234567", "pictures+tuned-89abcdef"]


def test_study_does_likewise_and_names_no_option_that_it_lacks(place, tmp_path, capsys):
    (tmp_path / "study.toml").write_text(STUDY)
    command = ["study", str(tmp_path / "study.toml"), "--features", str(place), "--out", str(tmp_path / "out")]
    assert run(command) == 0
    capsys.readouterr()
    add(place, "other", "pictures")
    assert run(command) == 1
    said = capsys.readouterr().err
    assert "several audio features: other, sound. Use a workspace with one set of features per modality." in " ".join(
        said.split()
    )
    assert run(["-w", str(place), "train"]) == 1
    assert "Choose with --audio other|sound." in " ".join(capsys.readouterr().err.split())


def test_choices_of_both_modalities_are_asked_for_at_once(place, capsys):
    add(place, "loudness", "colours")
    assert run(["-w", str(place), "train"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "several audio features: loudness, sound; several video features: colours, pictures." in said
    assert "Choose with --audio loudness|sound --video colours|pictures." in said


def test_each_table_is_read_once_and_passed_on(place, monkeypatch):
    """What the report shows of segments, and what an index is built from."""
    (place / "runs").mkdir(exist_ok=True)
    assert run(["-w", str(place), "train", "--recipe", "paper-base", "--name", "one", "--no-learning-curve"]) == 0
    write_table(pa.Table.from_pylist([], SEGMENTS), place / "segments.parquet")
    read = []
    original = pa.OSFile
    monkeypatch.setattr(pa, "OSFile", lambda path: read.append(Path(path).name) or original(path))
    read_inputs(Workspace(place), "one")
    assert (read.count("segments.parquet"), read.count("catalogue.parquet")) == (1, 1)
    read.clear()
    indexed(Workspace(place), "one")
    assert (read.count("segments.parquet"), read.count("catalogue.parquet")) == (1, 1)


def test_a_search_says_where_the_file_was_encoded_in_another_arithmetic(place):
    def never():
        raise AssertionError

    said = []
    session = SimpleNamespace(workspace=Workspace(place), say=said.append)
    row = VideoFeatures("v", ["v#0"], np.ones((1, 2), np.float32))
    FeatureStore(session.workspace.features / "early", {"weights": "1"}).append([row])
    FeatureStore(session.workspace.features / "late", {"weights": "1"}, OPENVINO).append([row])
    for backbone, arithmetic in (("early", lambda: TORCH), ("late", lambda: OPENVINO), ("sound", never), ("", never)):
        say_of_arithmetic(session, backbone, arithmetic)
    assert said == []
    say_of_arithmetic(session, "early", lambda: OPENVINO)
    say_of_arithmetic(session, "late", lambda: TORCH)
    assert [text.split(". ")[0] for text in said] == [
        f"early: the file was encoded in {OPENVINO}, the features in {TORCH}",
        f"late: the file was encoded in {TORCH}, the features in {OPENVINO}",
    ]
