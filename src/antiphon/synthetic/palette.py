"""Colour palettes, and conversion to the planes of a video codec."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.synthetic.looks import Look

Colour = NDArray[np.floating]
"""Red, green, blue in [0, 1]."""

Image = NDArray[np.floating]
"""`(height, width, 3)`, red, green, blue in [0, 1]."""


@dataclass(frozen=True)
class Palette:
    """Colours of a scene.

    Attributes
    ----------
    top, low : ndarray of float
        Sky from top to bottom.
    far, near : ndarray of float
        Layers behind and in front.
    accent, light : ndarray of float
        Accent and light.
    """

    top: Colour
    low: Colour
    far: Colour
    near: Colour
    accent: Colour
    light: Colour


def make_palette(look: Look, random: np.random.Generator, lift: float = 0.0, turn: float = 0.0) -> Palette:
    """Choose colours after the look: from cold blue over purple and red to warm yellow, dark to light, pale to vivid.

    Parameters
    ----------
    look : Look
        Visual style.
    random : numpy.random.Generator
        Source of randomness.
    lift : float, default 0.0
        Lightens all colours and makes them more vivid.
    turn : float, default 0.0
        Shift of the hues in degrees.

    Returns
    -------
    Palette
        The colours.
    """
    hue = 235 + 190 * look.warmth + float(random.uniform(-14, 14)) + turn
    chroma = (0.03 + 0.15 * look.saturation) * (1 + 0.8 * lift)
    base = 0.22 + 0.52 * look.lightness + 0.5 * lift
    spread = 0.1 + 0.22 * look.contrast
    aside = 40 + 45 * look.saturation
    return Palette(
        top=_oklch(base - 0.4 * spread, chroma * 0.9, hue),
        low=_oklch(base + spread, chroma, hue + aside * 0.55),
        far=_oklch(base - 0.1, chroma * 0.8, hue - 25),
        near=_oklch(0.12 + 0.3 * max(base - 0.2, 0), chroma * 0.5, hue - 40),
        accent=_oklch(0.62 + 0.18 * look.lightness, min(chroma * 1.4 + 0.04, 0.2), hue + 120 + aside * 0.5),
        light=_oklch(0.93, chroma * 0.35, hue + aside),
    )


def _oklch(lightness: float, chroma: float, hue_degrees: float) -> Colour:
    """Convert lightness, chroma and hue (Ottosson's OKLab) to a colour, clipped to the gamut of a screen."""
    lightness = float(np.clip(lightness, 0.03, 0.97))
    angle = np.deg2rad(hue_degrees)
    a, b = chroma * np.cos(angle), chroma * np.sin(angle)
    roots = np.array(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    matrix = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    return (np.clip(matrix @ roots**3, 0, 1) ** (1 / 2.2)).astype(np.float32)


def planes(image: Image, tone: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Convert an image to luma and two half-size chroma planes (BT.601, video range).

    Parameters
    ----------
    image : ndarray of float, shape (height, width, 3)
        RGB with even sides.
    tone : str
        "colour", "grey" or "sepia".

    Returns
    -------
    (ndarray of uint8, ndarray of uint8, ndarray of uint8)
        Luma and both chroma planes.
    """
    height, width, _ = image.shape
    luma = _weighted(image, 65.481, 128.553, 24.966) + 16.5
    if tone != "colour":
        flat = np.ones((height // 2, width // 2), np.uint8)
        blue, red = (128, 128) if tone == "grey" else (112, 141)
        return luma.astype(np.uint8), flat * np.uint8(blue), flat * np.uint8(red)
    quarter = (image[::2, ::2] + image[1::2, 1::2]) * np.float32(0.5)
    blue = _weighted(quarter, -37.797, -74.203, 112.0) + 128.5
    red = _weighted(quarter, 112.0, -93.786, -18.214) + 128.5
    return luma.astype(np.uint8), blue.astype(np.uint8), red.astype(np.uint8)


def _weighted(image: Image, red: float, green: float, blue: float) -> NDArray[np.floating]:
    # Not a matrix product: those start threads, which costs more than such a small sum.
    return image[..., 0] * red + image[..., 1] * green + image[..., 2] * blue
