import copy
import subprocess
import sys

import pytest
import torch

from antiphon.model.recipe import load_recipe
from antiphon.training.optimizer import Adam, Optimizer

EPOCHS, PER_EPOCH = 3, 2
SCHEDULES = {
    "antiphon-base": lambda taken: torch.optim.lr_scheduler.CosineAnnealingLR(taken, EPOCHS),
    "paper-base": lambda taken: torch.optim.lr_scheduler.ExponentialLR(taken, 0.95),
}


@pytest.mark.numeric
@pytest.mark.parametrize(("name", "kind"), [("antiphon-base", torch.optim.AdamW), ("paper-base", torch.optim.Adam)])
def test_it_takes_the_steps_of_torchs_optimizer_and_schedule(name, kind):
    """Schedules step after each epoch; parameters without a gradient stay."""
    settings = load_recipe(name).training
    assert settings.learning_rate_decay == 0.95
    taken, plain = (torch.nn.ModuleList([torch.nn.Linear(4, 3), torch.nn.Linear(2, 2)]) for _ in range(2))
    plain.load_state_dict(taken.state_dict())
    ours = Optimizer(settings, taken.parameters(), EPOCHS)
    decay = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    groups = [{"params": [plain[0].weight]}, {"params": [plain[0].bias], "weight_decay": 0.0}]
    theirs = kind(groups, **decay, fused=True if kind is torch.optim.AdamW else None)
    schedule = SCHEDULES[name](theirs)
    for number in range(EPOCHS * PER_EPOCH):
        assert ours.learning_rate == pytest.approx(theirs.param_groups[0]["lr"])
        for layers in (taken, plain):
            layers[0].weight.grad = torch.linspace(-1, 1 + number, 12).view(3, 4)
            layers[0].bias.grad = torch.linspace(2, 1, 3)
        ours.step()
        theirs.step()
        if number % PER_EPOCH == PER_EPOCH - 1:
            ours.end_epoch()
            schedule.step()
    tolerance = 0.0 if name == "paper-base" else 1e-6
    for mine, expected in zip(taken.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, expected, rtol=tolerance, atol=tolerance)


def test_the_authors_schedule_is_never_stepped():
    settings = load_recipe("coded-schedule-not-stepped").training
    optimizer = Optimizer(settings, [torch.nn.Parameter(torch.ones(2, 2))], EPOCHS)
    optimizer.end_epoch()
    assert optimizer.learning_rate == settings.learning_rate


@pytest.mark.numeric
def test_adam_takes_the_steps_of_torchs_to_the_last_bit():
    torch.manual_seed(0)
    taken = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    plain, rows = copy.deepcopy(taken), torch.randn(8, 5)
    ours, theirs = Adam(taken.parameters(), 0.01), torch.optim.Adam(plain.parameters(), lr=0.01)
    for _ in range(5):
        ours.clear_gradients()
        theirs.zero_grad()
        for network in (taken, plain):
            network(rows).square().sum().backward()
        ours.step()
        theirs.step()
    for mine, expected in zip(taken.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine, expected)


def test_training_and_probing_do_not_import_torchs_compiler():
    code = """
import sys
import numpy as np
from antiphon import DualEncoder, Features
from antiphon.evaluation.probes.classifiers import Labelled, fit_probe
from antiphon.model.recipe import changed_recipe, load_recipe
rows = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
changes = {"autoencoder": {"epochs": 1}, "training": {"epochs": 1}, "head": {"hidden": [4], "embedding_dim": 2}}
recipe = changed_recipe(load_recipe("paper-base"), changes, "small")
model = DualEncoder(recipe).fit(Features.from_arrays(rows, rows[:, ::-1]), verbose=False)
assert model.reconstruction
part = Labelled(rows, rows[:, :2] > 0)
for kind in ("linear", "perceptron"):
    fit_probe(kind, part, part, exclusive=False, seed=0)
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
