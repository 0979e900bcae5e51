"""Baselines of recommendation: genre, and popularity of the artist."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.artists import credited

About = Mapping[str, Any]
Scores = npt.NDArray[np.float64]


def genre_match(liked: Sequence[About], candidates: Sequence[About]) -> Scores:
    """Score candidates by the fraction of the liked tracks with their genre; 0 if it is unknown.

    All candidates of one genre are tied.

    Parameters
    ----------
    liked, candidates : sequence of mapping
        Metadata of the tracks.

    Returns
    -------
    ndarray of float64, shape (candidates,)
        Scores.
    """
    counts = Counter(about.get("genre") for about in liked)
    counts.pop(None, None)
    return np.array([counts[about.get("genre")] / max(len(liked), 1) for about in candidates])


def artist_popularity(likes: Mapping[str, int], candidates: Sequence[About]) -> Scores:
    """Score candidates by how often old tracks of their artist were liked, the same for every user.

    A new track has no popularity of its own; an artist without old tracks scores 0. Of several artists all count.

    Parameters
    ----------
    likes : mapping of str to int
        Likes of the old tracks by their artists, as these are written.
    candidates : sequence of mapping
        Metadata of the tracks.

    Returns
    -------
    ndarray of float64, shape (candidates,)
        Scores.
    """
    credits = credited([*likes, *(about.get("artist") for about in candidates)])
    by_key: Counter[str] = Counter()
    for keys, count in zip(credits, likes.values(), strict=False):
        by_key.update(dict.fromkeys(keys, count))
    return np.array([float(sum(by_key[key] for key in keys)) for keys in credits[len(likes) :]])
