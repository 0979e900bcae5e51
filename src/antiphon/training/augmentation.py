"""Augmentation of video and audio windows for fine-tuning.

Veldkamp et al. (2023) name a random resized crop of 112 pixels; flip, blur, gain and noise are the usual further
augmentations (Chen et al. 2020, https://arxiv.org/abs/2002.05709, for images; Spijkervet and Burgoyne 2021,
https://arxiv.org/abs/2103.09410, for audio). All frames of a window are augmented alike, so that motion is preserved.
"""

import math
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional

from antiphon.media.cropping import Box, random_box

_REACH = 3.0
"""Radius of the blur kernel in standard deviations."""


class AugmentationConfig(BaseModel):
    """Strength of the augmentations.

    Attributes
    ----------
    flip_share : float
        Fraction of windows to mirror left-right, in [0, 1].
    blur_share : float
        Fraction of windows to blur, in [0, 1].
    min_blur, max_blur : float
        Range of the blur's standard deviation, as a fraction of the frame's side.
    gain_db : float
        Maximum change of the audio's level in decibels, in either direction.
    noise_share : float
        Fraction of windows whose audio gets white noise, in [0, 1].
    min_snr_db, max_snr_db : float
        Range of the signal-to-noise ratio in decibels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip_share: float = Field(default=0.5, ge=0, le=1)
    blur_share: float = Field(default=0.5, ge=0, le=1)
    min_blur: float = Field(default=0.001, gt=0)
    max_blur: float = Field(default=0.009, gt=0)
    gain_db: float = Field(default=6.0, ge=0)
    noise_share: float = Field(default=0.5, ge=0, le=1)
    min_snr_db: float = 20.0
    max_snr_db: float = 40.0

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        if self.min_blur > self.max_blur or self.min_snr_db > self.max_snr_db:
            raise ValueError("min_blur must not exceed max_blur, and min_snr_db must not exceed max_snr_db")
        return self


def augment_video(
    frames: npt.NDArray[np.uint8], size_px: int, config: AugmentationConfig, generator: np.random.Generator
) -> Tensor:
    """Crop, flip and blur a window at random, all its frames alike.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, height, width, 3)
        RGB frames.
    size_px : int
        Side of the result in pixels.
    config : AugmentationConfig
        Strength of the augmentations.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Tensor, shape (n, 3, size_px, size_px)
        Float32 in [0, 255].
    """
    height, width = frames.shape[1:3]
    video = resized_crop(frames, random_box(width, height, generator), size_px)
    if generator.random() < config.flip_share:
        video = flipped(video)
    if generator.random() < config.blur_share:
        video = blurred(video, size_px * generator.uniform(config.min_blur, config.max_blur))
    return video


def augment_audio(waveform: Tensor, config: AugmentationConfig, generator: np.random.Generator) -> Tensor:
    """Change the gain of a window at random, and add noise to some windows.

    Parameters
    ----------
    waveform : Tensor, shape (samples,)
        Float32 audio.
    config : AugmentationConfig
        Strength of the augmentations.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Tensor, shape (samples,)
        Float32 audio.
    """
    changed = with_gain(waveform, generator.uniform(-config.gain_db, config.gain_db))
    if generator.random() < config.noise_share:
        changed = with_noise(changed, generator.uniform(config.min_snr_db, config.max_snr_db), generator)
    return changed


def resized_crop(frames: npt.NDArray[np.uint8], box: Box, size_px: int) -> Tensor:
    """Crop frames to a box and resize the crop, bilinearly with antialiasing.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, height, width, 3)
        RGB frames.
    box : Box
        Part of the frame to keep; it is at least one pixel.
    size_px : int
        Side of the result in pixels.

    Returns
    -------
    Tensor, shape (n, 3, size_px, size_px)
        Float32 in [0, 255].
    """
    height, width = frames.shape[1:3]
    top, left = (min(round(share * side), side - 1) for share, side in ((box.top, height), (box.left, width)))
    bottom = min(height, top + max(1, round(box.height * height)))
    right = min(width, left + max(1, round(box.width * width)))
    part = torch.from_numpy(frames[:, top:bottom, left:right]).permute(0, 3, 1, 2).float()
    return functional.interpolate(part, (size_px, size_px), mode="bilinear", antialias=True).clamp(0, 255)


def flipped(frames: Tensor) -> Tensor:
    """Mirror frames left-right.

    Parameters
    ----------
    frames : Tensor, shape (..., height, width)
        Frames.

    Returns
    -------
    Tensor, shape (..., height, width)
        Mirrored frames.
    """
    return frames.flip(-1)


def blurred(frames: Tensor, deviation_px: float) -> Tensor:
    """Blur frames by a Gaussian, truncated at three standard deviations and reflected at the borders.

    Parameters
    ----------
    frames : Tensor, shape (n, channels, height, width)
        Frames.
    deviation_px : float
        Standard deviation in pixels.

    Returns
    -------
    Tensor, shape (n, channels, height, width)
        Blurred frames.
    """
    reach = min(math.ceil(_REACH * deviation_px), min(frames.shape[2:]) - 1)
    offsets = torch.arange(-reach, reach + 1, dtype=frames.dtype, device=frames.device)
    kernel = torch.exp(-0.5 * (offsets / deviation_px) ** 2)
    kernel = kernel / kernel.sum()
    planes = frames.flatten(0, 1)[:, None]
    planes = functional.pad(planes, (reach, reach, reach, reach), mode="reflect")
    planes = functional.conv2d(planes, kernel.view(1, 1, -1, 1))
    planes = functional.conv2d(planes, kernel.view(1, 1, 1, -1))
    return planes[:, 0].unflatten(0, frames.shape[:2])


def with_gain(waveform: Tensor, gain_db: float) -> Tensor:
    """Change the level of a waveform, without clipping.

    Parameters
    ----------
    waveform : Tensor, shape (...)
        Audio.
    gain_db : float
        Gain in decibels; negative attenuates.

    Returns
    -------
    Tensor, shape (...)
        Scaled audio.
    """
    return waveform * 10 ** (gain_db / 20)


def with_noise(waveform: Tensor, snr_db: float, generator: np.random.Generator) -> Tensor:
    """Add white noise whose power is exactly `snr_db` decibels below that of the waveform.

    Parameters
    ----------
    waveform : Tensor, shape (samples,)
        Audio.
    snr_db : float
        Signal-to-noise ratio in decibels.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Tensor, shape (samples,)
        Noisy audio.
    """
    noise = torch.from_numpy(generator.standard_normal(len(waveform), dtype=np.float32)).to(waveform)
    ratio = waveform.square().mean() / noise.square().mean()
    return waveform + noise * (ratio * 10 ** (-snr_db / 10)).sqrt()
