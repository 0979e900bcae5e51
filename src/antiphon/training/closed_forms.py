"""Fitting of closed forms beside trained heads, with settings chosen by the ranks of held-out pairs."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from antiphon.features.features import Features
from antiphon.features.joining import join
from antiphon.metrics.groups import group_numbers
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.cca import CCA, CCASettings, Decomposed, decompose
from antiphon.model.closed_form import SIDES, ClosedForm, Side
from antiphon.model.embedding import embed_rows
from antiphon.model.heads import Standardise
from antiphon.model.predicted_labels import label_directions
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.runs import fingerprint
from antiphon.seeding import generator

_NUM_FOLDS = 5
MIN_HELD_OUT_VIDEOS = 300
"""Minimum held-out videos to tell settings apart."""
_MAX_PAIRS = 20_000
"""Maximum pairs that a closed form is fitted on: more change little and need more memory."""
MIN_VIDEOS = 2 * _NUM_FOLDS
_WEIGHTS = (0.0, 0.5, 1.0)
_RIDGES = (0.25, 1.0, 4.0)
"""Candidates, as multiples of the default ridge."""
_NUM_COMPONENTS = 256
"""More components than a closed form keeps, so that nearly all of what the modalities share decides on the ridge."""
_MAX_RANKED = 5_000
"""Maximum held-out pairs that the weights are chosen by."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Chosen:
    """Settings chosen by held-out pairs.

    Attributes
    ----------
    together : bool or None
        Scale all values of a feature by one deviation (True) or each by its own (False); None for no scaling.
    ridge : float
        Ridge of the linear analysis, in units of the mean variance of each modality.
    parts : Decomposed or None
        The training pairs so scaled, decomposed on the processor, where the choice needed all of them.
    """

    together: bool | None
    ridge: float
    parts: Decomposed | None = field(default=None, compare=False, repr=False)


class Choices:
    """Remembers the last choice, so that trainings on the same pairs with other seeds do not make it again."""

    def __init__(self) -> None:
        self._last: tuple[str, Chosen] | None = None

    def choose(
        self,
        train: Features,
        validation: Features,
        seed: int,
        standardise: bool | Literal["together", "chosen"] = "chosen",
    ) -> Chosen:
        """Choose as `choose` does, or return the last choice where it was made of the same pairs.

        Parameters
        ----------
        train, validation, seed, standardise
            As in `choose`.

        Returns
        -------
        Chosen
            The best settings.
        """
        arrays = [array for part in (train, validation) for array in (part.audio, part.video, part.groups)]
        drawn = None if _has_held_out(validation) and len(train) <= _MAX_PAIRS else seed
        made_of = f"{standardise} {drawn} {fingerprint(*arrays)}"
        if self._last is None or self._last[0] != made_of:
            self._last = made_of, choose(train, validation, seed, standardise)
        return self._last[1]


def choose(
    train: Features, validation: Features, seed: int, standardise: bool | Literal["together", "chosen"] = "chosen"
) -> Chosen:
    """Choose the ridge, and where it is open the scaling, by which a linear analysis ranks held-out pairs best.

    Ridges around 95 / √videos are tried, the size that suits from 90 videos to 7,000 of YouTube-8M's features. Held out
    are the validation pairs, if they cover 300 videos; otherwise training and validation videos are cross-validated in
    five folds, stopping once 300 videos were held out. With fewer than 10 training videos, or a modality that never
    varies, nothing is tried: each value is scaled by its own deviation, with the default ridge.

    Parameters
    ----------
    train, validation : Features
        Paired rows of different videos.
    seed : int
        Seed of the folds.
    standardise : bool or {'together', 'chosen'}, default 'chosen'
        Scaling in the recipe: only that is tried, or with "chosen" both ways.

    Returns
    -------
    Chosen
        The best settings.
    """
    default = default_ridge(train)
    scalings: dict[object, tuple[bool | None, ...]] = {"chosen": (False, True), "together": (True,), True: (False,)}
    grid = [Chosen(way, default * factor) for way in scalings.get(standardise, (None,)) for factor in _RIDGES]
    turns = list(_held_out(train, validation, grid, seed)) if len(np.unique(train.groups)) >= MIN_VIDEOS else []
    if not turns:
        return Chosen(grid[0].together, default)
    found = [np.concatenate(log_ranks) for log_ranks in zip(*(log_ranks for log_ranks, _ in turns), strict=True)]
    best = grid[int(np.argmin([row.mean() for row in found]))]
    is_whole = _has_held_out(validation) and len(train) <= _MAX_PAIRS
    return replace(best, parts=turns[0][1][best.together]) if is_whole else best


def default_ridge(features: Features) -> float:
    """Return the ridge of the linear analysis for a number of videos.

    Parameters
    ----------
    features : Features
        Training features.

    Returns
    -------
    float
        Ridge in units of the mean variance.
    """
    return 95 / len(np.unique(features.groups)) ** 0.5


def default_kernel_ridge(features: Features) -> float:
    """Return the ridge of the kernel part for a number of videos.

    Parameters
    ----------
    features : Features
        Training features.

    Returns
    -------
    float
        Ridge in units of the mean variance.
    """
    return min(0.1, 90 / len(np.unique(features.groups)))


def fit_closed_form(towers: Towers, train: Features, validation: Features, chosen: Chosen, seed: int) -> None:
    """Fit the closed form of trained towers to the training pairs, in place.

    The parts are weighted equally, unless the ranks of at least 300 validation videos choose among weights of 0, 0.5
    and 1. With fewer than 10 videos, or a modality that never varies, nothing is fitted and the heads are used alone.

    Parameters
    ----------
    towers : Towers
        Trained towers; without a closed form they are left unchanged.
    train, validation : Features
        Paired rows of different videos.
    chosen : Chosen
        Settings; see `choose`.
    seed : int
        Seed of landmarks and subsamples.
    """
    closed_form = towers.closed_form
    if closed_form is None or len(np.unique(train.groups)) < MIN_VIDEOS:
        return
    drawn = generator(seed, "landmarks")
    pairs = train if len(train) <= _MAX_PAIRS else train.take(np.sort(drawn.permutation(len(train))[:_MAX_PAIRS]))
    if not _both_vary(pairs):
        return
    with torch.inference_mode():
        audio, video = (_seen(towers, side, getattr(pairs, side)) for side in SIDES)
        # Elsewhere than on the processor, scaled values have other last bits.
        parts = chosen.parts if audio.device.type == "cpu" else None
        closed_form.fit(audio, video, chosen.ridge, default_kernel_ridge(pairs), drawn, parts)
        fit_label_part(towers, pairs, chosen.ridge)
        if _has_held_out(validation):
            ranked = _subsample(validation, seed, _MAX_RANKED)
            closed_form.weights.copy_(torch.tensor(_best_weights(towers, ranked)))


def fit_label_part(towers: Towers, pairs: Features, ridge: float) -> None:
    """Fit the label prediction of towers whose closed form is fitted, in place; nothing where the recipe has none.

    Parameters
    ----------
    towers : Towers
        Towers.
    pairs : Features
        Paired rows with labels.
    ridge : float
        Ridge of the regression, in units of the mean variance of each modality.
    """
    closed_form = towers.closed_form
    if closed_form is None or not closed_form.config.labels:
        return
    with torch.inference_mode():
        audio, video = (_seen(towers, side, getattr(pairs, side)) for side in SIDES)
        closed_form.fit_labels(audio, video, label_directions(pairs.labels, pairs.groups), ridge)


def refit_closed_form(recipe: Recipe, towers: Towers, train: Features, validation: Features, seed: int) -> None:
    """Fit a new closed form, in place, beside heads that now see other features.

    The heads keep the standardisation that they were trained with. Where the recipe has no closed form, or there are
    too few videos for one, the heads are used alone.

    Parameters
    ----------
    recipe : Recipe
        Recipe of the towers.
    towers : Towers
        Trained towers.
    train, validation : Features
        Paired rows of different videos.
    seed : int
        Seed of folds, landmarks and subsamples.
    """
    if recipe.closed_form is None:
        return
    towers.closed_form = ClosedForm(recipe.closed_form).to(next(towers.parameters()).device)
    # The heads scale features as they were trained to, so what was decomposed for the choice is not what they see.
    chosen = replace(choose(train, validation, seed), parts=None)
    fit_closed_form(towers, train, validation, chosen, seed)


def closed_form_alone(recipe: Recipe, towers: Towers, train: Features, seed: int) -> Towers | None:
    """Fit the closed form of a recipe to other pairs, with the default ridges, and give the heads no weight.

    Parameters
    ----------
    recipe : Recipe
        Recipe of the towers.
    towers : Towers
        Trained towers, whose scaling of the features is kept. They are left unchanged.
    train : Features
        Paired rows to fit to.
    seed : int
        Seed of landmarks and subsamples.

    Returns
    -------
    Towers or None
        Towers whose scores are those of the closed form; None where the recipe has none, or the pairs suffice for none.
    """
    if recipe.closed_form is None:
        return None
    alone = copy.deepcopy(towers)
    alone.closed_form = ClosedForm(recipe.closed_form).to(next(towers.parameters()).device)
    alone.clear_hubness()
    fit_closed_form(alone, train, train.take(np.arange(0)), Chosen(None, default_ridge(train)), seed)
    if not all(alone.closed_form.dims):
        return None
    alone.closed_form.weights[0] = 0.0
    return alone


def whole_log_rank(towers: Towers, pairs: Features) -> float:
    """Compute the mean log rank of pairs in both directions, by whole embeddings with closed-form parts.

    Parameters
    ----------
    towers : Towers
        Trained towers.
    pairs : Features
        Paired rows.

    Returns
    -------
    float
        Mean natural logarithm of the ranks.
    """
    device = next(towers.parameters()).device
    audio, video = (embed_rows(towers, side, getattr(pairs, side), device) for side in SIDES)
    return float(_log_ranks(audio, video).mean())


def _seen(towers: Towers, side: Side, rows: FloatArray) -> torch.Tensor:
    device = next(towers.parameters()).device
    return towers.heads[side].standardised(torch.from_numpy(rows).to(device))


def _best_weights(towers: Towers, validation: Features) -> tuple[float, ...]:
    """Return the weights of the trained, linear and kernel part with the lowest mean log rank in both directions."""
    parts: list[list[FloatArray]] = []
    for side in SIDES:
        rows = torch.from_numpy(getattr(validation, side)).to(next(towers.parameters()).device)
        parts.append([part.cpu().numpy() for part in towers.parts(side, rows)])
    candidates = [weights for weights in product(_WEIGHTS, repeat=3) if max(weights) == 1]

    def score(weights: tuple[float, ...]) -> float:
        audio, video = (
            np.concatenate([weight**0.5 * part for weight, part in zip(weights, side, strict=True)], axis=1)
            for side in parts
        )
        return float(_log_ranks(audio, video).mean())

    return min(candidates, key=score)


def _has_held_out(validation: Features) -> bool:
    """Return whether validation pairs are enough to choose by."""
    return len(np.unique(validation.groups)) >= MIN_HELD_OUT_VIDEOS


_Turn = tuple[list[FloatArray], dict[bool | None, Decomposed]]
"""Log ranks of held-out pairs under each setting of the grid, and what was fitted on, decomposed, by scaling."""


def _held_out(train: Features, validation: Features, grid: list[Chosen], seed: int) -> Iterator[_Turn]:
    """Yield a turn for each held-out part."""
    for rest, held_out in _divisions(train, validation, seed):
        if _both_vary(rest):
            yield _grid_ranks(rest, held_out, grid)


def _divisions(train: Features, validation: Features, seed: int) -> Iterator[tuple[Features, Features]]:
    """Yield the features to fit on and the features to hold out, fold by fold."""
    if _has_held_out(validation):
        yield _subsample(train, seed), validation
        return
    together = _subsample(both(train, validation), seed)
    numbers = group_numbers(together.groups, len(together))
    videos = int(numbers.max()) + 1
    turns = generator(seed, "closed form folds").permutation(videos)[numbers] % _NUM_FOLDS
    for turn in range(min(_NUM_FOLDS, -(-MIN_HELD_OUT_VIDEOS * _NUM_FOLDS // videos))):
        yield together.take(turns != turn), together.take(turns == turn)


def _grid_ranks(train: Features, held_out: Features, grid: list[Chosen]) -> _Turn:
    found: list[FloatArray] = []
    decomposed: dict[bool | None, Decomposed] = {}
    for together in dict.fromkeys(chosen.together for chosen in grid):
        rows = {side: _scaled(getattr(train, side), getattr(held_out, side), together) for side in SIDES}
        parts = decomposed[together] = decompose(rows["audio"][0], rows["video"][0])
        audio, video = parts.coordinates(rows["audio"][1], rows["video"][1])
        for chosen in grid:
            if chosen.together == together:
                model = CCA(
                    CCASettings(audio_ridge=chosen.ridge, video_ridge=chosen.ridge, num_components=_NUM_COMPONENTS)
                )
                model.fit_decomposed(parts.rotated())
                found.append(_log_ranks(model.embed_audio(audio), model.embed_video(video)))
    return found, decomposed


def _scaled(rows: FloatArray, others: FloatArray, together: bool | None) -> tuple[FloatArray, FloatArray]:
    if together is None:
        return rows, others
    scaling = Standardise(rows.shape[1])
    scaling.fit(torch.from_numpy(rows), together=together)
    return scaling(torch.from_numpy(rows)).numpy(), scaling(torch.from_numpy(others)).numpy()


def _subsample(features: Features, seed: int, max_rows: int = _MAX_PAIRS) -> Features:
    if len(features) <= max_rows:
        return features
    return features.take(np.sort(generator(seed, "closed form").permutation(len(features))[:max_rows]))


def _log_ranks(audio: FloatArray, video: FloatArray) -> FloatArray:
    return np.log(ranks_both_ways(audio, video)).ravel().astype(np.float32)


def both(first: Features, second: Features) -> Features:
    """Concatenate two sets of features, whose rows may have the same names.

    Parameters
    ----------
    first, second : Features
        Features of the same backbones.

    Returns
    -------
    Features
        Rows of `first`, then of `second`, named by their numbers.
    """
    names = np.arange(len(first) + len(second)).astype(np.str_)
    return join(replace(first, ids=names[: len(first)]), replace(second, ids=names[len(first) :]))


def _both_vary(features: Features) -> bool:
    """Return whether both modalities differ between some rows."""
    return all(bool((rows != rows[0]).any()) for rows in (features.audio, features.video))
