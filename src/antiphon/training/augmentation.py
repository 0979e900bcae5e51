"""Changes to pictures and sound that leave what matters as it is, for fine-tuning.

Veldkamp et al. (2023) name a random resized crop of 112 pixels; flip, blur, gain and noise are the usual further ones
(Chen et al. 2020, https://arxiv.org/abs/2002.05709, for pictures; Spijkervet and Burgoyne 2021,
https://arxiv.org/abs/2103.09410, for sound). All frames of a window are changed alike, so that motion stays motion.
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

_REACH = 3.0  # standard deviations of the blur after which its kernel ends


class AugmentationConfig(BaseModel):
    """How strongly windows are changed.

    Attributes
    ----------
    flip_share, blur_share : of the windows that are mirrored left-right, and blurred.
    min_blur, max_blur : standard deviation of the blur, as a share of the picture's side.
    gain_db : the sound is made louder or softer by up to so many decibels.
    noise_share : of the windows whose sound gets white noise.
    min_snr_db, max_snr_db : how far the sound's power lies above the noise's.
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
    def _ranges_are_ranges(self) -> Self:
        if self.min_blur > self.max_blur or self.min_snr_db > self.max_snr_db:
            raise ValueError("min_blur and min_snr_db must not be above max_blur and max_snr_db")
        return self


def augment_video(
    frames: npt.NDArray[np.uint8], size_px: int, config: AugmentationConfig, generator: np.random.Generator
) -> Tensor:
    """A random resized crop, mirrored or not, blurred or not, the same for all frames of a window.

    Parameters
    ----------
    frames : (n, height, width, 3) uint8 RGB.
    size_px : side of the result.

    Returns
    -------
    (n, 3, size_px, size_px) float32 in [0, 255]
    """
    height, width = frames.shape[1:3]
    video = resized_crop(frames, random_box(width, height, generator), size_px)
    if generator.random() < config.flip_share:
        video = flipped(video)
    if generator.random() < config.blur_share:
        video = blurred(video, size_px * generator.uniform(config.min_blur, config.max_blur))
    return video


def augment_audio(waveform: Tensor, config: AugmentationConfig, generator: np.random.Generator) -> Tensor:
    """(samples,) float32 → the same with another gain and, or not, noise."""
    changed = with_gain(waveform, generator.uniform(-config.gain_db, config.gain_db))
    if generator.random() < config.noise_share:
        changed = with_noise(changed, generator.uniform(config.min_snr_db, config.max_snr_db), generator)
    return changed


def resized_crop(frames: npt.NDArray[np.uint8], box: Box, size_px: int) -> Tensor:
    """(n, height, width, 3) uint8 → (n, 3, size_px, size_px) float32 in [0, 255]: the part in `box`, scaled.

    Bilinear with antialiasing. The part is never less than a pixel.
    """
    height, width = frames.shape[1:3]
    top, left = (min(round(share * side), side - 1) for share, side in ((box.top, height), (box.left, width)))
    bottom = min(height, top + max(1, round(box.height * height)))
    right = min(width, left + max(1, round(box.width * width)))
    part = torch.from_numpy(frames[:, top:bottom, left:right]).permute(0, 3, 1, 2).float()
    return functional.interpolate(part, (size_px, size_px), mode="bilinear", antialias=True).clamp(0, 255)


def flipped(frames: Tensor) -> Tensor:
    """(…, height, width) → the same mirrored left-right."""
    return frames.flip(-1)


def blurred(frames: Tensor, deviation_px: float) -> Tensor:
    """(n, channels, height, width) → the same under a Gaussian of `deviation_px`, cut off at three deviations.

    Beyond the edge the picture is mirrored at the middle of its outermost pixels.
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
    """A waveform of any shape, louder by `gain_db` decibels (softer where it is negative); it is not clipped."""
    return waveform * 10 ** (gain_db / 20)


def with_noise(waveform: Tensor, snr_db: float, generator: np.random.Generator) -> Tensor:
    """(samples,) → the same with white noise whose power is exactly `snr_db` decibels below its own."""
    noise = torch.from_numpy(generator.standard_normal(len(waveform), dtype=np.float32)).to(waveform)
    ratio = waveform.square().mean() / noise.square().mean()
    return waveform + noise * (ratio * 10 ** (-snr_db / 10)).sqrt()
