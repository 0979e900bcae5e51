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
    random = np.random.default_rng(0)
    return random.uniform(-0.5, 0.5, (n, round(seconds * rate_hz))).astype(np.float32)


def pictures(height: int, width: int, frames: int = 3, n: int = 2) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, frames, height, width, 3), dtype=np.uint8)


def normalised(frames: np.ndarray, crop_px: int) -> torch.Tensor:
    """What processors that need torchvision make of frames that need no scaling, with the means of `tiny`."""
    side = frames.shape[-2]
    first = (side - crop_px) // 2
    cropped = frames[..., first : first + crop_px, first : first + crop_px, :] / 255
    values = (cropped - np.array([0.4, 0.5, 0.6])) / np.array([0.2, 0.25, 0.3])
    return torch.from_numpy(np.moveaxis(values, -1, -3).astype(np.float32))
