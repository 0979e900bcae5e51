"""Timeline of a song: beats, bars and sections, which is all that the video may know of its arrangement."""

from dataclasses import dataclass

import numpy as np

from antiphon.synthetic.styles import FORMS, SongStyle

_LEVELS = {"intro": 0.5, "verse": 0.72, "chorus": 1.0, "bridge": 0.55}


@dataclass(frozen=True)
class Section:
    """Verse, chorus, bridge or intro.

    Attributes
    ----------
    kind : str
        Kind of section.
    first_bar, last_bar : int
        Bars from the first up to, but not including, the last.
    level : float
        Loudness in [0, 1].
    """

    kind: str
    first_bar: int
    last_bar: int
    level: float


@dataclass(frozen=True)
class Timeline:
    """Beat grid and sections of a song.

    Attributes
    ----------
    duration_s : float
        Length of the song.
    beat_s : float
        Length of a beat.
    beats_per_bar : int
        Beats per bar.
    sections : tuple of Section
        Sections in order.
    """

    duration_s: float
    beat_s: float
    beats_per_bar: int
    sections: tuple[Section, ...]

    @property
    def bar_s(self) -> float:
        """Length of a bar in seconds."""
        return self.beat_s * self.beats_per_bar

    def section_at(self, time_s: float) -> Section:
        """Return the section at a time; the last one goes on to the end.

        Parameters
        ----------
        time_s : float
            Seconds from the start of the song.

        Returns
        -------
        Section
            The section.
        """
        bar = int(time_s / self.bar_s + 1e-6)
        return next((section for section in self.sections if bar < section.last_bar), self.sections[-1])


def lay_out(style: SongStyle, duration_s: float) -> Timeline:
    """Divide a duration into the sections of the song's form, whole bars each.

    Parameters
    ----------
    style : SongStyle
        Style of the song.
    duration_s : float
        Length of the song.

    Returns
    -------
    Timeline
        Beats and sections.
    """
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
