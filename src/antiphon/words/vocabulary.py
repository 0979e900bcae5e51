"""The words that mean something: those of our own table, and those of a catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from antiphon.spelling import edits
from antiphon.words.lexicon import lexicon
from antiphon.words.tokens import normal

LONGEST_PHRASE = 5
_SHORTEST_CORRECTED, _LONG_WORD = 4, 8
_SHORTEST_PART = 4
_MAX_WORDS = 20_000
_NEGATING = lexicon().particles["negating"]

Names = Mapping[str, str]


@dataclass(frozen=True)
class Meaning:
    """What a phrase means: its kind (as `Term.kind`), and the name as our table or the catalogue writes it."""

    kind: str
    name: str


@dataclass(frozen=True)
class Vocabulary:
    """The words of a catalogue.

    Attributes
    ----------
    tags, genres, artists : mapping of str to str
        Names as they are written, by their normalised form.
    title_words : frozenset of str
        Single words of titles.
    """

    tags: Names = field(default_factory=dict[str, str])
    genres: Names = field(default_factory=dict[str, str])
    artists: Names = field(default_factory=dict[str, str])
    title_words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> "Vocabulary":
        """Collect the words of the rows of a catalogue."""
        tags: dict[str, str] = {}
        genres: dict[str, str] = {}
        artists: dict[str, str] = {}
        title_words: set[str] = set()
        for row in rows:
            for tag in row.get("tags") or ():
                name = normal(tag)
                if not _denies(name):
                    tags.setdefault(name, tag)
            for name, found in (("genre", genres), ("artist", artists)):
                if row.get(name):
                    found.setdefault(normal(row[name]), row[name])
            title_words.update(normal(row.get("title") or "").split())
        for names in (tags, genres, artists):
            names.pop("", None)
        return cls(tags, genres, artists, frozenset(title_words))

    def meaning(self, phrase: str) -> Meaning | None:
        """Return what a normalised phrase means as a whole; None if nothing.

        Our own table comes first, since it knows the tag of the same name too; then genres, tags, artists, words of an
        artist, and words of titles.
        """
        concept = lexicon().by_words.get(phrase)
        if concept is not None:
            return Meaning("concept", concept)
        for kind, names in (("genre", self.genres), ("tag", self.tags), ("artist", self.artists)):
            if phrase in names:
                return Meaning(kind, names[phrase])
        if phrase in self._artist_words:
            return Meaning("artist", phrase)
        if phrase in self._tag_words:
            return Meaning("tag", phrase)
        return Meaning("title", phrase) if phrase in self.title_words else None

    @cached_property
    def _artist_words(self) -> frozenset[str]:
        return frozenset(word for name in self.artists for word in name.split() if len(word) > 1)

    @cached_property
    def _tag_words(self) -> frozenset[str]:
        return frozenset(word for name in (*self.tags, *self.genres) for word in name.split() if len(word) > 2)

    @cached_property
    def _by_length(self) -> Mapping[int, tuple[str, ...]]:
        """Single words by length, our own and those of tags and genres first; at most 20,000."""
        ours = {word for phrase in lexicon().by_words for word in phrase.split()}
        known = dict.fromkeys([*sorted(ours), *sorted(self._tag_words), *sorted(self._artist_words)])
        lengths: defaultdict[int, list[str]] = defaultdict(list)
        for word in list(known)[:_MAX_WORDS]:
            lengths[len(word)].append(word)
        return {length: tuple(words) for length, words in lengths.items()}

    def is_word(self, word: str) -> bool:
        """Whether a single word stands alone or in a phrase of our table, a tag, a genre, an artist or a title."""
        return any(word in words for words in (self._known, self.title_words))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(word for words in self._by_length.values() for word in words)

    def corrected(self, word: str) -> str | None:
        """Return the known word that a misspelt one stands for; None if none is near.

        A word of four to seven letters may have one wrong, a longer one two; the first letter is right.
        """
        if len(word) < _SHORTEST_CORRECTED or not word.isalpha():
            return None
        most = 1 if len(word) < _LONG_WORD else 2
        near = [
            (count, abs(len(known) - len(word)), known)
            for length in range(len(word) - most, len(word) + most + 1)
            for known in self._by_length.get(length, ())
            if known[0] == word[0] and len(set(known) ^ set(word)) <= 2 * most and (count := edits(word, known)) <= most
        ]
        return min(near)[2] if near else None

    def part(self, word: str) -> str | None:
        """Return the longest phrase of our table or the catalogue's tags that a word begins, or that begins it.

        Such as "klavier" of "klaviermusik", or "acoustic" of "acou". Whole words come before: ask for `meaning` first.
        """
        if len(word) < _SHORTEST_PART:
            return None
        phrases = [*lexicon().by_words, *self.genres, *self.tags]
        within = [phrase for phrase in phrases if len(phrase) >= _SHORTEST_PART and word.startswith(phrase)]
        if within:
            return max(within, key=len)
        begun = [phrase for phrase in phrases if " " not in phrase and phrase.startswith(word)]
        return min(begun, key=lambda phrase: (len(phrase), phrase)) if begun else None


def _denies(name: str) -> bool:
    """Whether a tag is read as what is to be absent, as "no vocals" is; "no wave" is a genre."""
    first, _, rest = name.partition(" ")
    return first in _NEGATING and (not rest or rest in lexicon().by_words)
