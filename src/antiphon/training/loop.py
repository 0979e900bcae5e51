"""Training of the heads, epoch by epoch, with early stopping."""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.metrics.ranks import ranks
from antiphon.model.losses import chance_loss, loss_lower_bound
from antiphon.model.recipe import Recipe, TrainingConfig
from antiphon.model.towers import Towers
from antiphon.plurals import counted
from antiphon.runs import Epoch
from antiphon.seeding import derived_seed, generator
from antiphon.training.autoencoder import Reconstruction, initialise
from antiphon.training.closed_forms import Choices, Chosen, choose, fit_closed_form
from antiphon.training.data import TrainingData
from antiphon.training.distributed import agreed, process_count, process_rank
from antiphon.training.objective import Objective, plain_loss
from antiphon.training.optimizer import Optimizer
from antiphon.training.sampler import batches
from antiphon.training.step import set_gradients
from antiphon.training.track_models import fit_track_model


@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes
    ----------
    towers : Towers
        Heads of the best epoch, in evaluation mode.
    history : list of Epoch
        Epochs of the training.
    reconstruction : list of Reconstruction
        Epochs of the autoencoders that initialised the heads; empty where they were initialised at random.
    """

    towers: Towers
    history: list[Epoch]
    reconstruction: list[Reconstruction]


Progress = Callable[[Epoch, int], None]


def train(
    recipe: Recipe,
    features: Features,
    validation: Features,
    *,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
    choices: Choices | None = None,
) -> Trained:
    """Train heads on paired features.

    Parameters
    ----------
    recipe : Recipe
        Architecture, loss and training.
    features, validation : Features
        Paired rows of different videos.
    seed : int
        Seed of initial weights, dropout and batches. Global generators are left unchanged.
    device : torch.device
        Device to train on.
    progress : callable, optional
        Called with each finished epoch and the maximum number of epochs.
    choices : Choices, optional
        Shared by trainings on the same pairs with other seeds, so that each choice is made once.

    Returns
    -------
    Trained
        Heads of the best epoch, and the history.

    Raises
    ------
    ModelError
        There are fewer than two videos to train on or to validate on, or several processes train with batch norm.
    """
    for name, part in (("training", features), ("validation", validation)):
        videos = len(np.unique(part.groups))
        if videos < 2:
            raise ModelError(
                f"The {name} split has {counted(videos, 'video')} with both audio and video features; "
                "training needs at least two. Add videos, or split with other fractions."
            )
    if process_count() > 1 and recipe.head.normalisation == "batch":
        raise ModelError(
            "Batch norm would see only the part of a batch that its process embeds, so several processes would train "
            "other heads than one. Train this recipe without torchrun, or use layer normalisation."
        )
    shown = features.first_segments if recipe.training.first_segment_only else features
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        trained = _with_closed_form(recipe, shown, validation, device, seed, choices, progress)
        if trained.towers.tracks is not None:

            def trained_on(train: Features, held_out: Features) -> Towers:
                return _with_closed_form(recipe.of_tracks, train, held_out, device, seed).towers

            fit_track_model(trained.towers.tracks, shown, validation, trained_on, seed)
        return trained


def _with_closed_form(
    recipe: Recipe,
    features: Features,
    validation: Features,
    device: torch.device,
    seed: int,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> Trained:
    torch.manual_seed(derived_seed(seed, "training"))
    scaled = recipe.head.standardise
    needs_choice = scaled == "chosen" or recipe.closed_form is not None
    choosing = choose if choices is None else choices.choose
    chosen = choosing(features, validation, seed, scaled) if needs_choice else None
    data, held_out = (TrainingData.of(part, device) for part in (features, validation))
    trained = _train(recipe, data, held_out, chosen, seed, progress)
    if chosen is not None:
        fit_closed_form(trained.towers, features, validation, chosen, seed)
    return trained


def _train(
    recipe: Recipe,
    data: TrainingData,
    validation: TrainingData,
    chosen: Chosen | None,
    seed: int,
    progress: Progress | None,
) -> Trained:
    settings = recipe.training
    towers = _untrained_towers(recipe, data, chosen)
    reconstruction = _initialise(recipe, towers, data, validation, seed)
    if process_count() > 1:
        torch.manual_seed(derived_seed(seed, "dropout", process_rank()))
    epochs, least = _lengths(settings, data)
    optimizer = Optimizer(settings, towers.parameters(), epochs)
    objective = Objective(recipe.loss, data)
    shuffler = generator(seed, "batches")
    history: list[Epoch] = []
    best, best_score, waited = copy.deepcopy(towers.state_dict()), float("inf"), 0
    for number in range(1, epochs + 1):
        learning_rate = optimizer.learning_rate
        sizes, losses = _one_epoch(recipe, towers, optimizer, objective, data, shuffler)
        epoch = _measure(recipe, towers, validation, number, learning_rate, sizes, losses)
        optimizer.end_epoch()
        score = agreed(epoch.validation_loss if settings.stop_on == "loss" else epoch.validation_log_rank)
        if score < best_score:
            best, best_score, waited = copy.deepcopy(towers.state_dict()), score, 0
        else:
            waited += 1
        history.append(Epoch(**{**asdict(epoch), "best": waited == 0}))
        if progress is not None:
            progress(history[-1], epochs)
        if waited >= settings.patience and number >= least:
            break
    towers.load_state_dict(best)
    return Trained(towers.eval(), history, reconstruction)


def _untrained_towers(recipe: Recipe, data: TrainingData, chosen: Chosen | None) -> Towers:
    towers = Towers(data.audio.shape[1], data.video.shape[1], recipe).to(data.audio.device)
    together = recipe.head.standardise == "together"
    if recipe.head.standardise == "chosen" and chosen is not None:
        together = bool(chosen.together)
    towers.audio.fit_input(data.audio, together=together)
    towers.video.fit_input(data.video, together=together)
    return towers


def _lengths(settings: TrainingConfig, data: TrainingData) -> tuple[int, int]:
    """Return the epochs of a training that is not stopped early, and those before which it may not be."""
    least = -(-settings.min_steps // len(batches(data.groups, settings.batch_size, None)))
    epochs = settings.epochs
    if settings.max_visits is not None:
        epochs = min(epochs, -(-settings.max_visits * len(np.unique(data.groups)) // len(data.groups)))
    return max(epochs, least), least


def _initialise(
    recipe: Recipe, towers: Towers, data: TrainingData, validation: TrainingData, seed: int
) -> list[Reconstruction]:
    if not recipe.autoencoder.epochs:
        return []
    reconstruction: list[Reconstruction] = []
    for side, head in towers.heads.items():
        parts = (getattr(part, side) for part in (data, validation))
        reconstruction += initialise(head, side, recipe.head, recipe.autoencoder, *parts, seed=seed)
    return reconstruction


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
    train_sizes: list[int],
    train_losses: list[float],
) -> Epoch:
    towers.eval()
    temperature = float(towers.temperature.detach())
    with torch.inference_mode():
        audio, video = towers(validation.audio, validation.video)
        parts = batches(validation.groups, recipe.training.batch_size, None)
        losses = [float(plain_loss(recipe.loss, towers, audio[rows], video[rows])) for rows in parts]
    both_ways = _both_ways(audio, video)
    train = _loss_levels(recipe, temperature, train_sizes, train_losses)
    held_out = _loss_levels(recipe, temperature, [len(rows) for rows in parts], losses)
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
