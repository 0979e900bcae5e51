import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from antiphon.backbones.mel import (
    BANDS,
    HOP,
    MIN_SAMPLES,
    N_FFT,
    RATE_HZ,
    hz_to_mel,
    log_mel_patches,
    mel_filters,
    mel_to_hz,
)

from .conftest import assert_close

pytestmark = pytest.mark.numeric


def test_slaneys_scale_at_known_points() -> None:
    np.testing.assert_allclose(hz_to_mel([0, 200, 1000, 6400]), [0, 3, 15, 42])


@given(st.floats(0, 8000))
def test_the_scale_can_be_undone(frequency_hz: float) -> None:
    assert float(mel_to_hz(hz_to_mel(frequency_hz))) == pytest.approx(frequency_hz, abs=1e-6)


def test_triangles_have_area_one_and_cover_the_spectrum() -> None:
    filters = mel_filters()
    assert filters.shape == (BANDS, N_FFT // 2 + 1)
    assert (filters >= 0).all()
    wide = filters[60:]  # triangles over many bins, so that their sum comes near their area
    np.testing.assert_allclose(wide.sum(1) * RATE_HZ / N_FFT, 1, rtol=0.06)
    assert (filters[:, 5:-1].sum(0) > 0).all()


def naive(waveform: np.ndarray) -> np.ndarray:
    """(samples,) → (frames, 96), a frame at a time and in double precision."""
    padded = np.pad(waveform.astype(np.float64), N_FFT // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    frames = [padded[at : at + N_FFT] * window for at in range(0, len(waveform) + 1, HOP)]
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return np.log10(10_000 * power @ mel_filters().T.astype(np.float64) + 1)


@pytest.mark.parametrize(("samples", "patches"), [(MIN_SAMPLES, 1), (48_000, 1), (95_487, 1), (95_488, 2)])
def test_patches_are_those_of_a_naive_spectrogram(samples: int, patches: int) -> None:
    waveform = np.random.default_rng(samples).standard_normal((2, samples)).astype(np.float32) * 0.1
    found = log_mel_patches(torch.from_numpy(waveform)).numpy()
    assert found.shape == (2, patches, 187, 96)
    for row in range(2):
        expected = naive(waveform[row])[: patches * 187]
        assert_close(found[row].reshape(-1, 96), expected)


def test_three_seconds_have_188_frames_of_which_187_are_used() -> None:
    assert len(naive(np.zeros(48_000))) == 188


def test_reference(reference: dict[str, np.ndarray]) -> None:
    found = log_mel_patches(torch.from_numpy(reference["waveform"])[None])[0].numpy()
    assert_close(found, reference["log_mel"])
