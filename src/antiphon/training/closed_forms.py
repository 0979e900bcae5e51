"""Chooses what a closed form depends on by the ranks of held-out pairs, and fits it beside trained heads."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from antiphon.features.features import Features
from antiphon.metrics.groups import group_numbers
from antiphon.metrics.ranks import ranks
from antiphon.model.cca import CCA, CCASettings, decompose
from antiphon.model.closed_form import SIDES, ClosedForm, Side
from antiphon.model.embedding import embed_rows
from antiphon.model.heads import Standardise
from antiphon.model.predicted_labels import label_directions
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.seeding import generator

_NUM_FOLDS = 5
_MIN_HELD_OUT_VIDEOS = 300
"""Held-out videos that tell settings apart."""
_MAX_PAIRS = 20_000
"""Pairs that a closed form is fitted on at the most: more change little, and would fill the memory."""
_MIN_VIDEOS = 2 * _NUM_FOLDS
_WEIGHTS = (0.0, 0.5, 1.0)
_RIDGES = (0.25, 1.0, 4.0)
"""Of the usual one."""
_NUM_COMPONENTS = 256
"""More than a closed form keeps: a ridge is chosen by nearly all that the sides share."""
_MAX_RANKED = 5_000
"""Held-out pairs that choose the weights at the most."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Chosen:
    """What held-out pairs decided.

    Attributes
    ----------
    together : whether all values of a feature are scaled by one deviation, or each by its own; None: not scaled.
    ridge : of the linear analysis, in units of each side's mean variance.
    """

    together: bool | None
    ridge: float


def choose(
    train: Features, validation: Features, seed: int, standardise: bool | Literal["together", "chosen"] = "chosen"
) -> Chosen:
    """The ridge, and the scaling where it is to be chosen, with which linear analysis ranks held-out pairs best.

    Ridges around 95 / √videos are tried, the size that suits from 90 videos to 7,000 of YouTube-8M's features. What is
    held out are the validation pairs, where they are of 300 videos; else fifths of training and validation videos, in
    turn, until 300 videos were held out or all fifths had their turn. With fewer than 10 training videos, or a side
    that never varies, nothing is tried: each value has its own deviation, and the ridge is the usual one.

    Parameters
    ----------
    train, validation : paired rows of different videos.
    seed : of the fifths.
    standardise : how the recipe scales features; only that is tried, or with "chosen" both ways.
    """
    usual = usual_ridge(train)
    scalings: dict[object, tuple[bool | None, ...]] = {"chosen": (False, True), "together": (True,), True: (False,)}
    grid = [Chosen(way, usual * factor) for way in scalings.get(standardise, (None,)) for factor in _RIDGES]
    turns = list(_held_out(train, validation, grid, seed)) if len(np.unique(train.groups)) >= _MIN_VIDEOS else []
    if not turns:
        return Chosen(grid[0].together, usual)
    found = [np.concatenate(log_ranks) for log_ranks in zip(*turns, strict=True)]
    return grid[int(np.argmin([row.mean() for row in found]))]


def usual_ridge(features: Features) -> float:
    """A ridge for the linear analysis that depends on nothing but the number of videos."""
    return 95 / len(np.unique(features.groups)) ** 0.5


def usual_kernel_ridge(features: Features) -> float:
    """A ridge for the kernel part that depends on nothing but the number of videos."""
    return min(0.1, 90 / len(np.unique(features.groups)))


def fit_closed_form(towers: Towers, train: Features, validation: Features, chosen: Chosen, seed: int) -> None:
    """Fit the closed form of trained towers on the training pairs, in place.

    The parts count alike, unless there are 300 validation videos, whose ranks then choose weights of 0, 0.5 or 1. With
    fewer than 10 videos, or a side that never varies, there is no closed form: the heads remain alone.
    """
    closed_form = towers.closed_form
    if closed_form is None or len(np.unique(train.groups)) < _MIN_VIDEOS:
        return
    drawn = generator(seed, "landmarks")
    pairs = train if len(train) <= _MAX_PAIRS else train.take(np.sort(drawn.permutation(len(train))[:_MAX_PAIRS]))
    if not _vary(pairs):
        return
    with torch.inference_mode():
        audio, video = (_seen(towers, side, getattr(pairs, side)) for side in SIDES)
        closed_form.fit(audio, video, chosen.ridge, usual_kernel_ridge(pairs), drawn)
        if closed_form.config.labels:
            closed_form.fit_labels(audio, video, label_directions(pairs.labels, pairs.groups), chosen.ridge)
        if len(np.unique(validation.groups)) >= _MIN_HELD_OUT_VIDEOS:
            ranked = _few(validation, seed, _MAX_RANKED)
            closed_form.weights.copy_(torch.tensor(_best_weights(towers, closed_form, ranked)))


def refit_closed_form(recipe: Recipe, towers: Towers, train: Features, validation: Features, seed: int) -> None:
    """Fit a closed form anew, in place, beside heads whose features are not those that the last one was fitted on.

    The heads keep the scaling of the features that they were trained with. Where the recipe has no closed form, or
    there are too few videos for one, the heads remain alone.
    """
    if recipe.closed_form is None:
        return
    towers.closed_form = ClosedForm(recipe.closed_form).to(next(towers.parameters()).device)
    fit_closed_form(towers, train, validation, choose(train, validation, seed), seed)


def whole_log_rank(towers: Towers, pairs: Features) -> float:
    """The mean log rank of pairs both ways, by whole embeddings: the heads' and the closed form's."""
    device = next(towers.parameters()).device
    audio, video = (embed_rows(towers, side, getattr(pairs, side), device) for side in SIDES)
    return float(_log_ranks(audio, video).mean())


def _seen(towers: Towers, side: Side, rows: FloatArray) -> torch.Tensor:
    device = next(towers.parameters()).device
    return towers.heads[side].standardised(torch.from_numpy(rows).to(device))


def _best_weights(towers: Towers, closed_form: ClosedForm, validation: Features) -> tuple[float, ...]:
    """Weights of the trained, the linear and the kernel part with the lowest mean log rank, both ways."""
    parts: list[list[FloatArray]] = []
    for side in SIDES:
        seen = _seen(towers, side, getattr(validation, side))
        trained = functional.normalize(towers.heads[side].project(seen), dim=-1)
        of_side = (trained, *closed_form.parts(side, seen))
        parts.append([part.cpu().numpy() for part in of_side])
    candidates = [weights for weights in product(_WEIGHTS, repeat=3) if max(weights) == 1]

    def score(weights: tuple[float, ...]) -> float:
        audio, video = (
            np.concatenate([weight**0.5 * part for weight, part in zip(weights, side, strict=True)], axis=1)
            for side in parts
        )
        return float(_log_ranks(audio, video).mean())

    return min(candidates, key=score)


def _held_out(train: Features, validation: Features, grid: list[Chosen], seed: int) -> Iterator[list[FloatArray]]:
    """For each part held out, the log ranks of its pairs under each setting of the grid."""
    for rest, held_out in _divisions(train, validation, seed):
        if _vary(rest):
            yield _grid_ranks(rest, held_out, grid)


def _divisions(train: Features, validation: Features, seed: int) -> Iterator[tuple[Features, Features]]:
    """What to fit on and what to hold out, in turn."""
    if len(np.unique(validation.groups)) >= _MIN_HELD_OUT_VIDEOS:
        yield _few(train, seed), validation
        return
    together = _few(_both(train, validation), seed)
    numbers = group_numbers(together.groups, len(together))
    videos = int(numbers.max()) + 1
    turns = generator(seed, "closed form folds").permutation(videos)[numbers] % _NUM_FOLDS
    for turn in range(min(_NUM_FOLDS, -(-_MIN_HELD_OUT_VIDEOS * _NUM_FOLDS // videos))):
        yield together.take(turns != turn), together.take(turns == turn)


def _grid_ranks(train: Features, held_out: Features, grid: list[Chosen]) -> list[FloatArray]:
    found: list[FloatArray] = []
    for together in dict.fromkeys(chosen.together for chosen in grid):
        rows = {side: _scaled(getattr(train, side), getattr(held_out, side), together) for side in SIDES}
        parts = decompose(rows["audio"][0], rows["video"][0])
        audio, video = parts.coordinates(rows["audio"][1], rows["video"][1])
        for chosen in grid:
            if chosen.together == together:
                model = CCA(
                    CCASettings(audio_ridge=chosen.ridge, video_ridge=chosen.ridge, num_components=_NUM_COMPONENTS)
                )
                model.fit_decomposed(parts.rotated())
                found.append(_log_ranks(model.embed_audio(audio), model.embed_video(video)))
    return found


def _scaled(rows: FloatArray, others: FloatArray, together: bool | None) -> tuple[FloatArray, FloatArray]:
    if together is None:
        return rows, others
    scaling = Standardise(rows.shape[1])
    scaling.fit(torch.from_numpy(rows), together=together)
    return scaling(torch.from_numpy(rows)).numpy(), scaling(torch.from_numpy(others)).numpy()


def _few(features: Features, seed: int, max_rows: int = _MAX_PAIRS) -> Features:
    if len(features) <= max_rows:
        return features
    return features.take(np.sort(generator(seed, "closed form").permutation(len(features))[:max_rows]))


def _log_ranks(audio: FloatArray, video: FloatArray) -> FloatArray:
    both_ways = np.concatenate([ranks(audio, video)[0], ranks(video, audio)[0]])
    return np.log(both_ways).astype(np.float32)


def _both(first: Features, second: Features) -> Features:
    """Sound, pictures and videos of the rows of two sets of features, whose rows may have the same names."""
    return Features.from_arrays(
        audio=np.concatenate([first.audio, second.audio]),
        video=np.concatenate([first.video, second.video]),
        groups=np.concatenate([first.groups, second.groups]),
    )


def _vary(features: Features) -> bool:
    """Whether not all rows are the same, on both sides."""
    return all(bool((rows != rows[0]).any()) for rows in (features.audio, features.video))
