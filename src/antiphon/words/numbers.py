"""Years, decades and tempi in a text: "90s", "early 2000s", "since 1990", "120 bpm", "under 100 bpm"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.words.bounds import BOUND_WORDS, BOUNDS, LONGEST_BOUND
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
_FROM = {"since", "after", "from", "seit", "nach", "ab", "desde", "despues", "post", "depuis", "apres"}
_UNTIL = {"before", "until", "till", "bis", "vor", "hasta", "antes", "pre", "avant", "jusque", "jusqua", "jusquen"}
_ON = {"on", "onward", "onwards"}
_ONWARD = {"onward", "onwards", "upwards", "aufwarts"}
_OR = {"or", "and", "oder", "und", "o", "y", "ou", "et"}
_LATER = {
    *_ONWARD,
    "later",
    "newer",
    "after",
    "since",
    "up",
    "above",
    "spater",
    "neuer",
    "junger",
    "danach",
    "posterior",
    "posteriores",
    "despues",
    "apres",
}
_EARLIER = {
    "earlier",
    "older",
    "before",
    "prior",
    "fruher",
    "alter",
    "davor",
    "anterior",
    "anteriores",
    "antes",
    "avant",
}
_EXCLUSIVE = {"after", "before", "nach", "vor", "despues", "antes", "pre", "post", "apres", "avant"}
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
    "annees",
    "years",
    "year",
    "de",
    "del",
    "les",
    "des",
    "dem",
    "of",
    "in",
    "than",
    "que",
}
_DECADE_BEFORE = {"anos", "jahre", "annees", "los"}
_TEMPO_WITHIN = 0.05
NUMBER_WORDS = frozenset({*_DECADE_WORDS, *_PARTS, *_FROM, *_UNTIL, *_ABOUT, *_FILLERS, *BOUND_WORDS, "bpm", "tempo"})
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
    found = _tempo(tokens, place) or _bounded(tokens, place)
    return found or _open_years(tokens, place) or _years(tokens, place, text)


def _bounded(tokens: Sequence[Token], place: int) -> Span | None:
    """Read "no more than 100 bpm", "faster than 120 bpm", "at least 1990"."""
    for count in range(LONGEST_BOUND, 0, -1):
        bound = BOUNDS.get(tuple(token.text for token in tokens[place : place + count]))
        if bound is None:
            continue
        is_low, is_strict = bound
        value = _plain_tempo(tokens, place + count)
        if value is not None:
            return Span(value[1] - place, True, value[0] if is_low else None, None if is_low else value[0])
        at = _past_fillers(tokens, place + count)
        years = None if tokens[place].text in _FROM | _UNTIL else _decade(tokens, at) or _year(tokens, at)
        if years is not None:
            return _opened(years, place, is_low=is_low, is_strict=is_strict)
    return None


def _plain_tempo(tokens: Sequence[Token], place: int) -> tuple[float, int] | None:
    """Return the tempo at a token and where it ends."""
    match = _BPM.fullmatch(tokens[place].text) if place < len(tokens) else None
    if match is None:
        return None
    has_unit = tokens[place].text.endswith("bpm")
    if not has_unit and (place + 1 >= len(tokens) or tokens[place + 1].text != "bpm"):
        return None
    return float(match.group(1)), place + (1 if has_unit else 2)


def _tempo(tokens: Sequence[Token], place: int) -> Span | None:
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
            bounds = (last + 1, until[1]) if word in _EXCLUSIVE else (min(first, until[0]), max(last, until[1]))
            return Span(until[2] - place, False, *bounds)
        if word == "from":  # "from the 90s" are the 90s; "from 1990 on" is what came since.
            if end >= len(tokens) or tokens[end].text not in _ON:
                return Span(end - place, False, first, last)
            end += 1
    return _opened((first, last, end), place, is_low=word in _FROM, is_strict=word in _EXCLUSIVE)


def _opened(years: tuple[int, int, int], place: int, *, is_low: bool, is_strict: bool) -> Span:
    """Return all years from some on, or up to them: without these where the bound is strict."""
    first, last, end = years
    if is_low:
        return Span(end - place, False, last + 1 if is_strict else first, None)
    return Span(end - place, False, None, first - 1 if is_strict else last)


def _years(tokens: Sequence[Token], place: int, text: str) -> Span | None:
    found = _decade(tokens, place) or _year(tokens, place)
    if found is None:
        return None
    first, last, end = found
    if (is_low := _opens(tokens, end, text)) is not None:
        count = 0 if text[tokens[end - 1].end :][:1] == "+" else 1 if tokens[end].text in _ONWARD else 2
        return _opened((first, last, end + count), place, is_low=is_low, is_strict=False)
    if end < len(tokens):
        following = end + 1 if tokens[end].text in _TO else end
        dashed = following == end and _is_dashed(tokens[end - 1], tokens[end], text)
        other = _decade(tokens, following) or _year(tokens, following) if following > end or dashed else None
        if other is not None and other[0] >= first:
            return Span(other[2] - place, False, first, other[1])
    return Span(end - place, False, first, last)


def _opens(tokens: Sequence[Token], end: int, text: str) -> bool | None:
    """Return whether years go on after "1990 or later", or went before in "1990 or earlier"; None for neither."""
    if text[tokens[end - 1].end :][:1] == "+":
        return True
    words = [token.text for token in tokens[end : end + 2]]
    if words and words[0] in _ONWARD:
        return True
    if len(words) < 2 or words[0] not in _OR or _year(tokens, end + 2) is not None:
        return None
    return True if words[1] in _LATER else False if words[1] in _EARLIER else None


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
