"""Setups: the graded background of a place and the performers who stand there, ready to be filmed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from antiphon.synthetic import indoors, outdoors
from antiphon.synthetic.drawing import ScalarField, blurred, coordinates
from antiphon.synthetic.looks import Look
from antiphon.synthetic.palette import Colour, Image, Palette, make_palette, planes
from antiphon.synthetic.performers import silhouette

MARGIN = 1.24
"""Size of a background relative to the frame, which leaves room for the camera to move."""

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""Luma and two chroma planes of half the size."""

Paint = Callable[[Palette, tuple[int, int], np.random.Generator], Image]
"""Paints a place in the colours of a palette at a size (height, width)."""

_SCENES: dict[str, Paint] = {
    "dancefloor": indoors.dancefloor,
    "tunnel": indoors.tunnel,
    "city": outdoors.city,
    "grid": outdoors.grid,
    "stage": indoors.stage,
    "inferno": outdoors.inferno,
    "room": indoors.room,
    "meadow": outdoors.meadow,
    "club": indoors.club,
    "beach": outdoors.beach,
    "nebula": outdoors.nebula,
}

_LIFTS = {"verse": 0.0, "chorus": 0.1, "bridge": -0.1, "detail": 0.0}
_TURNS = {"verse": 0.0, "chorus": 24.0, "bridge": -30.0, "detail": 10.0}


@dataclass(frozen=True)
class Sprite:
    """Performer to lay over a frame, without the clear margins.

    Attributes
    ----------
    size : (int, int)
        Height and width with the margins.
    corner : (int, int)
        Row and column of the arrays in there, even numbers.
    ground : (ndarray of uint16, ndarray of uint16)
        What remains of each plane behind it, of 256.
    added : (ndarray of uint16, ndarray of uint16, ndarray of uint16)
        What is added to each plane.
    """

    size: tuple[int, int]
    corner: tuple[int, int]
    ground: tuple[NDArray[np.uint16], NDArray[np.uint16]]
    added: tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint16]]


@dataclass
class Setup:
    """One place of a video.

    Attributes
    ----------
    background : (ndarray of uint8, ndarray of uint8, ndarray of uint8)
        Planes of the empty place.
    palette : Palette
        Its colours.
    tone : str
        "colour", "grey" or "sepia".
    sprites : dict of (str, int, int, bool) to Sprite
        Cache of the poses seen so far.
    """

    background: Planes
    palette: Palette
    tone: str
    sprites: dict[tuple[str, int, int, bool], Sprite] = field(default_factory=dict[tuple[str, int, int, bool], Sprite])

    def sprite(self, act: str, pose: int, height_px: int, leads: bool) -> Sprite:
        """Render a performer in this place's light; the leading one wears the accent colour.

        Parameters
        ----------
        act : str
            Kind of performer.
        pose : int
            Number of the pose.
        height_px : int
            Height in pixels.
        leads : bool
            True for the leading performer.

        Returns
        -------
        Sprite
            The performer.
        """
        key = (act, pose, height_px, leads)
        if key not in self.sprites:
            body = (self.palette.accent * 0.45 + self.palette.near * 0.15) if leads else self.palette.near * 0.75
            self.sprites[key] = _cut_out(act, pose, height_px, body, self.palette.light, self.tone)
        return self.sprites[key]


def build_setup(name: str, look: Look, size_px: tuple[int, int], random: np.random.Generator) -> Setup:
    """Paint and grade a place.

    Parameters
    ----------
    name : str
        Name of the place; see `shots.SETUPS`.
    look : Look
        Visual style.
    size_px : (int, int)
        Width and height of the frames.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Setup
        The place.
    """
    lift = _LIFTS[name] * (0.5 + look.contrast)
    palette = make_palette(look, random, lift, _TURNS[name] * (0.4 + look.saturation))
    width, height = (int(side * MARGIN) // 4 * 4 for side in size_px)
    image = (_detail(look) if name == "detail" else _SCENES[look.scene])(palette, (height, width), random)
    image = blurred(image, round(max(look.softness - 0.3, 0) * 6 * height / 220))
    return Setup(planes(_graded(image, look), look.tone), palette, look.tone)


def _detail(look: Look) -> Paint:
    if look.grain > 0.5:
        return indoors.burst
    return indoors.mosaic if look.scanlines > 0.4 else indoors.bokeh


def _graded(image: Image, look: Look) -> Image:
    """Apply the contrast of the look, and darken the corners."""
    steep = 0.75 + 0.6 * look.contrast
    middle = 0.32 + 0.16 * look.lightness
    image = (image - middle) * np.float32(steep) + np.float32(middle)
    y, x = coordinates(image.shape[:2])
    corners = 1 - 0.45 * ((y - 0.5) ** 2 + (x - 0.5) ** 2)
    return np.clip(image * corners[..., None], 0, 1).astype(np.float32)


def _cut_out(act: str, pose: int, height_px: int, body: Colour, light: Colour, tone: str) -> Sprite:
    opacity, rim = silhouette(act, pose, height_px)
    opacity, rim = opacity[: len(opacity) // 2 * 2], rim[: len(rim) // 2 * 2]
    opacity, rim = opacity[:, : opacity.shape[1] // 2 * 2], rim[:, : rim.shape[1] // 2 * 2]
    down = np.linspace(0, 1, len(opacity), dtype=np.float32)[:, None]
    size = opacity.shape
    rows, columns = _occupied(opacity), _occupied(opacity.T)
    opacity, rim, down = opacity[rows, columns], rim[rows, columns], down[rows]
    colours = np.stack([body, light])[:, None, None, :].repeat(2, 1).repeat(2, 2)
    (luma0, blue0, red0), (luma1, blue1, red1) = (
        tuple(int(plane[0, 0]) for plane in planes(colour, tone)) for colour in colours
    )
    # Heads are lighter than clothes.
    shade = 1.15 - 0.4 * down + 0.45 * np.clip((0.215 - down) * 60, 0, 1)
    luma = opacity * (luma0 * shade + rim * (luma1 - luma0))
    small, small_rim = opacity[::2, ::2], rim[::2, ::2]
    blue = small * (blue0 + small_rim * (blue1 - blue0))
    red = small * (red0 + small_rim * (red1 - red0))
    ground = tuple(np.round(256 * (1 - mask)).astype(np.uint16) for mask in (opacity, small))
    added = tuple(plane.astype(np.uint16) for plane in (luma, blue, red))
    corner = (rows.start, columns.start)
    return Sprite(size, corner, (ground[0], ground[1]), (added[0], added[1], added[2]))


def _occupied(opacity: ScalarField) -> slice:
    """Return the rows that are not clear, from an even one to before an even one."""
    places = np.flatnonzero(opacity.max(axis=1))
    return slice(int(places[0]) // 2 * 2, int(places[-1]) // 2 * 2 + 2) if len(places) else slice(0, 0)
