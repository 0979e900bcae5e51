"""Fitting of the hubness correction: which training pairs are references, and whether it helps."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.features import Features
from antiphon.features.tracks import track_embeddings
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.closed_form import SIDES
from antiphon.model.embedding import embed_rows, embed_tracks
from antiphon.model.hubness import HubnessCorrection
from antiphon.model.towers import Towers
from antiphon.seeding import generator
from antiphon.training.closed_forms import MIN_HELD_OUT_VIDEOS
from antiphon.training.distributed import agreed

_MAX_RANKED = 2_000
"""Maximum held-out videos that decide whether scores are corrected."""

FloatArray = npt.NDArray[np.float32]
BothSides = Callable[[Features], list[FloatArray]]
"""Embeds both sides of features."""


def fit_hubness(towers: Towers, train: Features, validation: Features, seed: int) -> None:
    """Fit the hubness corrections of segments and of tracks to trained towers, in place.

    References are one segment, or the track, of each training video, or of as many as the recipe says, drawn at random.
    Where at least 300 validation videos rank no higher with a correction, it is left out.

    Parameters
    ----------
    towers : Towers
        Trained towers; without a hubness correction they are left unchanged.
    train, validation : Features
        Paired rows of different videos.
    seed : int
        Seed of the references.
    """
    device = towers.logit_scale.device

    def segments(features: Features) -> list[FloatArray]:
        return [embed_rows(towers, side, getattr(features, side), device) for side in SIDES]

    def tracks(features: Features) -> list[FloatArray]:
        if towers.tracks is None:
            means = [_means(rows[:, : towers.uncorrected_dim], features) for rows in segments(features)]
            pairs = zip(SIDES, means, strict=True)
            return [towers.corrected_tracks(side, rows.to(device)).cpu().numpy() for side, rows in pairs]
        timed = (features.groups, features.starts_s, device)
        return [embed_tracks(towers, side, getattr(features, side), *timed)[1] for side in SIDES]

    towers.clear_hubness()
    drawn, dim = generator(seed, "hubness references"), towers.uncorrected_dim
    if towers.hubness is not None and towers.track_hubness is not None:
        count = towers.hubness.config.num_references
        references, held_out = _of_videos(train, count, drawn), _of_videos(validation, _MAX_RANKED, drawn)
        with torch.inference_mode():
            _fit(towers.hubness, segments, _one_of_each(references, drawn), _one_of_each(held_out, drawn), dim)
            _fit(towers.track_hubness, tracks, references, held_out, dim)


def _fit(
    correction: HubnessCorrection, embedded: BothSides, references: Features, held_out: Features, dim: int
) -> None:
    """Fit a correction to references, whose embeddings have `dim` values besides those of another correction."""
    decides = len(np.unique(held_out.groups)) >= MIN_HELD_OUT_VIDEOS
    plain = _mean_log_rank(*embedded(held_out)) if decides else 0.0
    audio, video = (torch.from_numpy(rows[:, :dim]).to(correction.centre.device) for rows in embedded(references))
    correction.fit(audio, video)
    if decides and not agreed(plain - _mean_log_rank(*embedded(held_out))) > 0:
        correction.clear()


def _means(rows: FloatArray, features: Features) -> Tensor:
    """Return the normalised means of each video's segments, whose corrections are left out."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return torch.from_numpy(track_embeddings(unit, features.groups)[1])


def _mean_log_rank(audio: FloatArray, video: FloatArray) -> float:
    return float(np.log(ranks_both_ways(audio, video)).mean())


def _of_videos(features: Features, max_videos: int, drawn: np.random.Generator) -> Features:
    """Return all rows of some videos."""
    videos = np.unique(features.groups)
    if len(videos) <= max_videos:
        return features
    return features.take(np.isin(features.groups, drawn.permutation(videos)[:max_videos]))


def _one_of_each(features: Features, drawn: np.random.Generator) -> Features:
    """Return one row of each video."""
    order = drawn.permutation(len(features))
    return features.take(np.sort(order[np.unique(features.groups[order], return_index=True)[1]]))
