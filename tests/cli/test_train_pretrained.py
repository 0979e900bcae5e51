"""`antiphon train --pretrain` takes the features of another workspace, and leaves out what this one has."""

import json

import numpy as np
import pytest
import tomli_w

from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.model.recipe import load_recipe
from antiphon.workspace import Workspace


def made(names, splits, seed):
    random = np.random.default_rng(seed)
    audio = random.normal(size=(len(names), 4))
    rows = {"audio": audio, "video": audio[:, ::-1] + 0.1 * random.normal(size=audio.shape)}
    return Features.from_arrays(**rows, ids=names, splits=splits, audio_name="hearing", video_name="seeing")


@pytest.fixture
def command(tmp_path):
    own = [f"own {row}" for row in range(40)]
    import_features(made(own, ["train"] * 20 + ["validation"] * 10 + ["test"] * 10, 0), Workspace(tmp_path / "own"))
    others = own[18:35] + [f"other {row}" for row in range(30)]
    import_features(made(others, ["train"] * len(others), 1), Workspace(tmp_path / "others"))
    recipe = load_recipe("antiphon-base").model_dump(exclude_none=True)
    recipe["head"] |= {"hidden": [16], "embedding_dim": 8}
    recipe["training"] |= {"epochs": 2, "min_steps": 0}
    (tmp_path / "small.toml").write_text(tomli_w.dumps(recipe), encoding="utf-8")
    recipe = ["--recipe", str(tmp_path / "small.toml")]
    return ["-w", str(tmp_path / "own"), "train", *recipe, "--no-learning-curve", "--name", "small"]


def test_videos_of_the_workspace_are_left_out_counted_and_said(command, tmp_path, capsys):
    pretrained = [*command, "--pretrain", str(tmp_path / "others")]
    assert run(pretrained) == 0
    said = capsys.readouterr().out.replace("\n", " ")
    assert "Pretrained on 30 pairs of 30 other videos; left out: 17 videos that the catalogue has too." in said
    assert run([*pretrained, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["unchanged"]
    assert (found["pretraining"]["pairs"], found["pretraining"]["left_out"]["by_id"]) == (30, 17)
    assert run([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not found["unchanged"] and found["pretraining"] is None


def test_what_is_no_workspace_is_refused(command, tmp_path, capsys):
    assert run([*command, "--pretrain", str(tmp_path)]) != 0
    assert "--pretrain" in capsys.readouterr().err
