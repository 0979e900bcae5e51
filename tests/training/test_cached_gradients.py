"""Gradients of a batch embedded in parts are those of the whole batch, dropout included."""

import numpy as np
import pytest
import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.features import Features
from antiphon.model.losses import info_nce
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.training.cached_gradients import cached_backward

pytestmark = pytest.mark.numeric

DEFAULT = load_recipe("antiphon-base")
BASE = DEFAULT.model_copy(update={"head": DEFAULT.head.model_copy(update={"hidden": (64,), "embedding_dim": 32})})


def test_gradients_are_the_plain_ones_with_dropout():
    torch.manual_seed(0)
    towers = Towers(12, 10, BASE).double().train()
    audio, video = torch.randn(23, 12).double(), torch.randn(23, 10).double()
    parts = np.arange(23)[:7], np.arange(7, 14), np.arange(14, 23)

    def embed(part):
        return towers(audio[part], video[part])

    def loss(a, v):
        return info_nce(a, v, towers.temperature)

    torch.manual_seed(1)
    expected = loss(*(torch.cat(side) for side in zip(*map(embed, parts), strict=True)))
    expected.backward()
    after = torch.rand(1)
    plain = {name: weights.grad.clone() for name, weights in towers.named_parameters()}
    towers.zero_grad()
    torch.manual_seed(1)
    found = cached_backward(embed, parts, loss)
    assert torch.equal(torch.rand(1), after), "the generator goes on as if each part had been embedded once"
    assert found.item() == pytest.approx(expected.item(), abs=1e-12)
    for name, weights in towers.named_parameters():
        torch.testing.assert_close(weights.grad, plain[name], rtol=1e-9, atol=1e-12)
    assert plain["logit_scale"].abs() > 0


def test_a_training_in_parts_is_the_training_at_once():
    random = np.random.default_rng(0)
    sides = random.normal(size=(60, 12)), random.normal(size=(60, 10))
    features = Features.from_arrays(audio=sides[0], video=sides[1], splits=["train"] * 40 + ["validation"] * 20)
    head = BASE.head.model_copy(update={"dropout": 0.0, "input_dropout": 0.0})
    found = []
    for size in (None, 7):
        training = BASE.training.model_copy(update={"epochs": 3, "min_steps": 0, "embed_batch_size": size})
        recipe = BASE.model_copy(update={"head": head, "training": training})
        found.append(DualEncoder(recipe).fit(features).embed(features)[0])
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)


def test_batch_norm_is_not_embedded_in_parts():
    base = load_recipe("coded-batch-norm").model_dump()
    base["training"]["embed_batch_size"] = 8
    with pytest.raises(ValueError, match="batch norm needs the whole batch"):
        type(BASE).model_validate(base)
