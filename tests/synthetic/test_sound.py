"""The waveform: levels, keys, tempo, and that songs differ."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from antiphon.synthetic import SyntheticConfig
from antiphon.synthetic.genres import GENRES, SCALES, Traits
from antiphon.synthetic.instruments import RATE_HZ, TIMBRES, render_note
from antiphon.synthetic.percussion import make_kit
from antiphon.synthetic.rendering import audio_of, draw_video
from antiphon.synthetic.synthesis import PEAK

CONFIG = SyntheticConfig(songs_per_artist=1, duration_s=12, duration_spread_s=1)
ALL = range(len(GENRES))


@lru_cache(maxsize=64)
def song(index: int) -> np.ndarray:
    return audio_of(CONFIG, draw_video(CONFIG, index))


def spectrum_hz(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    return np.fft.rfftfreq(len(wave), 1 / RATE_HZ), power


@pytest.mark.parametrize("index", ALL)
def test_stereo_in_level_and_of_the_right_length(index: int) -> None:
    wave = song(index)
    assert wave.dtype == np.float32
    assert wave.shape == (2, round(draw_video(CONFIG, index).duration_s * RATE_HZ))
    assert np.abs(wave).max() <= PEAK
    rms_db = 20 * np.log10(np.sqrt(np.mean(wave**2)))
    assert -22 < rms_db < -12
    assert not np.array_equal(wave[0], wave[1])
    assert abs(wave.mean()) < 0.01
    assert np.abs(wave[:, -20:]).max() < 1e-3


def test_the_same_song_again_is_the_same_to_the_bit() -> None:
    video = draw_video(CONFIG, 3)
    assert np.array_equal(audio_of(CONFIG, video), song(3))


def test_songs_differ() -> None:
    profiles = []
    for index in ALL:
        hertz, power = spectrum_hz(song(index).mean(0)[: 8 * RATE_HZ])
        edges = np.geomspace(40, 15_000, 25)
        bands = np.array([power[(hertz >= a) & (hertz < b)].sum() for a, b in pairwise(edges)])
        profiles.append(10 * np.log10(bands / bands.sum() + 1e-9))
    gaps = [np.abs(one - other).mean() for i, one in enumerate(profiles) for other in profiles[:i]]
    assert min(gaps) > 1.0


@pytest.mark.parametrize("index", [index for index in ALL if draw_video(CONFIG, index).style.genre.name != "metal"])
def test_most_of_the_melodic_energy_is_in_key(index: int) -> None:
    style = draw_video(CONFIG, index).style
    hertz, power = spectrum_hz(song(index).mean(0))
    band = (hertz > 180) & (hertz < 1200)
    nearest = np.round(69 + 12 * np.log2(hertz[band] / 440)).astype(int) % 12
    chroma = np.bincount(nearest, np.sqrt(power[band]), 12)
    scale = [(style.key + step) % 12 for step in SCALES[style.mode]]
    outside = [pitch for pitch in range(12) if pitch not in scale]
    assert chroma[scale].mean() > 1.25 * chroma[outside].mean()


def test_four_on_the_floor_is_heard_at_its_tempo() -> None:
    index = next(i for i in ALL if draw_video(CONFIG, i).style.genre.name == "techno")
    style = draw_video(CONFIG, index).style
    hop = 441
    wave = song(index).mean(0)[: 10 * RATE_HZ]
    low = np.convolve(wave, np.ones(220) / 220, mode="same")
    level = np.sqrt((low[: len(low) // hop * hop].reshape(-1, hop) ** 2).mean(1))
    onsets = np.maximum(np.diff(level), 0)
    onsets -= onsets.mean()
    spectrum = np.abs(np.fft.rfft(onsets, 1 << 14))
    bpm = np.fft.rfftfreq(1 << 14, hop / RATE_HZ) * 60
    span = (bpm > 100) & (bpm < 190)
    assert bpm[span][spectrum[span].argmax()] == pytest.approx(style.tempo_bpm, rel=0.03)


@pytest.mark.parametrize(("pitch", "frequency_hz"), [(57, 220.0), (76, 659.255)])
@pytest.mark.parametrize("name", TIMBRES)
def test_instruments_play_in_tune(name: str, pitch: int, frequency_hz: float) -> None:
    timbre = replace(TIMBRES[name], vibrato_cents=0, glide_cents=0, breath=0, detune_cents=0, vowel=False)
    wave = render_note(timbre, (pitch,), 1.0, 0.5)
    assert np.isfinite(wave).all()
    assert len(wave) == int((1.0 + timbre.release_s) * RATE_HZ)
    hertz, power = spectrum_hz(wave)
    harmonic = np.abs(hertz / frequency_hz - np.round(hertz / frequency_hz)) * frequency_hz < 6
    assert power[harmonic & (hertz > 100)].sum() > 0.95 * power[hertz > 100].sum()
    assert power[np.abs(hertz - frequency_hz) < 6].sum() > 0.01 * power.sum()


def test_brightness_lifts_the_treble() -> None:
    centroids = []
    for brightness in (0.1, 0.5, 0.9):
        hertz, power = spectrum_hz(render_note(TIMBRES["piano"], (57,), 1.0, brightness))
        centroids.append((hertz * power).sum() / power.sum())
    assert centroids[0] < centroids[1] < centroids[2]


def test_drums_end_quietly_and_are_drawn_for_the_song() -> None:
    traits = Traits(0.5, 0.5, 0.5, 0.2, 0.3, 0.5)
    kit, other = (make_kit(traits, np.random.default_rng(seed)) for seed in (0, 1))
    for drum, wave in kit.items():
        assert np.abs(wave).max() <= 1
        assert np.abs(wave[-5:]).max() < 0.02, drum
    assert not np.array_equal(kit["kick"], other["kick"])
