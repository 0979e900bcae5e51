"""From a query to a list of music videos: candidates by tracks and by segments, then ranked, re-ranked and spread."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from antiphon.ordering import rounded
from antiphon.search.entries import metadata_of
from antiphon.search.filters import Wanted
from antiphon.search.hits import Hit
from antiphon.search.pieces import Part
from antiphon.search.ranking import (
    ComparedSide,
    Ranked,
    best_moments,
    in_order,
    in_sequence,
    maximal_marginal_relevance,
    mutual_similarity,
)
from antiphon.search.view import View

FloatArray = npt.NDArray[np.float32]

_SUITED_POOL = 500
_POOL = 100
"""How many of the best are compared moment by moment, and from how many a diverse list is picked."""


def nearest_tracks(view: View, queries: FloatArray, wanted: Wanted) -> list[list[Hit]]:
    """Return for each of (q, dim) unit queries the music videos whose tracks have the highest cosine."""
    rows = max(1, sum(count for (_, level), count in view.counts.items() if level == "track"))
    sides = max(1, len({side for side, level in view.counts if level == "track"}))
    found: list[list[Hit]] = []
    for table in view.nearest(queries, min(wanted.k * sides, rows), Part(None), wanted.where):
        best: dict[str, Hit] = {}
        metadata = metadata_of(table)
        for name, score, row in zip(table["id"].to_pylist(), table["score"].to_pylist(), metadata, strict=True):
            best.setdefault(name, Hit(name, score, row))
        found.append(list(best.values())[: wanted.k])
    return found


def answer(
    view: View, comparisons: Sequence[ComparedSide], wanted: Wanted, suits: Callable[[str], float] | None = None
) -> list[Hit]:
    """Return the music videos that suit a query of one or two sides, best first.

    Where words were asked for too, `suits` says how well a music video suits them, from 0 to 1. Of the 500 most
    similar, those come first whose mean of that and of the similarity is highest. No more than 100 are compared moment
    by moment, or as many as are wanted.
    """
    pool = max(_POOL, wanted.k) if wanted.rerank or wanted.diversity else wanted.k
    pool = pool if suits is None else max(_SUITED_POOL, wanted.k)
    candidates = view.best(comparisons, max(_POOL, 10 * wanted.k, pool), pool, wanted.where)
    found = in_order(candidates.values(), comparisons, best_moments)[:pool]
    if suits is not None:
        found = _suited(found, suits)[: max(_POOL, wanted.k)]
    if wanted.rerank:
        found = in_order([one.candidate for one in found], comparisons, in_sequence)
        found = found if suits is None else _suited(found, suits)
    if wanted.diversity:
        found = _spread(found, comparisons, wanted)
    return [one.hit for one in found[: wanted.k]]


def _suited(found: Sequence[Ranked], suits: Callable[[str], float]) -> list[Ranked]:
    """Order by the mean of similarity and of how well the words are met, ties by id."""
    scores = [(one.score + suits(one.candidate.id)) / 2 for one in found]
    joined = [replace(one, score=score) for one, score in zip(found, scores, strict=True)]
    keys = rounded(scores).tolist()
    return [joined[place] for place in sorted(range(len(found)), key=lambda at: (-keys[at], found[at].candidate.id))]


def _spread(found: Sequence[Ranked], comparisons: Sequence[ComparedSide], wanted: Wanted) -> list[Ranked]:
    similarity = mutual_similarity([one.candidate for one in found], comparisons)
    scores = np.array([one.score for one in found])
    return [found[row] for row in maximal_marginal_relevance(scores, similarity, wanted.diversity, wanted.k)]
