"""The music videos that several features have in common, and how they are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import numpy as np

from antiphon.errors import ConfigError, FeatureStoreError
from antiphon.experiments.study import DrawSettings
from antiphon.features.artists import named_parties
from antiphon.features.features import Features

MAX_TEST_VIDEOS = 1000
MIN_TEST_VIDEOS = 5


def in_common(features: Mapping[str, Features]) -> dict[str, Features]:
    """Return the pairs of the music videos that all features have, so that all are tested on the same.

    Parameters
    ----------
    features : mapping of str to Features
        Features by name.

    Returns
    -------
    dict of str to Features
        Rows with both modalities, of the music videos that have such rows everywhere. Artists, genres and labels that
        one lacks are those of another.

    Raises
    ------
    ConfigError
        There are no features.
    FeatureStoreError
        No music video has both modalities everywhere, or two features name different artists of one.
    """
    if not features:
        raise ConfigError("Nothing to compare: pass features of at least one pair of backbones.")
    pairs = {name: each.training_pairs for name, each in features.items()}
    shared = set.intersection(*(set(each.groups.tolist()) for each in pairs.values()))
    if not shared:
        raise FeatureStoreError(
            f"No music video has both audio and video features in all of {', '.join(features)}. Compare features of "
            "the same music videos, under the same ids."
        )
    chosen = np.array(sorted(shared))
    found = {name: each.take(np.isin(each.groups, chosen)) for name, each in pairs.items()}
    known = _known_metadata(found)
    return {name: _with_metadata(each, known) for name, each in found.items()}


@dataclass(frozen=True)
class _Metadata:
    """What is known of each music video, by id."""

    artists: dict[str, str]
    genres: dict[str, str]
    labels: dict[str, tuple[str, ...]]


def _known_metadata(features: Mapping[str, Features]) -> _Metadata:
    """Gather what any of the features knows of a music video; the first that knows it counts.

    Vectors from elsewhere often come without. Artists must agree, since they decide which videos are tested.
    """
    known = _Metadata({}, {}, {})
    for name, each in features.items():
        for row, video in enumerate(each.groups.tolist()):
            artist = str(each.artists[row])
            if artist and known.artists.setdefault(video, artist) != artist:
                raise FeatureStoreError(
                    f"{video}: its artist is {artist!r} in {name} and {known.artists[video]!r} elsewhere. Artists "
                    "decide which videos are tested, so they must agree."
                )
            if each.genres[row]:
                known.genres.setdefault(video, str(each.genres[row]))
            if each.labels[row]:
                known.labels.setdefault(video, each.labels[row])
    return known


def _with_metadata(features: Features, known: _Metadata) -> Features:
    videos = features.groups.tolist()
    return replace(
        features,
        artists=np.array([known.artists.get(video, "") for video in videos], dtype=np.str_),
        genres=np.array([known.genres.get(video, "") for video in videos], dtype=np.str_),
        labels=tuple(known.labels.get(video, ()) for video in videos),
    )


def usual_draws(features: Features, count: int, seed: int) -> DrawSettings:
    """Return draws that test every music video once, or at most 1,000 a draw.

    Parameters
    ----------
    features : Features
        Pairs to draw from.
    count : int
        Number of draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    DrawSettings
        The draws.

    Raises
    ------
    FeatureStoreError
        There are too few music videos, or artists of them.
    """
    _, first = np.unique(features.groups, return_index=True)
    _, party_of = np.unique(named_parties(features.groups, features.artists)[first], return_inverse=True)
    videos, largest = len(first), int(np.bincount(party_of).max())
    test = _test_videos(videos, largest, count)
    if test < MIN_TEST_VIDEOS:
        fewer = [draws for draws in range(1, count) if _test_videos(videos, largest, draws) >= MIN_TEST_VIDEOS]
        instead = f", or use fewer draws: --draws {fewer[-1]}" if fewer else ""
        raise FeatureStoreError(
            f"{videos} music videos, at most {largest} by one artist, are too few for {count} draws of at least "
            f"{MIN_TEST_VIDEOS} test videos. Add music videos{instead}."
        )
    return DrawSettings(count=count, test=test, seed=seed)


def _test_videos(videos: int, largest: int, count: int) -> int:
    # A draw ends with the artist that fills it, so it can be larger by all of that artist's videos but one.
    return min(MAX_TEST_VIDEOS, (videos - count * (largest - 1)) // count, videos // 2)


def folder_name(name: str) -> str:
    """Return a name as that of a folder: what separates paths, and a dot at the start, are escaped.

    Examples
    --------
    >>> folder_name("musicnn-mtt+hub:org/clip")
    'musicnn-mtt+hub%3Aorg%2Fclip'
    """
    escaped = quote(name, safe="+")
    return f"%2E{escaped[1:]}" if escaped.startswith(".") else escaped
