"""A query against the tracks of a snapshot: by one side or by both, filtered, re-ranked, varied, with its moments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.search.diversity import diversified
from antiphon.search.entries import FloatArray, Shelf, matrix, metadata
from antiphon.search.hits import Hit, Moment
from antiphon.search.sequences import aligned
from antiphon.search.store import Snapshot
from antiphon.search.where import Where

Timed = tuple[FloatArray, list[float], list[float]]
"""(s, dim) segments of a track, and when they start and end."""

_MOMENTS = 3
_RERANKED = 100


@dataclass(frozen=True)
class Asked:
    """What is asked on one side of the tracks.

    Attributes
    ----------
    track : (dim,) unit vector.
    segments : (s, dim) unit rows, in order of time; none where only the track is known.
    starts_s : (s,) where they start, NaN where unknown.
    weight : how much this side counts.
    """

    track: FloatArray
    segments: FloatArray
    starts_s: npt.NDArray[np.float64]
    weight: float = 1.0


def ask(
    snapshot: Snapshot,
    asked: Mapping[str, Asked],
    k: int,
    where: Where,
    *,
    diversity: float = 0.0,
    rerank: bool = False,
) -> list[Hit]:
    """The best `k` tracks.

    Parameters
    ----------
    asked : by side of the tracks ("audio", "video"). A track's score is the weighted mean of its cosines on these
        sides; one that has only some of them is scored by those.
    rerank : order the best 100 by their segments instead, in order of time (`antiphon.search.sequences`).
    diversity : choose among the best so that they differ (`antiphon.search.diversity`).
    """
    depth = k if not (rerank or diversity) and len(asked) == 1 else max(_RERANKED, 4 * k)
    scores = _scores(snapshot, asked, depth, where)
    best = _ordered(scores)[:depth]
    if rerank:
        scores = _by_segments(snapshot, asked, best[:_RERANKED], scores)
        best = _ordered({name: scores[name] for name in best[:_RERANKED]}) + best[_RERANKED:]
    if diversity:
        best = _varied(snapshot, asked, best, scores, k, diversity)
    return _hits(snapshot, asked, best[:k], scores)


def _ordered(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda name: (-scores[name], name))


def _scores(snapshot: Snapshot, asked: Mapping[str, Asked], depth: int, where: Where) -> dict[str, float]:
    """The weighted mean cosine of every track that is among the best of some side."""
    found = {side: snapshot.nearest((side, "track"), one.track[None], depth, where)[0] for side, one in asked.items()}
    if len(asked) == 1:
        ((names, cosines),) = found.values()
        return {name: float(cosine) for name, cosine in zip(names, cosines, strict=True)}
    names = sorted({name for ids, _ in found.values() for name in ids})
    total, weights = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for side, one in asked.items():
        for name, vector in _vectors(snapshot, (side, "track"), names).items():
            total[name] += one.weight * float(vector @ one.track)
            weights[name] += one.weight
    return {name: total[name] / weights[name] for name in names if weights[name] > 0}


def _vectors(snapshot: Snapshot, shelf: Shelf, ids: Sequence[str]) -> dict[str, FloatArray]:
    if shelf not in snapshot.shelves():
        return {}
    rows = snapshot.take(shelf, ids)
    return dict(zip(rows["id"].to_pylist(), matrix(rows), strict=True))


def _segments(
    snapshot: Snapshot, side: str, ids: Sequence[str]
) -> dict[str, tuple[FloatArray, list[float], list[float]]]:
    """By track its (s, dim) segments of one side in order of time, and when they start and end."""
    shelf = (side, "segment")
    if shelf not in snapshot.shelves() or not ids:
        return {}
    rows = snapshot.take(shelf, ids)
    names = np.array(rows["id"].to_pylist())
    vectors, (starts, ends) = (
        matrix(rows),
        (rows[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in ("start_s", "end_s")),
    )
    found: dict[str, Timed] = {}
    for name in ids:
        at = np.flatnonzero(names == name)
        if len(at):
            at = at[np.argsort(starts[at], kind="stable")]
            found[name] = vectors[at], starts[at].tolist(), ends[at].tolist()
    return found


def _by_segments(
    snapshot: Snapshot, asked: Mapping[str, Asked], ids: Sequence[str], scores: Mapping[str, float]
) -> dict[str, float]:
    """The weighted mean of what the segments' alignment gives on each side; one without segments keeps its score."""
    total, weights = dict.fromkeys(ids, 0.0), dict.fromkeys(ids, 0.0)
    for side, one in asked.items():
        for name, (vectors, _, _) in _segments(snapshot, side, ids).items():
            if len(one.segments):
                total[name] += one.weight * aligned(one.segments @ vectors.T)
                weights[name] += one.weight
    return {name: total[name] / weights[name] if weights[name] else scores[name] for name in ids} | {
        name: score for name, score in scores.items() if name not in weights
    }


def _varied(
    snapshot: Snapshot,
    asked: Mapping[str, Asked],
    ids: list[str],
    scores: Mapping[str, float],
    k: int,
    diversity: float,
) -> list[str]:
    side = max(asked, key=lambda name: asked[name].weight)
    vectors = _vectors(snapshot, (side, "track"), ids)
    nothing = np.zeros_like(asked[side].track)
    known = _known(snapshot, asked, ids)
    chosen = diversified(
        np.array([scores[name] for name in ids]),
        np.array([vectors.get(name, nothing) for name in ids]).reshape(len(ids), -1),
        [known[name].get("artist") for name in ids],
        k,
        diversity,
    )
    return [ids[number] for number in chosen]


def _known(snapshot: Snapshot, sides: Mapping[str, Asked], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {}
    for side in sides:
        if (side, "track") in snapshot.shelves():
            for row in snapshot.take((side, "track"), ids).drop_columns(["vector"]).to_pylist():
                known[row["id"]] = metadata(row)
    return known


def _hits(snapshot: Snapshot, asked: Mapping[str, Asked], ids: Sequence[str], scores: Mapping[str, float]) -> list[Hit]:
    known = _known(snapshot, asked, ids)
    moments: dict[str, list[Moment]] = {name: [] for name in ids}
    for side, one in asked.items():
        if len(one.segments) and one.weight > 0:
            for name, (vectors, starts, ends) in _segments(snapshot, side, ids).items():
                moments[name] += _moments(one, side, vectors, starts, ends)
    return [
        Hit(name, scores[name], known[name], tuple(sorted(moments[name], key=lambda moment: -moment.score)[:_MOMENTS]))
        for name in ids
    ]


def _moments(
    one: Asked, side: str, vectors: FloatArray, starts_s: Sequence[float], ends_s: Sequence[float]
) -> list[Moment]:
    """Each segment of the query with the one that fits it best."""
    cosines = one.segments @ vectors.T
    return [
        Moment(
            None if np.isnan(one.starts_s[row]) else float(one.starts_s[row]),
            starts_s[best],
            ends_s[best],
            float(cosines[row, best]),
            side,
        )
        for row, best in enumerate(cosines.argmax(axis=1))
    ]
