"""Years, decades and tempi in a text: "90s", "early 2000s", "1985-1992", "since 1990", "120 bpm"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.words.tokens import Token

FIRST_YEAR, LAST_YEAR = 1900, 2099

_DECADES = {
    20: "twenties zwanziger veinte veintes",
    30: "thirties dreissiger treinta",
    40: "forties vierziger cuarenta",
    50: "fifties funfziger cincuenta",
    60: "sixties sechziger sesenta",
    70: "seventies siebziger setenta",
    80: "eighties achtziger ochenta ochentas ochentero",
    90: "nineties neunziger noventa noventas noventero",
    100: "noughties nullerjahre",
}
_DECADE_WORDS = {word: decade for decade, words in _DECADES.items() for word in words.split()}
_SHORT = re.compile(r"(\d0)(?:s|er|ies|ern)")
_LONG = re.compile(r"((?:19|20)\d0)(?:s|er|ern)")
_YEAR = re.compile(r"19\d\d|20\d\d")
_BPM = re.compile(r"(\d{2,3})(?:bpm|er tempo)?")
_PARTS = {
    **dict.fromkeys(("early", "fruhe", "fruhen", "principios"), (0, 3)),
    **dict.fromkeys(("mid", "middle", "mitte", "mediados"), (3, 6)),
    **dict.fromkeys(("late", "spate", "spaten", "ende", "finales"), (6, 9)),
}
"""First and last year of a part of a decade."""
_FROM = {"since", "after", "from", "seit", "nach", "ab", "desde", "newer", "post"}
_UNTIL = {"before", "until", "till", "bis", "vor", "hasta", "antes", "pre", "older"}
_ON = {"on", "onward", "onwards"}
_EXCLUSIVE = {"after", "before", "nach", "vor", "antes", "pre", "post"}
_TO = {"to", "bis", "and", "und", "a", "y", "till", "until", "hasta", "through"}
_ABOUT = {"about", "around", "circa", "ca", "approximately", "etwa", "ungefahr", "unos", "aproximadamente", "at"}
_FILLERS = {
    "the",
    "der",
    "den",
    "die",
    "los",
    "las",
    "anos",
    "jahre",
    "jahren",
    "years",
    "de",
    "of",
    "in",
    "than",
    "que",
}
_DECADE_BEFORE = {"anos", "jahre"}
_TEMPO_WITHIN = 0.05
NUMBER_WORDS = frozenset({*_DECADE_WORDS, *_PARTS, *_FROM, *_UNTIL, *_ABOUT, *_FILLERS, "bpm", "tempo"})
"""Words that years and tempi are told with."""


@dataclass(frozen=True)
class Span:
    """Years or tempi that some tokens ask for: `count` tokens, and bounds that are both included."""

    count: int
    is_tempo: bool
    low: float | None
    high: float | None

    @property
    def name(self) -> str:
        """The span in words."""
        unit = " bpm" if self.is_tempo else ""
        if self.low is None:
            return f"until {self.high:g}{unit}"
        if self.high is None:
            return f"from {self.low:g}{unit}"
        if self.low == self.high:
            return f"{self.low:g}{unit}"
        return f"{self.low:g}–{self.high:g}{unit}"


def numbers_at(tokens: Sequence[Token], place: int, text: str) -> Span | None:
    """Return the years or the tempo that start at a token, as many tokens as belong to them; None if none do."""
    return _tempo(tokens, place, text) or _open_years(tokens, place) or _years(tokens, place, text)


def _tempo(tokens: Sequence[Token], place: int, text: str) -> Span | None:
    at = place + (tokens[place].text in _ABOUT)
    values: list[float] = []
    while at < len(tokens) and len(values) < 2:
        match = _BPM.fullmatch(tokens[at].text)
        if match is None:
            break
        values.append(float(match.group(1)))
        at += 1
        if tokens[at - 1].text.endswith("bpm"):
            return _tempo_span(values, at - place)
        if at < len(tokens) and tokens[at].text == "bpm":
            return _tempo_span(values, at + 1 - place)
        if at < len(tokens) and tokens[at].text in _TO:
            at += 1
    return None


def _tempo_span(values: Sequence[float], count: int) -> Span:
    if len(values) == 2:
        return Span(count, True, min(values), max(values))
    return Span(count, True, round(values[0] * (1 - _TEMPO_WITHIN)), round(values[0] * (1 + _TEMPO_WITHIN)))


def _open_years(tokens: Sequence[Token], place: int) -> Span | None:
    """Read "since 1990", "before the 80s"."""
    word = tokens[place].text
    if word not in _FROM | _UNTIL:
        return None
    at = _past_fillers(tokens, place + 1)
    found = _decade(tokens, at) or _year(tokens, at)
    if found is None:
        return None
    first, last, end = found
    if word in _FROM:
        second = end + 1 if end < len(tokens) and tokens[end].text in _TO else None
        until = None if second is None or second >= len(tokens) else _decade(tokens, second) or _year(tokens, second)
        if until is not None:
            return Span(until[2] - place, False, first, until[1])
        if word == "from":  # "from the 90s" are the 90s; "from 1990 on" is what came since.
            if end >= len(tokens) or tokens[end].text not in _ON:
                return Span(end - place, False, first, last)
            end += 1
        return Span(end - place, False, last + 1 if word in _EXCLUSIVE else first, None)
    return Span(end - place, False, None, first - 1 if word in _EXCLUSIVE else last)


def _years(tokens: Sequence[Token], place: int, text: str) -> Span | None:
    found = _decade(tokens, place) or _year(tokens, place)
    if found is None:
        return None
    first, last, end = found
    if end < len(tokens):
        following = end + 1 if tokens[end].text in _TO else end
        dashed = following == end and _is_dashed(tokens[end - 1], tokens[end], text)
        other = _decade(tokens, following) or _year(tokens, following) if following > end or dashed else None
        if other is not None and other[0] >= first:
            return Span(other[2] - place, False, first, other[1])
    return Span(end - place, False, first, last)


def _is_dashed(one: Token, other: Token, text: str) -> bool:
    return one.start == other.start or text[one.end : other.start].strip() in ("-", "–", "—", "…", "..") or other.minus


def _decade(tokens: Sequence[Token], place: int) -> tuple[int, int, int] | None:
    """Return first and last year of the decade at a token, and where it ends."""
    at, part = place, (0, 9)
    if at < len(tokens) and tokens[at].text in _PARTS:
        part, at = _PARTS[tokens[at].text], _past_fillers(tokens, at + 1)
    at_word = at
    while at_word < len(tokens) and tokens[at_word].text in _FILLERS:
        at_word += 1
    if at_word >= len(tokens) or (at_word > at and at == place and not _announces(tokens, at, at_word)):
        return None
    word = tokens[at_word].text
    announced = at_word > 0 and tokens[at_word - 1].text in _DECADE_BEFORE
    first = _decade_of(word, announced or part != (0, 9))
    if first is None:
        return None
    end = at_word + 1
    if end < len(tokens) and tokens[end].text in ("jahre", "jahren", "years"):
        end += 1
    return first + part[0], first + part[1], end


def _announces(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether the words before a decade belong to it: "the 80s", "años 80"."""
    return all(token.text in _FILLERS for token in tokens[first:last])


def _decade_of(word: str, announced: bool) -> int | None:
    if (match := _LONG.fullmatch(word)) is not None:
        return int(match.group(1))
    short = _SHORT.fullmatch(word)
    if short is None and announced:
        short = re.fullmatch(r"(\d0)", word)
    decade = int(short.group(1)) if short else _DECADE_WORDS.get(word)
    if decade is None:
        return None
    return 1900 + decade if decade >= 30 else 2000 + decade


def _year(tokens: Sequence[Token], place: int) -> tuple[int, int, int] | None:
    if place < len(tokens) and _YEAR.fullmatch(tokens[place].text):
        year = int(tokens[place].text)
        return year, year, place + 1
    return None


def _past_fillers(tokens: Sequence[Token], place: int) -> int:
    while place < len(tokens) and tokens[place].text in _FILLERS:
        place += 1
    return place
