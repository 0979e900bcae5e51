"""Mel spectrogram in decibels with torchaudio's defaults: 16 kHz, 96 HTK bands of height one.

Matches `MelSpectrogram(sample_rate=16000, n_fft=512, n_mels=96, f_min=0, f_max=8000)` followed by `AmplitudeToDB()` of
torchaudio: periodic Hann window of 512 samples, hop 256, centred frames with reflected ends, power spectrum, triangles
without area normalisation, 10 · log10(max(power, 1e-10)), no floor relative to the maximum.
"""

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones.mel import BANDS, HOP, RATE_HZ, power_spectrum, triangles

_FLOOR = 1e-10


def htk_filters() -> npt.NDArray[np.float32]:
    """Compute triangular filters of height one from 0 to 8 kHz, equally wide on HTK's scale, 2595 · log10(1 + f / 700).

    Returns
    -------
    ndarray of float32, shape (96, 257)
        One filter per row.
    """
    top_mel = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top_mel, BANDS + 2) / 2595) - 1)
    return triangles(edges_hz).astype(np.float32)


def decibel_mel(waveform: torch.Tensor) -> torch.Tensor:
    """Compute the mel spectrogram in decibels.

    Parameters
    ----------
    waveform : torch.Tensor, shape (n, samples)
        Float32 at 16 kHz.

    Returns
    -------
    torch.Tensor, shape (n, 96, samples // 256 + 1)
        Float32 decibels.
    """
    if not len(waveform):  # torch's Fourier transform takes none
        return waveform.new_empty(0, BANDS, waveform.shape[1] // HOP + 1)
    filters = torch.from_numpy(htk_filters()).to(waveform.device)
    return 10 * torch.log10((filters @ power_spectrum(waveform, "reflect")).clamp(min=_FLOOR))
