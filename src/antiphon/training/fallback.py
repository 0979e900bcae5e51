"""Comparison of a trained model with tuned canonical correlations, which take its place where it is not ahead."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from antiphon.features.artists import artist_parties
from antiphon.features.features import Features
from antiphon.metrics.groups import group_numbers
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.cca import CCA, CCASettings
from antiphon.model.cca_tuning import tune
from antiphon.model.closed_form import SIDES
from antiphon.model.embedding import embed_rows
from antiphon.model.towers import Towers
from antiphon.runs import AgainstCCA
from antiphon.seeding import generator
from antiphon.training.closed_forms import MIN_HELD_OUT_VIDEOS, both, default_ridge, fit_label_part
from antiphon.training.distributed import agreed

MIN_VIDEOS = 100
"""Minimum training and validation videos for a comparison; with fewer it would be left to luck."""
_NUM_FOLDS, _MAX_TRAININGS = 5, 3
_MAX_FITTED = 20_000
"""Maximum pairs that canonical correlations are fitted to."""
_MAX_RANKED = 2_000
"""Maximum pairs of a held-out part that are ranked."""

Division = tuple[Features, Features, Features]
"""Pairs to train on, pairs to stop by, and pairs to rank."""
LogRanks = npt.NDArray[np.float64]
TrainedOn = Callable[[Features, Features], Towers]


def fall_back(
    towers: Towers,
    train: Features,
    validation: Features,
    trained_on: TrainedOn,
    seed: int,
    decided: bool | None = None,
) -> AgainstCCA | None:
    """Compare trained towers with tuned canonical correlations, and put these in their place, where they are not ahead.

    Both are compared by the ranks of the same held-out pairs: of the validation pairs, if they cover 300 videos;
    otherwise training and validation videos are dealt into five folds, and towers are trained anew without one fold
    after the other, until 300 videos or three folds were held out. Where the mean log rank of the towers is not lower,
    canonical correlations of training and validation pairs take the place of all parts of the embeddings.

    Parameters
    ----------
    towers : Towers
        Trained towers with a fitted closed form; changed in place where they are not ahead.
    train, validation : Features
        Paired rows of different videos that they were trained on.
    trained_on : callable
        Trains towers like these on other training and validation pairs.
    seed : int
        Seed of folds and subsamples.
    decided : bool, optional
        Whether canonical correlations are to take the place, where that is decided already.

    Returns
    -------
    AgainstCCA or None
        The comparison; None where there is nothing to decide, with fewer than 100 videos, or where a modality is the
        same in all pairs of a fold.
    """
    if decided is False:
        return None
    videos = len(np.unique(np.concatenate([train.groups, validation.groups])))
    if videos < MIN_VIDEOS or towers.closed_form is None or not all(towers.closed_form.dims):
        return None
    if len(np.unique(validation.groups)) >= MIN_HELD_OUT_VIDEOS:
        models, fitted = [towers], [_subsample(train, _MAX_FITTED, seed)]
        held_out = [_subsample(validation, _MAX_RANKED, seed)]
    else:
        divisions = [division for division in folds(train, validation, seed) if _can_be_compared(division)]
        enough = 0 if decided else min(_MAX_TRAININGS, -(-MIN_HELD_OUT_VIDEOS * _NUM_FOLDS // videos))
        models = [trained_on(shown, stopping) for shown, stopping, _ in divisions[:enough]]
        fitted = [_subsample(both(shown, stopping), _MAX_FITTED, seed) for shown, stopping, _ in divisions]
        held_out = [part for *_, part in divisions]
    if not fitted:
        return None
    settings, plain = tune(list(zip(fitted, held_out, strict=True)))
    if decided:
        _replace(towers, settings, train, validation, seed)
        return None
    trained = [_log_ranks(*pair) for pair in zip(models, held_out, strict=False)]
    found = _compared(trained, plain[: len(trained)], held_out[: len(trained)])
    if found.falls_back:
        _replace(towers, settings, train, validation, seed)
    return found


def folds(train: Features, validation: Features, seed: int) -> Iterator[Division]:
    """Deal videos into five folds, those of one artist into the same one.

    Parameters
    ----------
    train, validation : Features
        Paired rows of different videos.
    seed : int
        Seed of the folds.

    Yields
    ------
    train, validation, held_out : Features
        What is left of both without one fold, and rows of that fold.
    """
    together = both(train, validation)
    stops = np.arange(len(together)) >= len(train)
    parties = artist_parties(together.groups, together.artists)
    numbers = group_numbers(parties, len(parties))
    turns = generator(seed, "tuning folds").permutation(int(numbers.max()) + 1)[numbers] % _NUM_FOLDS
    for turn in range(_NUM_FOLDS):
        rest, held_out = turns != turn, together.take(turns == turn)
        yield together.take(rest & ~stops), together.take(rest & stops), _subsample(held_out, _MAX_RANKED, seed)


def _can_be_compared(division: Division) -> bool:
    """Return whether each part has two videos, and both modalities differ between some pairs to train on."""
    vary = all(bool((rows != rows[:1]).any()) for rows in (division[0].audio, division[0].video))
    return vary and all(len(np.unique(part.groups)) > 1 for part in division)


def _log_ranks(towers: Towers, pairs: Features) -> LogRanks:
    """Return the (2, n) log ranks of pairs, from audio to video and back."""
    device = next(towers.parameters()).device
    audio, video = (embed_rows(towers, side, getattr(pairs, side), device) for side in SIDES)
    return np.log(ranks_both_ways(audio, video))


def _compared(trained: list[LogRanks], plain: list[LogRanks], held_out: list[Features]) -> AgainstCCA:
    groups = np.concatenate([part.groups for part in held_out])
    numbers = group_numbers(groups, len(groups))
    of_pairs = (np.concatenate(plain, axis=1) - np.concatenate(trained, axis=1)).mean(axis=0)
    of_videos = np.bincount(numbers, of_pairs) / np.bincount(numbers)
    gain = agreed(float(of_videos.mean()))
    error = agreed(float(of_videos.std(ddof=1) / len(of_videos) ** 0.5))
    low, middle, high = (float(np.exp(gain + by * error)) for by in (-1.96, 0.0, 1.96))
    return AgainstCCA(middle, (low, high), len(groups), len(of_videos), falls_back=not gain > 0)


def _replace(towers: Towers, settings: CCASettings, train: Features, validation: Features, seed: int) -> None:
    """Put canonical correlations in the place of all parts."""
    pairs = _subsample(both(train, validation), _MAX_FITTED, seed)
    analysis = CCA(settings).fit(pairs.audio, pairs.video)
    with torch.inference_mode():
        towers.use_linear(dict(zip(SIDES, analysis.projections, strict=True)))
        fit_label_part(towers, train, default_ridge(train))


def _subsample(features: Features, max_rows: int, seed: int) -> Features:
    if len(features) <= max_rows:
        return features
    return features.take(np.sort(generator(seed, "fallback rows").permutation(len(features))[:max_rows]))
