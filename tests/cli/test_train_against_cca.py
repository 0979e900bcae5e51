"""`antiphon train` says how what it has trained compares with tuned canonical correlations."""

import json

import numpy as np
import tomli_w

from antiphon.cli.app import run
from antiphon.dual_encoder import DualEncoder
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.model.recipe import load_recipe
from antiphon.workspace import Workspace


def test_that_heads_gave_way_is_printed_and_kept(tmp_path, capsys):
    """Sides that share ten hidden values linearly, and heads of two steps."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(130, 10))
    audio, video = (hidden @ random.normal(size=(10, 20)) + random.normal(size=(130, 20)) for _ in range(2))
    splits = ["train"] * 90 + ["validation"] * 20 + ["test"] * 20
    features = Features.from_arrays(audio=audio, video=video, splits=splits, audio_name="hearing", video_name="seeing")
    import_features(features, Workspace(tmp_path))
    recipe = load_recipe("antiphon-base").model_dump(exclude_none=True)
    recipe["head"] |= {"hidden": [16], "embedding_dim": 8}
    recipe["training"] |= {"epochs": 2, "min_steps": 0}
    (tmp_path / "small.toml").write_text(tomli_w.dumps(recipe), encoding="utf-8")
    command = ["-w", str(tmp_path), "train", "--recipe", str(tmp_path / "small.toml"), "--no-learning-curve"]
    assert run(command) == 0
    said = capsys.readouterr().out.replace("\n", " ")
    assert "Tuned canonical correlations embed in place of the heads" in said
    assert "66 held-out pairs of 66 videos" in said
    assert run([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    kept = DualEncoder.load(found["folder"]).against_cca
    assert found["unchanged"] and found["against_cca"]["falls_back"] and kept is not None
    assert found["against_cca"]["gain"] == kept.gain < 1
    assert found["against_cca"]["verdict"] in said
