"""When things happen in a song: beats, bars and sections, all that the pictures may know of its score."""

from dataclasses import dataclass

import numpy as np

from antiphon.synthetic.styles import FORMS, SongStyle

_LEVELS = {"intro": 0.5, "verse": 0.72, "chorus": 1.0, "bridge": 0.55}


@dataclass(frozen=True)
class Section:
    """A verse, chorus, bridge or intro: bars from `first_bar` up to `last_bar`, and how loud it is in [0, 1]."""

    kind: str
    first_bar: int
    last_bar: int
    level: float


@dataclass(frozen=True)
class Timeline:
    """The beat grid and the sections of a song of `duration_s`."""

    duration_s: float
    beat_s: float
    beats_per_bar: int
    sections: tuple[Section, ...]

    @property
    def bar_s(self) -> float:
        return self.beat_s * self.beats_per_bar

    def section_at(self, time_s: float) -> Section:
        """The section that sounds at `time_s`; the last one goes on to the end."""
        bar = int(time_s / self.bar_s + 1e-6)
        return next((section for section in self.sections if bar < section.last_bar), self.sections[-1])


def lay_out(style: SongStyle, duration_s: float) -> Timeline:
    """Divide `duration_s` into the sections of the song's form, whole bars each."""
    beat_s = 60 / style.tempo_bpm
    bars = int(np.ceil(duration_s / (beat_s * style.beats_per_bar)))
    form = FORMS[style.form]
    ends = np.cumsum([share for _, share in form])
    last_bars = np.maximum(np.round(ends / ends[-1] * bars), np.arange(1, len(form) + 1)).astype(int)
    last_bars[-1] = max(bars, last_bars[-1])
    contrast = 1.25 - 0.5 * style.traits.density
    sections = tuple(
        Section(kind, int(first), int(last), 1 - (1 - _LEVELS[kind]) * contrast)
        for (kind, _), first, last in zip(form, [0, *last_bars[:-1]], last_bars, strict=True)
    )
    return Timeline(duration_s, beat_s, style.beats_per_bar, sections)
