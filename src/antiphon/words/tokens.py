"""Words of a text with their places in it; any characters are text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unicodedata import category

from antiphon.spelling import plain

MAX_TOKENS = 48
"""Words of a query that are read; what follows is not."""
_MAX_CHARACTERS = 2_000
_WORD = re.compile(r"[-−–]?[^\W_]+(?:['’&/-]?[^\W_]+)*|(?<!\S)[&+](?!\S)|[,;.!?()|]|(?:[<>]=?|=[<>]|[≤≥])(?=\s*\d)")
_JOINED = str.maketrans({"ß": "ss", "'": None, "’": None, "_": " "})
_APART = re.compile(r"[^\w&+#]+")
_AND = re.compile(r"(?<=\S\S)&(?=\w)|(?<=\w)&(?=\w\w)|(?<!\S)[&+](?!\S)|(?<=\S )n(?= \S)")
"""Signs for "and": free ones, "&" between words (not in "R&B"), and the n of "rock 'n' roll"."""


@dataclass(frozen=True)
class Token:
    """A word of a text.

    Attributes
    ----------
    text : str
        The word, normalised.
    start, end : int
        Its place in the text.
    minus : bool
        Whether a minus sign stands right before it, as in "-drums".
    """

    text: str
    start: int
    end: int
    minus: bool = False


def normal(text: str) -> str:
    """Return words without case, accents, hyphens and punctuation, "and" for its signs, one space apart.

    Examples
    --------
    >>> normal("Hip-Hop,  Años 80!"), normal("R&B"), normal("Drum & Bass")
    ('hip hop anos 80', 'r&b', 'drum and bass')
    """
    words = " ".join(_APART.sub(" ", plain(text.translate(_JOINED))).split())
    return " ".join(_AND.sub(" and ", words).split())


def tokens_of(text: str) -> tuple[list[Token], bool]:
    """Split a text into words and the punctuation that ends a thought.

    Returns
    -------
    tokens : list of Token
        At most `MAX_TOKENS` words.
    whole : bool
        Whether this is all of the text.
    """
    found: list[Token] = []
    for match in _WORD.finditer(text, 0, _MAX_CHARACTERS):
        word = match.group()
        minus = word[0] in "-−–" and len(word) > 1 and (match.start() == 0 or text[match.start() - 1].isspace())
        start = match.start() + (word[0] in "-−–")
        known = normal(word) or (word if not word[0].isalnum() else "")
        if not known:
            continue
        if len(found) == MAX_TOKENS:
            return found, False
        parts = known.split(" ")
        found += [Token(part, match.start() if minus else start, match.end(), minus) for part in parts[:1]]
        found += [Token(part, start, match.end()) for part in parts[1:]]
    found = [replace(token, text="and") if _is_and(found, place) else token for place, token in enumerate(found)]
    return found[:MAX_TOKENS], len(text) <= _MAX_CHARACTERS


def signs_of(text: str) -> list[str]:
    """Return signs that are neither words nor punctuation, such as emoji, those in a row together."""
    shown = "".join(letter if category(letter) == "So" else " " for letter in text[:_MAX_CHARACTERS])
    return shown.split()[:MAX_TOKENS]


def _is_and(tokens: list[Token], place: int) -> bool:
    """Whether a token is the n of "drum n bass": alone between two words."""
    beside = tokens[place - 1 : place] + tokens[place + 1 : place + 2]
    return tokens[place].text == "n" and len(beside) == 2 and all(token.text.isalnum() for token in beside)


def joined(tokens: Sequence[Token]) -> str:
    """Return the words of tokens, one space apart."""
    return " ".join(token.text for token in tokens)
