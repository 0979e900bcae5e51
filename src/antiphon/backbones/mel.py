"""Log-mel spectrogram that musicnn was trained on: 16 kHz, 96 Slaney bands, log10(10000 x + 1).

Matches `librosa.feature.melspectrogram(sr=16000, n_fft=512, hop_length=256, n_mels=96)` of librosa 0.10 and later:
periodic Hann window, centred frames padded with zeros, power spectrum, triangles of equal area on Slaney's mel scale.
librosa up to 0.9 reflected the ends instead, which changes only the first frame of a waveform.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

RATE_HZ = 16_000
N_FFT = 512
HOP = 256
BANDS = 96
PATCH_FRAMES = 187
"""Mel frames of one patch, the input of the network: about 3 s."""
MIN_SAMPLES = (PATCH_FRAMES - 1) * HOP
"""Minimum samples of a waveform with one full patch: 47,616, or 2.976 s."""


def hz_to_mel(frequency_hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert frequencies to Slaney's mel scale: 3 mel per 200 Hz below 1 kHz, logarithmic above.

    Parameters
    ----------
    frequency_hz : array_like
        Frequencies in hertz.

    Returns
    -------
    ndarray of float64
        Frequencies in mel.
    """
    hz = np.asarray(frequency_hz, np.float64)
    return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4))


def mel_to_hz(mel: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Invert `hz_to_mel`.

    Parameters
    ----------
    mel : array_like
        Frequencies in mel.

    Returns
    -------
    ndarray of float64
        Frequencies in hertz.
    """
    mels = np.asarray(mel, np.float64)
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((np.maximum(mels, 15) - 15) * np.log(6.4) / 27))


def triangles(edges_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compute triangular filters of height one, each over three neighbouring edges.

    Parameters
    ----------
    edges_hz : ndarray of float64, shape (bands + 2,)
        Edges in hertz, ascending.

    Returns
    -------
    ndarray of float64, shape (bands, 257)
        One filter per row.
    """
    bins_hz = np.linspace(0, RATE_HZ / 2, N_FFT // 2 + 1)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling))


def mel_filters() -> npt.NDArray[np.float32]:
    """Compute Slaney's mel filters from 0 to 8 kHz, normalised by area.

    Returns
    -------
    ndarray of float32, shape (96, 257)
        One filter per row.
    """
    edges_hz = mel_to_hz(np.linspace(0, hz_to_mel(RATE_HZ / 2), BANDS + 2))
    return (triangles(edges_hz) * 2 / (edges_hz[2:, None] - edges_hz[:-2, None])).astype(np.float32)


def power_spectrum(waveform: torch.Tensor, pad_mode: Literal["constant", "reflect"]) -> torch.Tensor:
    """Compute the power spectrum of centred frames under a periodic Hann window.

    Parameters
    ----------
    waveform : torch.Tensor, shape (n, samples)
        Float32 at 16 kHz.
    pad_mode : {'constant', 'reflect'}
        Pad both ends with zeros ("constant") or by reflection.

    Returns
    -------
    torch.Tensor, shape (n, 257, samples // 256 + 1)
        Squared magnitudes.
    """
    window = torch.hann_window(N_FFT, periodic=True, device=waveform.device)
    spectrum = torch.stft(waveform, N_FFT, HOP, window=window, center=True, pad_mode=pad_mode, return_complex=True)
    return spectrum.abs().square()


def log_mel_patches(waveform: torch.Tensor) -> torch.Tensor:
    """Compute log-mel patches; frames after the last full patch are dropped.

    A waveform of s samples has s // 256 + 1 frames: 48,000 samples have 188, of which the first 187 are a patch.

    Parameters
    ----------
    waveform : torch.Tensor, shape (n, samples)
        Float32 at 16 kHz.

    Returns
    -------
    torch.Tensor, shape (n, patches, 187, 96)
        Float32.
    """
    rows, samples = waveform.shape
    patches = (samples // HOP + 1) // PATCH_FRAMES
    if not rows:  # torch's Fourier transform takes none
        return waveform.new_empty(0, patches, PATCH_FRAMES, BANDS)
    power = power_spectrum(waveform, "constant")[..., : patches * PATCH_FRAMES]
    mel = torch.from_numpy(mel_filters()).to(waveform.device) @ power
    log_mel = torch.log10(10_000 * mel + 1).transpose(1, 2)
    return log_mel.reshape(rows, patches, PATCH_FRAMES, BANDS)
