"""Two processes under torchrun have the gradients, and train the heads, of one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.features.importing import import_features
from antiphon.model.recipe import load_recipe
from antiphon.training.distributed import backend
from antiphon.workspace import Workspace

WORKER = Path(__file__).with_name("together.py")
RECIPE = """
inherits = "antiphon-base"
name = "small"
[head]
hidden = [32]
embedding_dim = 8
dropout = 0.0
input_dropout = 0.0
[loss]
name = "sigmoid"
chunk_size = 8
exclude_same_artist = true
[track]
num_axes = 2
[training]
batch_size = 21
epochs = 4
min_steps = 0
min_pairs = 2
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace in which one process has trained, another in which two have, and the recipe."""
    folder = tmp_path_factory.mktemp("distributed")
    recipe = folder / "small.toml"
    recipe.write_text(RECIPE)
    random = np.random.default_rng(0)
    features = Features.from_arrays(
        audio=random.normal(size=(120, 12)),
        video=random.normal(size=(120, 10)),
        groups=[f"video-{n // 2}" for n in range(120)],
        artists=[str(n // 4) for n in range(120)],
        splits=["train"] * 82 + ["validation"] * 38,
        audio_name="hearing",
        video_name="seeing",
    )
    for name in ("one", "two"):
        import_features(features, Workspace(folder / name))
    assert run(["--workspace", str(folder / "one"), "train", "--recipe", str(recipe), "--name", "together"]) == 0
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command = [*launch, "--nproc_per_node", "2", str(WORKER), str(folder / "two"), str(recipe)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "one", folder / "two", recipe, done.stdout


def test_gradients_of_two_processes_are_those_of_one(trained):
    _, two, recipe, _ = trained
    sys.path.insert(0, str(WORKER.parent))
    try:
        from together import batch_gradients  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.remove(str(WORKER.parent))
    expected = batch_gradients(load_recipe(recipe), None)
    assert expected["bias"].abs() > 0.01
    for found in torch.load(two / "gradients.pt", weights_only=True):
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, rtol=1e-5, atol=1e-6, msg=name)


def test_two_processes_train_the_heads_of_one_and_the_first_alone_reports(trained):
    one, two, _, printed = trained
    expected, found = (load_file(folder / "runs" / "together" / "model.safetensors") for folder in (one, two))
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, rtol=0, atol=1e-5, msg=name)
    assert json.loads(printed)["epochs"] == 4
    assert (two / "runs" / "together" / "learning_curve.json").exists()


@pytest.mark.parametrize(
    ("gpus", "processes", "expected"),
    [(0, 2, "gloo"), (1, 2, "gloo"), (2, 2, "cpu:gloo,cuda:nccl"), (8, 2, "cpu:gloo,cuda:nccl")],
)
def test_processes_talk_over_nccl_where_each_has_a_gpu(gpus, processes, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
    assert backend() == expected
