"""Fitting of a track model: what summaries are made of, what moves together over time, and how much each counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.features.artists import artist_parties, artists_of_videos
from antiphon.features.features import Features
from antiphon.features.tracks import Tracks
from antiphon.metrics.groups import group_numbers
from antiphon.model.closed_form import SIDES, Side
from antiphon.model.embedding import whole_tracks
from antiphon.model.time_course import TimeCourse, spans_s
from antiphon.model.towers import Towers
from antiphon.model.track_model import TrackModel
from antiphon.seeding import generator
from antiphon.training.closed_forms import MIN_HELD_OUT_VIDEOS, MIN_VIDEOS

_NUM_FOLDS = 5
_MIN_TRACKS = 50
"""Minimum training tracks for a time course."""
_MAX_TRACKS = 1000
"""Maximum tracks that the time course is fitted to, and that the weights are chosen by."""
_MIN_WEIGHT = 0.05
"""Minimum weight of the summary."""
_MAX_ROWS = 50_000
"""Maximum segments that the principal axes are found from."""

DoubleArray = npt.NDArray[np.float64]
TrainedOn = Callable[[Features, Features], Towers]


def fit_track_model(model: TrackModel, train: Features, validation: Features, trained_on: TrainedOn, seed: int) -> None:
    """Fit a track model, in place.

    Its heads are trained on the summaries of tracks. Heads, closed forms and time course are weighted by Fisher's
    linear discriminant between true and false pairs of held-out tracks: the validation tracks, where there are 300;
    otherwise heads and time course are fitted anew in five folds of artists, which costs little with few tracks. With
    fewer than 50 tracks, the time course has no weight.

    Parameters
    ----------
    model : TrackModel
        Track model.
    train, validation : Features
        Paired rows of different videos.
    trained_on : callable
        Trains towers on training and validation summaries.
    seed : int
        Seed of folds and subsamples.
    """
    _fit_summaries(model, train, seed)
    drawn = generator(seed, "time course")
    known, held_out = (summarised(model, part) for part in (train, validation))
    towers = trained_on(known, held_out)
    model.towers = towers
    if len(known) < _MIN_TRACKS:
        return
    few = _Subset.of(model, train, known, drawn)
    if len(held_out) >= MIN_HELD_OUT_VIDEOS:
        few.fit(model.course, drawn)
        pools = [_Subset.of(model, validation, held_out, drawn).scores(towers, model.course)]
    else:
        pools = list[DoubleArray]()
        for rest, others in few.folds(drawn):
            rest.fit(model.course, drawn)
            pools.append(others.scores(trained_on(rest.summaries, held_out), model.course))
        few.fit(model.course, drawn)
        if not pools:
            return
    _set_weights(model, towers, discriminant(pools))


@dataclass(frozen=True)
class _Subset:
    """Some tracks: their summaries, and where there is a time course, the parts and spans that it needs."""

    summaries: Features
    parts: dict[Side, Tensor]
    spans: Tensor

    @classmethod
    def of(cls, model: TrackModel, features: Features, summaries: Features, drawn: np.random.Generator) -> Self:
        chosen = summaries.take(np.sort(drawn.permutation(len(summaries))[:_MAX_TRACKS]))
        rows = features.take(np.isin(features.groups, chosen.groups))
        tracks = Tracks.of(rows.groups, rows.starts_s)
        parts: dict[Side, Tensor] = {}
        with torch.inference_mode():
            audio, video = (torch.from_numpy(getattr(rows, side)).to(model.weights.device) for side in SIDES)
            if model.course is not None:
                parts["audio"] = whole_tracks(model.course.parts, audio, tracks)
                parts["video"] = whole_tracks(model.course.parts, video, tracks)
            spans = whole_tracks(lambda _, mask, starts_s: spans_s(mask, starts_s), audio[:, :1], tracks)
        return cls(chosen, parts, spans)

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        there = torch.from_numpy(rows).to(self.spans.device)
        parts: dict[Side, Tensor] = {side: values[there] for side, values in self.parts.items()}
        return type(self)(self.summaries.take(rows), parts, self.spans[there])

    def folds(self, drawn: np.random.Generator) -> list[tuple[Self, Self]]:
        """Deal the tracks to folds, those of one artist to the same one: what to fit to, and what to hold out."""
        parties = artist_parties(self.summaries.groups, self.summaries.artists)
        numbers = group_numbers(parties, len(parties))
        turns = drawn.permutation(int(numbers.max()) + 1)[numbers] % _NUM_FOLDS
        divided = [(self.take(turns != turn), self.take(turns == turn)) for turn in range(_NUM_FOLDS)]
        return [
            (rest, others)
            for rest, others in divided
            if len(rest.summaries) >= MIN_VIDEOS and len(others.summaries) > 1
        ]

    def fit(self, course: TimeCourse | None, drawn: np.random.Generator) -> None:
        if course is not None:
            with torch.inference_mode():
                course.fit(self.parts, self.spans, drawn)

    def scores(self, towers: Towers, course: TimeCourse | None) -> DoubleArray:
        """Return the (parts, t, t) scores of all pairs by each part of the embeddings."""
        with torch.inference_mode():
            sides = [self._parts(side, towers, course) for side in SIDES]
            return np.stack([(audio @ video.T).cpu().numpy() for audio, video in zip(*sides, strict=True)]).astype(
                float
            )

    def _parts(self, side: Side, towers: Towers, course: TimeCourse | None) -> list[Tensor]:
        parts = towers.parts(side, torch.from_numpy(getattr(self.summaries, side)).to(self.spans.device))
        return parts if course is None else [*parts, course.curves(side, self.parts[side])]


def _fit_summaries(model: TrackModel, train: Features, seed: int) -> None:
    kept = np.sort(generator(seed, "principal axes").permutation(len(train))[:_MAX_ROWS])
    tracks = Tracks.of(train.groups, train.starts_s)
    counts = torch.tensor([len(rows) for rows in tracks.rows], device=model.weights.device)
    with torch.inference_mode():
        for side in SIDES:
            rows, summary = torch.from_numpy(getattr(train, side)).to(model.weights.device), model.summary(side)
            summary.fit(rows[torch.from_numpy(kept).to(rows.device)])
            summary.fit_length(whole_tracks(_without_times(summary.statistics), rows, tracks), counts)


def summarised(model: TrackModel, features: Features) -> Features:
    """Summarise tracks.

    Parameters
    ----------
    model : TrackModel
        Track model with fitted summaries.
    features : Features
        Paired rows.

    Returns
    -------
    Features
        One row per video, sorted, with its artists and labels.
    """
    tracks = Tracks.of(features.groups, features.starts_s)
    names, first = tracks.names.tolist(), [int(rows[0]) for rows in tracks.rows]
    artists = artists_of_videos(features.groups, features.artists)
    with torch.inference_mode():
        audio, video = (
            whole_tracks(
                _without_times(model.summary(side)),
                torch.from_numpy(getattr(features, side)).to(model.weights.device),
                tracks,
            ).cpu()
            for side in SIDES
        )
    return Features.from_arrays(
        audio=audio.numpy(),
        video=video.numpy(),
        ids=names,
        groups=names,
        artists=[artists[name] for name in names],
        labels=[features.labels[row] for row in first],
    )


def _without_times(made: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    return lambda features, mask, _: made(features, mask)


def _set_weights(model: TrackModel, towers: Towers, weights: DoubleArray) -> None:
    of_course = weights[-1] if model.course is not None else 0.0
    of_towers = weights[: len(weights) - int(model.course is not None)]
    if towers.closed_form is not None and len(of_towers) == len(towers.closed_form.weights) and of_towers.sum() > 0:
        towers.closed_form.weights.copy_(torch.from_numpy(of_towers))
    # A track without a time course must have an embedding too.
    model.weights.copy_(torch.tensor([max(float(of_towers.sum()), _MIN_WEIGHT), float(of_course)]))


def discriminant(pools: list[DoubleArray]) -> DoubleArray:
    """Weight scores by Fisher's linear discriminant between true pairs, on the diagonals, and all others.

    Parts with a negative weight are left out one by one, the most negative first.

    Parameters
    ----------
    pools : list of ndarray of float64, shape (k, t, t)
        Scores of all pairs of a pool, in k ways; at least one pool.

    Returns
    -------
    ndarray of float64, shape (k,)
        Weights, at least 0, with sum 1; equal ones where no part tells true pairs.

    References
    ----------
    Fisher (1936), "The use of multiple measurements in taxonomic problems".
    """
    true = np.concatenate([np.diagonal(scores, axis1=1, axis2=2) for scores in pools], axis=1)
    false = np.concatenate([scores[:, ~np.eye(scores.shape[1], dtype=bool)] for scores in pools], axis=1)
    within = (np.atleast_2d(np.cov(true)) + np.atleast_2d(np.cov(false))) / 2
    within += 1e-9 * np.eye(len(within)) * max(float(np.trace(within)), 1e-12)
    apart = true.mean(axis=1) - false.mean(axis=1)
    kept = np.arange(len(apart))
    while len(kept):
        found = np.linalg.solve(within[np.ix_(kept, kept)], apart[kept])
        if (found > 0).all():
            weights = np.zeros(len(apart))
            weights[kept] = found / found.sum()
            return weights
        kept = np.delete(kept, found.argmin())
    return np.full(len(apart), 1 / len(apart))
