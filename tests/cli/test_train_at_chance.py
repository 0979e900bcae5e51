"""Training says where its validation ranks are those of chance, and only there."""

import json

import numpy as np
import pytest

from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.workspace import Workspace

COUNT = 110


@pytest.fixture(params=[True, False], ids=["unrelated", "related"])
def unrelated(request, tmp_path):
    """Whether the sound and the pictures of a workspace have nothing in common."""
    random = np.random.default_rng(0)
    audio = random.normal(size=(COUNT, 8))
    video = random.normal(size=(COUNT, 8)) if request.param else audio[:, ::-1] + 0.1 * random.normal(size=(COUNT, 8))
    splits = ["train"] * 69 + ["validation"] * 30 + ["test"] * 11
    features = Features.from_arrays(audio=audio, video=video, splits=splits, audio_name="hearing", video_name="seeing")
    import_features(features, Workspace(tmp_path))
    return request.param


def test_ranks_at_chance_are_said_with_what_to_do(unrelated, tmp_path, capsys):
    assert run(["-w", str(tmp_path), "--json", "train", "--recipe", "antiphon-base", "--no-learning-curve"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["at_chance"] == unrelated
    said = "the trained heads alone rank as chance does" in printed.err.replace("\n", " ")
    assert said == unrelated
    assert ("antiphon audit" in printed.err) == unrelated
