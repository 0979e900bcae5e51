"""Rhythms as tables: how a bass line, an accompaniment or a drum kit fills one bar of sixteenths."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from antiphon.synthetic.styles import SongStyle
from antiphon.synthetic.timeline import Section, Timeline

CompRhythm = list[tuple[int, float, int | None, float]]
"""Steps of an accompaniment: step, length in steps, voice of the chord (None = all of it), velocity."""

BassLine = list[tuple[int, float, int, float]]
"""Steps of a bass line: step, length in steps, scale degrees above the chord's root, velocity."""


def _all(steps: tuple[int, ...], length: float, accent_every: int = 8) -> CompRhythm:
    return [(step, length, None, 1.0 if step % accent_every == 0 else 0.72) for step in steps]


def _voices(voices: tuple[int, ...], every: int, length: float) -> CompRhythm:
    return [(place * every, length, voice, 0.9 if place % 4 == 0 else 0.7) for place, voice in enumerate(voices)]


def _degrees(degrees: tuple[int, ...], every: int, length: float) -> BassLine:
    return [(place * every, length, degree, 1.0 if place % 4 == 0 else 0.8) for place, degree in enumerate(degrees)]


COMP_RHYTHMS: dict[str, CompRhythm] = {
    "stabs": _all((0, 3, 6, 10, 13), 1.6),
    "charleston": _all((0, 6, 12), 2.2),
    "block": _all((0, 8), 7.5),
    "power": _all((0, 2, 4, 6, 8, 10, 12, 14), 1.9),
    "gallop": _all((0, 2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15), 1.0, accent_every=4),
    "strum": _all((0, 4, 6, 8, 10, 12, 14), 3.0),
    "skank": _all((4, 12), 1.2, accent_every=4),
    "arpeggio": _voices((0, 1, 2, 3, 4, 3, 2, 1), 2, 4.0),
    "sequence": _voices((0, 2, 1, 0, 3, 0, 2, 4, 0, 1, 2, 0, 3, 1, 0, 2), 1, 0.9),
    "picking": _voices((0, 3, 2, 4, 1, 3, 2, 4), 2, 5.0),
    "bells": [(0, 12.0, 3, 0.8), (5, 10.0, 4, 0.6), (10, 10.0, 5, 0.5)],
}

BASS_LINES: dict[str, BassLine] = {
    "offbeat": [(2, 1.8, 0, 1.0), (6, 1.8, 0, 0.9), (10, 1.8, 0, 1.0), (14, 1.8, 4, 0.8)],
    "syncopated": [(0, 2.8, 0, 1.0), (3, 1.5, 0, 0.8), (6, 2.0, 4, 0.9), (10, 3.0, 0, 0.9), (14, 1.8, 6, 0.7)],
    "sixteenths": [(step, 0.8, 0, 0.65 if step % 4 == 0 else 1.0) for step in range(16)],
    "pulse": [
        (2, 1.6, 0, 1.0),
        (3, 0.8, 0, 0.7),
        (6, 1.6, 0, 1.0),
        (10, 1.6, 0, 1.0),
        (11, 0.8, 0, 0.7),
        (14, 1.6, 0, 1.0),
    ],
    "eight-oh-eight": [(0, 6.5, 0, 1.0), (7, 2.5, 0, 0.8), (10, 5.5, 0, 0.95)],
    "octaves": _degrees((0, 7, 0, 7, 0, 7, 0, 7), 2, 1.7),
    "eighths": _degrees((0, 0, 0, 0, 0, 0, 0, 4), 2, 1.9),
    "root-fifth": [(0, 7.0, 0, 1.0), (8, 5.0, 4, 0.9)],
    "gallop": [(step, 0.9, 0, 1.0 if step % 4 == 0 else 0.8) for step in (0, 2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15)],
    "long": [(0, 14.0, 0, 1.0)],
    "walking": _degrees((0, 2, 4, 1), 4, 3.8),
    "dub": [(0, 3.0, 0, 1.0), (6, 1.8, 2, 0.8), (8, 2.5, 4, 0.95), (12, 1.6, 0, 0.85), (14, 1.6, 2, 0.8)],
    "drone": [(0, 16.5, 0, 1.0)],
}

DRUM_PATTERNS: dict[str, dict[str, str]] = {
    "none": {},
    "four": {
        "kick": "x...x...x...x...",
        "clap": "....x.......x...",
        "hat": "..x...x...x...x.",
        "shaker": "o.o.o.o.o.o.o.oo",
    },
    "four-open": {
        "kick": "x...x...x...x...",
        "clap": "....x.......x..o",
        "open hat": "..x...x...x...x.",
        "hat": "o..oo..oo..oo..o",
    },
    "four-hard": {
        "kick": "x...x...x...x...",
        "hat": "oooooooooooooooo",
        "open hat": "..x...x...x...x.",
        "clap": "............x...",
    },
    "four-broken": {
        "kick": "x...x...x..x..x.",
        "hat": "o.xoo.xoo.xoo.xo",
        "rim": "...x..x....x..x.",
        "clap": "....x.......x...",
    },
    "boom-bap": {"kick": "x..o...x..x.....", "snare": "....x.......x..o", "hat": "x.o.x.o.x.o.x.o."},
    "trap": {
        "kick": "x......x..x.....",
        "clap": "........x.......",
        "hat": "x.x.x.xxx.x.xoxo",
        "open hat": "..............x.",
    },
    "backbeat-electronic": {
        "kick": "x.....x.x.......",
        "snare": "....x.......x...",
        "hat": "x.x.x.x.x.x.x.x.",
        "clap": "....x.......x...",
    },
    "backbeat": {"kick": "x.....x.x.x.....", "snare": "....x.......x...", "hat": "x.o.x.o.x.o.x.o."},
    "backbeat-driving": {
        "kick": "x..x..x.x..x..x.",
        "snare": "....x.......x...",
        "ride": "x...x...x...x...",
        "hat": "..o...o...o...o.",
    },
    "double-kick": {"kick": "xoxoxoxoxoxoxoxo", "snare": "....x.......x...", "ride": "x.x.x.x.x.x.x.x."},
    "soft": {"kick": "x.........o.....", "rim": "........x.......", "hat": "o.o.o.o.o.o.o.o."},
    "waltz-soft": {"kick": "x...........", "rim": "....o...o...", "hat": "..o...o...o."},
    "shaker": {"kick": "x.......x.......", "shaker": "o.xoo.xoo.xoo.xo"},
    "swing-ride": {
        "ride": "x...x.o.x...x.o.",
        "hat": "....x.......x...",
        "kick": "o.......o.......",
        "snare": "..........o.....",
    },
    "swing-brushes": {"shaker": "x...x.o.x...x.o.", "hat": "....x.......x...", "snare": "......o.......o."},
    "one-drop": {"kick": "........x.......", "rim": "........x.......", "hat": "o.x.o.x.o.x.o.xo"},
    "steppers": {"kick": "x...x...x...x...", "rim": "........x.....o.", "hat": "..x...x...x...x."},
}
"""One bar of each drum: x is a hit, o a soft one. Twelve steps make a bar of three beats."""


_SILENT = {"intro": {"kick", "snare", "clap", "rim"}, "bridge": {"kick", "snare", "open hat"}}
"""Drums that rest in each kind of section."""

_FILL = ((8, "tom"), (10, "tom"), (12, "snare"), (13, "tom"), (14, "snare"), (15, "tom"))


class DrumHit(NamedTuple):
    """One stroke of one drum.

    Attributes
    ----------
    start_s : float
        Seconds from the start of the song.
    drum : str
        Name of the drum.
    velocity : float
        Loudness in [0, 1].
    """

    start_s: float
    drum: str
    velocity: float


def drum_hits(
    style: SongStyle,
    timeline: Timeline,
    time_s: Callable[[int, float], float],
    random: np.random.Generator,
) -> list[DrumHit]:
    """Write the drums of a whole song.

    Parameters
    ----------
    style : SongStyle
        Style of the song.
    timeline : Timeline
        Beats and sections.
    time_s : callable
        Maps bar and step to seconds.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of DrumHit
        Hits; empty where the style has no drums.
    """
    pattern = DRUM_PATTERNS[style.drums]
    lively = style.traits.energy > 0.45
    hits: list[DrumHit] = []
    for section in timeline.sections if pattern else ():
        if section.kind == "chorus" and lively:
            hits.append(DrumHit(time_s(section.first_bar, 0), "crash", 0.8))
        for bar in range(section.first_bar, section.last_bar):
            fill = bar == section.last_bar - 1 and bar > section.first_bar and lively
            for drum, steps in pattern.items():
                if drum in _SILENT.get(section.kind, ()):
                    continue
                hits += _bar_of(drum, steps[:8] if fill else steps, bar, section, time_s, random)
            if fill and len(next(iter(pattern.values()))) == 16:
                hits += [DrumHit(time_s(bar, step), drum, 0.55 + 0.03 * step) for step, drum in _FILL]
    return sorted(hits)


def _bar_of(
    drum: str,
    steps: str,
    bar: int,
    section: Section,
    time_s: Callable[[int, float], float],
    random: np.random.Generator,
) -> list[DrumHit]:
    loudness = {"x": 1.0, "o": 0.5}
    touch = 1 + 0.08 * random.standard_normal(len(steps))
    return [
        DrumHit(time_s(bar, step), drum, float(loudness[mark] * touch[step]) * section.level**0.5)
        for step, mark in enumerate(steps)
        if mark != "."
    ]
