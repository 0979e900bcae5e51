"""Nudges: directions of the joint space that make what is found calmer, faster, brighter, darker or more live.

A direction is learned on the catalogue itself, from everything that tells how calm its music videos are, and its effect
is measured there too: what the ten nearest of other music videos change by, beside random directions of the same size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError, NotIndexedError
from antiphon.spelling import did_you_mean
from antiphon.words.interpretation import Term
from antiphon.words.knowledge import Knowledge, standard

FloatArray = npt.NDArray[np.float64]

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
_QUERIES, _NEAREST, _RANDOM = 200, 10, 20


@dataclass(frozen=True)
class Effect:
    """What a nudge does among the ten nearest, in the catalogue that it was learned on.

    Attributes
    ----------
    name : str
        The nudge.
    suits : float
        Mean change of how well they suit the concept, in standard deviations of the catalogue.
    random : (float, float)
        The lowest and the highest such change of 20 random directions of the same size.
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
        """Whether it does more than any of the random directions."""
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
    whole = known.directions.of(values)
    found: dict[str, FloatArray] = {}
    first = 0
    for side, rows in known.sides.items():
        part = whole[first : first + rows.shape[1]]
        first += rows.shape[1]
        found[side] = part / max(float(np.linalg.norm(part)), 1e-12)
    return found


def moved(vectors: npt.NDArray[np.floating], along: FloatArray, strength: float = STRENGTH) -> npt.NDArray[np.float32]:
    """Move unit vectors along a direction, and bring them back to length 1."""
    rows = np.asarray(vectors, dtype=np.float64) + strength * along
    return (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def measured_effect(known: Knowledge, name: str, random: np.random.Generator) -> Effect:
    """Measure what a nudge does to the ten nearest of up to 200 music videos.

    Raises
    ------
    ConfigError, NotIndexedError
        As in `direction`.
    """
    along = direction(known, name)
    queries = random.permutation(len(known.ids))[:_QUERIES]
    values = _values(known, name)
    before, after = _nearest(known, queries, {}), _nearest(known, queries, along)
    null = [
        _change(values, before, _nearest(known, queries, {side: _drawn(part, random) for side, part in along.items()}))
        for _ in range(_RANDOM)
    ]
    measures = {measure: _change(rows, before, after) for measure, rows in known.measures.items()}
    return Effect(name, _change(values, before, after), (min(null), max(null)), measures, len(queries))


def _values(known: Knowledge, name: str) -> FloatArray:
    concept = NUDGES[name]
    return standard(known.value(Term(concept, 0, 0, "concept", concept)).total)


def _drawn(like: FloatArray, random: np.random.Generator) -> FloatArray:
    drawn = random.normal(size=len(like))
    return drawn / np.linalg.norm(drawn)


def _nearest(
    known: Knowledge, queries: npt.NDArray[np.integer], along: Mapping[str, FloatArray]
) -> npt.NDArray[np.integer]:
    """Return the ten nearest of each query by the mean cosine of the sides, (queries, 10), the query left out."""
    scores = np.zeros((len(queries), len(known.ids)))
    for side, rows in known.sides.items():
        there = np.nan_to_num(rows)
        asking = there[queries]
        scores += (moved(asking, along[side]) if side in along else asking) @ there.T
    scores[np.arange(len(queries)), queries] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, : min(_NEAREST, len(known.ids) - 1)]


def _change(values: npt.NDArray[np.floating], before: npt.NDArray[np.integer], after: npt.NDArray[np.integer]) -> float:
    known = np.isfinite(values)
    if not known[before].any() or not known[after].any():
        return 0.0
    return float(np.nanmean(values[after]) - np.nanmean(values[before]))
