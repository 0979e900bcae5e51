"""Misspelt words and parts of words: what is forgiven, and what is a word of its own.

A common word is never taken for another one. What is left may have one letter wrong, from nine letters on two; of
short words, which are near many others, only letters that changed places or were doubled are forgiven.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

from antiphon.spelling import edits

_SHORTEST, _LONG_WORD = 4, 9
_SHORT, _MEDIUM = 4, 6
_VOWELS = frozenset("aeiouy")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_INFLECTIONS = ("s", "es", "d", "ed", "ing", "ings", "ly")
_ENDINGS = (*_INFLECTIONS, "ness", "ful", "ish", "esque", "like", "ist", "ists", "e", "en", "er", "es", "n")
"""What may follow a word that is meant as a part of a longer one, in English and German."""
_ENDINGS_OF_COMMON = (*_INFLECTIONS, "ness", "ful", "ish", "esque", "like")


@cache
def _ordinary() -> frozenset[str]:
    lines = files("antiphon.words").joinpath("ordinary.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_ordinary(word: str) -> bool:
    """Whether a normalised word of four letters or more is a common one, of English above all, or a form of one.

    Examples
    --------
    >>> is_ordinary("rain"), is_ordinary("lighthouses"), is_ordinary("guitr")
    (True, True, False)
    """
    known = _ordinary()
    return word in known or any(stem in known for stem in _stems(word))


def _stems(word: str) -> Iterator[str]:
    """Yield what an inflected word may be a form of: "dance" of "dancing", "slam" of "slammed"."""
    for ending in (*_INFLECTIONS, "er", "ers", "est"):
        stem = word.removesuffix(ending)
        if stem == word or word[-1:] == word[-2:-1]:
            continue
        yield stem
        if ending[0] in "ei" and len(stem) > 1:
            yield f"{stem}e"
            yield stem[:-1] if stem[-1] == stem[-2] else f"{stem[:-1]}y"


def corrected(word: str, known: Mapping[int, Iterable[str]], inflected: Collection[str] = ()) -> str | None:
    """Return the known word that a misspelt one stands for; None if none is near, or it is a word of its own.

    Parameters
    ----------
    word : str
        A normalised word that is not known.
    known : mapping of int to iterable of str
        Known words by their length.
    inflected : collection of str
        Those of them that are made by rule, of which one letter at most may be wrong: some are no words.
    """
    if len(word) < _SHORTEST or not word.isalpha() or is_ordinary(word):
        return None
    most = 1 if len(word) < _LONG_WORD else 2
    near = [
        (count, abs(len(one) - len(word)), one)
        for length in range(len(word) - most, len(word) + most + 1)
        for one in known.get(length, ())
        if (one[0] == word[0] or one[:2] == word[1::-1])
        and len(set(one) ^ set(word)) <= 2 * most
        and (count := edits(word, one)) <= (1 if one in inflected else most)
        and (min(len(word), len(one)) > _SHORT or _is_slip(word, one))
        and (len(word) > _MEDIUM or _is_likely(word, one))
    ]
    return min(near)[2] if near else None


def _is_slip(word: str, known: str) -> bool:
    """Whether two letters changed places, or one was doubled: "drmu", "rockk"."""
    if len(word) == len(known):
        return sorted(word) == sorted(known)
    return len(word) > len(known) and _once(word) == _once(known)


def _is_likely(word: str, known: str) -> bool:
    """Whether no letter stands for another than a neighbour on the keyboard, or a vowel for a vowel."""
    if len(word) != len(known):
        return True
    other = [(one, wanted) for one, wanted in zip(word, known, strict=True) if one != wanted]
    return len(other) > 1 or all(pair in _confused() or _VOWELS.issuperset(pair) for pair in other)


@cache
def _confused() -> frozenset[tuple[str, str]]:
    """Letters beside each other, or on slanted keys above each other."""
    places = {letter: (row, column + row / 2) for row, keys in enumerate(_KEYS) for column, letter in enumerate(keys)}
    return frozenset(
        (one, other)
        for one, (row, column) in places.items()
        for other, (other_row, other_column) in places.items()
        if abs(row - other_row) <= 1 and abs(column - other_column) <= 1
    )


def _once(word: str) -> str:
    return "".join(letter for place, letter in enumerate(word) if letter != word[place - 1 : place])


def part(word: str, phrases: Iterable[str], means: Callable[[str], bool]) -> str | None:
    """Return the longest phrase that a word begins with, or the shortest that it is the beginning of.

    What follows must be an ending or mean something itself, as in "slowly" and "klaviermusik"; a common word may
    only be inflected, and is the beginning of no other, so that "rain" is no "rainbow".

    Parameters
    ----------
    word : str
        A normalised word that is not known.
    phrases : iterable of str
        Known phrases.
    means : callable
        Whether a word means something, or is one that says nothing.
    """
    if len(word) < _SHORTEST:
        return None
    own = is_ordinary(word)
    within: list[str] = []
    begun: list[str] = []
    for phrase in phrases:
        if len(phrase) >= _SHORTEST and word.startswith(phrase):
            rest = word[len(phrase) :]
            if rest in _ENDINGS_OF_COMMON if own else rest in _ENDINGS or any(map(means, _parts(rest))):
                within.append(phrase)
        elif not own and " " not in phrase and phrase.startswith(word):
            begun.append(phrase)
    if within:
        return max(within, key=len)
    return min(begun, key=lambda phrase: (len(phrase), phrase)) if begun else None


def _parts(rest: str) -> Iterator[str]:
    """Yield what may be the second part of a compound: "musik" of "klaviermusik" and "gitarrensmusik"."""
    yield rest
    if rest[:1] in ("s", "n"):
        yield rest[1:]
