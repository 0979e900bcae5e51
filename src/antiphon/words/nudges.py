"""Nudges: directions of the joint space that make what is found calmer, faster, brighter, darker or more live.

A direction is learned on the catalogue itself, from all that is said, heard or measured of how calm its music videos
are. Its effect is measured on music videos that it was not learned on: a direction learned on one half of the catalogue
moves queries of the other half, and the reverse. Beside it stand directions learned on the same values, shuffled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError, NotIndexedError
from antiphon.spelling import did_you_mean
from antiphon.words.directions import Directions
from antiphon.words.interpretation import Term
from antiphon.words.knowledge import Knowledge
from antiphon.words.values import combined, standard

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]

NUDGES: Mapping[str, str] = {
    "calmer": "calm",
    "faster": "fast",
    "brighter": "bright",
    "darker": "dark",
    "more live": "live",
}
"""The concept of our table that each nudge goes towards."""
STRENGTH = 0.5
"""Length of a nudge beside the vector that it moves, whose length is 1."""
_NEAREST, _RANDOM = 10, 30
_QUERIES, _CANDIDATES = 50, 2_500
"""Music videos of a half of the catalogue that ask, and that are asked among."""


@dataclass(frozen=True)
class Effect:
    """What a nudge does among the ten nearest, in the catalogue that it was learned on.

    Attributes
    ----------
    name : str
        The nudge.
    suits : float
        Mean change of how well they suit the concept, in standard deviations of the catalogue. What tells of that are
        tags, titles, tags heard and measurements, never the embeddings themselves.
    random : (float, float)
        The lowest and the highest such change of 30 directions that were learned on shuffled values.
    measures : mapping of str to float
        Mean change of each measurement, in its own unit.
    queries : int
        Music videos that it was measured with.
    """

    name: str
    suits: float
    random: tuple[float, float]
    measures: Mapping[str, float]
    queries: int

    @property
    def works(self) -> bool:
        """Whether it does more than any of the directions that were learned on shuffled values."""
        return self.suits > self.random[1]


def direction(known: Knowledge, name: str) -> dict[str, FloatArray]:
    """Return the direction of a nudge by side, unit vectors.

    Raises
    ------
    ConfigError
        There is no such nudge.
    NotIndexedError
        Nothing in the catalogue tells which music videos it goes towards.
    """
    if name not in NUDGES:
        raise ConfigError(f"No nudge '{name}'.{did_you_mean(name, NUDGES)} There are: {', '.join(NUDGES)}.")
    values = _values(known, name)
    if known.directions is None or not values.any():
        raise NotIndexedError(f"Nothing in this catalogue tells which music videos are {name}.")
    return _by_side(known, known.directions.of(values))


def _by_side(known: Knowledge, whole: FloatArray) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    first = 0
    for side, rows in known.sides.items():
        part = whole[first : first + rows.shape[1]]
        first += rows.shape[1]
        found[side] = part / max(float(np.linalg.norm(part)), 1e-12)
    return found


def moved(
    vectors: npt.NDArray[np.floating],
    along: npt.NDArray[np.floating],
    strength: float = STRENGTH,
    correction_dim: int = 0,
) -> npt.NDArray[np.float32]:
    """Move unit vectors along a direction, and bring them back to length 1; one that is cancelled stays as it was.

    The last `correction_dim` values, which mean nothing within one side, stay, and the others keep their length.
    """
    if correction_dim:
        kept, others = vectors[..., :-correction_dim], vectors[..., -correction_dim:]
        lengths = np.linalg.norm(kept, axis=-1, keepdims=True)
        return np.concatenate([lengths * moved(kept / lengths, along, strength), others], axis=-1, dtype=np.float32)
    rows = np.asarray(vectors, dtype=np.float64) + strength * along
    rows = np.where(np.linalg.norm(rows, axis=-1, keepdims=True) > 1e-6, rows, vectors)
    return (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def measured_effect(known: Knowledge, name: str, random: np.random.Generator) -> Effect:
    """Measure what a nudge does to the ten nearest of up to 100 music videos, among at most 5,000.

    Raises
    ------
    ConfigError, NotIndexedError
        As in `direction`.
    """
    direction(known, name)  # refuses what cannot be measured
    values = _values(known, name)
    drawn = random.permutation(len(known.ids))[: 2 * _CANDIDATES]
    halves = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    folds = [_Fold(known, halves[0], halves[1]), _Fold(known, halves[1], halves[0])]
    suits = float(np.mean([_change(values, fold.before, fold.after(values)) for fold in folds]))
    null: list[float] = []
    for _ in range(_RANDOM):
        shuffled = values.copy()
        shuffled[drawn] = values[random.permutation(drawn)]
        null.append(float(np.mean([_change(shuffled, fold.before, fold.after(shuffled)) for fold in folds])))
    nearest = [(fold.before, fold.after(values)) for fold in folds]
    measures = {
        measure: float(np.mean([_change(rows, before, after) for before, after in nearest]))
        for measure, rows in known.measures.items()
    }
    return Effect(name, suits, (min(null), max(null)), measures, sum(len(fold.before) for fold in folds))


class _Fold:
    """Learns directions on one part of a catalogue, and nudges queries of another part, among that part.

    Attributes
    ----------
    before : ndarray of int, shape (queries, 10)
        Rows of the ten nearest of each query that is not nudged.
    """

    def __init__(self, known: Knowledge, learning: Rows, asked: Rows) -> None:
        self._known, self._learning, self._asked = known, learning, asked
        self._directions = Directions({side: rows[learning] for side, rows in known.sides.items()})
        self._there = {side: np.nan_to_num(rows[asked]) for side, rows in known.sides.items()}
        self._cosines = {side: rows[:_QUERIES] @ rows.T for side, rows in self._there.items()}
        self.before = self._nearest(self._cosines)

    def after(self, values: FloatArray) -> Rows:
        """Return the ten nearest after a nudge in the direction of values, learned on the other part."""
        along = _by_side(self._known, self._directions.of(values[self._learning]))
        moved_cosines: dict[str, npt.NDArray[np.floating]] = {}
        for side, rows in self._there.items():
            step = (STRENGTH * along[side]).astype(np.float32)
            along_it = rows @ step
            cosines = self._cosines[side]
            squares = np.diagonal(cosines) + 2 * along_it[: len(cosines)] + step @ step  # of the lengths when moved
            moved_cosines[side] = (cosines + along_it) / np.sqrt(np.maximum(squares, 1e-12))[:, None]
        return self._nearest(moved_cosines)

    def _nearest(self, cosines: Mapping[str, npt.NDArray[np.floating]]) -> Rows:
        """Return the ten nearest of each query by the mean cosine of the sides, in no order, the query left out."""
        scores = -np.sum(list(cosines.values()), axis=0)
        queries = np.arange(len(scores))
        scores[queries, queries] = np.inf
        count = min(_NEAREST, scores.shape[1] - 1)
        return self._asked[np.argpartition(scores, count - 1, axis=1)[:, :count]]


def _values(known: Knowledge, name: str) -> FloatArray:
    """Return how well each suits the concept by all but the embeddings, which would tell of themselves."""
    concept = NUDGES[name]
    value = known.value(Term(concept, 0, 0, "concept", concept))
    return standard(combined(len(known.ids), value.said, value.heard, value.measured).total)


def _change(values: npt.NDArray[np.floating], before: Rows, after: Rows) -> float:
    known = np.isfinite(values)
    if not known[before].any() or not known[after].any():
        return 0.0
    return float(np.nanmean(values[after]) - np.nanmean(values[before]))
