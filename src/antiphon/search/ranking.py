"""How similar music videos are, and in what order they are listed. Pure functions over embeddings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.artists import credited
from antiphon.embeddings import ModalityEmbeddings, within_side
from antiphon.ordering import rounded
from antiphon.search.hits import Hit, Moment, Side

FloatArray = npt.NDArray[np.float64]

MAX_MOMENTS = 3


@dataclass(frozen=True, eq=False)
class Candidate:
    """A music video of the index: its metadata and the embeddings of each side that it has."""

    id: str
    metadata: Mapping[str, Any]
    sides: Mapping[str, ModalityEmbeddings]


@dataclass(frozen=True, eq=False)
class ComparedSide:
    """One side of a query, the side of the candidates that it is compared with, and its weight in the score.

    `correction_dim` counts the last values of an embedding that mean nothing between candidates of one side.
    """

    query: ModalityEmbeddings
    target: Side
    weight: float = 1.0
    correction_dim: int = 0

    def levels(self) -> list[tuple[str, npt.NDArray[np.float32]]]:
        """Return the levels that it is compared at, with its vectors."""
        levels = [("track", self.query.track[None])]
        return [*levels, ("segment", self.query.segments)] if len(self.query.segments) else levels


@dataclass(frozen=True, eq=False)
class Similarity:
    """How similar two sides are, and the moments that match, which are looked for when they are asked for."""

    score: float
    find: Callable[[], tuple[Moment, ...]] = tuple

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The moments."""
        return self.find()


@dataclass(frozen=True, eq=False)
class Ranked:
    """A candidate with its score, and what it is made of."""

    candidate: Candidate
    score: float
    sides: tuple[Similarity, ...]

    @property
    def hit(self) -> Hit:
        """The candidate as it is shown, with its moments."""
        moments = [moment for side in self.sides for moment in side.moments]
        keys = rounded([moment.score for moment in moments]).tolist()
        order = sorted(range(len(moments)), key=lambda place: -keys[place])
        return Hit(self.candidate.id, self.score, self.candidate.metadata, tuple(moments[place] for place in order))


Measure = Callable[[ModalityEmbeddings, ModalityEmbeddings, Side], Similarity]
"""Compares a query's side with a candidate's, whose modality is the third argument."""


def best_moments(query: ModalityEmbeddings, candidate: ModalityEmbeddings, side: Side) -> Similarity:
    """Return half the cosine of the tracks plus half the mean over the query's segments of their best cosine.

    Where either has no segments, return the cosine of the tracks.
    """
    whole = float(cosines(query.track, candidate.track))
    if not len(query.segments) or not len(candidate.segments):
        return Similarity(whole)
    scores = cosines(query.segments, candidate.segments)
    score = (whole + float(scores.max(axis=1).mean())) / 2

    def moments() -> tuple[Moment, ...]:
        best = rounded(scores).argmax(axis=1)
        return _moments(query, candidate, side, scores, list(enumerate(best.tolist())))

    return Similarity(score, moments)


def in_sequence(query: ModalityEmbeddings, candidate: ModalityEmbeddings, side: Side) -> Similarity:
    """Return the total cosine of the best monotone alignment, divided by the number of the query's segments.

    Where either has no segments, return the cosine of the tracks.
    """
    if not len(query.segments) or not len(candidate.segments):
        return Similarity(float(cosines(query.track, candidate.track)))
    scores = cosines(query.segments, candidate.segments)
    total, pairs = best_alignment(rounded(scores))
    return Similarity(total / len(query.segments), lambda: _moments(query, candidate, side, scores, pairs))


def cosines(ones: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> FloatArray:
    """Return the cosines of unit vectors or rows in float64, so that no order depends on an error of float32."""
    return ones.astype(np.float64) @ others.astype(np.float64).T


def best_alignment(scores: npt.NDArray[np.floating]) -> tuple[float, list[tuple[int, int]]]:
    """Find the monotone alignment of the highest total score.

    Each row is matched with at most one column and each column with at most one row, both going forwards; leaving one
    out costs nothing. Dynamic programming over prefixes, as in global alignment without gap costs (Needleman and
    Wunsch, 1970).

    Parameters
    ----------
    scores : ndarray, shape (m, n)

    Returns
    -------
    total : float
        At least 0.
    pairs : list of (int, int)
        The matched rows and columns, in order.

    Examples
    --------
    >>> best_alignment(np.array([[0.1, 0.9], [0.8, 0.2]]))
    (0.9, [(0, 1)])
    """
    rows, columns = scores.shape
    best = np.zeros((rows + 1, columns + 1))
    for row in range(rows):
        matched = best[row, :-1] + scores[row]
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], matched))
    pairs: list[tuple[int, int]] = []
    row, column = rows, columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return float(best[rows, columns]), pairs[::-1]


def in_order(candidates: Iterable[Candidate], comparisons: Sequence[ComparedSide], measure: Measure) -> list[Ranked]:
    """Order candidates by score, ties by id.

    The score is the weighted mean over the sides that a candidate has; one that has none of them is left out.
    """
    found: list[Ranked] = []
    for candidate in candidates:
        compared = [one for one in comparisons if one.target in candidate.sides and one.weight > 0]
        if compared:
            sides = tuple(measure(one.query, candidate.sides[one.target], one.target) for one in compared)
            total = sum(one.weight for one in compared)
            pairs = zip(compared, sides, strict=True)
            found.append(Ranked(candidate, sum(one.weight * side.score for one, side in pairs) / total, sides))
    keys = rounded([one.score for one in found]).tolist()
    order = sorted(range(len(found)), key=lambda place: (-keys[place], found[place].candidate.id))
    return [found[place] for place in order]


def maximal_marginal_relevance(scores: FloatArray, similarity: FloatArray, diversity: float, k: int) -> list[int]:
    """Pick one by one what is relevant and unlike what was picked before (Carbonell and Goldstein, 1998).

    Each pick maximises (1 − diversity) · score − diversity · (highest similarity to an earlier pick, or 0); ties go to
    the first.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Relevance.
    similarity : ndarray, shape (n, n)
        Similarity of the candidates to each other.
    diversity : float
        From 0 (the order of the scores) to 1 (similarity alone).
    k : int
        Maximum number of picks.

    Returns
    -------
    list of int
        The rows picked, in order.
    """
    left = np.ones(len(scores), dtype=bool)
    nearest = np.zeros(len(scores))
    picks: list[int] = []
    while len(picks) < min(k, len(scores)):
        value = np.where(left, (1 - diversity) * scores - diversity * nearest, -np.inf)
        pick = int(np.argmax(rounded(value)))
        nearest = similarity[pick] if not picks else np.maximum(nearest, similarity[pick])
        left[pick] = False
        picks.append(pick)
    return picks


def mutual_similarity(candidates: Sequence[Candidate], comparisons: Sequence[ComparedSide]) -> FloatArray:
    """Return the (n, n) similarity of candidates: 1 for one artist, else the weighted cosine of their tracks.

    Only the compared sides that both have count; 0 where there is none.
    """
    total, weights = np.zeros((2, len(candidates), len(candidates)))
    for one in comparisons:
        present = np.array([one.target in candidate.sides for candidate in candidates], dtype=np.float64)
        nothing = np.zeros_like(one.query.track[: len(one.query.track) - one.correction_dim])
        tracks = np.array(
            [
                within_side(candidate.sides[one.target].track, one.correction_dim)
                if one.target in candidate.sides
                else nothing
                for candidate in candidates
            ]
        )
        total += one.weight * cosines(tracks, tracks)
        weights += one.weight * np.outer(present, present)
    credits = [set(keys) for keys in credited(candidate.metadata["artist"] for candidate in candidates)]
    same = np.array([[not one.isdisjoint(other) for other in credits] for one in credits])
    return np.where(same, 1.0, total / np.where(weights > 0, weights, 1))


def _moments(
    query: ModalityEmbeddings,
    candidate: ModalityEmbeddings,
    side: Side,
    scores: FloatArray,
    pairs: Sequence[tuple[int, int]],
) -> tuple[Moment, ...]:
    """The best of some pairs of segments, (of the query, of the candidate)."""
    compared, exact = rounded(scores).tolist(), scores.tolist()
    best = sorted(pairs, key=lambda pair: (-compared[pair[0]][pair[1]], pair))[:MAX_MOMENTS]
    return tuple(
        Moment(query.starts_s[row], candidate.starts_s[column], candidate.ends_s[column], exact[row][column], side)
        for row, column in best
    )
