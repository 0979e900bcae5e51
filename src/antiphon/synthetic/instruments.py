"""Pitched instruments: timbres that one wavetable synthesiser renders.

A note is a sum of harmonics in three bands, low, middle and high, that decay at their own rates: fast decaying high
bands make plucked and struck strings, sustained bands make bowed, blown and electronic tones.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.floating]
"""Samples of one channel, or `(2, n)` of two."""

RATE_HZ = 44_100
_TABLE_BITS = 11
_HIGHEST_HZ = 14_000
_BANDS = (3, 9)
"""The last harmonic of the low and of the middle band."""

_VOWELS_HZ = ((800, 1150, 2900), (450, 800, 2830), (400, 1650, 2700), (330, 1850, 2900), (600, 1000, 2600))
_NOISE: Waveform = np.diff(np.random.default_rng(7).standard_normal(6 * RATE_HZ + 1)).astype(np.float32)
"""Breath and bow noise, the same for all notes."""


@dataclass(frozen=True)
class Timbre:
    """Parameters of a tone.

    Attributes
    ----------
    slope : float
        Decay of harmonics with their number, amplitude h^-slope.
    even : float
        Level of the even harmonics.
    partials : int
        Maximum number of harmonics.
    harmonics : tuple of (int, float)
        Number and level of single harmonics instead.
    fade_s : (float, float, float)
        Time constants of the three bands.
    attack_s, release_s : float
        Length of attack and release.
    detune_cents : float
        Spread of three unison voices.
    vibrato_cents : float
        Depth of the vibrato.
    breath : float
        Level of noise.
    drive : float
        Gain into a saturating amplifier.
    vowel : bool
        True to shape harmonics as by a mouth.
    glide_cents : float
        How far below its pitch a note starts.
    gain : float
        Level.
    """

    slope: float = 1.0
    even: float = 1.0
    partials: int = 40
    harmonics: tuple[tuple[int, float], ...] = ()
    fade_s: tuple[float, float, float] = (inf, inf, inf)
    attack_s: float = 0.005
    release_s: float = 0.08
    detune_cents: float = 0.0
    vibrato_cents: float = 0.0
    breath: float = 0.0
    drive: float = 0.0
    vowel: bool = False
    glide_cents: float = 0.0
    gain: float = 1.0


TIMBRES: dict[str, Timbre] = {
    "voice": Timbre(0.95, attack_s=0.035, release_s=0.1, vibrato_cents=20, breath=0.12, vowel=True, glide_cents=110),
    "voice low": Timbre(0.8, attack_s=0.03, release_s=0.06, vibrato_cents=10, breath=0.09, vowel=True, glide_cents=160),
    "choir": Timbre(1.0, attack_s=0.35, release_s=0.6, detune_cents=16, vibrato_cents=14, breath=0.05, vowel=True),
    "flute": Timbre(2.4, even=0.7, partials=7, attack_s=0.07, release_s=0.1, vibrato_cents=18, breath=0.16),
    "saxophone": Timbre(
        0.95, even=0.75, partials=24, attack_s=0.04, vibrato_cents=22, breath=0.1, drive=1.2, glide_cents=60
    ),
    "trumpet": Timbre(0.75, partials=26, fade_s=(inf, 3.0, 1.2), attack_s=0.035, vibrato_cents=14, breath=0.03),
    "fiddle": Timbre(0.85, attack_s=0.07, release_s=0.09, vibrato_cents=26, breath=0.07, glide_cents=35),
    "strings solo": Timbre(1.0, attack_s=0.12, release_s=0.2, vibrato_cents=28, breath=0.05),
    "strings": Timbre(1.05, attack_s=0.3, release_s=0.5, detune_cents=13, vibrato_cents=8, breath=0.02),
    "synth pad": Timbre(1.2, attack_s=0.4, release_s=0.6, detune_cents=20),
    "synth lead": Timbre(
        0.9, even=0.25, attack_s=0.006, release_s=0.1, detune_cents=14, vibrato_cents=16, glide_cents=90
    ),
    "synth brass": Timbre(0.85, attack_s=0.03, fade_s=(inf, 0.9, 0.4), detune_cents=10),
    "synth pluck": Timbre(0.9, fade_s=(0.9, 0.3, 0.1), detune_cents=9, attack_s=0.002),
    "acid": Timbre(0.55, fade_s=(0.6, 0.22, 0.08), drive=2.5, attack_s=0.002, glide_cents=120),
    "piano": Timbre(1.25, partials=24, fade_s=(1.4, 0.6, 0.2), detune_cents=2.5, attack_s=0.002, release_s=0.15),
    "electric piano": Timbre(
        harmonics=((1, 1.0), (2, 0.25), (3, 0.08), (5, 0.12), (11, 0.2), (14, 0.16)),
        fade_s=(1.6, 0.7, 0.12),
        attack_s=0.003,
        release_s=0.2,
        detune_cents=4,
    ),
    "vibraphone": Timbre(
        harmonics=((1, 1.0), (4, 0.5), (10, 0.22)), fade_s=(2.2, 0.7, 0.15), attack_s=0.002, release_s=0.9
    ),
    "organ": Timbre(
        harmonics=((1, 0.8), (2, 1.0), (3, 0.6), (4, 0.5), (6, 0.35), (8, 0.4)),
        attack_s=0.012,
        vibrato_cents=9,
        detune_cents=3,
        drive=0.8,
    ),
    "acoustic guitar": Timbre(0.85, fade_s=(0.9, 0.4, 0.13), attack_s=0.002, release_s=0.2, breath=0.01, partials=32),
    "banjo": Timbre(0.6, fade_s=(0.35, 0.18, 0.07), attack_s=0.001, release_s=0.1),
    "clean guitar": Timbre(1.0, even=0.8, fade_s=(0.9, 0.45, 0.12), attack_s=0.002, release_s=0.07, detune_cents=4),
    "overdriven guitar": Timbre(
        0.8, fade_s=(2.5, 1.2, 0.5), attack_s=0.003, release_s=0.05, drive=3.0, detune_cents=5, gain=1.3
    ),
    "distorted guitar": Timbre(
        0.7, fade_s=(3.0, 1.6, 0.8), attack_s=0.002, release_s=0.03, drive=9.0, detune_cents=7, gain=1.8
    ),
    "lead guitar": Timbre(0.7, attack_s=0.004, release_s=0.1, drive=5.0, vibrato_cents=34, glide_cents=100),
    "electric bass": Timbre(1.15, fade_s=(1.0, 0.45, 0.12), attack_s=0.003, release_s=0.05, partials=26),
    "double bass": Timbre(1.5, fade_s=(0.6, 0.2, 0.07), attack_s=0.006, release_s=0.1, partials=18, breath=0.02),
    "synth bass": Timbre(0.9, fade_s=(inf, 0.35, 0.12), attack_s=0.003, release_s=0.04, detune_cents=6),
    "sub bass": Timbre(harmonics=((1, 1.0), (2, 0.16), (3, 0.08)), attack_s=0.008, drive=1.2, glide_cents=90),
}

FAMILIES: dict[str, str] = {
    "voice": "vocals",
    "voice low": "vocals",
    "choir": "choir",
    "flute": "flute",
    "saxophone": "saxophone",
    "trumpet": "trumpet",
    "fiddle": "strings",
    "strings solo": "strings",
    "strings": "strings",
    "synth pad": "synthesizer",
    "synth lead": "synthesizer",
    "synth brass": "synthesizer",
    "synth pluck": "synthesizer",
    "acid": "synthesizer",
    "piano": "piano",
    "electric piano": "electric piano",
    "vibraphone": "vibraphone",
    "organ": "organ",
    "acoustic guitar": "acoustic guitar",
    "banjo": "banjo",
    "clean guitar": "electric guitar",
    "overdriven guitar": "electric guitar",
    "distorted guitar": "electric guitar",
    "lead guitar": "electric guitar",
}
"""What a listener calls each instrument."""


def render_note(timbre: Timbre, pitches: tuple[int, ...], duration_s: float, brightness: float) -> Waveform:
    """Render pitches struck together and held; they ring on for the release.

    Parameters
    ----------
    timbre : Timbre
        Timbre of the instrument.
    pitches : tuple of int
        MIDI numbers.
    duration_s : float
        Length without the release.
    brightness : float
        From 0 to 1; raises or damps the upper harmonics.

    Returns
    -------
    ndarray of float, shape (samples,)
        Mono. A single undriven pitch has an RMS level near 0.7 before it decays.
    """
    length = int((duration_s + timbre.release_s) * RATE_HZ)
    time_s = np.arange(length, dtype=np.float32) / RATE_HZ
    course = _Course(timbre, time_s)
    wave = np.zeros(length, np.float32)
    for pitch in pitches:
        wave += _tone(timbre, pitch, course, brightness)
    wave *= 1 / len(pitches) ** 0.7
    if timbre.breath:
        # Blown and bowed noise belongs to the attack, then recedes.
        wave += timbre.breath * _NOISE[:length] * (0.4 + np.exp(-time_s * 14))
    envelope = np.minimum(time_s / timbre.attack_s, 1)
    released = np.clip((duration_s + timbre.release_s - time_s) / timbre.release_s, 0, 1)
    envelope *= released * released
    if timbre.drive:
        wave = _amplified(wave, timbre.drive, brightness)
    wave *= envelope * timbre.gain
    return wave


class _Course:
    """What all oscillators of a note share: its time, decays, vibrato and glide, each computed once."""

    def __init__(self, timbre: Timbre, time_s: Waveform) -> None:
        self.length = len(time_s)
        self.samples = np.arange(self.length, dtype=np.uint32)
        self.time_s = time_s
        self.decays = {fade_s: np.exp(time_s * (-1 / fade_s)) for fade_s in timbre.fade_s if fade_s != inf}
        if timbre.vibrato_cents:
            self.onset = np.minimum(time_s * 2.5, 1)
            self.vibrato = np.sin(time_s * np.float32(2 * np.pi * 5.4))
        if timbre.glide_cents:
            self.glide = np.exp(time_s * -22)


def _tone(timbre: Timbre, pitch: int, course: _Course, brightness: float) -> Waveform:
    frequency_hz = 440 * 2 ** ((pitch - 69) / 12)
    bands = _band_tables(timbre, frequency_hz, brightness, vowel=pitch % len(_VOWELS_HZ))
    cents = (0.0,) if not timbre.detune_cents else (-timbre.detune_cents, 0.0, timbre.detune_cents * 0.8)
    wave = np.zeros(course.length, np.float32)
    part = np.empty_like(wave)
    for place, offset in enumerate(cents):
        index = _phase(timbre, frequency_hz * 2 ** (offset / 1200), course, start=place * 0.37 + pitch * 0.11)
        for table, fade_s in bands:
            np.take(table, index, out=part, mode="clip")
            if fade_s != inf:
                part *= course.decays[fade_s]
            wave += part
    wave *= 1 / len(cents) ** 0.5
    if timbre.vowel and course.length > RATE_HZ // 4:
        # The mouth moves on to another vowel over a long note.
        index = _phase(timbre, frequency_hz, course, start=pitch * 0.11)
        later = _band_tables(timbre, frequency_hz, brightness, vowel=(pitch + 2) % len(_VOWELS_HZ))[0][0][index]
        share = np.clip(course.time_s * 3 - 0.4, 0, 0.8)
        later -= wave
        later *= share
        wave += later
    return wave


def _phase(timbre: Timbre, frequency_hz: float, course: _Course, start: float) -> NDArray[np.intp]:
    """Return table indices of an oscillator; 32-bit phases wrap by themselves."""
    step = round(frequency_hz / RATE_HZ * 2**32)
    phase = course.samples * np.uint32(step)
    phase += np.uint32(int(start % 1 * 2**32))
    if timbre.vibrato_cents or timbre.glide_cents:
        wobble = np.zeros(course.length, np.float32)
        if timbre.vibrato_cents:
            depth = frequency_hz * (2 ** (timbre.vibrato_cents / 1200) - 1) / (2 * np.pi * 5.4)
            wobble += np.float32(depth) * course.onset * course.vibrato
        if timbre.glide_cents:
            depth = frequency_hz * (2 ** (timbre.glide_cents / 1200) - 1) / 22
            wobble += np.float32(depth) * course.glide
        wobble *= np.float32(2**20)
        phase += wobble.astype(np.int32).view(np.uint32) << np.uint32(12)
    phase >>= np.uint32(32 - _TABLE_BITS)
    return phase.astype(np.intp)


@lru_cache(maxsize=256)
def _band_tables(timbre: Timbre, frequency_hz: float, brightness: float, vowel: int) -> list[tuple[Waveform, float]]:
    """Return one period of each band of harmonics, and its decay; bands with the same decay share a table."""
    amplitudes = _amplitudes(timbre, frequency_hz, brightness, vowel)
    bands: dict[float, NDArray[np.float64]] = {}
    numbers = np.arange(len(amplitudes))
    for low, high, fade_s in zip((0, *_BANDS), (*_BANDS, len(amplitudes)), timbre.fade_s, strict=True):
        chosen = np.where((numbers > low) & (numbers <= high), amplitudes, 0)
        bands[fade_s] = bands.get(fade_s, 0) + chosen
    return [(_table(part), fade_s) for fade_s, part in bands.items() if part.any()]


def _table(amplitudes: NDArray[np.float64]) -> Waveform:
    size = 1 << _TABLE_BITS
    spectrum = np.zeros(size // 2 + 1, complex)
    # Phases that grow with the square of the number keep the peaks of the sum low (Schroeder, 1970).
    numbers = np.arange(len(amplitudes))
    spectrum[: len(amplitudes)] = amplitudes * np.exp(-1j * np.pi * (numbers**2 / len(amplitudes) + 0.5))
    return (np.fft.irfft(spectrum, size) * (size / 2)).astype(np.float32)


def _amplitudes(timbre: Timbre, frequency_hz: float, brightness: float, vowel: int) -> NDArray[np.float64]:
    """Return the amplitudes of harmonics 0, 1, …, with unit total power."""
    if timbre.harmonics:
        count = timbre.harmonics[-1][0]
        amplitudes = np.zeros(count + 1)
        for number, amplitude in timbre.harmonics:
            amplitudes[number] = amplitude * number ** (0.7 * (brightness - 0.5))
    else:
        numbers = np.arange(timbre.partials + 1)
        amplitudes = np.maximum(numbers, 1.0) ** -(timbre.slope - 1.1 * (brightness - 0.5))
        amplitudes[2::2] *= timbre.even
        amplitudes[0] = 0
    hertz = np.arange(len(amplitudes)) * frequency_hz
    if timbre.vowel:
        widths = np.array([[90.0], [130.0], [220.0]])
        centres = np.array(_VOWELS_HZ[vowel], float)[:, None]
        peaks = np.array([[1.0], [0.75], [0.5]]) / (1 + ((hertz - centres) / widths) ** 2)
        amplitudes = amplitudes * (0.06 + peaks.sum(0)) ** 0.8
    amplitudes[hertz > _HIGHEST_HZ] = 0
    return amplitudes / max(np.sqrt((amplitudes**2).sum()), 1e-9)


def _amplified(wave: Waveform, drive: float, brightness: float) -> Waveform:
    """Saturate, then filter by a loudspeaker that passes the middle."""
    saturated = np.tanh(wave * np.float32(drive))
    size = 1 << int(np.ceil(np.log2(len(wave) + 256)))
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    edge_hz = 2500 + 3500 * brightness
    response = (1 / (1 + (hertz / edge_hz) ** 6)) * (hertz / (hertz + 45))
    return np.fft.irfft(np.fft.rfft(saturated, size) * response.astype(np.float32), size)[: len(wave)].astype(
        np.float32
    )
