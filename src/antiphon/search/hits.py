"""What a search finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Moment:
    """A segment of the query and the segment of the hit that matches it.

    Attributes
    ----------
    query_start_s : where the query's segment starts; None where the query has no times.
    start_s, end_s : the hit's segment, in seconds on its time line; NaN where unknown.
    score : cosine of the two.
    side : of the hit: "audio" or "video".
    """

    query_start_s: float | None
    start_s: float
    end_s: float
    score: float
    side: str


@dataclass(frozen=True)
class Hit:
    """A track that was found.

    Attributes
    ----------
    id : of the track.
    score : how well it fits; the query says what that is. From −1 to 1, higher is better.
    metadata : what is known of it: artist, title, genre, tags, year, or what an index of vectors was given.
    moments : the matching segments, best first; none where the index has no segments.
    """

    id: str
    score: float
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    moments: tuple[Moment, ...] = ()
