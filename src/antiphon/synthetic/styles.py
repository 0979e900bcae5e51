"""Artists and songs: a song's style is drawn from its genre, its artist's leanings and itself."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from antiphon.seeding import generator
from antiphon.synthetic.genres import GENRES, SCALES, Genre, Traits

ARTIST_SPREAD = 0.09
SONG_SPREAD = 0.12
LOYALTY = 0.65
"""How probably a song keeps to its artist's favourite instrument, mode or drum pattern."""

FORMS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("intro", 1), ("verse", 3), ("chorus", 3), ("verse", 2), ("chorus", 3)),
    (("intro", 1), ("verse", 3), ("chorus", 3), ("bridge", 2), ("chorus", 3)),
    (("chorus", 2), ("verse", 3), ("chorus", 3), ("bridge", 2), ("chorus", 2)),
    (("intro", 2), ("verse", 3), ("bridge", 2), ("chorus", 5)),
    (("verse", 4), ("chorus", 3), ("verse", 3), ("chorus", 3)),
)
"""Sections of a song and their relative lengths."""


@dataclass(frozen=True)
class SongStyle:
    """All that a song is composed, synthesised and, as far as they follow it, pictured from.

    `key` is the tonic's pitch class from C = 0, `tempo_bpm` counts quarter notes, `form` indexes `FORMS`.
    """

    genre: Genre
    artist: str
    title: str
    year: int
    tempo_bpm: float
    key: int
    mode: str
    form: int
    drums: str
    bass_line: str
    comp_rhythm: str
    progression: str
    lead: str
    comp: str
    bass: str
    pad: str
    traits: Traits

    @property
    def beats_per_bar(self) -> int:
        return 3 if self.drums.startswith("waltz") else 4

    @property
    def is_bright_mode(self) -> bool:
        """Whether the mode has a major third."""
        return SCALES[self.mode][2] == 4

    @property
    def warmth(self) -> float:
        """How warm the song feels, in [0, 1]: acoustic or overdriven instruments and a major third are."""
        return 0.55 * self.traits.acoustic + 0.25 * self.is_bright_mode + 0.2 * self.traits.dirt


def draw_song(seed: int, index: int, songs_per_artist: int) -> SongStyle:
    """The style of song `index` of the catalogue of `seed`."""
    return song_style(seed, "song", index // songs_per_artist, index)


def draw_stranger(seed: int, index: int) -> SongStyle:
    """A song that nobody plays: what the pictures of video `index` follow where they don't follow its own song.

    It has an artist of its own, so that two videos of one artist share nothing through it.
    """
    random = generator(seed, "stranger", index)
    return song_style(seed, "stranger", int(random.integers(2**31)), index)


def song_style(seed: int, role: str, artist: int, song: int) -> SongStyle:
    """Draw a style: genre from the artist's number, then what the artist leans to, then the song."""
    genre = GENRES[_genre_order(seed, role, artist // len(GENRES))[artist % len(GENRES)]]
    leaning = generator(seed, role, "artist", artist)
    random = generator(seed, role, "style", song)
    offsets = leaning.normal(0, ARTIST_SPREAD, 6) + random.normal(0, SONG_SPREAD, 6)
    traits = Traits(*(float(np.clip(mean + by, 0, 1)) for mean, by in zip(astuple(genre.traits), offsets, strict=True)))

    def choose(options: Sequence[str]) -> str:
        favourite = options[int(leaning.integers(len(options)))]
        other = options[int(random.integers(len(options)))]
        return favourite if random.random() < LOYALTY else other

    low, high = genre.tempo_bpm
    pace = float(np.clip(0.5 + 1.6 * (traits.energy - genre.traits.energy) + random.normal(0, 0.16), 0, 1))
    first, last = genre.years
    year = float(np.clip(leaning.uniform(first, last) + random.normal(0, 2), first, last))
    return SongStyle(
        genre=genre,
        artist=artist_name(leaning),
        title=song_title(random),
        year=round(year),
        tempo_bpm=round(low + (high - low) * pace, 1),
        key=int(random.integers(12)),
        mode=choose(genre.modes),
        form=int(random.integers(len(FORMS))),
        drums=choose(genre.drums),
        bass_line=choose(genre.bass_lines),
        comp_rhythm=choose(genre.comp_rhythms),
        progression=choose(genre.progressions),
        lead=choose(genre.leads),
        comp=choose(genre.comps),
        bass=choose(genre.basses),
        pad=choose(genre.pads),
        traits=traits,
    )


def _genre_order(seed: int, role: str, block: int) -> list[int]:
    """Genres come round once in every block of artists, so that a small catalogue has them all."""
    return generator(seed, role, "genres", block).permutation(len(GENRES)).tolist()


_ONSETS = ("b", "br", "d", "dr", "f", "fl", "g", "gl", "h", "k", "l", "m", "n", "p", "r", "s", "sk", "t", "v", "z")
_NUCLEI = ("a", "e", "i", "o", "u", "ae", "oa", "ei")
_CODAS = ("", "", "", "l", "m", "n", "r", "s", "sh", "x")
_ENSEMBLES = ("{}", "{}", "{} {}", "The {}s", "{} & {}", "{} Trio", "DJ {}", "{} Collective")
_TITLES = ("{}", "{} {}", "{} in {}", "{} No. {n}", "Oh {}", "{}, {}")


def artist_name(random: np.random.Generator) -> str:
    """A band or person that does not exist."""
    return _fill(_ENSEMBLES[random.integers(len(_ENSEMBLES))], random)


def song_title(random: np.random.Generator) -> str:
    """A title in no language."""
    return _fill(_TITLES[random.integers(len(_TITLES))], random)


def _fill(pattern: str, random: np.random.Generator) -> str:
    return pattern.format(_word(random), _word(random), n=random.integers(2, 40))


def _word(random: np.random.Generator) -> str:
    def pick(parts: tuple[str, ...]) -> str:
        return parts[random.integers(len(parts))]

    syllables = [pick(_ONSETS) + pick(_NUCLEI) for _ in range(random.integers(2, 4))]
    return ("".join(syllables) + pick(_CODAS)).capitalize()
