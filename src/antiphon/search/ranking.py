"""From a question to a list of music videos: candidates by tracks and by segments, scored, re-ranked, spread out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import NotIndexedError, SearchError
from antiphon.search.diversity import likeness, maximal_marginal_relevance
from antiphon.search.entries import metadata_of
from antiphon.search.filters import Where
from antiphon.search.hits import Hit, Side
from antiphon.search.scoring import Asked, Candidate, Track, best_moments, candidates, ranked
from antiphon.search.sequences import in_sequence
from antiphon.search.view import Part, View

FloatArray = npt.NDArray[np.float32]

_POOL = 100
"""How many of the best are compared moment to moment, and from how many a varied list is picked."""


@dataclass(frozen=True)
class Wanted:
    """How many hits, which, and in what order.

    Attributes
    ----------
    k : hits at the most.
    where : conditions that they must meet.
    diversity : from 0 (by score) to 1 (as unlike each other as can be).
    rerank : order the first 100 by how well their segments match in sequence.
    """

    k: int = 10
    where: Where = field(default_factory=Where)
    diversity: float = 0.0
    rerank: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise SearchError(f"k is {self.k}; ask for at least 1 hit.")
        if not 0 <= self.diversity <= 1:
            raise SearchError(f"diversity is {self.diversity:g}; give a number from 0 to 1.")

    def without(self, *ids: str) -> "Wanted":
        """The same, without these videos."""
        return replace(self, where=self.where.without(*ids))


def nearest_tracks(view: View, queries: FloatArray, wanted: Wanted) -> list[list[Hit]]:
    """For each of (q, dim) unit queries the tracks of highest cosine, whatever their side, each video once."""
    rows = _rows(view, "track")
    sides = max(1, len({side for side, level in view.counts() if level == "track"}))
    found: list[list[Hit]] = []
    for table in view.nearest(queries, min(wanted.k * sides, rows), Part(None), wanted.where):
        best: dict[str, Hit] = {}
        about = metadata_of(table)
        for name, score, row in zip(table["id"].to_pylist(), table["score"].to_pylist(), about, strict=True):
            best.setdefault(name, Hit(name, score, row))
        found.append(list(best.values())[: wanted.k])
    return found


def answer(view: View, asked: Sequence[Asked], wanted: Wanted) -> list[Hit]:
    """The music videos that answer a question of one or two sides."""
    found = _candidates(view, asked, max(_POOL, 10 * wanted.k), wanted.where)
    hits = ranked(found, asked, best_moments)
    pool = max(_POOL, wanted.k)
    if wanted.rerank:
        best = {hit.id: found[hit.id] for hit in hits[:pool]}
        hits = ranked(best, asked, in_sequence)
    if wanted.diversity:
        hits = _spread(hits[:pool], found, asked, wanted)
    return hits[: wanted.k]


def file_track(
    segments: FloatArray, side: Side, starts_s: Sequence[float | None] | None, whole: FloatArray | None = None
) -> Track:
    """The track of a file never indexed: its segments, and `whole`; without one, their mean brought to length 1.

    Raises
    ------
    SearchError
        There are no segments, or another number of starts; the segments cancel out.
    """
    starts = list(starts_s) if starts_s is not None else [None] * len(segments)
    if not len(segments) or len(starts) != len(segments):
        raise SearchError(f"The query has {len(segments)} segments and {len(starts)} starts; give one start a segment.")
    if whole is not None:
        return Track(side, whole, segments, starts, [None] * len(segments))
    mean = segments.astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        raise SearchError("The query's segments cancel out: their mean has no direction. Search by each of them.")
    return Track(side, (mean / length).astype(np.float32), segments, starts, [None] * len(segments))


def stored(view: View, video: str, place: str) -> Candidate:
    """A music video of the index.

    Raises
    ------
    SearchError
        It is not there.
    """
    found = candidates(view.rows([video]))
    if video not in found:
        raise NotIndexedError(f"{place}: no '{video}' in this index. Add it (antiphon index add), or check the id.")
    return found[video]


def _spread(hits: Sequence[Hit], found: Mapping[str, Candidate], asked: Sequence[Asked], wanted: Wanted) -> list[Hit]:
    alike = likeness([found[hit.id] for hit in hits], asked)
    scores = np.array([hit.score for hit in hits])
    return [hits[row] for row in maximal_marginal_relevance(scores, alike, wanted.diversity, wanted.k)]


def _candidates(view: View, asked: Sequence[Asked], count: int, where: Where) -> dict[str, Candidate]:
    """Whatever is among the nearest tracks, or the nearest segments, of any side asked for."""
    ids: set[str] = set()
    counts = view.counts()
    for query in asked:
        parts = [(query.track.whole[None], "track")]
        if len(query.track.segments):
            parts.append((query.track.segments, "segment"))
        for vectors, level in parts:
            rows = counts.get((query.target, level), 0)
            if rows:
                for table in view.nearest(vectors, min(count, rows), Part(query.target, level), where):
                    ids.update(table["id"].to_pylist())
    return candidates(view.rows(sorted(ids)))


def _rows(view: View, level: str) -> int:
    return max(1, sum(count for (_, its), count in view.counts().items() if its == level))
