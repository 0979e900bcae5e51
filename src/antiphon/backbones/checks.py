"""Reference outputs: one fixed input and one number per backbone, to check that a machine computes the same values."""

import numpy as np
import numpy.typing as npt

from antiphon.backbones.base import AudioBackbone, FloatArray, VideoBackbone

TOLERANCE = 1e-3
"""Relative tolerance: processors differ by about 1e-6, other weights or preprocessing by far more."""


def sweep(rate_hz: int = 16_000) -> FloatArray:
    """Generate a tone of 3 s that glides from 100 Hz upwards, with a beat.

    Parameters
    ----------
    rate_hz : int, default 16000
        Sample rate.

    Returns
    -------
    ndarray of float32, shape (3 * rate_hz,)
        Mono in [-1, 1].
    """
    time_s = np.arange(3 * rate_hz) / rate_hz
    tone = np.sin(2 * np.pi * (100 + 400 * time_s) * time_s)
    return (0.5 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s))).astype(np.float32)


def gradients(size_px: int, frames: int = 4) -> npt.NDArray[np.uint8]:
    """Generate frames of moving coloured stripes.

    Parameters
    ----------
    size_px : int
        Side of the frames.
    frames : int, default 4
        Number of frames.

    Returns
    -------
    ndarray of uint8, shape (frames, size_px, size_px, 3)
        RGB.
    """
    frame, row, column, channel = np.ogrid[:frames, :size_px, :size_px, :3]
    phase = row * (0.05 + 0.03 * channel) + column * 0.04 + frame * 0.7
    return np.round(127.5 + 120 * np.sin(phase)).astype(np.uint8)


def response(backbone: AudioBackbone | VideoBackbone) -> float:
    """Reduce a backbone's feature of the fixed input to one number that depends on the order of the values.

    Parameters
    ----------
    backbone : AudioBackbone or VideoBackbone
        Backbone to check.

    Returns
    -------
    float
        Weighted sum of the feature.
    """
    if isinstance(backbone, AudioBackbone):
        feature = backbone(sweep(backbone.rate_hz), backbone.rate_hz)[0]
    else:
        feature = backbone(gradients(backbone.layout.size_px))[0]
    return float(feature.astype(np.float64) @ (1.5 + np.cos(np.arange(feature.size))))
