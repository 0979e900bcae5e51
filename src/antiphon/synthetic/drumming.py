"""The drum part: a pattern through the sections, thinned out where the song is low, with fills and crashes."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from antiphon.synthetic.patterns import DRUM_PATTERNS
from antiphon.synthetic.styles import SongStyle
from antiphon.synthetic.timeline import Section, Timeline

_SILENT = {"intro": {"kick", "snare", "clap", "rim"}, "bridge": {"kick", "snare", "open hat"}}
"""Which drums rest where."""

_FILL = ((8, "tom"), (10, "tom"), (12, "snare"), (13, "tom"), (14, "snare"), (15, "tom"))


class Hit(NamedTuple):
    """One stroke of one drum, with a loudness in [0, 1]."""

    start_s: float
    drum: str
    velocity: float


def drum_hits(
    style: SongStyle,
    timeline: Timeline,
    time_s: Callable[[int, float], float],
    random: np.random.Generator,
) -> list[Hit]:
    """The hits of the whole song; none where the style has no drums. `time_s` maps bar and step to seconds."""
    pattern = DRUM_PATTERNS[style.drums]
    lively = style.traits.energy > 0.45
    hits: list[Hit] = []
    for section in timeline.sections if pattern else ():
        if section.kind == "chorus" and lively:
            hits.append(Hit(time_s(section.first_bar, 0), "crash", 0.8))
        for bar in range(section.first_bar, section.last_bar):
            fill = bar == section.last_bar - 1 and bar > section.first_bar and lively
            for drum, steps in pattern.items():
                if drum in _SILENT.get(section.kind, ()):
                    continue
                hits += _bar_of(drum, steps[:8] if fill else steps, bar, section, time_s, random)
            if fill and len(next(iter(pattern.values()))) == 16:
                hits += [Hit(time_s(bar, step), drum, 0.55 + 0.03 * step) for step, drum in _FILL]
    return sorted(hits)


def _bar_of(
    drum: str,
    steps: str,
    bar: int,
    section: Section,
    time_s: Callable[[int, float], float],
    random: np.random.Generator,
) -> list[Hit]:
    loudness = {"x": 1.0, "o": 0.5}
    touch = 1 + 0.08 * random.standard_normal(len(steps))
    return [
        Hit(time_s(bar, step), drum, float(loudness[mark] * touch[step]) * section.level**0.5)
        for step, mark in enumerate(steps)
        if mark != "."
    ]
