"""Years, decades and tempi in a text: "90s", "early 2000s", "since 1990", "120 bpm", "under 100 bpm"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.words.bounds import BOUNDS, LONGEST_BOUND
from antiphon.words.number_words import (
    ABOUT,
    AND,
    BESIDE,
    BETWEEN,
    BPM,
    DECADE_BEFORE,
    DECADE_WORDS,
    EARLIER,
    EXCLUSIVE,
    FILLERS,
    FROM,
    LATER,
    LONG,
    ON,
    ONWARD,
    OR,
    PARTS,
    SHORT,
    TEMPO_WITHIN,
    TO,
    UNTIL,
    YEAR,
)
from antiphon.words.tokens import Token

FIRST_YEAR, LAST_YEAR = 1900, 2099


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
    found = _one_at(tokens, place, text)
    if found is None or (found.low is None) == (found.high is None):
        return found
    at = place + found.count
    at += at < len(tokens) and tokens[at].text in BESIDE
    other = _one_at(tokens, at, text) if at < len(tokens) else None
    if other is None or other.is_tempo != found.is_tempo or (other.low is None) == (other.high is None):
        return found
    low = found.low if other.low is None else other.low
    high = found.high if other.high is None else other.high
    if (found.low is None) == (other.low is None) or low is None or high is None or low > high:
        return found
    return Span(at + other.count - place, found.is_tempo, low, high)


def _one_at(tokens: Sequence[Token], place: int, text: str) -> Span | None:
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
        years = None if tokens[place].text in FROM | UNTIL else _decade(tokens, at) or _year(tokens, at)
        if years is not None:
            return _opened(years, place, is_low=is_low, is_strict=is_strict)
    return None


def _plain_tempo(tokens: Sequence[Token], place: int) -> tuple[float, int] | None:
    """Return the tempo at a token and where it ends; a later one may have its unit: "over 100 or under 80 bpm"."""
    match = BPM.fullmatch(tokens[place].text) if place < len(tokens) else None
    if match is None:
        return None
    if tokens[place].text.endswith("bpm"):
        return float(match.group(1)), place + 1
    following = tokens[place + 1].text if place + 1 < len(tokens) else ""
    if following == "bpm":
        return float(match.group(1)), place + 2
    other = _bounded(tokens, place + 2) if following in OR | BESIDE and place + 2 < len(tokens) else None
    return (float(match.group(1)), place + 1) if other is not None and other.is_tempo else None


def _tempo(tokens: Sequence[Token], place: int) -> Span | None:
    at = place + (tokens[place].text in ABOUT)
    values: list[float] = []
    while at < len(tokens) and len(values) < 2:
        match = BPM.fullmatch(tokens[at].text)
        if match is None:
            break
        values.append(float(match.group(1)))
        at += 1
        if tokens[at - 1].text.endswith("bpm"):
            return _tempo_span(values, at - place)
        if at < len(tokens) and tokens[at].text == "bpm":
            return _tempo_span(values, at + 1 - place)
        if at < len(tokens) and tokens[at].text in OR | {","} and not _is_between(tokens, place):
            return _tempo_span(values, at - place) if _listed_tempo(tokens, at + 1) else None
        if at < len(tokens) and tokens[at].text in TO | AND:
            at += 1
    return None


def _listed_tempo(tokens: Sequence[Token], place: int) -> bool:
    """Whether a tempo that is told goes on at a token, as in "90 or 120 bpm"."""
    return place < len(tokens) and _tempo(tokens, place) is not None


def _is_between(tokens: Sequence[Token], place: int) -> bool:
    return place > 0 and tokens[place - 1].text in BETWEEN


def _tempo_span(values: Sequence[float], count: int) -> Span:
    if len(values) == 2:
        return Span(count, True, min(values), max(values))
    return Span(count, True, round(values[0] * (1 - TEMPO_WITHIN)), round(values[0] * (1 + TEMPO_WITHIN)))


def _open_years(tokens: Sequence[Token], place: int) -> Span | None:
    """Read "since 1990", "before the 80s"."""
    word = tokens[place].text
    if word not in FROM | UNTIL:
        return None
    at = _past_fillers(tokens, place + 1)
    found = _decade(tokens, at) or _year(tokens, at)
    if found is None:
        return None
    first, last, end = found
    if word in FROM:
        second = end + 1 if end < len(tokens) and tokens[end].text in TO else None
        until = None if second is None or second >= len(tokens) else _decade(tokens, second) or _year(tokens, second)
        if until is not None:
            bounds = (last + 1, until[1]) if word in EXCLUSIVE else (min(first, until[0]), max(last, until[1]))
            return Span(until[2] - place, False, *bounds)
        if word == "from":  # "from the 90s" are the 90s; "from 1990 on" is what came since.
            if end >= len(tokens) or tokens[end].text not in ON:
                return Span(end - place, False, first, last)
            end += 1
    return _opened((first, last, end), place, is_low=word in FROM, is_strict=word in EXCLUSIVE)


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
        count = 0 if text[tokens[end - 1].end :][:1] == "+" else 1 if tokens[end].text in ONWARD else 2
        return _opened((first, last, end + count), place, is_low=is_low, is_strict=False)
    if end < len(tokens):
        is_to = tokens[end].text in TO or (tokens[end].text in AND and _is_between(tokens, place))
        following = end + 1 if is_to else end
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
    if words and words[0] in ONWARD:
        return True
    if len(words) < 2 or words[0] not in OR:
        return None
    at = _past_fillers(tokens, end + 2)
    if _decade(tokens, at) or _year(tokens, at):  # "2000 or after 2010"
        return None
    return True if words[1] in LATER else False if words[1] in EARLIER else None


def _is_dashed(one: Token, other: Token, text: str) -> bool:
    if one.start == other.start:
        return "/" not in text[one.start : one.end]
    return text[one.end : other.start].strip() in ("-", "–", "—", "…", "..") or other.minus


def _decade(tokens: Sequence[Token], place: int) -> tuple[int, int, int] | None:
    """Return first and last year of the decade at a token, and where it ends."""
    at, part = place, (0, 9)
    if at < len(tokens) and tokens[at].text in PARTS:
        part, at = PARTS[tokens[at].text], _past_fillers(tokens, at + 1)
    at_word = at
    while at_word < len(tokens) and tokens[at_word].text in FILLERS:
        at_word += 1
    if at_word >= len(tokens) or (at_word > at and at == place and not _announces(tokens, at, at_word)):
        return None
    word = tokens[at_word].text
    announced = _is_announced(tokens, at_word)
    first = _decade_of(word, announced or part != (0, 9))
    if first is None:
        return None
    end = at_word + 1
    if end < len(tokens) and tokens[end].text in ("jahre", "jahren", "years"):
        end += 1
    return first + part[0], first + part[1], end


def _announces(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether the words before a decade belong to it: "the 80s", "años 80"."""
    return all(token.text in FILLERS for token in tokens[first:last])


def _is_announced(tokens: Sequence[Token], place: int) -> bool:
    """Whether a number stands after a word that makes decades of numbers, or after others of these: "años 80 y 90"."""
    while place > 1 and tokens[place - 1].text in OR | {","} and _decade_of(tokens[place - 2].text, True) is not None:
        place -= 2
    return place > 0 and tokens[place - 1].text in DECADE_BEFORE


def _decade_of(word: str, announced: bool) -> int | None:
    if (match := LONG.fullmatch(word)) is not None:
        return int(match.group(1))
    short = SHORT.fullmatch(word)
    if short is None and announced:
        short = re.fullmatch(r"(\d0)", word)
    decade = int(short.group(1)) if short else DECADE_WORDS.get(word)
    if decade is None:
        return None
    return 1900 + decade if decade >= 30 else 2000 + decade


def _year(tokens: Sequence[Token], place: int) -> tuple[int, int, int] | None:
    if place < len(tokens) and YEAR.fullmatch(tokens[place].text):
        year = int(tokens[place].text)
        return year, year, place + 1
    return None


def _past_fillers(tokens: Sequence[Token], place: int) -> int:
    while place < len(tokens) and tokens[place].text in FILLERS:
        place += 1
    return place
