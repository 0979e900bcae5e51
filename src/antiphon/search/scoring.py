"""How alike music videos are: their tracks as wholes, and their best-matching segments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.ordering import rounded
from antiphon.search.entries import metadata_of, vectors_of
from antiphon.search.hits import Hit, Moment, Side

FloatArray = npt.NDArray[np.float32]

MOST_MOMENTS = 3


@dataclass(frozen=True, eq=False)
class Track:
    """One side of one music video.

    Attributes
    ----------
    side : of the embeddings.
    whole : (dim,) unit vector of the whole track.
    segments : (n, dim) unit rows in order of time; none where only the whole is known.
    starts_s, ends_s : (n) of the segments, in seconds.
    """

    side: Side
    whole: FloatArray
    segments: FloatArray
    starts_s: Sequence[float | None] = ()
    ends_s: Sequence[float | None] = ()


@dataclass(frozen=True, eq=False)
class Candidate:
    """One music video of the index: its metadata and its sides."""

    id: str
    metadata: Mapping[str, Any]
    sides: Mapping[str, Track]


@dataclass(frozen=True, eq=False)
class Asked:
    """One side of a query: what is looked for, on which side of the candidates, and how much it counts."""

    track: Track
    target: Side
    weight: float = 1.0


@dataclass(frozen=True)
class Matched:
    """How alike two tracks are, and which moments match."""

    score: float
    moments: tuple[Moment, ...]


Matcher = Callable[[Track, Track], Matched]
"""Compares a query's track with a candidate's."""


def candidates(rows: pa.Table) -> dict[str, Candidate]:
    """The music videos that some rows of an index are of, by id."""
    ids, sides, levels = (rows[name].to_pylist() for name in ("id", "side", "level"))
    starts, ends, vectors = rows["start_s"].to_pylist(), rows["end_s"].to_pylist(), vectors_of(rows)
    about = metadata_of(rows)
    wholes: dict[tuple[str, Side], int] = {}
    segments: dict[tuple[str, Side], list[int]] = {}
    for row, (name, side, level) in enumerate(zip(ids, sides, levels, strict=True)):
        if level == "track":
            wholes[name, side] = row
        else:
            segments.setdefault((name, side), []).append(row)
    tracks: dict[str, dict[str, Track]] = {}
    for (name, side), row in wholes.items():
        of_it = sorted(segments.get((name, side), ()), key=lambda item: (starts[item] is None, starts[item] or 0, item))
        tracks.setdefault(name, {})[side] = Track(
            side, vectors[row], vectors[of_it], [starts[item] for item in of_it], [ends[item] for item in of_it]
        )
    first = {name: row for (name, _), row in wholes.items()}
    return {name: Candidate(name, about[first[name]], found) for name, found in tracks.items()}


def best_moments(query: Track, track: Track) -> Matched:
    """Half the cosine of the wholes, half the mean over the query's segments of their best cosine in the track.

    Where either has no segments it is the cosine of the wholes alone.
    """
    whole = float(cosines(query.whole, track.whole))
    if not len(query.segments) or not len(track.segments):
        return Matched(whole, ())
    scores = cosines(query.segments, track.segments)
    best = rounded(scores).argmax(axis=1)
    score = (whole + float(scores.max(axis=1).mean())) / 2
    return Matched(score, moments(query, track, scores, list(enumerate(best.tolist()))))


def cosines(ones: FloatArray, others: FloatArray) -> npt.NDArray[np.float64]:
    """Those of unit vectors or rows, in float64: what is ordered by them is not decided by an error of float32."""
    return ones.astype(np.float64) @ others.astype(np.float64).T


def moments(
    query: Track, track: Track, scores: npt.NDArray[np.float64], pairs: Sequence[tuple[int, int]]
) -> tuple[Moment, ...]:
    """The best of some pairs of segments, (of the query, of the track)."""
    compared = rounded(scores)
    best = sorted(pairs, key=lambda pair: (-compared[pair], pair))[:MOST_MOMENTS]
    return tuple(
        Moment(
            query.starts_s[row], track.starts_s[column], track.ends_s[column], float(scores[row, column]), track.side
        )
        for row, column in best
    )


def ranked(found: Mapping[str, Candidate], asked: Sequence[Asked], matcher: Matcher) -> list[Hit]:
    """Candidates by score, ties by id: the weighted mean of their sides' scores, over the sides that they have.

    A candidate that has none of the sides asked for is left out.
    """
    hits: list[Hit] = []
    for candidate in found.values():
        matches = [
            (query.weight, matcher(query.track, candidate.sides[query.target]))
            for query in asked
            if query.target in candidate.sides and query.weight > 0
        ]
        if matches:
            total = sum(weight for weight, _ in matches)
            score = sum(weight * match.score for weight, match in matches) / total
            every = sorted(
                (moment for _, match in matches for moment in match.moments), key=lambda one: -rounded(one.score)
            )
            hits.append(Hit(candidate.id, score, candidate.metadata, tuple(every)))
    return sorted(hits, key=lambda hit: (-rounded(hit.score), hit.id))
