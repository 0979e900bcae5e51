"""Cropping: source frames of any size, rotation and pixel aspect ratio → square RGB frames of a layout."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from antiphon.errors import DecodeError
from antiphon.media.layout import FrameLayout

_AREA = (0.08, 1.0)
_RATIO = (3 / 4, 4 / 3)
_ATTEMPTS = 10
_MAX_ASPECT = 16.0


@dataclass(frozen=True)
class Box:
    """Part of a frame, as fractions of its width and height.

    Attributes
    ----------
    left, top : float
        Upper left corner.
    width, height : float
        Size.
    """

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Orientation:
    """Rotation of stored frames for display: first transpose, then mirror left-right, then top-bottom.

    Attributes
    ----------
    transpose, mirror_x, mirror_y : bool
        Steps to apply.
    """

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """Read the display matrix of a frame, rounded to right angles.

        Parameters
        ----------
        frame : VideoFrame
            Decoded frame.

        Returns
        -------
        Orientation
            Its orientation.
        """
        matrix = cast(Any, frame.side_data).get("DISPLAYMATRIX")
        if matrix is None:
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5].tolist()
        if abs(b) > abs(a):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Turn an image upright.

        Parameters
        ----------
        image : ndarray
            Array of shape (height, width, 3).

        Returns
        -------
        ndarray
            View of the image.
        """
        turned = image.transpose(1, 0, 2) if self.transpose else image
        return turned[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


_WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def random_box(width: float, height: float, generator: np.random.Generator) -> Box:
    """Draw a random resized crop.

    The distribution is that of torchvision's `RandomResizedCrop`: an area of 0.08 to 1 of the frame and an aspect ratio
    of 3/4 to 4/3, uniform in its logarithm; after ten attempts that do not fit, the largest central part of a ratio in
    range.

    Parameters
    ----------
    width, height : float
        Size of the frame as shown, in pixels.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Box
        The crop.
    """
    for _ in range(_ATTEMPTS):
        area = width * height * generator.uniform(*_AREA)
        ratio = math.exp(generator.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left = int(generator.integers(0, int(width) - w, endpoint=True))
            top = int(generator.integers(0, int(height) - h, endpoint=True))
            return Box(left / width, top / height, w / width, h / height)
    w, h = min(width, height * _RATIO[1]), min(height, width / _RATIO[0])
    return Box((1 - w / width) / 2, (1 - h / height) / 2, w / width, h / height)


def centre_box(width: float, height: float) -> Box:
    """Return the largest central square of a frame.

    Parameters
    ----------
    width, height : float
        Size of the frame, of which only the proportion matters.

    Returns
    -------
    Box
        The crop.
    """
    side = min(width, height)
    return Box((1 - side / width) / 2, (1 - side / height) / 2, side / width, side / height)


def shown_size(uri: str, frame: VideoFrame, orientation: Orientation, pixel_aspect: float) -> tuple[float, float]:
    """Return the size of a frame as it is shown.

    Parameters
    ----------
    uri : str
        Name of the file, for messages.
    frame : VideoFrame
        Decoded frame.
    orientation : Orientation
        Its orientation.
    pixel_aspect : float
        Width of a stored pixel over its height.

    Returns
    -------
    width, height : float
        Size in pixels.

    Raises
    ------
    DecodeError
        The aspect ratio exceeds 16.
    """
    width, height = frame.width * pixel_aspect, float(frame.height)
    if not 1 / _MAX_ASPECT <= width / height <= _MAX_ASPECT:
        raise DecodeError(f"{uri}: frames of {width:.0f}×{height:.0f} have an aspect ratio beyond {_MAX_ASPECT:g}.")
    return (height, width) if orientation.transpose else (width, height)


def upright(
    reformatter: VideoReformatter, frame: VideoFrame, orientation: Orientation, width_px: int, height_px: int
) -> np.ndarray:
    """Turn a whole frame upright and scale it.

    Parameters
    ----------
    reformatter : VideoReformatter
        Scaler to use.
    frame : VideoFrame
        Decoded frame.
    orientation : Orientation
        Its orientation.
    width_px, height_px : int
        Size of the result.

    Returns
    -------
    ndarray
        RGB as uint8, shape (height_px, width_px, 3).
    """
    stored = (height_px, width_px) if orientation.transpose else (width_px, height_px)
    scaled = reformatter.reformat(
        frame,
        width=stored[0],
        height=stored[1],
        format="rgb24",
        interpolation=Interpolation.BILINEAR,
        # More threads cost ten times as much processor time for frames this small.
        threads=1,
    )
    return orientation.apply(scaled.to_ndarray())


class FrameCropper:
    """Cropper of the frames of one window to each layout; a random crop is drawn once per window.

    Parameters
    ----------
    uri : str
        Name of the file, for messages.
    layouts : sequence of FrameLayout
        Layouts to crop to.
    pixel_aspect : Fraction or None
        Width of a stored pixel over its height; None for 1.
    generator : numpy.random.Generator
        Draws the random crops.
    """

    def __init__(
        self,
        uri: str,
        layouts: Sequence[FrameLayout],
        pixel_aspect: Fraction | None,
        generator: np.random.Generator,
    ) -> None:
        self._uri = uri
        self._layouts = layouts
        self._pixel_aspect = float(pixel_aspect or 1)
        self._generator = generator
        self._random_boxes: dict[FrameLayout, Box] = {}
        self._reformatter = VideoReformatter()

    def crop(self, frame: VideoFrame, layout: FrameLayout) -> np.ndarray:
        """Crop a frame to a layout.

        Parameters
        ----------
        frame : VideoFrame
            Decoded frame.
        layout : FrameLayout
            One of the layouts.

        Returns
        -------
        ndarray
            RGB as uint8, shape (size_px, size_px, 3).

        Raises
        ------
        DecodeError
            The aspect ratio exceeds 16.
        """
        orientation = Orientation.of(frame)
        width, height = shown_size(self._uri, frame, orientation, self._pixel_aspect)
        box = self._box(layout, width, height)
        size = layout.size_px
        # Scale the whole frame, then crop: cheaper than converting every pixel for an exact crop.
        scaled_width, scaled_height = max(size, round(size / box.width)), max(size, round(size / box.height))
        image = upright(self._reformatter, frame, orientation, scaled_width, scaled_height)
        left = min(round(box.left * scaled_width), scaled_width - size)
        top = min(round(box.top * scaled_height), scaled_height - size)
        return image[top : top + size, left : left + size]

    def _box(self, layout: FrameLayout, width: float, height: float) -> Box:
        if layout.crop == "centre":
            return centre_box(width, height)
        if layout.crop == "whole":
            return _WHOLE
        if layout not in self._random_boxes:
            self._random_boxes[layout] = random_box(width, height, self._generator)
        return self._random_boxes[layout]
