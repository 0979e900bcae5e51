"""Near copies in the test split of what the training saw: the same audio, the same video, or both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.auditing.check import Check
from antiphon.evaluation.auditing.leakage import listed
from antiphon.evaluation.auditing.whitening import Whitening, unit
from antiphon.features.artists import artist_parties
from antiphon.features.features import Features
from antiphon.ordering import descending, rounded
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]
NameArray = npt.NDArray[np.str_]

_SIDES = ("audio", "video")
_WORDS = {"audio": "sound", "video": "pictures"}
_TWICE = {"audio": "song", "video": "footage"}
_COMPONENTS = 128
_SHOWN = 10
_SAMPLE, _BLOCK, _FEW = 2000, 256, 3
_TOGETHER, _ALONE = 6.0, 8.0
"""Robust deviations above the usual nearest neighbour at which a pair is a copy: by both modalities, or by one."""
# Below these cosines nothing is a copy, whatever is usual: few videos tell little about that.
_MIN_TOGETHER, _MIN_ALONE = np.arctanh((0.3, 0.8))
_MIN_VIDEOS = 8


@dataclass(frozen=True)
class _Usual:
    """How alike videos are to their nearest one of another artist: what no copy looks like. On Fisher's scale (the
    inverse hyperbolic tangent of a cosine), or in deviations above that.

    Attributes
    ----------
    values : (s,) of training videos.
    """

    values: FloatArray

    @property
    def middle(self) -> float:
        """The median."""
        return float(np.median(self.values))

    @property
    def deviation(self) -> float:
        """The robust standard deviation."""
        return max(float(1.4826 * np.median(np.abs(self.values - self.middle))), 1e-9)

    def threshold(self, deviations: float) -> float:
        """So many deviations above the median."""
        return self.middle + deviations * self.deviation


@dataclass(frozen=True)
class _Nearest:
    """For each held-out video its most alike training video, by one measure.

    Attributes
    ----------
    score : (h,) by that measure.
    place : (h,) which training video.
    cosines : by modality, (h,) with that one.
    """

    score: FloatArray
    place: npt.NDArray[np.intp]
    cosines: dict[str, FloatArray]


@dataclass(frozen=True)
class _Videos:
    """(videos, components) unit rows of whitened features by modality, in order of `names`, with each one's artist."""

    names: NameArray
    artists: NameArray
    rows: dict[str, FloatArray]

    @classmethod
    def of(cls, features: Features, whitened: dict[str, Whitening]) -> Self:
        """The mean over each video's segments."""
        groups, first = np.unique(features.groups, return_index=True)
        artists = artist_parties(features.groups, features.artists)[first]
        rows = {side: _by_video(whitened[side](getattr(features, side)), features.groups) for side in _SIDES}
        return cls(groups, artists, rows)

    def alike(self, others: Self, rows: npt.NDArray[np.intp]) -> dict[str, FloatArray]:
        """By modality, how alike the given videos are to all `others`, on Fisher's scale."""
        cosines = {side: self.rows[side][rows] @ others.rows[side].T for side in _SIDES}
        return {side: np.arctanh(np.clip(found, -0.999999, 0.999999)) for side, found in cosines.items()}


def copy_checks(features: Features, seed: int = 0) -> list[Check]:
    """Check for held-out videos that are nearly the same as a training video, on both sides or on one.

    Videos are compared by the cosine of their whitened features, the mean over their segments. What counts as a copy is
    calibrated on the data: on the highest similarity of training videos by different artists. Memory: a block of
    held-out videos by all training videos at a time.
    """
    name = "Leakage: copies"
    if not {"train", "test"} <= set(features.splits):
        return [Check(name, "leakage", "n/a", "The features have no training and test split side by side.")]
    pairs = features.paired
    whitened = {side: Whitening.fitted(getattr(pairs, side), min(_COMPONENTS, len(pairs) // 2)) for side in _SIDES}
    trained = _Videos.of(pairs.take(pairs.splits == "train"), whitened)
    tested = _Videos.of(pairs.take(np.isin(pairs.splits, ("validation", "test"))), whitened)
    if len(trained.names) < _MIN_VIDEOS or not len(tested.names):
        there = len(trained.names)
        why = f"Needs {_MIN_VIDEOS} training videos to know how alike unrelated ones are; there are {there}."
        return [Check(name, "leakage", "n/a", why)]
    usual = _usual(trained, seed)
    if usual is None:
        why = "Training videos of so few artists do not tell how alike unrelated ones are."
        return [Check(name, "leakage", "n/a", why)]
    nearest = _nearest(tested, trained, usual)
    together = _together(nearest["both"], usual, tested, trained)
    return [together, *(_alone(side, nearest[side], usual[side], tested, trained) for side in _SIDES)]


def _usual(trained: _Videos, seed: int) -> dict[str, _Usual] | None:
    """Return what is usual in audio, in video, and in the weaker of both. Videos of one artist may well be alike.

    None where too few have videos of other artists beside them.
    """
    if len(np.unique(trained.artists)) < 2:
        return None
    sample = generator(seed, "audit", "unrelated").permutation(len(trained.names))[:_SAMPLE]

    def most(measure: Callable[[dict[str, FloatArray]], FloatArray]) -> _Usual:
        found: list[FloatArray] = []
        for rows in _blocks(sample):
            same_artist = trained.artists[rows][:, None] == trained.artists[None, :]
            found.append(np.where(same_artist, -np.inf, measure(trained.alike(trained, rows))).max(axis=1))
        return _Usual(np.concatenate(found))

    sides = {side: most(lambda alike, side=side: alike[side]) for side in _SIDES}
    return sides | {"both": most(lambda alike: _weaker(alike, sides))}


def _nearest(tested: _Videos, trained: _Videos, usual: dict[str, _Usual]) -> dict[str, _Nearest]:
    """Find the nearest by both sides, by audio and by video. The same video in two splits is another check's."""
    blocks: dict[str, list[_Nearest]] = {name: [] for name in ("both", *_SIDES)}
    for rows in _blocks(np.arange(len(tested.names))):
        same_video = tested.names[rows][:, None] == trained.names[None, :]
        alike = {side: np.where(same_video, -np.inf, found) for side, found in tested.alike(trained, rows).items()}
        near = [found >= np.maximum(_among_the_nearest(found), _MIN_TOGETHER) for found in alike.values()]
        both = np.where(near[0] & near[1], _weaker(alike, usual), -np.inf)
        for name, scores in {"both": both, **alike}.items():
            place = rounded(scores).argmax(axis=1)
            chosen = np.arange(len(rows)), place
            cosines = {side: np.tanh(alike[side][chosen]) for side in _SIDES}
            blocks[name].append(_Nearest(scores[chosen], place, cosines))
    return {name: _joined(found) for name, found in blocks.items()}


def _among_the_nearest(alike: FloatArray) -> FloatArray:
    """(rows, 1) bounds above which only the nearest few are: a copy has copies of its own beside it."""
    few = min(_FEW, alike.shape[1])
    return np.partition(alike, -few, axis=1)[:, -few][:, None]


def _joined(parts: list[_Nearest]) -> _Nearest:
    return _Nearest(
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.place for part in parts]),
        {side: np.concatenate([part.cosines[side] for part in parts]) for side in _SIDES},
    )


def _weaker(alike: dict[str, FloatArray], usual: dict[str, _Usual]) -> FloatArray:
    """Deviations above the usual of the modality that is less alike: high only where both are."""
    return np.minimum(*((alike[side] - usual[side].middle) / usual[side].deviation for side in _SIDES))


def _blocks(rows: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for first in range(0, len(rows), _BLOCK):
        yield rows[first : first + _BLOCK]


def _together(both: _Nearest, sides: dict[str, _Usual], tested: _Videos, trained: _Videos) -> Check:
    name, limit = "Leakage: copies", sides["both"].threshold(_TOGETHER)
    found = _found(both, limit, tested, trained)
    usual = {side: float(np.tanh(sides[side].middle)) for side in _SIDES}
    measure = (
        f"Calibrated on {len(sides['both'].values)} training videos, whose nearest of another artist has a cosine of "
        f"{usual['audio']:.2f} in sound and {usual['video']:.2f} in pictures as a rule."
    )
    numbers = {"videos": len(found), "threshold": limit, "usual": usual, "pairs": found[:_SHOWN]}
    if not found:
        text = f"None of {len(tested.names)} held-out videos is nearly the same as a training video. {measure}"
        return Check(name, "leakage", "pass", text, numbers)
    named = listed([f"{each['held_out']} ~ {each['train']}" for each in found])
    text = (
        f"{len(found)} of {len(tested.names)} held-out videos are nearly the same as a training video in sound and "
        f"pictures: {named}. {measure} Remove one of each pair, or put both in one split."
    )
    return Check(name, "leakage", "fail", text, numbers)


def _alone(side: str, nearest: _Nearest, usual: _Usual, tested: _Videos, trained: _Videos) -> Check:
    name, words = f"Leakage: {_WORDS[side]}", _WORDS[side]
    limit = max(usual.threshold(_ALONE), float(_MIN_ALONE))
    found = _found(nearest, limit, tested, trained)
    cosines = {"held_out": nearest.cosines[side], "unrelated": np.tanh(usual.values)}
    histograms = {key: np.histogram(values, bins=40, range=(-1, 1))[0].tolist() for key, values in cosines.items()}
    threshold = float(np.tanh(limit))
    numbers = {"videos": len(found), "threshold": threshold, "pairs": found[:_SHOWN], "histogram": histograms}
    if not found:
        text = f"No held-out video has the {words} of a training video (a cosine of at least {threshold:.2f})."
        return Check(name, "leakage", "pass", text, numbers)
    named = listed([f"{each['held_out']} ~ {each['train']} ({each[side]:.2f})" for each in found])
    text = (
        f"{len(found)} of {len(tested.names)} held-out videos have nearly the {words} of a training video (a cosine of "
        f"at least {threshold:.2f}): {named}. Look at them: the same {_TWICE[side]} twice makes ranks too good."
    )
    return Check(name, "leakage", "warn", text, numbers)


def _found(nearest: _Nearest, limit: float, tested: _Videos, trained: _Videos) -> list[dict[str, Any]]:
    """Each held-out video that has a copy, with its nearest one and both cosines; the most alike first."""
    rows = [row for row in descending(nearest.score).tolist() if nearest.score[row] >= limit]
    return [
        {"held_out": str(tested.names[row]), "train": str(trained.names[nearest.place[row]])}
        | {side: float(nearest.cosines[side][row]) for side in _SIDES}
        for row in rows
    ]


def _by_video(rows: FloatArray, groups: NameArray) -> FloatArray:
    """(videos, dim) unit rows: the mean of each video's segments, in order of the videos' names."""
    names, numbers = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, numbers, rows)
    return unit(sums)
