"""Preprocessing of pictures, by the values of a processor's configuration.

The library's own processors need torchvision, or scale with Pillow. Here pictures that have the size of the layout, as
extraction decodes them, are not scaled at all; others are scaled with Pillow, as the library does without torchvision
(with it, single values differ by one of 255).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.backbones.hub.packages import required
from antiphon.backbones.inference import on_device
from antiphon.errors import WeightsError
from antiphon.media.layout import FrameLayout


@dataclass(frozen=True)
class Pictures:
    """Preprocessing of pictures.

    Attributes
    ----------
    name : str
        Name of the model, for messages.
    size_px : int
        Size that pictures are scaled to: of the shorter side, or of both where `whole`.
    whole : bool
        Whether both sides are scaled to `size_px`, whatever the shape.
    crop_px : int
        Side of the central square that is taken then.
    resample : int
        Filter, as Pillow numbers them.
    scale : float
        Factor of values from 0 to 255.
    mean, std : tuple of float
        What is subtracted from each colour, and divided by.
    """

    name: str
    size_px: int
    whole: bool
    crop_px: int
    resample: int
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, name: str, stated: dict[str, Any], default: dict[str, Any]) -> "Pictures":
        """Read the configuration of a processor.

        Parameters
        ----------
        name : str
            Name of the model, for messages.
        stated : dict of str to object
            The configuration.
        default : dict of str to object
            What the processor's class takes where the configuration says nothing.

        Returns
        -------
        Pictures
            The preprocessing.

        Raises
        ------
        WeightsError
            It is incomplete, or asks for what is not done here.
        """
        values = default | {key: value for key, value in stated.items() if value is not None}
        try:
            size_px, whole = _size(values["size"], bool(values.get("default_to_square", True)))
            cropped = bool(values.get("do_center_crop", False))
            crop_px = _size(values["crop_size"], True)[0] if cropped else size_px
            normalised = bool(values.get("do_normalize", True))
            mean, std = _colours(values["image_mean"]), _colours(values["image_std"])
            scale = float(values.get("rescale_factor", 1 / 255)) if values.get("do_rescale", True) else 1.0
            resample = int(values["resample"])
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"{name}: the configuration of its processor is incomplete or not known here ({error!r})."
            ) from error
        if not values.get("do_resize", True) or not 0 < crop_px <= size_px <= 4096:
            raise WeightsError(
                f"{name}: its processor does not scale pictures, or crops {crop_px} of {size_px} pixels, which is not "
                "done here."
            )
        plain = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        return cls(name, size_px, whole, crop_px, resample, scale, *((mean, std) if normalised else plain))

    def layout(self, every: int) -> FrameLayout:
        """Return the frames to decode: of the size that the processor scales to."""
        return FrameLayout(size_px=self.size_px, every=every, crop="whole" if self.whole else "centre")

    def __call__(self, frames: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
        """Prepare pictures.

        Parameters
        ----------
        frames : ndarray of uint8, shape (n, height, width, 3)
            RGB.
        device : torch.device
            Where to compute.

        Returns
        -------
        Tensor, shape (n, 3, crop_px, crop_px)
            Float32, on the device.
        """
        scaled = self._scaled(frames)
        top, left = ((side - self.crop_px) // 2 for side in scaled.shape[1:3])
        cropped = np.ascontiguousarray(scaled[:, top : top + self.crop_px, left : left + self.crop_px])
        values = on_device(cropped, device).permute(0, 3, 1, 2).contiguous().float()
        mean, std = (torch.tensor(one, device=device)[:, None, None] for one in (self.mean, self.std))
        return (values * self.scale - mean) / std

    def _scaled(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        height, width = frames.shape[1:3]
        if self.whole:
            wanted = (self.size_px, self.size_px)
        else:
            long_px = int(self.size_px * max(height, width) / min(height, width))
            wanted = (self.size_px, long_px) if height <= width else (long_px, self.size_px)
        if wanted == (height, width):
            return frames
        required("PIL", self.name)
        from PIL import Image

        filter_ = Image.Resampling(self.resample)
        return np.stack([np.asarray(Image.fromarray(one).resize((wanted[1], wanted[0]), filter_)) for one in frames])


def _size(stated: Any, square: bool) -> tuple[int, bool]:
    """Return a size in pixels, and whether it is that of both sides; a number alone is what the class makes of it."""
    if isinstance(stated, dict):
        if "shortest_edge" in stated and not stated.get("longest_edge"):
            return int(stated["shortest_edge"]), False
        if int(stated["height"]) != int(stated["width"]):
            raise ValueError(f"size {stated}: pictures here are square")
        return int(stated["height"]), True
    return int(stated), square


def _colours(stated: Any) -> tuple[float, float, float]:
    red, green, blue = (float(one) for one in stated)
    return red, green, blue


def chosen_frames(total: int, count: int) -> list[int]:
    """Choose frames evenly, the first and the last among them.

    Parameters
    ----------
    total : int
        Number of frames that there are.
    count : int
        Number to choose; some are chosen twice where there are fewer.

    Returns
    -------
    list of int
        Their places.

    Examples
    --------
    >>> chosen_frames(30, 4)
    [0, 9, 19, 29]
    """
    return [int(place * (total - 1) / max(count - 1, 1)) for place in range(count)]
