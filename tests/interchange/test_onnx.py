"""Heads as ONNX give torch's embeddings, in another runtime."""

import numpy as np
import pytest

from antiphon.backbones.openvino_import import openvino
from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ModelError
from antiphon.features import Features
from antiphon.interchange import onnx_check
from antiphon.interchange.onnx_heads import onnx_head
from antiphon.interchange.onnx_writing import write_model
from antiphon.model.recipe import changed_recipe, load_recipe

QUICK = {"head": {"hidden": [16], "embedding_dim": 8}, "training": {"epochs": 2, "batch_size": 32, "min_steps": 0}}
HEADS = {
    "batch": {"normalisation": "batch", "standardise": "together", "output": "sigmoid"},
    "layer": {"normalisation": "layer", "activation": "gelu", "skip": True, "standardise": True},
    "linear": {"hidden": []},
}


def coupled(count=60, seed=0):
    random = np.random.default_rng(seed)
    sound = random.normal(size=(count, 12)).astype(np.float32) * 3 + 1
    pictures = sound[:, ::-1][:, :10] + random.normal(size=(count, 10))
    return Features.from_arrays(audio=sound, video=pictures, ids=[f"{seed}-{n}" for n in range(count)])


def fitted(name="antiphon-base", changes=None, **arguments):
    changed = QUICK | {"head": QUICK["head"] | (changes or {})}
    recipe = changed_recipe(load_recipe(name), changed, name)
    return DualEncoder(recipe, seed=1).fit(coupled(), coupled(40, 1), verbose=False, **arguments)


def as_onnx(model, side, rows, path):
    write_model(onnx_head(model, side), path)
    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    compiled = core.compile_model(core.read_model(path), "CPU")
    return compiled({"features": rows})["embeddings"]


def compare(model, folder):
    features = coupled(50, 2)
    for side, wanted in zip(("audio", "video"), model.embed(features), strict=True):
        found = as_onnx(model, side, getattr(features, side), folder / f"{side}.onnx")
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("falls_back", [False, True])
def test_the_default_with_its_closed_form_and_in_place_of_its_heads(falls_back, tmp_path):
    model = fitted(falls_back=falls_back)
    weights = model.towers.fitted_closed_form.weights
    assert bool(weights[0]) != falls_back, "the parts of the embedding that this is to test"
    compare(model, tmp_path)


@pytest.mark.parametrize("changes", HEADS.values(), ids=HEADS)
def test_every_layer_of_a_head(changes, tmp_path):
    compare(fitted("paper-base", changes), tmp_path)


def test_a_side_without_a_head(tmp_path):
    compare(fitted("paper-single-head"), tmp_path)


def test_a_model_of_tracks_is_refused():
    random = np.random.default_rng(0)
    sound = random.normal(size=(160, 12))
    groups = [f"v{n // 4:02d}" for n in range(160)]
    features = Features.from_arrays(audio=sound, video=sound[:, ::-1], groups=groups, starts_s=list(range(4)) * 40)
    recipe = changed_recipe(load_recipe("antiphon-track"), QUICK, "tracks")
    with pytest.raises(ModelError, match="track model, which cannot be written as ONNX"):
        onnx_head(DualEncoder(recipe).fit(features, verbose=False), "audio")


def test_one_that_is_not_fitted_is_refused():
    with pytest.raises(ModelError, match="not trained yet"):
        onnx_head(DualEncoder(), "audio")


def test_what_differs_is_not_written(tmp_path, monkeypatch):
    model = fitted("paper-base")
    found = onnx_check.write_checked(model, tmp_path / "right")
    assert max(found.values()) < 1e-5
    assert {path.name for path in (tmp_path / "right").iterdir()} == {"audio.onnx", "video.onnx"}
    other = fitted("paper-base", {"output": "none"})
    monkeypatch.setattr(onnx_check, "onnx_head", lambda _, side: onnx_head(other, side))
    with pytest.raises(ModelError, match=r"differs by .* from PyTorch; nothing was written"):
        onnx_check.write_checked(model, tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
