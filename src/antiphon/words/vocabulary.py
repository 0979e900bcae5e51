"""The words that mean something: those of our own table, and those of a catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from antiphon.words import correction
from antiphon.words.lexicon import lexicon, one_spelling
from antiphon.words.tokens import normal

LONGEST_PHRASE = 5
_MAX_WORDS = 20_000
_NEGATING, _SAYING_NOTHING = (lexicon().particles[name] for name in ("negating", "saying_nothing"))

Names = Mapping[str, str]


@dataclass(frozen=True)
class Meaning:
    """What a phrase means: its kind (as `Term.kind`), and the name as our table or the catalogue writes it.

    `exact` is the tag or genre of the catalogue that the phrase is as a whole.
    """

    kind: str
    name: str
    exact: str | None = None


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

        Our own table comes first, beside the genre or tag that the phrase is; then other genres and
        tags, artists, words of an artist, and words of titles.
        """
        label = self._labels.get(one_spelling(phrase))
        concept = lexicon().by_words.get(phrase)
        if concept is not None:
            return Meaning("concept", concept, None if label is None else label.name)
        if label is not None:
            return label
        if phrase in self.artists:
            return Meaning("artist", self.artists[phrase])
        if phrase in self._artist_words:
            return Meaning("artist", phrase)
        if phrase in self._tag_words:
            return Meaning("tag", phrase)
        return Meaning("title", phrase) if phrase in self.title_words else None

    def label(self, text: str) -> Meaning | None:
        """Return the tag or genre that a text is as a whole, however many words it has; None if it is none."""
        return self._labels.get(one_spelling(normal(text)))

    @cached_property
    def _labels(self) -> Mapping[str, Meaning]:
        """Genres, then tags, by the first of their spellings."""
        found: dict[str, Meaning] = {}
        for kind, names in (("genre", self.genres), ("tag", self.tags)):
            for name, written in names.items():
                found.setdefault(one_spelling(name), Meaning(kind, written, written))
        return found

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
        """Return the known word that a misspelt one stands for; None if none is near. See `correction.corrected`."""
        return correction.corrected(word, self._by_length, _inflected())

    def part(self, word: str) -> str | None:
        """Return the phrase of our table or of the catalogue's tags that is a part of a word, or the reverse.

        Such as "klavier" of "klaviermusik", or "acoustic" of "acou". Whole words come before: ask for `meaning` first.
        """
        phrases = (*lexicon().by_words, *self.genres, *self.tags)
        return correction.part(word, phrases, lambda rest: rest in _SAYING_NOTHING or self.meaning(rest) is not None)


@cache
def _inflected() -> frozenset[str]:
    """Return words of our table that stand there as inflections alone."""
    own = {word for concept in lexicon().concepts.values() for phrase in concept.words for word in phrase.split()}
    return frozenset(word for phrase in lexicon().by_words for word in phrase.split() if word not in own)


def _denies(name: str) -> bool:
    """Whether a tag is read as what is to be absent, as "no vocals" is; "no wave" is a genre."""
    first, _, rest = name.partition(" ")
    return first in _NEGATING and (not rest or rest in lexicon().by_words)
