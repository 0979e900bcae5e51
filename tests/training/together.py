"""What each process of test_distributed runs, under torchrun: `together.py WORKSPACE RECIPE`.

Trains by the command line, then leaves the gradients of one batch in WORKSPACE/gradients.pt of the first process.
"""

import os
import sys
from pathlib import Path

import torch

from antiphon.cli.app import run
from antiphon.features import Features
from antiphon.model.recipe import load_recipe
from antiphon.model.towers import Towers
from antiphon.training.data import TrainingData
from antiphon.training.distributed import process_count, processes
from antiphon.training.objective import Objective
from antiphon.training.step import set_gradients


def batch_gradients(recipe, embed_batch_size):
    """The plain loss of one batch of 13 pairs (which two processes cannot halve), and all gradients."""
    torch.manual_seed(3)
    audio, video = torch.randn(40, 12), torch.randn(40, 10)
    features = Features.from_arrays(audio=audio, video=video, groups=[row // 2 for row in range(40)])
    data = TrainingData.of(features, torch.device("cpu"))
    towers = Towers(12, 10, recipe)
    rows = 2 * torch.randperm(20)[:13].numpy()
    loss = set_gradients(towers, Objective(recipe.loss, data), data, rows, embed_batch_size)
    return {"loss": torch.tensor(loss)} | {name: weights.grad for name, weights in towers.named_parameters()}


def main(workspace, recipe):
    """Train, then write the gradients."""
    with processes() as first:
        code = run(["--workspace", workspace, "--json", "train", "--recipe", recipe, "--name", "together"])
        if process_count() != 2:
            sys.exit("not two processes")
        found = [batch_gradients(load_recipe(recipe), size) for size in (None, 3)]
        if first:
            torch.save(found, Path(workspace) / "gradients.pt")
    sys.stdout.flush()
    os._exit(code)  # gloo's threads now and then abort an interpreter that ends under load


if __name__ == "__main__":
    main(*sys.argv[1:])
