"""Our own table of what words mean: moods, instruments, voices, genres, pictures, in English, German and Spanish."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from antiphon.words.tokens import normal

MEASURES = ("tempo_bpm", "luma", "saturation", "motion", "cuts_per_s", "black_and_white")
"""Measurements that a word can speak of: columns of `attributes.parquet`."""

_LANGUAGES = ("en", "de", "es")
_AND = re.compile(r" (?:y|und) ")
_REGULAR = ("calm", "fast", "quick", "slow", "loud", "quiet", "bright", "dark", "soft", "pale", "wild", "old")
_COMPARATIVES = {
    **{word: f"{word}er" for word in _REGULAR},
    **{"happy": "happier", "sad": "sadder", "lively": "livelier", "weird": "weirder", "heavy": "heavier"},
}


@dataclass(frozen=True)
class Concept:
    """What several words mean alike.

    Attributes
    ----------
    name : str
        The first English word.
    kind : str
        "mood", "tempo", "loudness", "instrument", "voice", "sound", "genre", "pictures", "motion" or "video".
    words : tuple of str
        All words, normalised (see `antiphon.words.tokens.normal`), without their inflections.
    heard : mapping of str to float
        Tags of musicnn, 1 for what speaks for it and -1 for what speaks against it.
    measured : mapping of str to float
        Measurements by a name of `MEASURES`, 1 if high and -1 if low where it holds.
    title : bool
        Whether a title that has the word says so for certain.
    """

    name: str
    kind: str
    words: tuple[str, ...]
    heard: Mapping[str, float]
    measured: Mapping[str, float]
    title: bool = False


@dataclass(frozen=True)
class Lexicon:
    """The concepts, and which of them each word or phrase means.

    Attributes
    ----------
    concepts : mapping of str to Concept
        Concepts by name.
    by_words : mapping of str to str
        Name of the concept of each normalised word or phrase, inflections included.
    particles : mapping of str to frozenset of str
        Words that change what follows ("negating" in tags too, "refusing" in questions alone, "adverbial" of those,
        "less", "weaker", "stronger", "neither"), undo a negation before them ("only"), end one ("turning"), negate what
        stands before them ("free"), compare ("than", after "preferring"), join ("joining"), or say nothing here
        ("saying_nothing"), normalised.
    phrases : mapping of str to str
        Several words of that kind, normalised, and what they do: "negating", "granting" (what follows is asked for),
        "freeing" (what stands before is absent), "weakening" or "turning".
    spellings : mapping of str to str
        The first of several spellings of one name, by each of them, normalised.
    """

    concepts: Mapping[str, Concept]
    by_words: Mapping[str, str]
    particles: Mapping[str, frozenset[str]]
    phrases: Mapping[str, str]
    spellings: Mapping[str, str]


@cache
def lexicon() -> Lexicon:
    """Return the table that Antiphon ships."""
    text = files("antiphon.words").joinpath("lexicon.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    rows = table["concept"]
    concepts = {concept.name: concept for concept in map(_concept, rows)}
    by_words: dict[str, str] = {}
    for row in rows:
        name = _listed(row["en"])[0]
        for language in _LANGUAGES:
            for word in _listed(row.get(language, "")):
                by_words.setdefault(normal(word), name)
    for row in rows:  # an inflection gives way to a word that stands in the table
        name = _listed(row["en"])[0]
        for language in _LANGUAGES:
            for word in _listed(row.get(language, "")):
                for form in _inflected(normal(word), language):
                    by_words.setdefault(form, name)
    for word in [*by_words]:  # "blanco & negro" is read as "blanco and negro"
        by_words.setdefault(_AND.sub(" and ", word), by_words[word])
    particles = {name: frozenset(normal(words).split()) for name, words in table["particles"].items()}
    phrases = {
        normal(phrase): effect
        for effect, listed in table["phrases"].items()
        for phrase in _listed(listed.replace("\n", ","))
    }
    spellings = {
        normal(spelling): normal(_listed(line)[0])
        for line in table["spellings"]["same"].splitlines()
        for spelling in _listed(line)
    }
    return Lexicon(concepts, by_words, particles, phrases, spellings)


def one_spelling(name: str) -> str:
    """Return the first spelling of a normalised name that is spelt in several ways.

    Examples
    --------
    >>> one_spelling("dnb"), one_spelling("surf")
    ('drum and bass', 'surf')
    """
    return lexicon().spellings.get(name, name)


def _concept(row: Mapping[str, Any]) -> Concept:
    words = dict.fromkeys(normal(word) for language in _LANGUAGES for word in _listed(row.get(language, "")))
    return Concept(
        name=_listed(row["en"])[0],
        kind=row["kind"],
        words=tuple(words),
        heard=_signed(row.get("heard", ""), row.get("unheard", "")),
        measured=_signed(row.get("high", ""), row.get("low", "")),
        title=row.get("title", False),
    )


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _signed(more: str, less: str) -> dict[str, float]:
    return dict.fromkeys(_listed(more), 1.0) | dict.fromkeys(_listed(less), -1.0)


def _inflected(word: str, language: str) -> Iterator[str]:
    """Yield usual forms of a word; some are no words, which does no harm."""
    if len(word) < 3:
        return
    if language == "en":
        yield f"{word}s"
        if word in _COMPARATIVES:
            yield from (_COMPARATIVES[word], f"{word}est")
    elif language == "de":
        yield from (f"{word}{ending}" for ending in ("e", "er", "es", "en", "em", "ere", "erer", "eres", "n", "s"))
        if word.endswith("el"):
            yield from (f"{word[:-2]}l{ending}" for ending in ("e", "er", "es", "en"))
    else:
        stems: Iterable[str] = (f"{word[:-1]}a", f"{word[:-1]}o") if word[-1] in "oa" else (word,)
        for stem in stems:
            yield from (stem, f"{stem}s")
        yield f"{word}es"
