"""Words that mean nothing alone, but change what stands beside them: "no", "rather than", "very", "but"."""

from collections.abc import Sequence

from antiphon.words.bounds import BOUND_WORDS, SIGNS
from antiphon.words.lexicon import lexicon
from antiphon.words.number_words import NUMBER_WORDS
from antiphon.words.tokens import Token

_WORDS = lexicon().particles
NEGATING = _WORDS["negating"] | _WORDS["refusing"]
JOINING, SAYING_NOTHING, TURNING = _WORDS["joining"], _WORDS["saying_nothing"] | SIGNS, _WORDS["turning"]
ADVERBIAL, ONLY, FREE = _WORDS["adverbial"], _WORDS["only"], _WORDS["free"]
LESS = dict.fromkeys(_WORDS["less"], 0.5)
STRENGTHS = {
    **dict.fromkeys(_WORDS["neither"], 1.0),
    **dict.fromkeys(_WORDS["weaker"], 0.5),
    **dict.fromkeys(_WORDS["stronger"], 1.5),
}
PUNCTUATION = frozenset(",;.!?()|")
WITHOUT_ENDINGS = ("less", "free", "los", "lose", "losen", "loser", "loses", "frei", "freie", "freier", "freies")
"""Endings that deny what they are added to: "drumless", "gesangsfreie"."""
_PREFERRING, _THAN = _WORDS["preferring"], _WORDS["than"]
JOINTS = TURNING | JOINING | _PREFERRING | _THAN | _WORDS["neither"]
"""Words that say nothing beside what they join or compare."""
_SURELY_THAN, _OF_PREFERENCE = frozenset({"than"}), frozenset({"over", "to"})
_PREFERENCE = frozenset(word for word in _PREFERRING if word.startswith(("prefer", "prefier")))
_OF_COMPARATIVES = frozenset({"than", "als", "que"})
_COMPARING = _WORDS["neither"] | {"plus"}
_FEWER_THAN = 0.5
_SHORTEST_STEM = 3

KEPT = frozenset().union(
    *_WORDS.values(), PUNCTUATION, NUMBER_WORDS, (word for phrase in lexicon().phrases for word in phrase.split())
)
"""Words that are never taken for misspelt ones."""


def ends_scope(word: str) -> bool:
    """Whether what stands before a word says nothing of what follows it."""
    return word in PUNCTUATION or word in JOINING or word in NEGATING or word in SAYING_NOTHING or word in TURNING


def is_particle(word: str) -> bool:
    """Whether a word alone changes what follows, even where the catalogue has a name like it."""
    return word in NEGATING or word in STRENGTHS or word in LESS or word in TURNING


def stems_denied(word: str) -> list[str]:
    """Return words that a word denies by its ending, the likeliest first: "drum" and "drums" of "drumless"."""
    found: list[str] = []
    for ending in WITHOUT_ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST_STEM:
            found += [stem, f"{stem}s", stem.removesuffix("s")]
    return found


def is_ending(one: Token, other: Token) -> bool:
    """Whether a token denies the one before it, in one written word: "sad-less"."""
    return other.text in WITHOUT_ENDINGS and one.start == other.start


def compares_nothing(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word as "than" follows a comparative that means nothing here, as "newer" in "newer than Friday"."""
    if place == 0 or tokens[place].text not in _OF_COMPARATIVES:
        return False
    word = tokens[place - 1].text
    if word in lexicon().by_words or word in _PREFERRING or word in LESS or word in STRENGTHS:
        return False
    if place > 1 and tokens[place - 2].text in _COMPARING:
        return word in BOUND_WORDS
    return word.endswith("er") and tokens[place].text != "que"


def compared_away(tokens: Sequence[Token], place: int) -> float | None:
    """Return how surely a word as "than" says that what follows is not asked for; None if it says nothing.

    Surely after a word of preference, as in "rather piano than guitar"; half so in "more piano than guitar".
    """
    word = tokens[place].text
    if word not in _THAN:
        return None
    before = [token.text for token in _thought_before(tokens, place)]
    if not before or not LESS.keys().isdisjoint(before):
        return None
    if word in _OF_PREFERENCE:
        return 1.0 if not _PREFERENCE.isdisjoint(before[:-1]) else None
    if not _PREFERRING.isdisjoint(before):
        return 1.0
    compares = (
        word in _SURELY_THAN or not _COMPARING.isdisjoint(before) or (word == "als" and before[-1].endswith("er"))
    )
    return _FEWER_THAN if compares else None


def is_compared(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word of preference is followed by "than" in the same thought, so that it weakens nothing."""
    if tokens[place].text not in _PREFERRING:
        return False
    for later in range(place + 1, len(tokens)):
        if tokens[later].text in PUNCTUATION:
            return False
        if compared_away(tokens, later) is not None:
            return True
    return False


def _thought_before(tokens: Sequence[Token], place: int) -> Sequence[Token]:
    first = place
    while first and tokens[first - 1].text not in PUNCTUATION:
        first -= 1
    return tokens[first:place]
