"""What is known of the music videos of a catalogue, and how well each suits what a text asks for.

Every term gets a value for each music video: a mean of what tags, genre, title and year say, what musicnn heard, what
was measured, and how far the embedding lies in the direction of those that have the tag. All are standardised over the
catalogue, so that a value of 1 is a standard deviation above its mean; years alone have a scale of their own, from 2
inside to -3 far outside, which is not lost where all years lie inside. What is unknown counts 0.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.words.directions import Directions
from antiphon.words.evidence import Said
from antiphon.words.interpretation import Interpretation, Term, alternatives, named_once
from antiphon.words.lexicon import lexicon
from antiphon.words.recent import Recent
from antiphon.words.tokens import normal
from antiphon.words.values import Suiting, Value, combined, last_without_match, standard, unclipped
from antiphon.words.vocabulary import Vocabulary

FloatArray = npt.NDArray[np.float64]

FEWEST = 3
"""Music videos that a tag needs, and that must be without it, before a direction is learned."""
_KEPT_TERMS = 32
_ABOVE_OTHERS = 0.5
"""How far the lowest that has a label lies above the highest that has not."""
_YEARS_OFF = 10.0
_IN_YEARS = 2.0
_TEMPO_OFF = 0.1
_OCTAVES = ((1.0, 0.0), (0.5, 0.02), (2.0, 0.02))
"""Factors of a tempo, and what each costs beside the tempo itself."""
_LOWEST_PROBABILITY = 1e-4


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known of the music videos of a catalogue.

    Attributes
    ----------
    ids : sequence of str
        The music videos.
    rows : sequence of mapping
        Artist, title, genre, tags and year of each.
    measures : mapping of str to ndarray of float, shape (n,)
        Measurements by a name of `MEASURES`; NaN where unknown.
    heard : mapping of str to ndarray of float, shape (n,)
        Probabilities of musicnn's tags; NaN where unknown.
    sides : mapping of str to ndarray of float32, shape (n, dim)
        Embeddings of the tracks; rows of NaN where a music video lacks a side.
    """

    ids: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    measures: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    heard: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    sides: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    _values: Recent[Hashable, Value] = field(default_factory=lambda: Recent(_KEPT_TERMS), init=False, repr=False)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Row of each music video."""
        return {id: row for row, id in enumerate(self.ids)}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of the catalogue."""
        return Vocabulary.of(self.rows)

    @cached_property
    def said(self) -> Said:
        """What tags, genres, artists and titles say."""
        return Said(self.rows)

    def telling_names(self, most: int) -> list[str]:
        """Return names that tell music videos apart: tags and genres, the most frequent first, and our own concepts."""
        concepts = [
            name
            for name, concept in lexicon().concepts.items()
            if self.heard.keys() & concept.heard.keys()
            or self.measures.keys() & concept.measured.keys()
            or self.said.concept(name).any()
        ]
        known = lexicon().by_words
        others = [name for name in self.said.by_frequency() if name not in known]
        return [*concepts, *others[:most]]

    @cached_property
    def directions(self) -> Directions | None:
        """Directions in the joint space; None without embeddings."""
        return Directions(self.sides) if self.sides and len(self.ids) > 2 * FEWEST else None

    def suiting(self, asked: Interpretation, text: Mapping[str, npt.NDArray[np.floating]] | None = None) -> Suiting:
        """Return how well each music video suits what a text asks for.

        Parameters
        ----------
        asked : Interpretation
            What it asks for.
        text : mapping of str to ndarray of float, shape (dim,), optional
            The text as a whole in the joint space, by the side that it is compared with.
        """
        once = named_once(asked.terms)[0]
        values = [(term, self.value(term)) for term in alternatives(once)]
        telling = [(term, value) for term, value in values if value.total.any()]
        total = np.zeros(len(self.ids))
        for term, value in telling:
            total += term.weight * (1 if term.wanted else -1) * value.total
        similar = self.similar(text or {})
        total += 0.0 if similar is None else similar
        norm = np.sqrt(sum(term.weight**2 for term, _ in telling) + (similar is not None)) or 1.0
        silent = tuple(term for term in once if not self.value(term).total.any())
        return last_without_match(Suiting(total / norm, telling, silent, similar))

    def similar(self, vectors: Mapping[str, npt.NDArray[np.floating]]) -> FloatArray | None:
        """Return the mean cosine with vectors of the joint space, each side standardised; None without a common side.

        Texts lie in a region of their own of such a space. What all music videos have in common with it is nothing to
        choose by, and is gone when cosines are standardised over the catalogue.
        """
        cosines = [
            self.sides[side] @ vector.astype(np.float32) for side, vector in vectors.items() if side in self.sides
        ]
        return _mean([standard(rows) for rows in cosines])

    def value(self, term: Term) -> Value:
        """Return how well each music video suits a term, as if it were wanted; those of the last terms are kept."""
        return self._values.get((term.exact, term.name, *replace(term, wanted=True).same), lambda: self._valued(term))

    def _valued(self, term: Term) -> Value:
        """Value a term; what has the very label that is asked for comes before all else that suits."""
        value = _VALUES[term.kind](self, term)
        labelled = np.zeros(len(self.ids), dtype=bool) if term.exact is None else self.said.labelled(term.exact)
        if not labelled.any():
            return value
        said = np.where(labelled, 1.0, 0.0 if value.said is None else value.said)
        total = value.total.copy()
        if not labelled.all():
            total[labelled] += max(float(total[~labelled].max() - total[labelled].min()), 0.0) + _ABOVE_OTHERS
        return replace(value, total=total - total.mean(), said=said)

    def tells_of(self, concept: str) -> bool:
        """Whether anything tells which music videos suit a concept of our table; no direction is learned for that."""
        own = lexicon().concepts[concept]
        told = self.heard_of(own.heard), self.measured_of(own.measured)
        return any(part is not None for part in told) or bool(standard(self.said.concept(concept)).any())

    def said_and_near(self, said: FloatArray) -> Value:
        """Return what tags say, and what lies near those that they are said of."""
        near = None
        enough = FEWEST <= np.count_nonzero(said) <= len(said) - FEWEST
        if enough and self.directions is not None:
            near = standard(self.directions.along(self.directions.of(said)))
        return combined(len(said), said if said.any() else None, near=near)

    def heard_of(self, signs: Mapping[str, float]) -> FloatArray | None:
        """Return the mean of musicnn's tags, standardised, those that speak against it turned round."""
        return _mean([sign * standard(_logits(self.heard[name])) for name, sign in signs.items() if name in self.heard])

    def measured_of(self, signs: Mapping[str, float]) -> FloatArray | None:
        """Return the mean of measurements, standardised, those that are low where it holds turned round."""
        known = [(self.measures[name], sign) for name, sign in signs.items() if name in self.measures]
        return _mean([sign * standard(np.log1p(values)) for values, sign in known])


def _concept(known: Knowledge, term: Term) -> Value:
    own = lexicon().concepts[term.name]
    tagged = known.said_and_near(known.said.concept(term.name))
    heard, measured = known.heard_of(own.heard), known.measured_of(own.measured)
    return combined(len(known.ids), tagged.said, heard, measured, tagged.near)


def _name(known: Knowledge, term: Term) -> Value:
    said = known.said.name(normal(term.name))
    return known.said_and_near(said) if said.any() else Value(np.zeros(len(known.ids)))


def _only_said(said: FloatArray) -> Value:
    return Value(standard(said), said)


def _years(known: Knowledge, term: Term) -> Value:
    """Value the year: inside best, then the nearer the better; unknown counts 0."""
    years = known.said.years
    if not np.isfinite(years).any():
        return Value(np.zeros(len(years)))
    off = _outside(years, term)
    value = np.where(off == 0, _IN_YEARS, -1 - 2 * np.minimum(off / _YEARS_OFF, 1))
    return Value(np.where(np.isfinite(years), value, 0.0), said=np.where(off == 0, 1.0, 0.0))


def _tempo(known: Knowledge, term: Term) -> Value:
    """Value the tempo, or half or twice of it where both bounds are told: half of any tempo is slow enough."""
    tempo = known.measures.get("tempo_bpm")
    if tempo is None:
        return Value(np.zeros(len(known.ids)))
    is_open = any(None in span for span in term.spans or ((term.min_value, term.max_value),))
    factors = _OCTAVES[:1] if is_open else _OCTAVES
    off = np.min([_outside(tempo * factor, term) / (tempo * factor) + cost for factor, cost in factors], axis=0)
    measured = standard(-np.minimum(off, _TEMPO_OFF))
    return Value(measured, measured=measured)


def _outside(values: npt.NDArray[np.floating], term: Term) -> FloatArray:
    """Return how far values lie outside the nearest of the term's bounds."""
    spans = term.spans or ((term.min_value, term.max_value),)
    return np.min([_beyond(values, low, high) for low, high in spans], axis=0)


def _beyond(values: npt.NDArray[np.floating], low: float | None, high: float | None) -> FloatArray:
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    return np.maximum(np.maximum(least - values, values - most), 0.0)


def _alike(known: Knowledge, term: Term) -> Value:
    """Value the names whose meaning is near, each by its share."""
    parts = [(share, known.value(known_term(name))) for name, share in term.names.items()]
    total = unclipped(np.sum([share * value.total for share, value in parts], axis=0))
    return Value(total, near=total)


def known_term(name: str) -> Term:
    """Return a term for a name of the catalogue or of our table."""
    return Term(name, 0, len(name), "concept" if name in lexicon().concepts else "tag", name)


def _mean(parts: Sequence[FloatArray]) -> FloatArray | None:
    told = [part for part in parts if part.any()]
    return standard(np.mean(told, axis=0)) if told else None


def _logits(probabilities: npt.NDArray[np.floating]) -> FloatArray:
    kept = np.clip(np.asarray(probabilities, dtype=np.float64), _LOWEST_PROBABILITY, 1 - _LOWEST_PROBABILITY)
    return np.log(kept / (1 - kept))


_VALUES: Mapping[str, Callable[[Knowledge, Term], Value]] = {
    "concept": _concept,
    "tag": _name,
    "genre": _name,
    "artist": lambda known, term: _only_said(known.said.artist(normal(term.name))),
    "title": lambda known, term: _only_said(known.said.title(normal(term.name))),
    "years": _years,
    "tempo": _tempo,
    "alike": _alike,
}
