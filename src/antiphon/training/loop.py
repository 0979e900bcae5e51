"""Trains the heads: one epoch after the other, until validation stops improving."""

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
from antiphon.runs import Epoch
from antiphon.seeding import derived_seed, generator
from antiphon.training.autoencoder import Reconstruction, initialise
from antiphon.training.closed_forms import Chosen, choose, fit_closed_form
from antiphon.training.data import TrainingData
from antiphon.training.distributed import agreed, process_count, process_rank
from antiphon.training.objective import Objective, plain_loss
from antiphon.training.sampler import batches
from antiphon.training.step import set_gradients
from antiphon.training.track_batches import TrackBatches


@dataclass(frozen=True)
class Trained:
    """What a training leaves.

    Attributes
    ----------
    towers : the heads of the best epoch, in evaluation mode.
    history : its epochs.
    reconstruction : those of the autoencoders that the heads started from; empty where they started at random.
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
) -> Trained:
    """Train heads on paired features.

    Parameters
    ----------
    features, validation : paired rows only.
    seed : of the first weights, dropout and batches. The global generators are left as they were.
    progress : called with each finished epoch and the most epochs that there can be.

    Raises
    ------
    ModelError
        There are fewer than two videos to train on or to validate with.
    """
    for name, part in (("training", features), ("validation", validation)):
        if len(np.unique(part.groups)) < 2:
            raise ModelError(
                f"The {name} split has {len(np.unique(part.groups))} videos with both sound and pictures; contrast "
                "needs at least two. Add videos, or split with other fractions."
            )
    if process_count() > 1 and recipe.head.normalisation == "batch":
        raise ModelError(
            "Batch norm sees one process's part of a batch alone, so several processes would train other heads than "
            "one. Train this recipe without torchrun, or use layer normalisation."
        )
    shown = features.first_segments if recipe.training.first_segment_only else features
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(derived_seed(seed, "training"))
        scaled = recipe.head.standardise
        chosen = choose(shown, validation, seed, scaled) if _looks_at_held_out(recipe) else None
        data, held_out = (TrainingData.of(part, device, recipe.track) for part in (shown, validation))
        trained = _train(recipe, data, held_out, chosen, seed, progress)
        if chosen is not None:
            fit_closed_form(trained.towers, shown, validation, chosen, seed)
        return trained


def _looks_at_held_out(recipe: Recipe) -> bool:
    return recipe.head.standardise == "chosen" or recipe.closed_form is not None


def _train(
    recipe: Recipe,
    data: TrainingData,
    validation: TrainingData,
    chosen: Chosen | None,
    seed: int,
    progress: Progress | None,
) -> Trained:
    settings = recipe.training
    towers = Towers(data.audio.shape[1], data.video.shape[1], recipe).to(data.audio.device)
    together = recipe.head.standardise == "together"
    if recipe.head.standardise == "chosen" and chosen is not None:
        together = bool(chosen.together)
    towers.audio.fit_input(data.audio, together=together)
    towers.video.fit_input(data.video, together=together)
    rebuilt = _initialise(recipe, towers, data, validation, seed)
    if process_count() > 1:
        torch.manual_seed(derived_seed(seed, "dropout", process_rank()))
    optimizer = _optimizer(recipe, towers)
    epochs = _epochs(settings, data)
    schedule = _schedule(settings, optimizer, epochs)
    objective = Objective(recipe.loss, data)
    shuffler = generator(seed, "batches")
    history: list[Epoch] = []
    best, best_score, waited = copy.deepcopy(towers.state_dict()), float("inf"), 0
    for number in range(1, epochs + 1):
        sizes, losses = _one_epoch(recipe, towers, optimizer, objective, data, shuffler)
        epoch = _measure(recipe, towers, validation, number, optimizer.param_groups[0]["lr"], sizes, losses)
        if not settings.schedule_not_stepped:
            schedule.step()
        score = agreed(_score(recipe, epoch, validation.tracks))
        if score < best_score:
            best, best_score, waited = copy.deepcopy(towers.state_dict()), score, 0
        else:
            waited += 1
        history.append(Epoch(**{**asdict(epoch), "best": waited == 0}))
        if progress is not None:
            progress(history[-1], epochs)
        if waited >= settings.patience:
            break
    towers.load_state_dict(best)
    return Trained(towers.eval(), history, rebuilt)


def _epochs(settings: TrainingConfig, data: TrainingData) -> int:
    """As many as the recipe says, or as make its least number of steps."""
    return max(settings.epochs, -(-settings.min_steps // len(batches(data.groups, settings.batch_size, None))))


def _schedule(
    settings: TrainingConfig, optimizer: torch.optim.Optimizer, epochs: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if settings.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, settings.learning_rate_decay)


def _score(recipe: Recipe, epoch: Epoch, tracks: TrackBatches | None) -> float:
    """What early stopping judges by, lower being better."""
    on_loss = recipe.training.stop_on == "loss"
    of_rows = epoch.validation_loss if on_loss else epoch.validation_log_rank
    of_tracks = epoch.validation_track_loss if on_loss else epoch.validation_track_log_rank
    return of_rows if tracks is None or of_tracks is None else tracks.joint(of_rows, of_tracks)


def _initialise(
    recipe: Recipe, towers: Towers, data: TrainingData, validation: TrainingData, seed: int
) -> list[Reconstruction]:
    if not recipe.autoencoder.epochs:
        return []
    rebuilt: list[Reconstruction] = []
    for side, head in towers.heads.items():
        parts = (getattr(part, side) for part in (data, validation))
        rebuilt += initialise(head, side, recipe.head, recipe.autoencoder, *parts, seed=seed)
    return rebuilt


def _optimizer(recipe: Recipe, towers: Towers) -> torch.optim.Optimizer:
    settings = recipe.training
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    matrices = [p for p in towers.parameters() if p.ndim > 1]
    others = [p for p in towers.parameters() if p.ndim <= 1 and p.requires_grad]
    return kind(
        [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate,
    )


def _one_epoch(
    recipe: Recipe,
    towers: Towers,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    data: TrainingData,
    shuffler: np.random.Generator,
) -> tuple[list[int], list[float]]:
    towers.train()
    settings = recipe.training
    sizes: list[int] = []
    losses: list[float] = []
    for rows in batches(data.groups, settings.batch_size, shuffler):
        losses.append(set_gradients(towers, objective, data, rows, settings.embed_batch_size, shuffler))
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
    name = recipe.loss.name
    temperature = float(towers.temperature.detach())
    track_loss, track_log_rank = None, None
    with torch.inference_mode():
        if validation.tracks is not None:
            whole = validation.tracks.whole(towers)
            track_loss = float(plain_loss(recipe.loss, towers, *whole))
            track_log_rank = float(np.log(_both_ways(*whole)).mean())
        audio, video = towers(validation.audio, validation.video)
        parts = batches(validation.groups, recipe.training.batch_size, None)
        losses = [float(plain_loss(recipe.loss, towers, audio[rows], video[rows])) for rows in parts]
    sizes = [len(rows) for rows in parts]
    both_ways = _both_ways(audio, video)

    def mean(values: list[float], weights: list[int]) -> float:
        return float(np.average(values, weights=weights))

    def lower_bound(size: int) -> float:
        return loss_lower_bound(name, size, temperature, non_negative=recipe.non_negative)

    return Epoch(
        epoch=number,
        learning_rate=learning_rate,
        temperature=temperature,
        train_loss=mean(train_losses, train_sizes),
        train_chance=mean([chance_loss(name, size) for size in train_sizes], train_sizes),
        train_lower_bound=mean([lower_bound(size) for size in train_sizes], train_sizes),
        validation_loss=mean(losses, sizes),
        validation_chance=mean([chance_loss(name, size) for size in sizes], sizes),
        validation_lower_bound=mean([lower_bound(size) for size in sizes], sizes),
        validation_median_rank=float(np.median(both_ways)),
        validation_log_rank=float(np.log(both_ways).mean()),
        best=False,
        validation_track_loss=track_loss,
        validation_track_log_rank=track_log_rank,
    )


def _both_ways(audio: Tensor, video: Tensor) -> np.ndarray:
    """Ranks of all pairs from sound to pictures, then back."""
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
    """One line of the history of towers that something else than `train` trains; `best` is left to the caller.

    Parameters
    ----------
    validation : paired rows only.
    train_sizes, train_losses : of the epoch's batches.
    """
    data = TrainingData.of(validation, next(towers.parameters()).device, recipe.track)
    return _measure(recipe, towers, data, number, learning_rate, train_sizes, train_losses)
