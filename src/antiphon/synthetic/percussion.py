"""Drums: short waveforms between an acoustic kit and a drum machine."""

from collections.abc import Callable

import numpy as np

from antiphon.synthetic.genres import Traits
from antiphon.synthetic.instruments import RATE_HZ, Waveform

PANS: dict[str, float] = {
    "hat": 0.3,
    "open hat": 0.3,
    "ride": -0.35,
    "shaker": -0.4,
    "crash": -0.25,
    "tom": 0.2,
    "rim": -0.15,
}
"""Position of each drum, from -1 (left) to 1 (right); others are in the middle."""

_LEVELS = {
    "kick": 0.95,
    "snare": 0.6,
    "clap": 0.5,
    "rim": 0.45,
    "tom": 0.6,
    "hat": 0.2,
    "open hat": 0.2,
    "ride": 0.2,
    "shaker": 0.16,
    "crash": 0.3,
}


def make_kit(traits: Traits, random: np.random.Generator) -> dict[str, Waveform]:
    """Synthesise every drum, tuned and damped for one song.

    Parameters
    ----------
    traits : Traits
        Character of the song.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to ndarray of float32
        Waveforms by name of the drum.
    """
    tuning = float(random.uniform(0.88, 1.14))
    makers: dict[str, Callable[[], Waveform]] = {
        "kick": lambda: _kick(traits, tuning),
        "snare": lambda: _snare(traits, tuning, random),
        "clap": lambda: _clap(random),
        "rim": lambda: _rim(tuning),
        "tom": lambda: _sweep(0.3, 150 * tuning, 85 * tuning, 0.11),
        "hat": lambda: _cymbal(0.07, 0.018 + 0.02 * traits.acoustic, traits, random),
        "open hat": lambda: _cymbal(0.3, 0.09, traits, random),
        "ride": lambda: _cymbal(0.6, 0.2, traits, random, ring=0.6),
        "shaker": lambda: _cymbal(0.09, 0.03, traits, random, attack_s=0.02),
        "crash": lambda: _cymbal(1.4, 0.42, traits, random),
    }
    kit: dict[str, Waveform] = {}
    for drum, make in makers.items():
        wave = make()
        kit[drum] = wave * np.float32(_LEVELS[drum] / max(float(np.abs(wave).max()), 1e-9))
    return kit


def _time(duration_s: float) -> Waveform:
    return np.arange(int(duration_s * RATE_HZ), dtype=np.float32) / RATE_HZ


def _noise(time_s: Waveform, random: np.random.Generator, highpass: int = 0) -> Waveform:
    """Generate white noise, differenced `highpass` times."""
    noise = random.standard_normal(len(time_s) + highpass, dtype=np.float32)
    return np.diff(noise, highpass) if highpass else noise


def _sweep(duration_s: float, from_hz: float, to_hz: float, fade_s: float, fall: float = 30.0) -> Waveform:
    time_s = _time(duration_s)
    cycles = to_hz * time_s + (from_hz - to_hz) / fall * (1 - np.exp(-fall * time_s))
    end = np.minimum((duration_s - time_s) / 0.01, 1)
    return np.sin(2 * np.pi * cycles) * np.exp(-time_s / fade_s) * end


def _kick(traits: Traits, tuning: float) -> Waveform:
    body = _sweep(0.42, 190 + 120 * traits.energy, 48 * tuning, 0.1 + 0.1 * (1 - traits.acoustic), fall=38)
    time_s = _time(0.42)
    click = np.sin(2 * np.pi * 1900 * time_s) * np.exp(-time_s * 320) * (0.2 + 0.5 * traits.brightness)
    return np.tanh((body + click) * (1 + 2.5 * traits.dirt))


def _snare(traits: Traits, tuning: float, random: np.random.Generator) -> Waveform:
    time_s = _time(0.3)
    body = np.sin(2 * np.pi * 188 * tuning * time_s) + 0.6 * np.sin(2 * np.pi * 331 * tuning * time_s)
    wires = 0.6 * _noise(time_s, random, 1) * np.exp(-time_s / (0.05 + 0.06 * traits.space))
    return np.tanh(0.7 * body * np.exp(-time_s / 0.05) + wires) * np.minimum((0.3 - time_s) / 0.02, 1)


def _clap(random: np.random.Generator) -> Waveform:
    time_s = _time(0.26)
    bursts = sum((time_s >= at) * np.exp(-np.maximum(time_s - at, 0) / 0.006) for at in (0.0, 0.011, 0.022))
    tail = (time_s >= 0.03) * np.exp(-np.maximum(time_s - 0.03, 0) / 0.06)
    noise = np.convolve(_noise(time_s, random, 1), np.ones(3, np.float32) / 3, mode="same")
    return (noise * (bursts + 0.7 * tail)).astype(np.float32)


def _rim(tuning: float) -> Waveform:
    time_s = _time(0.09)
    tone = np.sin(2 * np.pi * 1720 * tuning * time_s) + 0.7 * np.sin(2 * np.pi * 860 * tuning * time_s)
    return tone * np.exp(-time_s / 0.014)


def _cymbal(
    duration_s: float,
    fade_s: float,
    traits: Traits,
    random: np.random.Generator,
    attack_s: float = 0.001,
    ring: float = 0.25,
) -> Waveform:
    """Synthesise noise and a cluster of inharmonic partials, higher and sharper in a bright song."""
    time_s = _time(duration_s)
    hiss = _noise(time_s, random, 2 if traits.brightness > 0.5 else 1)
    partials = np.array([2490, 3220, 4150, 5430, 6310, 8170], np.float32) * np.float32(0.8 + 0.4 * traits.brightness)
    metal = np.sin(2 * np.pi * partials[:, None] * time_s).sum(0)
    wave = (1 - ring) * hiss + ring * metal
    return (
        wave * np.exp(-time_s / fade_s) * np.minimum(time_s / attack_s, 1) * np.minimum((duration_s - time_s) / 0.01, 1)
    )
