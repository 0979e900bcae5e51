"""The music videos of an index that can be among the best for a question, with their embeddings."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import ModalityEmbeddings
from antiphon.search.entries import metadata_of, vectors_of
from antiphon.search.filters import Where
from antiphon.search.hits import Side
from antiphon.search.ranking import Candidate, ComparedSide
from antiphon.search.view import Part, Rows

FloatArray = npt.NDArray[np.float32]


def asked_levels(one: ComparedSide) -> list[tuple[str, FloatArray]]:
    """Return the levels that a side of a query is compared at, with its vectors."""
    levels = [("track", one.query.track[None])]
    return [*levels, ("segment", one.query.segments)] if len(one.query.segments) else levels


def gathered(view: Rows, comparisons: Sequence[ComparedSide], count: int, where: Where) -> dict[str, Candidate]:
    """Return whatever is among the `count` nearest tracks, or the nearest segments, of any compared side."""
    ids: set[str] = set()
    counts = view.counts()
    for one in comparisons:
        for level, vectors in asked_levels(one):
            if rows := counts.get((one.target, level), 0):
                for table in view.nearest(vectors, min(count, rows), Part(one.target, level), where):
                    ids.update(table["id"].to_pylist())
    return items(view.rows(sorted(ids)))


def items(rows: pa.Table) -> dict[str, Candidate]:
    """Return the music videos that some rows of an index belong to, by id."""
    ids, sides, levels = (rows[name].to_pylist() for name in ("id", "side", "level"))
    starts, ends, vectors = rows["start_s"].to_pylist(), rows["end_s"].to_pylist(), vectors_of(rows)
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
    metadata = metadata_of(rows.take(pa.array(np.array(list(first.values()), dtype=np.int64))))
    return {name: Candidate(name, about, found[name]) for name, about in zip(first, metadata, strict=True)}
