"""Training of the heads, epoch by epoch, with early stopping."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch

from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.features.unseen import unseen
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.plurals import counted
from antiphon.runs import AgainstCCA, Epoch
from antiphon.seeding import derived_seed
from antiphon.training.autoencoder import Reconstruction, initialise
from antiphon.training.closed_forms import Choices, Chosen, both, choose, fit_closed_form
from antiphon.training.data import TrainingData
from antiphon.training.distributed import process_count, process_rank
from antiphon.training.epochs import Progress, run_epochs
from antiphon.training.fallback import fall_back
from antiphon.training.hubness import fit_hubness
from antiphon.training.track_models import fit_track_model

_RATE, _EPOCHS = 0.35, 8
"""Learning rate after pretraining, as a share of the recipe's, and maximum epochs."""


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
    against_cca : AgainstCCA or None
        Comparison with tuned canonical correlations; see `antiphon.training.fallback`. None where none was made.
    """

    towers: Towers
    history: list[Epoch]
    reconstruction: list[Reconstruction]
    against_cca: AgainstCCA | None = None


def train(
    recipe: Recipe,
    features: Features,
    validation: Features,
    *,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
    choices: Choices | None = None,
    pretraining: Features | None = None,
    falls_back: bool | None = None,
) -> Trained:
    """Train heads on paired features.

    With pretraining, heads are trained on `features` and other pairs first, as the recipe says, and then on `features`
    alone with 0.35 times the learning rate, for 8 epochs, or as many as make `min_steps` steps. Standardisation and
    closed form are those of `features` alone.

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
    pretraining : Features, optional
        Paired rows of still other videos, of features of the same sizes.
    falls_back : bool, optional
        Whether tuned canonical correlations embed in place of the heads. Default: held-out pairs decide; see
        `antiphon.training.fallback`.

    Returns
    -------
    Trained
        Heads of the best epoch, and the history.

    Raises
    ------
    ModelError
        There are fewer than two videos to train on or to validate on, several processes train with batch norm, or a
        recipe with a track model is to be pretrained.
    """
    if pretraining is not None and recipe.track is not None:
        raise ModelError(f"{recipe.name} has a track model, which cannot be pretrained. Use a recipe without [track].")
    for name, part in (("training", features), ("validation", validation), ("pretraining", pretraining)):
        videos = 2 if part is None else len(np.unique(part.groups))
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
    chosen = _chosen(recipe, shown, validation, seed, choices)
    # Fold by fold, settings would be chosen by fewer pairs and take as long as the heads do.
    alike = chosen and replace(chosen, parts=None)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        start = None
        if pretraining is not None:
            start = _pretrained(recipe, pretraining, shown, validation, device, seed, chosen, progress)
        trained = _with_closed_form(recipe, shown, validation, device, seed, chosen, progress, start)

        def trained_on(train: Features, held_out: Features) -> Towers:
            if recipe.track is not None:
                summaries = recipe.of_tracks
                own = _chosen(summaries, train, held_out, seed, None)
                return _with_closed_form(summaries, train, held_out, device, seed, own).towers
            start = None
            if pretraining is not None:
                left = [*train.groups.tolist(), *held_out.groups.tolist()]
                fold = [part.take(~np.isin(part.groups, left)) for part in (shown, validation)]
                others = unseen(pretraining, fold, fold).features
                start = _pretrained(recipe, others, train, held_out, device, seed, alike)
            return _with_closed_form(recipe, train, held_out, device, seed, alike, start=start).towers

        if trained.towers.tracks is not None:
            fit_track_model(trained.towers.tracks, shown, validation, trained_on, seed)
            against_cca = None
        else:
            against_cca = fall_back(trained.towers, shown, validation, trained_on, seed, falls_back)
        fit_hubness(trained.towers, shown, validation, seed)
        return replace(trained, against_cca=against_cca)


def _pretrained(
    recipe: Recipe,
    others: Features,
    features: Features,
    validation: Features,
    device: torch.device,
    seed: int,
    chosen: Chosen | None,
    progress: Progress | None = None,
) -> Trained:
    """Train heads on all pairs, with the standardisation of those that they are trained on afterwards."""
    torch.manual_seed(derived_seed(seed, "pretraining"))
    data, shown, held_out = (TrainingData.of(part, device) for part in (both(features, others), features, validation))
    return _train(recipe, data, held_out, _untrained_towers(recipe, shown, chosen), seed, progress)


def _with_closed_form(
    recipe: Recipe,
    features: Features,
    validation: Features,
    device: torch.device,
    seed: int,
    chosen: Chosen | None,
    progress: Progress | None = None,
    start: Trained | None = None,
) -> Trained:
    torch.manual_seed(derived_seed(seed, "training"))
    data, held_out = (TrainingData.of(part, device) for part in (features, validation))
    if start is None:
        trained = _train(recipe, data, held_out, _untrained_towers(recipe, data, chosen), seed, progress)
    else:
        trained = _trained_on(start, recipe, data, held_out, seed, progress)
    if chosen is not None:
        fit_closed_form(trained.towers, features, validation, chosen, seed)
    return trained


def _chosen(
    recipe: Recipe, features: Features, validation: Features, seed: int, choices: Choices | None
) -> Chosen | None:
    scaled = recipe.head.standardise
    if scaled != "chosen" and recipe.closed_form is None:
        return None
    return (choose if choices is None else choices.choose)(features, validation, seed, scaled)


def _train(
    recipe: Recipe,
    data: TrainingData,
    validation: TrainingData,
    towers: Towers,
    seed: int,
    progress: Progress | None,
) -> Trained:
    reconstruction = _initialise(recipe, towers, data, validation, seed)
    if process_count() > 1:
        torch.manual_seed(derived_seed(seed, "dropout", process_rank()))
    return Trained(towers, run_epochs(recipe, towers, data, validation, seed, progress), reconstruction)


def _trained_on(
    start: Trained, recipe: Recipe, data: TrainingData, validation: TrainingData, seed: int, progress: Progress | None
) -> Trained:
    """Train pretrained heads on, and leave them as they are."""
    settings = recipe.training
    slower = settings.model_copy(
        update={"learning_rate": _RATE * settings.learning_rate, "epochs": min(_EPOCHS, settings.epochs)}
    )
    towers = copy.deepcopy(start.towers)
    if process_count() > 1:
        torch.manual_seed(derived_seed(seed, "dropout", process_rank()))
    recipe = recipe.model_copy(update={"training": slower})
    epochs = run_epochs(recipe, towers, data, validation, seed, progress, tuple(start.history))
    return Trained(towers, [*start.history, *epochs], start.reconstruction)


def _untrained_towers(recipe: Recipe, data: TrainingData, chosen: Chosen | None) -> Towers:
    towers = Towers(data.audio.shape[1], data.video.shape[1], recipe).to(data.audio.device)
    together = recipe.head.standardise == "together"
    if recipe.head.standardise == "chosen" and chosen is not None:
        together = bool(chosen.together)
    towers.audio.fit_input(data.audio, together=together)
    towers.video.fit_input(data.video, together=together)
    return towers


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
