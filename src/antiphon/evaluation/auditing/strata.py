"""Ranks among alike tracks: what is left where genre, artist, length or production cannot tell partners."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.auditing.check import Check
from antiphon.features.artists import artist_parties
from antiphon.features.features import Features
from antiphon.metrics.paired import mean_interval

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]

_NAME = "Model: within strata"
_MIN_TRACKS = 20
"""Minimum tracks that have an alike one."""
_SAME_LENGTH_S = 15.0


def strata_check(
    audio: FloatArray, video: FloatArray, features: Features, shared: Mapping[str, Mapping[str, str]] | None = None
) -> Check:
    """Check that partners are found among tracks of one genre, of one artist, of one length, and of one production.

    Song and pictures share more than what is heard and seen: they are as long, of one decade, of one artist, and went
    through one encoder. A model can score well by such a variable alone, and then tells nothing apart where it is the
    same for all candidates.

    Parameters
    ----------
    audio, video : ndarray, shape (t, dim)
        Track embeddings, sorted by video.
    features : Features
        Rows of these tracks.
    shared : mapping, optional
        Further variables: name → video → value. Videos without a value are not counted. A variable that is the same for
        all videos is left out.

    Returns
    -------
    Check
        A warning where the interval of the mean place among alike tracks reaches chance. The place is the share of the
        other candidates that score higher, from 0 to 1, ties counting half; chance is 0.5. "alone" is the place that
        partners would have among the tracks that are counted, if nothing but this variable were known.
    """
    scores, found = audio @ video.T, dict[str, dict[str, Any]]()
    groups = features.groups[np.unique(features.groups, return_index=True)[1]]
    everyone = np.ones_like(scores, dtype=bool)
    for kind, alike in _alike(features, shared or {}).items():
        places = _places(scores, alike)
        known = np.isfinite(places)
        if known.sum() >= _MIN_TRACKS:
            mean, ci95 = mean_interval(places[known], groups[known])
            numbers = {"place": mean, "ci95": ci95, "n": int(known.sum())}
            alone = float(_places(alike.astype(np.float32), known[:, None] & known)[known].mean())
            found[kind] = numbers | {"median_candidates": float(np.median(alike.sum(axis=1)[known])), "alone": alone}
    if not found:
        return Check(_NAME, "model", "n/a", f"Fewer than {_MIN_TRACKS} test tracks share a genre, artist or length.")
    overall = float(_places(scores, everyone).mean())
    chance = [kind for kind, numbers in found.items() if numbers["ci95"][1] >= 0.5]
    finding = (
        f"A partner's place among all tracks is {overall:.2f} (0 is first, chance 0.5). Among those alike in "
        f"{'; in '.join(_words(kind, numbers) for kind, numbers in found.items())}."
    )
    if chance:
        finding += f" That may be chance among tracks of the same {' or '.join(chance)}: it may be all that tells them."
    numbers = {"all": overall, "strata": found}
    return Check(_NAME, "model", "warn" if chance else "pass", finding, numbers)


def _alike(features: Features, shared: Mapping[str, Mapping[str, str]]) -> dict[str, BoolArray]:
    """Return which tracks are candidates for which, themselves included, by what they share."""
    first = np.unique(features.groups, return_index=True)[1]
    parties, videos = artist_parties(features.groups, features.artists)[first], features.groups[first]
    genres = np.where(features.genres[first] == "", videos, features.genres[first])
    alike = {"genre": genres[:, None] == genres, "artist": parties[:, None] == parties}
    ends_s = np.array([features.starts_s[features.groups == video].max() for video in videos])
    if np.isfinite(ends_s).all() and np.ptp(ends_s) > _SAME_LENGTH_S:
        alike["length"] = np.abs(ends_s[:, None] - ends_s) <= _SAME_LENGTH_S
    for kind, values in shared.items():
        if len({values[video] for video in videos.tolist() if video in values}) > 1:
            of_video = np.array([values.get(video, f"unknown for {video}") for video in videos.tolist()])
            alike[kind] = of_video[:, None] == of_video
    return alike


def _places(scores: FloatArray, alike: BoolArray) -> npt.NDArray[np.float64]:
    """Return the mean place of each track's partner both ways; NaN where there is no other candidate."""
    others = alike & ~np.eye(len(alike), dtype=bool)
    counts = np.where(others.any(axis=1), others.sum(axis=1), np.nan)
    own, places = np.diagonal(scores)[:, None], np.zeros(len(scores))
    for way in (scores, scores.T):
        places += ((way > own) * others).sum(axis=1) + 0.5 * ((way == own) * others).sum(axis=1)
    return places / 2 / counts


def _words(kind: str, numbers: dict[str, Any]) -> str:
    low, high = numbers["ci95"]
    return (
        f"{kind} it is {numbers['place']:.2f} ({low:.2f}–{high:.2f}; {numbers['n']} tracks, median "
        f"{numbers['median_candidates']:.0f} alike; {kind} alone would give {numbers['alone']:.2f})"
    )
