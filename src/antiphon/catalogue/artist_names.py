"""Names of artists as text: what makes no other name, and the artists whom a name lists for certain."""

import re
import unicodedata
from functools import lru_cache

from antiphon.catalogue.unknown import is_unknown
from antiphon.spelling import PLAIN_SIGNS, TURKISH_I

_CHARACTERS = PLAIN_SIGNS | str.maketrans(
    dict.fromkeys("×✕✖╳⨯", " x ") | dict.fromkeys("【〔〖", "[") | dict.fromkeys("】〕〗", "]") | {"、": ","}
)
_GUESTS = r"(?:feat\b|ft\b|featuring\b)[.:]*"
_COMPANY = r"(?:(?:with|avec|mit|con|com|med|versus|vs|and|und|x)\b[.:]*|w/|&|\+)"
_BRACKETED = re.compile(rf"\s*[(\[{{]\s*(?:{_GUESTS}|{_COMPANY}(?!\w))\s*([^)\]}}]+)[)\]}}]?")
# A name must follow that is no bracket and no second "feat.", so that Little Feat is a band, with guests or without.
_FOLLOWED = re.compile(rf"\s+{_GUESTS}\s*(?!feat\b|ft\b)(?=[^\s(\[{{.:])")
_AROUND = re.compile(r"^(?:[\s,]|-\s)+|(?:[\s,]|\s-)+$")
_IDLE = frozenset({"", "the", "and", "und", "+"})


@lru_cache(maxsize=262_144)
def artist_key(artist: str) -> str:
    """Normalise an artist's name: case, width, white space, what is invisible, and guests make no difference.

    Nor do the ways in which Unicode writes an accent, an apostrophe or a dash, nor Turkish i with its dot and without.

    Parameters
    ----------
    artist : str
        Name of the artist.

    Returns
    -------
    str
        Key of the artist that is named first; "" where none is known.

    Examples
    --------
    >>> artist_key("  Nova  Lux ft. Someone") == artist_key("nova lux")
    True
    >>> artist_key("Guns N’ Roses") == artist_key("Guns N' Roses")
    True
    """
    found = named(artist)
    return found[0] if found else ""


@lru_cache(maxsize=262_144)
def named(artist: str) -> tuple[str, ...]:
    """Return the keys of the artists that a name lists for certain: between semicolons, as guests, or in brackets.

    Parameters
    ----------
    artist : str
        Name, or names.

    Returns
    -------
    tuple of str
        Keys, none for who is unknown.

    Examples
    --------
    >>> named("Ann (with Bea); Cy feat. Dee"), named("Little Feat"), named("Unknown Artist")
    (('ann', 'cy', 'dee', 'bea'), ('little feat',), ())
    """
    text = _plain(artist)
    found = [name for part in _BRACKETED.sub("", text).split(";") for name in _FOLLOWED.split(part)]
    found += [name for part in _BRACKETED.findall(text) for name in part.split(";")]
    known = (_AROUND.sub("", name) for name in found)
    return tuple(dict.fromkeys(name for name in known if name and not is_unknown(name)))


@lru_cache(maxsize=262_144)
def loosely(key: str) -> str:
    """Return what keys have in common that people write for one artist: all but punctuation and idle words.

    Examples
    --------
    >>> loosely("guns n' roses") == loosely("guns n roses"), loosely("the beatles") == loosely("beatles, the")
    (True, True)
    >>> loosely("simon & garfunkel") == loosely("simon and garfunkel"), loosely("the the")
    (True, 'the the')
    """
    words = ("".join(letter for letter in word if not _is_punctuation(letter)) for word in key.split())
    return "".join(word for word in words if word not in _IDLE) or key


def _is_punctuation(letter: str) -> bool:
    return not letter.isalnum() and unicodedata.category(letter).startswith("P")


def _plain(artist: str) -> str:
    text = unicodedata.normalize("NFKC", artist.translate(_CHARACTERS)).translate(_CHARACTERS)
    text = text.translate(TURKISH_I).casefold()
    shown = (letter for letter in unicodedata.normalize("NFKC", text) if not _is_invisible(letter))
    return " ".join("".join(shown).split())


def _is_invisible(letter: str) -> bool:
    return not letter.isascii() and (unicodedata.category(letter) == "Cf" or "\ufe00" <= letter <= "\ufe0f")
