"""What recommending by content must beat: the genre, and how much the item's artist is liked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

About = Mapping[str, Any]
Scores = npt.NDArray[np.float64]


def genre_match(liked: Sequence[About], candidates: Sequence[About]) -> Scores:
    """(c,) the share of the liked tracks that have each candidate's genre; 0 where its genre is unknown.

    All candidates of one genre are tied.
    """
    counts = Counter(about.get("genre") for about in liked)
    counts.pop(None, None)
    return np.array([counts[about.get("genre")] / max(len(liked), 1) for about in candidates])


def artist_popularity(likes: Mapping[str, int], candidates: Sequence[About]) -> Scores:
    """(c,) how often older tracks of each candidate's artist were liked, by all users; the same list for everybody.

    A new track has no popularity of its own. An artist without older tracks counts as never liked.

    Parameters
    ----------
    likes : mapping of str to int
        Likes of each artist's older tracks, the new ones not counted.
    """
    return np.array([float(likes.get(str(about.get("artist")), 0)) for about in candidates])
