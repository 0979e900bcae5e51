"""The mel spectrogram in decibels that torchaudio makes by default: 16 kHz, 96 HTK bands of height one.

Matches `MelSpectrogram(sample_rate=16000, n_fft=512, n_mels=96, f_min=0, f_max=8000)` followed by
`AmplitudeToDB()` of torchaudio: periodic Hann window of 512 samples, hop 256, frames centred, the ends mirrored, power
spectrum, triangles without area normalisation, 10 · log10(max(power, 1e-10)), no floor relative to the loudest.
"""

import numpy as np
import numpy.typing as npt
import torch

from antiphon.backbones.mel import BANDS, HOP, RATE_HZ, power_spectrum, triangles

_FLOOR = 1e-10


def htk_filters() -> npt.NDArray[np.float32]:
    """(96, 257) triangles of height one from 0 to 8 kHz, equally wide on HTK's scale, 2595 · log10(1 + f / 700)."""
    top_mel = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top_mel, BANDS + 2) / 2595) - 1)
    return triangles(edges_hz).astype(np.float32)


def decibel_mel(waveform: torch.Tensor) -> torch.Tensor:
    """(n, samples) float32 at 16 kHz → (n, 96, samples // 256 + 1) float32, in decibels."""
    if not len(waveform):  # torch's Fourier transform takes none
        return waveform.new_empty(0, BANDS, waveform.shape[1] // HOP + 1)
    filters = torch.from_numpy(htk_filters()).to(waveform.device)
    return 10 * torch.log10((filters @ power_spectrum(waveform, "reflect")).clamp(min=_FLOOR))
