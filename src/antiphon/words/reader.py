"""Words read from left to right: what negates or strengthens them is kept until what it is said of comes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.words import particles
from antiphon.words.interpretation import How, Kind, Term
from antiphon.words.lexicon import lexicon
from antiphon.words.numbers import Span, numbers_at
from antiphon.words.tokens import Token, joined
from antiphon.words.vocabulary import LONGEST_PHRASE, Meaning, Vocabulary

if TYPE_CHECKING:
    from antiphon.words.meanings import Meanings


_MODIFIERS = {"mood", "tempo", "loudness", "sound", "genre", "pictures", "years"}
_THINGS = {"instrument", "voice"}
"""Kinds of concepts that are said of the thing named after them: "no loud guitars" asks for no guitars."""
_PART_WEIGHT = 0.7


class Reader:
    """Reads the tokens of a text.

    Attributes
    ----------
    unknown : list of str
        Words that mean nothing here.
    """

    def __init__(
        self, text: str, tokens: Sequence[Token], vocabulary: Vocabulary, meanings: "Callable[[], Meanings | None]"
    ) -> None:
        self._text, self._vocabulary, self._meanings = text, vocabulary, meanings
        self._raw = tokens
        self._tokens = [self._spelt(token) for token in tokens]
        self._found: list[Term] = []
        self._strange: list[Token] = []
        self.unknown: list[str] = []
        self._forget()

    def _spelt(self, token: Token) -> Token:
        """Correct a word that is in no phrase that we know."""
        word = token.text
        if word in particles.KEPT or self._vocabulary.is_word(word) or self._denied(word) is not None:
            return token
        corrected = self._vocabulary.corrected(word)
        return token if corrected is None else replace(token, text=corrected)

    def terms(self) -> list[Term]:
        """Return what the text asks for, in its order, repeats included."""
        place = 0
        while place < len(self._tokens):
            place += self._read(place)
        self._by_meaning()
        return sorted(self._found, key=lambda term: term.start)

    def _read(self, place: int) -> int:
        """Read what starts at a token, and return how many tokens that are."""
        token = self._tokens[place]
        if token.text in particles.PUNCTUATION:
            self._by_meaning()
            self._forget()
            return 1
        if token.minus:
            self._negate(token, lasting=False)
        span = numbers_at(self._tokens, place, self._text)
        if span is not None:
            kind = "tempo" if span.is_tempo else "years"
            return self._add(place, span.count, Meaning(kind, span.name), "whole", span)
        for count in range(min(LONGEST_PHRASE, len(self._tokens) - place), 0, -1):
            words = self._tokens[place : place + count]
            if (effect := lexicon().phrases.get(joined(words))) is not None:
                return self._phrase(effect, token, count)
            meaning = None if count == 1 and words[0].text in particles.SAYING_NOTHING else self._meaning(joined(words))
            if meaning is not None and not (count == 1 and particles.is_particle(token.text)):
                raw = joined(self._raw[place : place + count])
                how: How = "whole" if raw == joined(words) else "spelling"
                return self._add(place, count, meaning, how)
        return self._particle(place) or self._strange_word(place)

    def _meaning(self, phrase: str) -> Meaning | None:
        return self._vocabulary.meaning(phrase)

    def _phrase(self, effect: str, token: Token, count: int) -> int:
        """Do what several words say of what follows, and return how many they are."""
        self._by_meaning()
        if effect == "weakening":
            self._strengthen(token, 0.5)
            return count
        self._forget()
        if effect == "negating":
            self._negate(token, lasting=True)
            self._carried = True
        return count

    def _particle(self, place: int) -> int:
        """Read a word that changes what follows, or says nothing; return how many tokens, 0 if it is neither."""
        token, following = self._tokens[place], self._after(place)
        if token.text in particles.NEGATING and following in particles.ONLY:  # "not only drums"
            return 2
        if particles.compares_nothing(self._tokens, place):
            return self._pass_over(place)
        if (surely := particles.compared_away(self._tokens, place)) is not None:
            self._phrase("negating", token, 1)
            self._weight = surely
        elif self._negated and token.text in particles.NEGATING and self._before(place) in particles.ADVERBIAL:
            self._phrase("granting", token, 1)  # "not not drums"
        elif token.text in particles.NEGATING:
            self._by_meaning()
            self._negate(token, lasting=True)
            self._carried, self._adverbial = True, token.text in particles.ADVERBIAL
        elif token.text in particles.TURNING:
            self._phrase("turning", token, 1)
        elif token.text in particles.LESS:
            self._negate(token, lasting=False)
            self._weight = particles.LESS[token.text]
        elif token.text in particles.STRENGTHS:
            if not particles.is_compared(self._tokens, place):
                self._strengthen(token, particles.STRENGTHS[token.text])
        elif token.text in particles.JOINING:
            self._by_meaning()
        else:
            return 1 if token.text in particles.SAYING_NOTHING else 0
        return 1

    def _pass_over(self, place: int) -> int:
        """Pass over "than Friday" after "newer", all of which means nothing; return how many tokens."""
        end = place + 1
        while end < len(self._tokens) and self._tokens[end].text in particles.SAYING_NOTHING:
            end += 1
        while self._goes_on(end):
            end += 1
        comparative, self._strange = self._strange[-1:], self._strange[:-1]
        self._by_meaning()
        self._forget()
        passed = (*comparative, *self._raw[place + 1 : end])
        self.unknown += [one.text for one in passed if one.text not in particles.SAYING_NOTHING]
        return end - place

    def _strengthen(self, token: Token, factor: float) -> None:
        self._start = token.start if self._start is None else self._start
        self._weight *= factor
        self._carried = self._carried and not self._adverbial  # "not too fast piano" may be a piano

    def _denied(self, word: str) -> Meaning | None:
        """Return what a word says to be absent by its ending, as "drumless" does."""
        return next(filter(None, map(self._meaning, particles.stems_denied(word))), None)

    def _strange_word(self, place: int) -> int:
        """Keep a word that is not known, unless a part of it is."""
        token = self._raw[place]
        if (denied := self._denied(token.text)) is not None:
            self._negate(token, lasting=False)
            return self._add(place, 1, denied, "whole")
        part = self._vocabulary.part(token.text)
        meaning = None if part is None else self._meaning(part)
        if meaning is not None:
            self._weight *= _PART_WEIGHT
            return self._add(place, 1, meaning, "part")
        self._strange.append(token)
        return 1

    def _by_meaning(self, *, described: bool = False) -> None:
        """Look for what is near the words in a row that are not known; they may describe what follows.

        Then a negation stays for that: "without boring drums".
        """
        tokens, self._strange = self._strange, []
        if not tokens:
            return
        phrase = joined(tokens)
        meanings = self._meanings()
        names = {} if meanings is None else meanings.nearest(phrase)
        if names:
            start, end = tokens[0].start, tokens[-1].end
            self._found.append(self._term(start, end, Meaning("alike", phrase), "meaning", names=names))
            if described and self._lasting:
                self._start, self._weight = None, 1.0
            else:
                self._forget()
        else:
            self.unknown += [self._text[token.start : token.end] for token in tokens]

    def _negate(self, token: Token, *, lasting: bool) -> None:
        self._negated, self._lasting = True, lasting
        self._denied_from = token.start if self._denied_from is None else self._denied_from
        self._start = token.start if self._start is None else self._start

    def _forget(self) -> None:
        self._negated, self._lasting, self._carried, self._adverbial = False, False, False, False
        self._weight, self._modifier = 1.0, ""
        self._start: int | None = None
        self._denied_from: int | None = None

    def _add(
        self,
        place: int,
        count: int,
        meaning: Meaning,
        how: How,
        span: Span | None = None,
    ) -> int:
        """Add what some tokens mean, and return how many tokens belong to it."""
        what = lexicon().concepts[meaning.name].kind if meaning.kind == "concept" else meaning.kind
        self._by_meaning(described=what in _THINGS)
        if self._modifier == "genre" and what not in _THINGS:  # "no metal guitar", but "no metal sad piano"
            self._forget()
        if what not in ("years", "tempo") and (freed := self._freed(place + count)):
            self._negate(self._tokens[place], lasting=False)
            count += freed
        first, last = self._tokens[place], self._tokens[place + count - 1]
        modifies = self._carried and what in _MODIFIERS and self._goes_on(place + count)
        stays = self._lasting and (modifies or self._after(place + count - 1) in particles.JOINING)
        if stays:  # "without drums and vocals": the first can be removed, and "without" stays
            self._start = None
        self._found.append(self._term(first.start, last.end, meaning, how, span))
        if stays:
            self._weight, self._modifier = 1.0, what if modifies else ""
        else:
            self._forget()
        return count

    def _before(self, place: int) -> str:
        return self._tokens[place - 1].text if place else ""

    def _after(self, place: int) -> str:
        return self._tokens[place + 1].text if place + 1 < len(self._tokens) else ""

    def _freed(self, place: int) -> int:
        """Count the words that say that what stands before them is absent: "drum-free", but no "drums, free jazz"."""
        phrase = lexicon().phrases.get(joined(self._tokens[place : place + 2]))
        if phrase is not None:  # "not wanted", but "free of" is said of what follows
            return 2 if phrase == "freeing" else 0
        if place < len(self._tokens) and particles.is_ending(self._tokens[place - 1], self._tokens[place]):
            return 1  # "sad-less"
        if self._after(place - 1) not in particles.FREE:
            return 0
        return int(self._meaning(f"{self._tokens[place].text} {self._after(place)}") is None)

    def _goes_on(self, place: int) -> bool:
        """Whether the thought goes on at a token with what is named next."""
        token = self._tokens[place] if place < len(self._tokens) else None
        return token is not None and not token.minus and not particles.ends_scope(token.text)

    def _term(
        self,
        start: int,
        end: int,
        meaning: Meaning,
        how: How,
        span: Span | None = None,
        names: Mapping[str, float] | None = None,
    ) -> Term:
        start = start if self._start is None else min(start, self._start)
        return Term(
            text=self._text[start:end],
            start=start,
            end=end,
            kind=KINDS[meaning.kind],
            name=meaning.name,
            wanted=not self._negated,
            weight=self._weight,
            how=how,
            min_value=None if span is None else span.low,
            max_value=None if span is None else span.high,
            names=names or {},
            denied_from=self._denied_from if self._negated else None,
            exact=meaning.exact,
        )


KINDS: Mapping[str, Kind] = {
    "concept": "concept",
    "tag": "tag",
    "genre": "genre",
    "artist": "artist",
    "title": "title",
    "years": "years",
    "tempo": "tempo",
    "alike": "alike",
}
