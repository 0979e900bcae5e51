"""Does the test hold a near copy of what the training saw: the same sound, the same pictures, or both?"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.audit.check import Check
from antiphon.evaluation.audit.leakage import listed
from antiphon.evaluation.audit.whitening import Whitening, unit
from antiphon.features.features import Features
from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]
NameArray = npt.NDArray[np.str_]

_SIDES = ("audio", "video")
_WORDS = {"audio": "sound", "video": "pictures"}
_TWICE = {"audio": "song", "video": "footage"}
_COMPONENTS = 128
_SHOWN = 10
_SAMPLE = 2000
_TOGETHER, _ALONE = 6.0, 8.0
"""Robust deviations above the usual nearest neighbour at which a pair is a copy: by both modalities, or by one."""
# Below these cosines nothing is a copy, whatever is usual: few videos tell little about that.
_LEAST_TOGETHER, _LEAST_ALONE = np.arctanh((0.3, 0.8))
_LEAST_VIDEOS = 8


@dataclass(frozen=True)
class _Alike:
    """How alike held-out and training videos are, on Fisher's scale (the inverse hyperbolic tangent of a cosine).

    Attributes
    ----------
    pairs : (held-out, training).
    usual : (s,) of training videos, each with its nearest of another artist: what no copy looks like.
    """

    pairs: FloatArray
    usual: FloatArray

    @property
    def middle(self) -> float:
        """The median of the usual."""
        return float(np.median(self.usual))

    @property
    def deviation(self) -> float:
        """The robust standard deviation of the usual."""
        return float(1.4826 * np.median(np.abs(self.usual - self.middle)))

    def threshold(self, deviations: float) -> float:
        """So many robust deviations above the usual."""
        return self.middle + deviations * self.deviation


def copy_checks(features: Features, seed: int = 0) -> list[Check]:
    """Held-out videos that are nearly the same as a training video: in sound and pictures, or in one of them.

    Videos are compared by the cosine of their whitened features, the mean over their segments. What counts as a copy is
    calibrated on the data: on how alike training videos of different artists are at the most.
    """
    name = "Leakage: copies"
    if not {"train", "test"} <= set(features.splits):
        return [Check(name, "leakage", "n/a", "The features have no training and test split side by side.")]
    pairs = features.paired
    train, held_out = pairs.take(pairs.splits == "train"), pairs.take(np.isin(pairs.splits, ("validation", "test")))
    trained, tested = np.unique(train.groups), np.unique(held_out.groups)
    if len(trained) < _LEAST_VIDEOS or not len(tested):
        why = f"Needs {_LEAST_VIDEOS} training videos to know how alike unrelated ones are; there are {len(trained)}."
        return [Check(name, "leakage", "n/a", why)]
    alike, among = {}, {}
    sample = generator(seed, "audit", "unrelated").permutation(len(trained))[:_SAMPLE]
    for side in _SIDES:
        whitened = Whitening.fitted(getattr(pairs, side), min(_COMPONENTS, len(pairs) // 2))
        ours, theirs = (_by_video(whitened(getattr(part, side)), part.groups) for part in (train, held_out))
        alike[side], among[side] = _fisher(theirs @ ours.T), _fisher(ours[sample] @ ours.T)
    same_video = tested[:, None] == trained[None, :]
    artists = _artist_of(train)
    same_artist = artists[sample][:, None] == artists[None, :]
    sides = {side: _alike(alike[side], among[side], same_video, same_artist) for side in _SIDES}
    weaker = _alike(_weaker(alike, sides), _weaker(among, sides), same_video, same_artist)
    both = replace(weaker, pairs=np.where(_nearest_by_both(sides), weaker.pairs, -np.inf))
    return [
        _together(both, sides, tested, trained),
        *(_alone(side, sides, tested, trained) for side in _SIDES),
    ]


def _alike(
    pairs: FloatArray, among: FloatArray, same_video: npt.NDArray[np.bool_], same_artist: npt.NDArray[np.bool_]
) -> _Alike:
    """The same video in two splits is another check's; videos of one artist may well be alike."""
    return _Alike(np.where(same_video, -np.inf, pairs), np.where(same_artist, -np.inf, among).max(axis=1))


def _weaker(fisher: dict[str, FloatArray], sides: dict[str, _Alike]) -> FloatArray:
    """Deviations above the usual of the modality that is less alike: high only where both are."""
    scaled = [(fisher[side] - sides[side].middle) / max(sides[side].deviation, 1e-9) for side in _SIDES]
    return np.minimum(*scaled)


def _nearest_by_both(sides: dict[str, _Alike]) -> npt.NDArray[np.bool_]:
    """(held-out, training) whether it is the nearest one in sound and in pictures, and not far in either."""
    near = [side.pairs >= np.maximum(side.pairs.max(axis=1, keepdims=True), _LEAST_TOGETHER) for side in sides.values()]
    return near[0] & near[1]


def _together(both: _Alike, sides: dict[str, _Alike], tested: NameArray, trained: NameArray) -> Check:
    name, limit = "Leakage: copies", both.threshold(_TOGETHER)
    found = _found(both, limit, sides, tested, trained)
    usual = {side: float(np.tanh(np.median(sides[side].usual))) for side in _SIDES}
    measure = (
        f"Calibrated on {len(both.usual)} training videos, whose nearest of another artist has a cosine of "
        f"{usual['audio']:.2f} in sound and {usual['video']:.2f} in pictures as a rule."
    )
    numbers = {"videos": len(found), "threshold": limit, "usual": usual, "pairs": found[:_SHOWN]}
    if not found:
        text = f"None of {len(tested)} held-out videos is nearly the same as a training video. {measure}"
        return Check(name, "leakage", "pass", text, numbers)
    named = listed([f"{each['held_out']} ~ {each['train']}" for each in found])
    text = (
        f"{len(found)} of {len(tested)} held-out videos are nearly the same as a training video in sound and pictures: "
        f"{named}. {measure} Remove one of each pair, or put both in one split."
    )
    return Check(name, "leakage", "fail", text, numbers)


def _alone(side: str, sides: dict[str, _Alike], tested: NameArray, trained: NameArray) -> Check:
    name, words = f"Leakage: {_WORDS[side]}", _WORDS[side]
    limit = max(sides[side].threshold(_ALONE), float(_LEAST_ALONE))
    found = _found(sides[side], limit, sides, tested, trained)
    cosines = {"held_out": np.tanh(sides[side].pairs.max(axis=1)), "unrelated": np.tanh(sides[side].usual)}
    histograms = {key: np.histogram(values, bins=40, range=(-1, 1))[0].tolist() for key, values in cosines.items()}
    threshold = float(np.tanh(limit))
    numbers = {"videos": len(found), "threshold": threshold, "pairs": found[:_SHOWN], "histogram": histograms}
    if not found:
        text = f"No held-out video has the {words} of a training video (a cosine of at least {threshold:.2f})."
        return Check(name, "leakage", "pass", text, numbers)
    named = listed([f"{each['held_out']} ~ {each['train']} ({each[side]:.2f})" for each in found])
    text = (
        f"{len(found)} of {len(tested)} held-out videos have nearly the {words} of a training video (a cosine of at "
        f"least {threshold:.2f}): {named}. Look at them: the same {_TWICE[side]} twice makes ranks too good."
    )
    return Check(name, "leakage", "warn", text, numbers)


def _found(
    alike: _Alike, limit: float, sides: dict[str, _Alike], tested: NameArray, trained: NameArray
) -> list[dict[str, Any]]:
    """Each held-out video that has a copy, with its nearest one and both cosines; the most alike first."""
    best = alike.pairs.argmax(axis=1)
    scores = alike.pairs[np.arange(len(best)), best]
    rows = [int(row) for row in np.argsort(-scores, kind="stable") if scores[row] >= limit]
    return [
        {"held_out": str(tested[row]), "train": str(trained[best[row]])}
        | {side: float(np.tanh(sides[side].pairs[row, best[row]])) for side in _SIDES}
        for row in rows
    ]


def _fisher(cosines: FloatArray) -> FloatArray:
    return np.arctanh(np.clip(cosines, -0.999999, 0.999999))


def _by_video(rows: FloatArray, groups: NameArray) -> FloatArray:
    """(videos, dim) unit rows: the mean of each video's segments, in order of the videos' names."""
    names, numbers = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, numbers, rows)
    return unit(sums)


def _artist_of(features: Features) -> NameArray:
    """(videos,) the artist of each, or the video itself where unknown."""
    groups, first = np.unique(features.groups, return_index=True)
    return np.where(features.artists[first] != "", features.artists[first], groups)
