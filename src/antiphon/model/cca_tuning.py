"""Tuning of a canonical correlation analysis: ridges, components and scaling are chosen by ranks of held-out pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.features.joining import join
from antiphon.metrics.groups import group_numbers
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.cca import CCA, CCASettings, Decomposed, decompose
from antiphon.seeding import generator

RIDGES = tuple(round(float(10 ** (half / 2)), 6) for half in range(-4, 5))
POWERS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
NUM_COMPONENTS = (4, 8, 16, 32, 64, 128, 256, 512)

_GRIDS: dict[str, Sequence[float]] = {
    "video_ridge": RIDGES,
    "audio_ridge": RIDGES,
    "power": POWERS,
    "num_components": NUM_COMPONENTS,
}
_MIN_HELD_OUT_VIDEOS = 300
"""Minimum validation videos to choose settings without cross-validation."""
_NUM_FOLDS = 5
_MAX_PRODUCT = 2**17
"""Maximum axes of audio times axes of video in which `tune` compares settings: each takes 0.1 s."""


@dataclass(frozen=True)
class _Fold:
    """Pairs to fit on, decomposed, and pairs to rank, all in coordinates along the principal axes."""

    parts: Decomposed
    audio: npt.NDArray[np.float64]
    video: npt.NDArray[np.float64]

    @classmethod
    def of(cls, train: Features, held_out: Features) -> Self:
        parts = decompose(train.audio, train.video)
        return cls(parts.rotated(), *parts.coordinates(held_out.audio, held_out.video))

    def leading(self) -> Self:
        """Keep the axes of each modality that vary most, as many as can be searched in quickly."""
        sizes = self.audio.shape[1], self.video.shape[1]
        num_axes = max(_MAX_PRODUCT // max(min(sizes), 1), isqrt(_MAX_PRODUCT))
        return type(self)(self.parts.leading(num_axes), self.audio[:, -num_axes:], self.video[:, -num_axes:])

    def log_ranks(self, settings: CCASettings) -> npt.NDArray[np.float64]:
        """Return the log ranks of the held-out pairs in both directions."""
        model = CCA(settings).fit_decomposed(self.parts)
        audio, video = model.embed_audio(self.audio), model.embed_video(self.video)
        return np.log(ranks_both_ways(audio, video))


def fit_tuned(train: Features, validation: Features, seed: int = 0) -> CCA:
    """Fit the linear analysis that ranks held-out pairs best.

    One setting after the other moves along its grid to where the mean log rank of the held-out pairs, in both
    directions, is lowest, until none moves. The validation pairs are held out; with fewer than 300 validation videos,
    too few to tell settings apart, training and validation videos are cross-validated in five folds. The chosen
    settings are then fitted to training and validation pairs together: a closed form has no early stopping that would
    need pairs held out.

    Parameters
    ----------
    train, validation : Features
        Features of different videos; only rows with both modalities count.
    seed : int, default 0
        Seed of the folds.

    Returns
    -------
    CCA
        The fitted analysis.

    Raises
    ------
    ModelError
        There are fewer than two videos to rank, or one modality is the same in all training pairs.
    """
    train, validation = train.training_pairs, validation.training_pairs
    together = join(train, validation)
    videos = len(np.unique(validation.groups))
    folds = [_Fold.of(train, validation)] if videos >= _MIN_HELD_OUT_VIDEOS else _dealt(together, seed)
    return CCA(_search(folds)).fit_features(together)


def tune(
    divisions: Sequence[tuple[Features, Features]],
) -> tuple[CCASettings, list[npt.NDArray[np.float64]]]:
    """Choose settings as `fit_tuned` does, for large features in the principal axes that vary most.

    Parameters
    ----------
    divisions : sequence of (Features, Features)
        Pairs to fit to, and pairs to rank, at least one of each.

    Returns
    -------
    settings : CCASettings
        The best settings.
    log_ranks : list of ndarray of float64, shape (2, held-out pairs)
        Log ranks of the held-out pairs of each division with these settings and all axes, from audio to video and back.

    Raises
    ------
    ModelError
        A division has fewer than two pairs to fit to, or one modality is the same in all of them.
    """
    folds = [_Fold.of(train, held_out) for train, held_out in divisions]
    settings = _search([fold.leading() for fold in folds])
    return settings, [fold.log_ranks(settings) for fold in folds]


def _dealt(features: Features, seed: int) -> list[_Fold]:
    numbers = group_numbers(features.groups, len(features))
    videos = int(numbers.max(initial=-1)) + 1
    if videos < 2 * _NUM_FOLDS:
        raise ModelError(
            f"{videos} videos have both audio and video features; tuning needs at least {2 * _NUM_FOLDS}. Add videos."
        )
    turns = generator(seed, "tuning folds").permutation(videos)[numbers] % _NUM_FOLDS
    return [_Fold.of(features.take(turns != turn), features.take(turns == turn)) for turn in range(_NUM_FOLDS)]


def _search(folds: Sequence[_Fold]) -> CCASettings:
    """Search the grids by coordinate descent, from the defaults."""
    known: dict[CCASettings, float] = {}

    def score(settings: CCASettings) -> float:
        if settings not in known:
            known[settings] = float(np.concatenate([fold.log_ranks(settings).ravel() for fold in folds]).mean())
        return known[settings]

    best, before = CCASettings(), None
    while best != before:
        before = best
        for name, grid in _GRIDS.items():
            # The current setting comes first, so that ties keep it.
            best = min([best, *(best.model_copy(update={name: value}) for value in grid)], key=score)
    return best
