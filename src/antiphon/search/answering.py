"""From a query to a list of music videos: candidates by tracks and by segments, then ranked, re-ranked and spread."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import ModalityEmbeddings
from antiphon.search.entries import metadata_of, vectors_of
from antiphon.search.filters import Wanted, Where
from antiphon.search.hits import Hit, Side
from antiphon.search.ranking import (
    Candidate,
    ComparedSide,
    best_moments,
    in_sequence,
    maximal_marginal_relevance,
    mutual_similarity,
    ranked,
)
from antiphon.search.view import Part, View

FloatArray = npt.NDArray[np.float32]

_POOL = 100
"""How many of the best are compared moment by moment, and from how many a diverse list is picked."""


def nearest_tracks(view: View, queries: FloatArray, wanted: Wanted) -> list[list[Hit]]:
    """Return for each of (q, dim) unit queries the music videos whose tracks have the highest cosine."""
    rows = max(1, sum(count for (_, level), count in view.counts().items() if level == "track"))
    sides = max(1, len({side for side, level in view.counts() if level == "track"}))
    found: list[list[Hit]] = []
    for table in view.nearest(queries, min(wanted.k * sides, rows), Part(None), wanted.where):
        best: dict[str, Hit] = {}
        metadata = metadata_of(table)
        for name, score, row in zip(table["id"].to_pylist(), table["score"].to_pylist(), metadata, strict=True):
            best.setdefault(name, Hit(name, score, row))
        found.append(list(best.values())[: wanted.k])
    return found


def answer(view: View, comparisons: Sequence[ComparedSide], wanted: Wanted) -> list[Hit]:
    """Return the music videos that suit a query of one or two sides, best first."""
    candidates = _candidates(view, comparisons, max(_POOL, 10 * wanted.k), wanted.where)
    hits = ranked(candidates, comparisons, best_moments)
    pool = max(_POOL, wanted.k)
    if wanted.rerank:
        hits = ranked({hit.id: candidates[hit.id] for hit in hits[:pool]}, comparisons, in_sequence)
    if wanted.diversity:
        hits = _spread(hits[:pool], candidates, comparisons, wanted)
    return hits[: wanted.k]


def items(rows: pa.Table) -> dict[str, Candidate]:
    """Return the music videos that some rows of an index belong to, by id."""
    ids, sides, levels = (rows[name].to_pylist() for name in ("id", "side", "level"))
    starts, ends, vectors = rows["start_s"].to_pylist(), rows["end_s"].to_pylist(), vectors_of(rows)
    metadata = metadata_of(rows)
    tracks: dict[tuple[str, Side], int] = {}
    segments: dict[tuple[str, Side], list[int]] = {}
    for row, (name, side, level) in enumerate(zip(ids, sides, levels, strict=True)):
        if level == "track":
            tracks[name, side] = row
        else:
            segments.setdefault((name, side), []).append(row)
    found: dict[str, dict[str, ModalityEmbeddings]] = {}
    for (name, side), row in tracks.items():
        own = sorted(segments.get((name, side), ()), key=lambda item: (starts[item] is None, starts[item] or 0, item))
        found.setdefault(name, {})[side] = ModalityEmbeddings(
            vectors[row], vectors[own], tuple(starts[item] for item in own), tuple(ends[item] for item in own)
        )
    first = {name: row for (name, _), row in tracks.items()}
    return {name: Candidate(name, metadata[first[name]], by_side) for name, by_side in found.items()}


def _candidates(view: View, comparisons: Sequence[ComparedSide], count: int, where: Where) -> dict[str, Candidate]:
    """Whatever is among the nearest tracks, or the nearest segments, of any compared side."""
    ids: set[str] = set()
    counts = view.counts()
    for one in comparisons:
        parts = [(one.query.track[None], "track")]
        if len(one.query.segments):
            parts.append((one.query.segments, "segment"))
        for vectors, level in parts:
            if rows := counts.get((one.target, level), 0):
                for table in view.nearest(vectors, min(count, rows), Part(one.target, level), where):
                    ids.update(table["id"].to_pylist())
    return items(view.rows(sorted(ids)))


def _spread(
    hits: Sequence[Hit],
    candidates: Mapping[str, Candidate],
    comparisons: Sequence[ComparedSide],
    wanted: Wanted,
) -> list[Hit]:
    similarity = mutual_similarity([candidates[hit.id] for hit in hits], comparisons)
    scores = np.array([hit.score for hit in hits])
    return [hits[row] for row in maximal_marginal_relevance(scores, similarity, wanted.diversity, wanted.k)]
