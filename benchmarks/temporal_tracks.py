"""Synthetic tracks that only the order of their sections tells apart, and what each recipe makes of them.

Every track has the same kinds of sections, and the pictures change with the music. Sound and pictures of a segment
tell its kind, so that segments can be paired; the mean over a track tells next to nothing, because all tracks have the
same kinds. Their order is the track's own. A weak style, which all segments of a track share, gives the mean something
to go by.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from antiphon.dual_encoder import DualEncoder
from antiphon.features import Features
from antiphon.features.tracks import Tracks
from antiphon.metrics.paired import median_over_seeds, rank_ratio
from antiphon.metrics.ranks import ranks_both_ways
from antiphon.model.recipe import Recipe
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.float64]


class TemporalConfig(BaseModel):
    """Tracks of sections.

    Attributes
    ----------
    kinds : of sections; each track has a segment of each, in an order of its own.
    style : how strongly all segments of a track differ from those of others, against a section's kind of 1.
    noise : deviation of what is added to each value of each segment.
    audio_dim, video_dim : sizes of the features.
    every_s : seconds from the start of one segment to that of the next, alike in all tracks: if tracks differed in
        their times, a model could pair sound and pictures by the times alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: int = Field(default=6, ge=2)
    style: float = Field(default=0.1, ge=0)
    noise: float = Field(default=1.0, ge=0)
    audio_dim: int = Field(default=64, ge=1)
    video_dim: int = Field(default=48, ge=1)
    every_s: float = Field(default=30.0, gt=0)


def temporal_features(tracks: int, config: TemporalConfig, seed: int, part: str) -> Features:
    """Features of so many tracks of `config.kinds` segments each.

    Parameters
    ----------
    seed : of the kinds' looks and sounds, alike in all parts.
    part : name of these tracks: parts of different names are of different tracks.
    """
    draws = generator(seed, "temporal", part)
    order = np.concatenate([draws.permutation(config.kinds) for _ in range(tracks)])
    track = np.repeat(np.arange(tracks), config.kinds)
    styles = draws.normal(size=(tracks, config.kinds))
    sides: list[FloatArray] = []
    for side, dim in (("audio", config.audio_dim), ("video", config.video_dim)):
        world = generator(seed, "temporal", "world", side)
        kinds, strokes = world.normal(size=(config.kinds, dim)), world.normal(size=(config.kinds, dim))
        style = config.style / np.sqrt(config.kinds) * (styles @ strokes)
        sides.append(kinds[order] + style[track] + config.noise * draws.normal(size=(len(track), dim)))
    return Features.from_arrays(
        audio=sides[0],
        video=sides[1],
        ids=[f"{part}-{number // config.kinds}#{number % config.kinds}" for number in range(len(track))],
        groups=[f"{part}-{number}" for number in track],
        starts_s=config.every_s * np.tile(np.arange(config.kinds), tracks),
    )


def shuffled_in_time(features: Features, seed: int) -> Features:
    """The same segments at other times of the same track, sound and pictures each shuffled on their own."""
    tracks = Tracks.of(features.groups, features.starts_s)
    draws = generator(seed, "shuffled in time")
    sides = {"audio": features.audio.copy(), "video": features.video.copy()}
    for rows in tracks.rows:
        for side, values in sides.items():
            values[rows] = getattr(features, side)[draws.permutation(rows)]
    return replace(features, **sides)


def track_ranks(model: DualEncoder, features: Features) -> FloatArray:
    """(2, t) ranks of the tracks of `features` in a pool of them all: from sound to pictures, and back."""
    audio, video = model.embed(features, per="track")
    return ranks_both_ways(audio, video)


def compare(
    recipes: Sequence[Recipe], sizes: tuple[int, int, int], config: TemporalConfig, seeds: Sequence[int]
) -> dict[str, Any]:
    """Each recipe on tracks in order, and on tracks shuffled in time.

    Parameters
    ----------
    recipes : the first is the reference that all are compared with; each is also compared with the one before it.
    sizes : tracks to train on, to validate with and to test on.
    seeds : one training each, on the same tracks.

    Returns
    -------
    For each recipe's name "in_order", "shuffled_at_test" and "shuffled": trained and tested so. Each holds the
    "median_rank" in the pool of the test tracks and its 95% interval "ci95", and "gain" with "gain95": the ratio of the
    ranks of the reference, trained and tested in the same way, to these, above 1 where these are better. But for the
    first recipe, "step" with "step95" is that ratio to the recipe before it.
    """
    parts = [temporal_features(count, config, 0, str(number)) for number, count in enumerate(sizes)]
    mixed = [shuffled_in_time(part, number) for number, part in enumerate(parts)]
    trainings = [
        (parts, {"in_order": parts[2], "shuffled_at_test": mixed[2]}),
        (mixed, {"shuffled": mixed[2]}),
    ]
    found: dict[str, dict[str, FloatArray]] = {recipe.name: {} for recipe in recipes}
    for recipe in recipes:
        for (train, validation, _), tests in trainings:
            models = [DualEncoder(recipe, seed=seed).fit(train, validation) for seed in seeds]
            for way, test in tests.items():
                found[recipe.name][way] = np.stack([track_ranks(model, test).ravel() for model in models])
    reference = found[recipes[0].name]
    summary = {name: {way: _summed_up(r, reference[way]) for way, r in ways.items()} for name, ways in found.items()}
    for before, after in pairwise(found):
        for way, values in summary[after].items():
            values["step"], values["step95"] = _ratio(found[after][way], found[before][way])
    return summary


def _summed_up(found: FloatArray, reference: FloatArray) -> dict[str, Any]:
    """Of (trainings, 2 t) ranks."""
    median, ci95 = median_over_seeds(found, _tracks(found))
    gain, gain95 = _ratio(found, reference)
    return {"median_rank": median, "ci95": ci95, "gain": gain, "gain95": gain95, "n": found.shape[1] // 2}


def _ratio(found: FloatArray, reference: FloatArray) -> tuple[float, list[float]]:
    return rank_ratio(found, reference, _tracks(found))


def _tracks(found: FloatArray) -> npt.NDArray[np.int64]:
    """(2 t,) the track of each rank: both directions are resampled together."""
    return np.tile(np.arange(found.shape[1] // 2), 2)
