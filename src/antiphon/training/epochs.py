"""Epochs of training, with early stopping by held-out pairs."""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from antiphon.features.features import Features
from antiphon.metrics.ranks import ranks
from antiphon.model.losses import chance_loss, loss_lower_bound
from antiphon.model.recipe import Recipe, TrainingConfig
from antiphon.model.towers import Towers
from antiphon.runs import Epoch
from antiphon.seeding import generator
from antiphon.training.data import TrainingData
from antiphon.training.distributed import agreed
from antiphon.training.objective import Objective, plain_loss
from antiphon.training.optimizer import Optimizer
from antiphon.training.sampler import batches
from antiphon.training.step import set_gradients

Progress = Callable[[Epoch, int], None]


def run_epochs(
    recipe: Recipe,
    towers: Towers,
    data: TrainingData,
    validation: TrainingData,
    seed: int,
    progress: Progress | None = None,
    earlier: tuple[Epoch, ...] = (),
) -> list[Epoch]:
    """Train towers in place, and leave them as they were after their best epoch.

    Parameters
    ----------
    recipe : Recipe
        Loss and training.
    towers : Towers
        Towers; left in evaluation mode.
    data, validation : TrainingData
        Pairs to train on, and pairs that tell the best epoch.
    seed : int
        Seed of the batches.
    progress : callable, optional
        Called with each finished epoch and the maximum number of epochs.
    earlier : tuple of Epoch
        Epochs that the towers have been trained for, if any. They are kept as they are where no epoch is better.

    Returns
    -------
    list of Epoch
        The epochs, numbered on from the earlier ones.
    """
    settings = recipe.training
    epochs, least = _lengths(settings, data)
    optimizer = Optimizer(settings, towers.parameters(), epochs)
    objective = Objective(recipe.loss, data)
    shuffler = generator(seed, "batches")
    history: list[Epoch] = []
    best, waited = copy.deepcopy(towers.state_dict()), 0
    best_score = _score(settings, _measure(recipe, towers, validation, 0, 0.0)) if earlier else float("inf")
    for number in range(1, epochs + 1):
        learning_rate = optimizer.learning_rate
        sizes, losses = _one_epoch(recipe, towers, optimizer, objective, data, shuffler)
        epoch = _measure(recipe, towers, validation, len(earlier) + number, learning_rate, sizes, losses)
        optimizer.end_epoch()
        score = _score(settings, epoch)
        if score < best_score:
            best, best_score, waited = copy.deepcopy(towers.state_dict()), score, 0
        else:
            waited += 1
        history.append(replace(epoch, best=waited == 0))
        if progress is not None:
            progress(history[-1], len(earlier) + epochs)
        if waited >= settings.patience and number >= least:
            break
    towers.load_state_dict(best)
    towers.eval()
    return history


def _score(settings: TrainingConfig, epoch: Epoch) -> float:
    return agreed(epoch.validation_loss if settings.stop_on == "loss" else epoch.validation_log_rank)


def _lengths(settings: TrainingConfig, data: TrainingData) -> tuple[int, int]:
    """Return the epochs of a training that is not stopped early, and those before which it may not be."""
    least = -(-settings.min_steps // len(batches(data.groups, settings.batch_size, None)))
    epochs = settings.epochs
    if settings.max_visits is not None:
        epochs = min(epochs, -(-settings.max_visits * len(np.unique(data.groups)) // len(data.groups)))
    return max(epochs, least), least


def _one_epoch(
    recipe: Recipe,
    towers: Towers,
    optimizer: Optimizer,
    objective: Objective,
    data: TrainingData,
    shuffler: np.random.Generator,
) -> tuple[list[int], list[float]]:
    towers.train()
    settings = recipe.training
    sizes: list[int] = []
    losses: list[float] = []
    for rows in batches(data.groups, settings.batch_size, shuffler):
        losses.append(set_gradients(towers, objective, data, rows, settings.embed_batch_size))
        optimizer.step()
        towers.clamp_temperature()
        sizes.append(len(rows))
    return sizes, losses


def _measure(
    recipe: Recipe,
    towers: Towers,
    validation: TrainingData,
    number: int,
    learning_rate: float,
    train_sizes: list[int] | None = None,
    train_losses: list[float] | None = None,
) -> Epoch:
    towers.eval()
    temperature = float(towers.temperature.detach())
    with torch.inference_mode():
        audio, video = towers(validation.audio, validation.video)
        parts = batches(validation.groups, recipe.training.batch_size, None)
        losses = [float(plain_loss(recipe.loss, towers, audio[rows], video[rows])) for rows in parts]
    both_ways = _both_ways(audio, video)
    held_out = _loss_levels(recipe, temperature, [len(rows) for rows in parts], losses)
    train = held_out
    if train_sizes is not None and train_losses is not None:
        train = _loss_levels(recipe, temperature, train_sizes, train_losses)
    return Epoch(
        epoch=number,
        learning_rate=learning_rate,
        temperature=temperature,
        train_loss=train[0],
        train_chance=train[1],
        train_lower_bound=train[2],
        validation_loss=held_out[0],
        validation_chance=held_out[1],
        validation_lower_bound=held_out[2],
        validation_median_rank=float(np.median(both_ways)),
        validation_log_rank=float(np.log(both_ways).mean()),
        best=False,
    )


def _loss_levels(
    recipe: Recipe, temperature: float, sizes: list[int], losses: list[float]
) -> tuple[float, float, float]:
    """Return the means over batches, weighted by their sizes, of the loss, its chance level and its lower bound."""
    name = recipe.loss.name
    chance = [chance_loss(name, size) for size in sizes]
    bound = [loss_lower_bound(name, size, temperature, non_negative=recipe.non_negative) for size in sizes]
    loss, chance, bound = (float(np.average(values, weights=sizes)) for values in (losses, chance, bound))
    return loss, chance, bound


def _both_ways(audio: Tensor, video: Tensor) -> np.ndarray:
    """Return the ranks of all pairs from audio to video, then from video to audio."""
    left, right = audio.cpu().numpy(), video.cpu().numpy()
    return np.concatenate([ranks(left, right)[0], ranks(right, left)[0]])


def measure(
    recipe: Recipe,
    towers: Towers,
    validation: Features,
    number: int,
    learning_rate: float,
    train_sizes: list[int],
    train_losses: list[float],
) -> Epoch:
    """Validate towers that `train` does not train, as one epoch of a history; `best` is left to the caller.

    Parameters
    ----------
    recipe : Recipe
        Recipe of the towers.
    towers : Towers
        Towers; they are put in evaluation mode.
    validation : Features
        Paired rows.
    number : int
        Number of the epoch.
    learning_rate : float
        Learning rate of the epoch.
    train_sizes, train_losses : list of int
        Size and loss of each batch of the epoch.

    Returns
    -------
    Epoch
        The epoch.
    """
    data = TrainingData.of(validation, next(towers.parameters()).device)
    return _measure(recipe, towers, data, number, learning_rate, train_sizes, train_losses)
