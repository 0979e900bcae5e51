"""What is said of each music video in words: which tags, genres, artists and titles speak for what."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.words.lexicon import lexicon, one_spelling
from antiphon.words.tokens import normal
from antiphon.words.vocabulary import LONGEST_PHRASE

FloatArray = npt.NDArray[np.float64]
Rows = list[int]

PART_OF_NAME = 0.8
"""What a tag says of a word that is only a part of it, as "acoustic guitar" of "guitar"."""
TITLE_HINT = 0.4
_NEGATIONS = lexicon().particles["negating"]


class Said:
    """The words of a catalogue, and the music videos that each is said of.

    Parameters
    ----------
    rows : sequence of mapping
        Artist, title, genre, tags and year of each music video.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows
        self._names: defaultdict[str, Rows] = defaultdict(list)
        self._artists: defaultdict[str, Rows] = defaultdict(list)
        self._titles: defaultdict[str, Rows] = defaultdict(list)
        for number, row in enumerate(rows):
            names = dict.fromkeys(normal(text) for text in (*(row.get("tags") or ()), row.get("genre") or ""))
            for name in filter(None, names):
                self._names[name].append(number)
            if row.get("artist"):
                self._artists[normal(row["artist"])].append(number)
            if row.get("title"):
                self._titles[normal(row["title"])].append(number)

    @cached_property
    def years(self) -> FloatArray:
        """Year of each; NaN where unknown."""
        return np.array([np.nan if row.get("year") is None else row["year"] for row in self._rows], dtype=np.float64)

    def name(self, name: str) -> FloatArray:
        """Return how far tags and genre say a normalised name: 1 as a whole, less as whole words of a longer one."""
        return self._weighted([(self._names.get(name, []), 1.0), *self._longer(name)])

    def labelled(self, label: str) -> npt.NDArray[np.bool_]:
        """Return whether each has a tag or genre as a whole, in any of its spellings, shape (n,)."""
        asked = one_spelling(normal(label))
        rows = [row for name, rows in self._names.items() if one_spelling(name) == asked for row in rows]
        found = np.zeros(len(self._rows), dtype=bool)
        found[rows] = True
        return found

    def by_frequency(self) -> list[str]:
        """Return the normalised tags and genres, the most frequent first."""
        return sorted(self._names, key=lambda name: (-len(self._names[name]), name))

    def concept(self, name: str) -> FloatArray:
        """Return how far tags, genre and title say a concept of our table; below 0 where a tag denies it."""
        own = lexicon().concepts[name]
        title = 1.0 if own.title else TITLE_HINT
        parts = [(self._names[spelt], strength) for spelt, strength in self._concepts.get(name, {}).items()]
        return self._weighted([*parts, *((rows, title) for rows in self._titles_of.get(name, []))])

    def artist(self, name: str) -> FloatArray:
        """Return how far the artist has a normalised name, or its words among others."""
        found = [(rows, PART_OF_NAME) for known, rows in self._artists.items() if f" {name} " in f" {known} "]
        return self._weighted([(self._artists.get(name, []), 1.0), *found])

    def title(self, words: str) -> FloatArray:
        """Return where the title has normalised words, whole."""
        return self._weighted([(rows, 1.0) for known, rows in self._titles.items() if f" {words} " in f" {known} "])

    def _weighted(self, parts: Sequence[tuple[Rows, float]]) -> FloatArray:
        """Join what speaks for and against: the stronger counts, and what is as strong on both sides cancels out."""
        most, least = np.zeros(len(self._rows)), np.zeros(len(self._rows))
        for rows, strength in parts:
            most[rows] = np.maximum(most[rows], strength)
            least[rows] = np.minimum(least[rows], strength)
        return np.select([most > -least, most < -least], [most, least], 0.0)

    def _longer(self, name: str) -> list[tuple[Rows, float]]:
        return [
            (rows, PART_OF_NAME)
            for known, rows in self._names.items()
            if len(known) > len(name) and f" {name} " in f" {known} " and not negates(known)
        ]

    @cached_property
    def _concepts(self) -> Mapping[str, Mapping[str, float]]:
        """How far each name says each concept."""
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for name in self._names:
            for concept, strength in concepts_in(name):
                found[concept].setdefault(name, strength)
        return found

    @cached_property
    def _titles_of(self) -> Mapping[str, list[Rows]]:
        found: defaultdict[str, list[Rows]] = defaultdict(list)
        for title, rows in self._titles.items():
            for concept in dict.fromkeys(concept for concept, strength in concepts_in(title) if strength > 0):
                found[concept].append(rows)
        return found


def concepts_in(name: str) -> Iterator[tuple[str, float]]:
    """Yield the concepts of our table that normalised words speak of: 1 as a whole, less as a part, -1 against.

    Examples
    --------
    >>> list(concepts_in("acoustic guitar")), list(concepts_in("no vocals"))
    ([('acoustic guitar', 1.0), ('acoustic', 0.8), ('guitar', 0.8)], [('vocals', -1.0)])
    """
    known = lexicon().by_words
    if name in known:
        yield known[name], 1.0
    words = name.split()
    if negates(name):
        rest = " ".join(words[1:])
        if words[0] in _NEGATIONS and rest in known:
            yield known[rest], -1.0
        return
    for first in range(len(words)):
        for last in range(first + 1, min(first + LONGEST_PHRASE, len(words)) + 1):
            phrase = " ".join(words[first:last])
            if last - first < len(words) and phrase in known:
                yield known[phrase], PART_OF_NAME


def negates(name: str) -> bool:
    """Whether a word of a normalised name denies something."""
    return not _NEGATIONS.isdisjoint(name.split())
