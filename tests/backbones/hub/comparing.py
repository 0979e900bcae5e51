"""Inputs, and how close a feature must be to what the library computes itself."""

from collections.abc import Callable

import numpy as np
import torch

from antiphon.backbones import AudioBackbone, VideoBackbone

AudioOf = Callable[[str], AudioBackbone]
VideoOf = Callable[[str], VideoBackbone]
TEXTS = ["a sad song", "calm guitar night", "loud"]
EXACT = 1e-5


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.ptp(expected, axis=0).max() > 100 * EXACT, "a model that takes no notice of its input proves nothing"
    np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT * max(1.0, float(np.abs(expected).max())))


def unit(rows: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(rows, dim=-1).detach().numpy()


def sounds(rate_hz: int, seconds: float = 3.0, n: int = 3) -> np.ndarray:
    """Tones of other pitches and levels, with some noise."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, (n, len(time_s)))
    tones = [0.6 / (row + 1) * np.sin(2 * np.pi * 200 * 4**row * time_s * (1 + 0.1 * time_s)) for row in range(n)]
    return (np.stack(tones) + noise).astype(np.float32)


def pictures(height: int, width: int, frames: int = 3, n: int = 2) -> np.ndarray:
    """Stripes of other widths and colours that move, with some noise."""
    window, frame, row, column, channel = np.ogrid[:n, :frames, :height, :width, :3]
    stripes = (
        60
        + 120 * (window + channel) % 180
        + 60 * np.sin((0.2 + 0.3 * window) * (row + frame * (1 + channel)) + 0.1 * column * channel)
    )
    noise = np.random.default_rng(1).normal(0, 15, (n, frames, height, width, 3))
    return np.clip(stripes + noise, 0, 255).astype(np.uint8)


def normalised(frames: np.ndarray, crop_px: int) -> torch.Tensor:
    """What processors that need torchvision make of frames that need no scaling, with the means of `tiny`."""
    side = frames.shape[-2]
    first = (side - crop_px) // 2
    cropped = frames[..., first : first + crop_px, first : first + crop_px, :] / 255
    values = (cropped - np.array([0.4, 0.5, 0.6])) / np.array([0.2, 0.25, 0.3])
    return torch.from_numpy(np.moveaxis(values, -1, -3).astype(np.float32))
