"""Source pictures of any size, rotation and pixel shape → square RGB frames of a layout."""

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
    """A part of a picture, as fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned for showing: first transposed, then mirrored left-right, then top-bottom."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """Read the display matrix; a rotation between right angles is taken as the nearest of these."""
        matrix = cast(Any, frame.side_data).get("DISPLAYMATRIX")
        if matrix is None:
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5].tolist()
        if abs(b) > abs(a):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """Turn a picture, (height, width, 3)."""
        turned = picture.transpose(1, 0, 2) if self.transpose else picture
        return turned[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


def random_box(width: float, height: float, generator: np.random.Generator) -> Box:
    """Draw the part that a resized random crop shows.

    The distribution of torchvision's `RandomResizedCrop`: area 0.08 to 1 of the picture, ratio of width to height
    3/4 to 4/3, uniform in its logarithm; after ten attempts that do not fit, the largest middle part of a ratio in
    range.

    Parameters
    ----------
    width, height : size of the picture as shown, in pixels.
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
    """The largest square in the middle of a picture, of whose size in pixels only the proportion matters."""
    side = min(width, height)
    return Box((1 - side / width) / 2, (1 - side / height) / 2, side / width, side / height)


def shown_size(uri: str, frame: VideoFrame, orientation: Orientation, pixel_aspect: float) -> tuple[float, float]:
    """Width and height of a picture as it is to be shown, in pixels.

    Raises
    ------
    DecodeError
        The picture is more than sixteen times as wide as high, or as high as wide.
    """
    width, height = frame.width * pixel_aspect, float(frame.height)
    if not 1 / _MAX_ASPECT <= width / height <= _MAX_ASPECT:
        raise DecodeError(f"{uri}: pictures of {width:.0f}×{height:.0f} are no usable shape.")
    return (height, width) if orientation.transpose else (width, height)


def upright(
    reformatter: VideoReformatter, frame: VideoFrame, orientation: Orientation, width_px: int, height_px: int
) -> np.ndarray:
    """A whole picture turned as it is to be shown and scaled: uint8 (height_px, width_px, 3) RGB."""
    stored = (height_px, width_px) if orientation.transpose else (width_px, height_px)
    scaled = reformatter.reformat(
        frame,
        width=stored[0],
        height=stored[1],
        format="rgb24",
        interpolation=Interpolation.BILINEAR,
        # More threads cost ten times as much processor time for pictures this small.
        threads=1,
    )
    return orientation.apply(scaled.to_ndarray())


class FrameCropper:
    """Crops the pictures of one window to each layout; a random crop is drawn once and kept.

    Parameters
    ----------
    uri : the file's name, for messages.
    layouts : what to crop to.
    pixel_aspect : width of a stored pixel over its height.
    generator : draws the random crops.
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
        """One frame of a layout: uint8 (size_px, size_px, 3)."""
        orientation = Orientation.of(frame)
        width, height = shown_size(self._uri, frame, orientation, self._pixel_aspect)
        box = self._box(layout, width, height)
        size = layout.size_px
        # Scaled whole and then cut: cheaper than to convert every pixel for the sake of an exact cut.
        scaled_width, scaled_height = max(size, round(size / box.width)), max(size, round(size / box.height))
        picture = upright(self._reformatter, frame, orientation, scaled_width, scaled_height)
        left = min(round(box.left * scaled_width), scaled_width - size)
        top = min(round(box.top * scaled_height), scaled_height - size)
        return picture[top : top + size, left : left + size]

    def _box(self, layout: FrameLayout, width: float, height: float) -> Box:
        if layout.crop == "centre":
            return centre_box(width, height)
        if layout not in self._random_boxes:
            self._random_boxes[layout] = random_box(width, height, self._generator)
        return self._random_boxes[layout]
