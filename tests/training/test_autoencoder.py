"""Autoencoders: they learn to rebuild, and the heads start from what they learned."""

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.features import Features
from antiphon.model.heads import Head
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.seeding import derived_seed
from antiphon.training.autoencoder import initialise
from antiphon.training.loop import train

RECIPE = load_recipe("paper-autoencoders")
STILL = RECIPE.model_copy(update={"training": RECIPE.training.model_copy(update={"learning_rate": 1e-12, "epochs": 1})})


def rows(count, seed):
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(9).normal(size=(4, 40))
    return torch.from_numpy((random.normal(size=(count, 4)) @ mix + 3).astype(np.float32))


def features(count, seed):
    return Features.from_arrays(
        audio=rows(count, seed), video=rows(count, seed).flip(1), ids=[f"{seed}:{n}" for n in range(count)]
    )


def test_reconstruction_falls_and_the_best_epoch_is_kept():
    torch.manual_seed(0)
    head = Head(40, RECIPE.head)
    history = initialise(head, "audio", RECIPE.head, RECIPE.autoencoder, rows(500, 1), rows(100, 2), seed=0)
    losses = [epoch.validation_loss for epoch in history]
    assert history[0].epoch == 0
    assert losses[0] > 0.99
    assert min(losses) < 0.3, "the features have four dimensions; an encoder of 256 values can hold them"
    assert [epoch.epoch for epoch in history if epoch.best][-1] == int(np.argmin(losses))


def test_the_heads_start_from_the_encoders():
    """With a learning rate of nearly nothing the trained heads are those that the autoencoders left."""
    data, validation = features(300, 1), features(60, 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(0, "training"))
        expected = Towers(40, 40, RECIPE)
        random = {name: value.clone() for name, value in expected.state_dict().items()}
        for side, head in expected.heads.items():
            parts = [torch.from_numpy(getattr(part, side)) for part in (data, validation)]
            initialise(head, side, RECIPE.head, RECIPE.autoencoder, *parts, seed=0)
    trained = train(STILL, data, validation, seed=0, device=torch.device("cpu"))
    assert {epoch.side for epoch in trained.reconstruction} == {"audio", "video"}
    for name, value in trained.towers.state_dict().items():
        torch.testing.assert_close(value, expected.state_dict()[name], atol=1e-6, rtol=0)
        if name.endswith("weight"):
            assert (value - random[name]).abs().max() > 0.01


def test_a_single_head_has_a_single_autoencoder():
    recipe = RECIPE.model_copy(update={"heads": "video"})
    trained = train(recipe, features(60, 1), features(30, 2), seed=0, device=torch.device("cpu"))
    assert {epoch.side for epoch in trained.reconstruction} == {"video"}


def test_a_run_keeps_how_its_autoencoders_were_trained(tmp_path):
    model = DualEncoder(STILL).fit(features(60, 1), features(30, 2))
    model.save(tmp_path)
    assert DualEncoder.load(tmp_path).reconstruction == model.reconstruction != []
    DualEncoder("paper-base").fit(features(60, 1), features(30, 2)).save(tmp_path)
    assert DualEncoder.load(tmp_path).reconstruction == []


@pytest.mark.parametrize("count", [1, 257])
def test_no_batch_is_of_a_single_row_unless_there_is_but_one(count):
    torch.manual_seed(0)
    config = load_recipe("coded-batch-norm").head
    settings = RECIPE.autoencoder.model_copy(update={"epochs": 1, "batch_size": 256})
    data = rows(max(count, 2), 1)
    assert len(initialise(Head(40, config), "audio", config, settings, data, data, seed=0)) == 2
