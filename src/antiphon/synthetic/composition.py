"""Arrangement of a song: chords, melody, bass and accompaniment over its sections."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from antiphon.synthetic.genres import PROGRESSIONS, SCALES
from antiphon.synthetic.patterns import BASS_LINES, COMP_RHYTHMS, DrumHit, drum_hits
from antiphon.synthetic.styles import SongStyle
from antiphon.synthetic.timeline import Section, Timeline

STEPS_PER_BEAT = 4
_LEAD_REGISTER = {"voice": 58, "voice low": 48, "saxophone": 55, "strings solo": 57, "lead guitar": 60, "acid": 48}
_LEAD_REGISTER_ELSE = 62


class Note(NamedTuple):
    """One or several pitches struck together.

    Attributes
    ----------
    start_s, duration_s : float
        Position in the song.
    pitches : tuple of int
        MIDI numbers.
    velocity : float
        Loudness in [0, 1].
    """

    start_s: float
    duration_s: float
    pitches: tuple[int, ...]
    velocity: float


@dataclass(frozen=True)
class Arrangement:
    """Notes and drum hits of a song, in order of time.

    Attributes
    ----------
    parts : dict of str to list of Note
        Notes of the parts `lead`, `comp`, `bass` and `pad`.
    drums : list of DrumHit
        Hits of the drums.
    """

    parts: dict[str, list[Note]]
    drums: list[DrumHit]


class Bar(NamedTuple):
    """One bar of a song.

    Attributes
    ----------
    number : int
        Number in the song.
    section : Section
        Section of the bar.
    degree : int
        Scale degree of the chord.
    place : int
        Number in the section.
    """

    number: int
    section: Section
    degree: int
    place: int


@dataclass(frozen=True)
class Grid:
    """Conversion of steps (sixteenths) within a bar to seconds, with the song's swing.

    Attributes
    ----------
    timeline : Timeline
        Beats and sections of the song.
    swing : float
        Delay of off-beat steps, as a fraction of a step.
    swing_steps : int
        Length of such a step in sixteenths.
    """

    timeline: Timeline
    swing: float
    swing_steps: int

    @property
    def step_s(self) -> float:
        """Length of a step in seconds."""
        return self.timeline.beat_s / STEPS_PER_BEAT

    def time_s(self, bar: int, step: float) -> float:
        """Return when a step of a bar sounds; off-beat steps are delayed by the swing.

        Parameters
        ----------
        bar : int
            Number of the bar.
        step : float
            Step in the bar.

        Returns
        -------
        float
            Seconds from the start of the song.
        """
        late = self.swing * self.swing_steps if int(step // self.swing_steps) % 2 else 0.0
        return bar * self.timeline.bar_s + (step + late) * self.step_s


@dataclass(frozen=True)
class Harmony:
    """Scale of a song, and chords stacked in thirds on its degrees.

    Attributes
    ----------
    key : int
        Pitch class of the tonic, from C = 0.
    scale : tuple of int
        Semitones of the degrees above the tonic.
    sevenths : bool
        True if chords have a seventh.
    """

    key: int
    scale: tuple[int, ...]
    sevenths: bool

    def pitch(self, degree: int, base: int) -> int:
        """Return the pitch of a scale degree.

        Parameters
        ----------
        degree : int
            0 for the tonic, 7 for an octave above.
        base : int
            MIDI number that the tonic is next to.

        Returns
        -------
        int
            MIDI number.
        """
        tonic = base + (self.key - base + 6) % 12 - 6
        octave, step = divmod(degree, len(self.scale))
        return tonic + 12 * octave + self.scale[step]

    def chord(self, root: int, base: int) -> tuple[int, ...]:
        """Return the chord on a degree, folded to the octave around `base`.

        Parameters
        ----------
        root : int
            Scale degree of the root.
        base : int
            MIDI number to fold around.

        Returns
        -------
        tuple of int
            MIDI numbers.
        """
        degrees = (root, root + 2, root + 4, root + 6) if self.sevenths else (root, root + 2, root + 4)
        folded = {base + (self.pitch(degree, base) - base + 5) % 12 - 5 for degree in degrees}
        return tuple(sorted(folded))


def compose(style: SongStyle, timeline: Timeline, random: np.random.Generator) -> Arrangement:
    """Compose a song; every pitch is in its scale.

    Parameters
    ----------
    style : SongStyle
        Style of the song.
    timeline : Timeline
        Beats and sections.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Arrangement
        Notes and drum hits.
    """
    harmony = Harmony(style.key, SCALES[style.mode], style.genre.sevenths)
    grid = Grid(timeline, style.genre.swing, style.genre.swing_steps)
    bars = list(_bars(style, timeline, random))
    return Arrangement(
        parts={
            "lead": _lead(style, bars, grid, harmony, random),
            "comp": _comp(style, bars, grid, harmony),
            "bass": _bass(style, bars, grid, harmony),
            "pad": _pad(style, bars, grid, harmony),
        },
        drums=drum_hits(style, timeline, grid.time_s, random),
    )


def _bars(style: SongStyle, timeline: Timeline, random: np.random.Generator) -> Iterator[Bar]:
    choices = PROGRESSIONS[style.progression]
    picks = random.permutation(len(choices))
    progressions = {"intro": 0, "verse": 0, "chorus": 1, "bridge": 2}
    for section in timeline.sections:
        chords = choices[picks[progressions[section.kind]]]
        for place, number in enumerate(range(section.first_bar, section.last_bar)):
            yield Bar(number, section, chords[place % len(chords)], place)


def _motif(steps: int, busy: float, random: np.random.Generator) -> list[tuple[int, int, int]]:
    """Draw two bars of melody as (step, length in steps, move in scale degrees); strong steps are more likely."""
    positions = np.arange(0, 2 * steps, 2)
    strength = np.where(positions % 8 == 0, 0.9, np.where(positions % 4 == 0, 0.7, 0.4))
    onsets = positions[random.random(len(positions)) < np.clip(strength * (0.35 + 0.8 * busy), 0, 0.95)]
    if len(onsets) < 3:
        onsets = np.array([0, steps // 2, steps])
    ends = np.append(onsets[1:], 2 * steps)
    moves = random.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3], size=len(onsets))
    return [(int(on), int(min(end - on, 8)), int(move)) for on, end, move in zip(onsets, ends, moves, strict=True)]


def _lead(style: SongStyle, bars: list[Bar], grid: Grid, harmony: Harmony, random: np.random.Generator) -> list[Note]:
    """Write the melody: a motif for each kind of section, in phrases of two bars, some of them silent."""
    steps = STEPS_PER_BEAT * style.beats_per_bar
    busy = style.traits.density
    motifs = {kind: _motif(steps, busy, random) for kind in ("verse", "chorus", "bridge")}
    base = _LEAD_REGISTER.get(style.lead, _LEAD_REGISTER_ELSE)
    notes: list[Note] = []
    for bar in bars:
        kind = bar.section.kind
        if kind == "intro" or bar.place % 2:
            continue
        if random.random() > style.genre.lead_presence * (0.6 if kind == "bridge" else 1.0):
            continue
        chords = (bar.degree, bars[bar.number + 1].degree if bar.number + 1 < len(bars) else bar.degree)
        degree = chords[0] % 7 + (4 if kind == "chorus" else 2)
        for step, length, move in motifs[kind]:
            second, within = divmod(step, steps)
            if bar.number + second >= bar.section.last_bar:
                break
            degree = int(np.clip(degree + move, -2, 11))
            if within % 8 == 0 or length >= 6:
                degree = _nearest_chord_tone(degree, chords[second])
            start = grid.time_s(bar.number + second, within)
            velocity = 0.8 + 0.2 * (within % 8 == 0)
            pitch = harmony.pitch(degree, base)
            notes.append(Note(start, length * grid.step_s * 0.96, (pitch,), velocity * bar.section.level**0.5))
    return notes


def _nearest_chord_tone(degree: int, root: int) -> int:
    candidates = [root % 7 + offset + 7 * octave for octave in (-1, 0, 1) for offset in (0, 2, 4)]
    return min(candidates, key=lambda tone: abs(tone - degree))


def _comp(style: SongStyle, bars: list[Bar], grid: Grid, harmony: Harmony) -> list[Note]:
    """Write the accompaniment: chords, or their notes one by one, in the song's rhythm."""
    rhythm = COMP_RHYTHMS[style.comp_rhythm]
    steps = STEPS_PER_BEAT * style.beats_per_bar
    heavy = style.comp in ("overdriven guitar", "distorted guitar")
    notes: list[Note] = []
    for bar in bars:
        chord = harmony.chord(bar.degree, 40 if heavy else 58)
        if heavy:
            # A power chord: under distortion thirds turn into mud.
            root = harmony.pitch(bar.degree % 7, 42) - (12 if bar.degree % 7 > 3 else 0)
            fifth = harmony.pitch(bar.degree % 7 + 4, 42) - (12 if bar.degree % 7 > 3 else 0)
            chord = (root, fifth, root + 12)
        for step, length, voice, velocity in rhythm:
            if step >= steps:
                continue
            start = grid.time_s(bar.number, step)
            pitches = chord if voice is None else (_arpeggiated(chord, voice),)
            notes.append(Note(start, length * grid.step_s, pitches, velocity * bar.section.level))
    return notes


def _arpeggiated(chord: tuple[int, ...], voice: int) -> int:
    octave, place = divmod(voice, len(chord))
    return chord[place] + 12 * octave


def _bass(style: SongStyle, bars: list[Bar], grid: Grid, harmony: Harmony) -> list[Note]:
    """Write the bass: the line's degrees above each chord's root; quiet in the intro."""
    line = BASS_LINES[style.bass_line]
    steps = STEPS_PER_BEAT * style.beats_per_bar
    notes: list[Note] = []
    for bar in bars:
        if bar.section.kind == "intro" and bar.place == 0 and style.bass_line != "drone":
            continue
        root = bar.degree % 7
        base = 36 if harmony.pitch(root, 36) < 44 else 24
        for step, length, above, velocity in line:
            if step >= steps:
                continue
            pitch = harmony.pitch(root + above, base)
            start = grid.time_s(bar.number, step)
            notes.append(Note(start, length * grid.step_s, (pitch,), velocity * bar.section.level**0.5))
    return notes


def _pad(style: SongStyle, bars: list[Bar], grid: Grid, harmony: Harmony) -> list[Note]:
    """Write held chords of a bar each, except in the verse of a busy song."""
    if style.pad == "none":
        return []
    held = [bar for bar in bars if bar.section.kind != "verse" or style.traits.density < 0.5]
    return [
        Note(
            bar.number * grid.timeline.bar_s,
            grid.timeline.bar_s * 1.02,
            harmony.chord(bar.degree, 62),
            bar.section.level,
        )
        for bar in held
    ]
