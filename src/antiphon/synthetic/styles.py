"""Artists and songs: a song's style is drawn from its genre, its artist's preferences and itself."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from antiphon.seeding import generator
from antiphon.synthetic.genres import GENRES, SCALES, Genre, Traits

ARTIST_SPREAD = 0.09
SONG_SPREAD = 0.12
LOYALTY = 0.65
"""Probability that a song uses its artist's favourite instrument, mode or drum pattern."""

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
    """Style of a song, which its arrangement and audio, and as far as they follow it its visuals, depend on.

    Attributes
    ----------
    genre : Genre
        Genre of the artist.
    artist, title, year : str
        Metadata.
    tempo_bpm : float
        Quarter notes per minute.
    key : int
        Pitch class of the tonic, from C = 0.
    mode : str
        Name of the mode.
    form : int
        Index into `FORMS`.
    drums, bass_line, comp_rhythm, progression : str
        Patterns by name.
    lead, comp, bass, pad : str
        Instruments by name.
    traits : Traits
        Continuous character.
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
        """Beats per bar."""
        return 3 if self.drums.startswith("waltz") else 4

    @property
    def is_bright_mode(self) -> bool:
        """True if the mode has a major third."""
        return SCALES[self.mode][2] == 4

    @property
    def warmth(self) -> float:
        """Warmth of the song in [0, 1]: high for acoustic or overdriven instruments and a major third."""
        return 0.55 * self.traits.acoustic + 0.25 * self.is_bright_mode + 0.2 * self.traits.dirt


def draw_song(seed: int, index: int, songs_per_artist: int) -> SongStyle:
    """Draw the style of a song of the catalogue.

    Parameters
    ----------
    seed : int
        Seed of the catalogue.
    index : int
        Number of the song.
    songs_per_artist : int
        Consecutive songs by one artist.

    Returns
    -------
    SongStyle
        Style of the song.
    """
    return song_style(seed, "song", index // songs_per_artist, index)


def draw_stranger(seed: int, index: int) -> SongStyle:
    """Draw a song that nobody plays, which a video follows where it does not follow its own song.

    It has an artist of its own, so that two videos of one artist share nothing through it.

    Parameters
    ----------
    seed : int
        Seed of the catalogue.
    index : int
        Number of the video.

    Returns
    -------
    SongStyle
        Style of the song.
    """
    random = generator(seed, "stranger", index)
    return song_style(seed, "stranger", int(random.integers(2**31)), index)


def song_style(seed: int, role: str, artist: int, song: int) -> SongStyle:
    """Draw a style: genre from the artist's number, then the artist's preferences, then the song.

    Parameters
    ----------
    seed : int
        Seed of the catalogue.
    role : str
        Songs that are heard, or others.
    artist, song : int
        Numbers of artist and song.

    Returns
    -------
    SongStyle
        Style of the song.
    """
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
    """Return the genres of a block of artists, each once, so that a small catalogue has them all."""
    return generator(seed, role, "genres", block).permutation(len(GENRES)).tolist()


_ONSETS = ("b", "br", "d", "dr", "f", "fl", "g", "gl", "h", "k", "l", "m", "n", "p", "r", "s", "sk", "t", "v", "z")
_NUCLEI = ("a", "e", "i", "o", "u", "ae", "oa", "ei")
_CODAS = ("", "", "", "l", "m", "n", "r", "s", "sh", "x")
_ENSEMBLES = ("{}", "{}", "{} {}", "The {}s", "{} & {}", "{} Trio", "DJ {}", "{} Collective")
_TITLES = ("{}", "{} {}", "{} in {}", "{} No. {n}", "Oh {}", "{}, {}")


def artist_name(random: np.random.Generator) -> str:
    """Invent a band or person.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    str
        Name.
    """
    return _fill(_ENSEMBLES[random.integers(len(_ENSEMBLES))], random)


def song_title(random: np.random.Generator) -> str:
    """Invent a title in no language.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    str
        Title.
    """
    return _fill(_TITLES[random.integers(len(_TITLES))], random)


def _fill(pattern: str, random: np.random.Generator) -> str:
    return pattern.format(_word(random), _word(random), n=random.integers(2, 40))


def _word(random: np.random.Generator) -> str:
    def pick(parts: tuple[str, ...]) -> str:
        return parts[random.integers(len(parts))]

    syllables = [pick(_ONSETS) + pick(_NUCLEI) for _ in range(random.integers(2, 4))]
    return ("".join(syllables) + pick(_CODAS)).capitalize()
