"""Tempo of clicks, of noise, and of synthetic songs whose tempo is known."""

import numpy as np
import pytest

from antiphon.media.decoding import decode_stretches
from antiphon.media.tempo import RATE_HZ, estimate_tempo, onset_strength
from antiphon.synthetic.config import SyntheticConfig
from antiphon.synthetic.rendering import draw_video


def clicks(bpm, seconds=5.0, first_s=0.13, noise=0.0, seed=0):
    """A short burst of decaying noise on each beat."""
    random = np.random.default_rng(seed)
    audio = noise * random.normal(size=round(seconds * RATE_HZ))
    burst = random.normal(size=800) * np.exp(-np.arange(800) / 150)
    for start_s in np.arange(first_s, seconds - 0.06, 60 / bpm):
        at = round(start_s * RATE_HZ)
        audio[at : at + 800] += burst
    return audio.astype(np.float32)


@pytest.mark.parametrize("bpm", [72, 84.5, 97, 110, 120, 133, 150, 168])
def test_clicks_have_their_tempo(bpm):
    found = estimate_tempo([clicks(bpm, first_s=first) for first in (0.02, 0.31, 0.2)])
    assert found.bpm == pytest.approx(bpm, rel=0.01)
    assert found.is_clear


@pytest.mark.parametrize("bpm", [50, 220])
def test_beyond_the_usual_the_beat_is_found_up_to_octaves(bpm):
    ratio = estimate_tempo([clicks(bpm, seconds=8)]).bpm / bpm
    assert min(abs(ratio / octave - 1) for octave in (0.5, 1, 2, 4)) < 0.02


def test_noise_under_the_clicks_does_not_matter():
    assert estimate_tempo([clicks(100, noise=0.05, seed=seed) for seed in range(3)]).bpm == pytest.approx(100, rel=0.01)


def test_loudness_does_not_matter_much():
    audio = clicks(128)
    assert estimate_tempo([0.1 * audio]).bpm == pytest.approx(estimate_tempo([audio]).bpm, rel=0.01)


def test_stretches_speak_together():
    """One of them alone would say another tempo."""
    found = estimate_tempo([clicks(90), clicks(90, first_s=0.4), clicks(140)])
    assert found.bpm == pytest.approx(90, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_held_notes_have_no_clear_beat(seed):
    random = np.random.default_rng(seed)
    time_s = np.arange(5 * RATE_HZ) / RATE_HZ
    held = sum(np.sin(2 * np.pi * hz * time_s) for hz in random.uniform(100, 1000, 3)) / 4
    assert not estimate_tempo([random.normal(0, 0.1, 5 * RATE_HZ) for _ in range(3)]).is_clear
    assert not estimate_tempo([held + random.normal(0, 0.01, held.size)] * 2).is_clear


def test_silence_and_too_little_are_no_tempo():
    assert estimate_tempo([np.zeros(5 * RATE_HZ, np.float32)]) is None
    assert estimate_tempo([clicks(120, seconds=2)]) is None
    assert estimate_tempo([]) is None


def test_onsets_are_where_it_gets_louder():
    strength = onset_strength(clicks(60, seconds=3, first_s=0.5))
    found = np.flatnonzero(strength > strength.max() / 2) * 128 / RATE_HZ
    assert all(min(abs(at - beat) for beat in (0.5, 1.5, 2.5)) < 0.1 for at in found)
    assert len(found) >= 3


def test_synthetic_songs_with_drums_up_to_octaves(synthetic_table):
    config = SyntheticConfig(videos=12, duration_s=12, duration_spread_s=1, songs_per_artist=2, coupling=1)
    right = []
    for index in range(12):
        video = draw_video(config, index)
        path = str(synthetic_table.parent / f"{video.id}.mp4")
        stretches = [(1.0, 6.0), (6.0, 10.5)]
        found = estimate_tempo([one.waveform for one in decode_stretches(path, stretches, rate_hz=RATE_HZ)])
        if found is not None and found.is_clear:
            ratio = found.bpm / video.style.tempo_bpm
            right.append(min(abs(ratio / octave - 1) for octave in (0.5, 1, 2)) < 0.04)
    assert len(right) >= 6
    assert np.mean(right) >= 0.75
