"""What a search finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Side = Literal["audio", "video", ""]
"""Of which side an embedding is; "" in an index of vectors that came without sides."""


@dataclass(frozen=True)
class Moment:
    """A segment of the query and the segment of the hit that is most like it.

    Attributes
    ----------
    query_start_s : where the query's segment starts, in seconds; None where unknown.
    start_s, end_s : the hit's segment on its track's time line, in seconds; None where unknown.
    score : cosine of the two embeddings.
    side : of the hit's segment.
    """

    query_start_s: float | None
    start_s: float | None
    end_s: float | None
    score: float
    side: Side


@dataclass(frozen=True)
class Hit:
    """One music video that was found.

    Attributes
    ----------
    id : of the video.
    score : how alike; higher is more. What it is made of stands with each query of `Index`.
    metadata : artist, title, genre, tags and year; None (no tags) where unknown.
    moments : which moments match, the best first; none in an index without segments.
    """

    id: str
    score: float
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    moments: tuple[Moment, ...] = ()
