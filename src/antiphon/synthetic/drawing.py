"""Drawing primitives: smooth noise, ridges, glows and masks on arrays in relative coordinates."""

import numpy as np
from numpy.typing import NDArray

from antiphon.synthetic.palette import Colour, Image

ScalarField = NDArray[np.floating]
"""`(height, width)` of one number a pixel."""


def coordinates(shape: tuple[int, int]) -> tuple[ScalarField, ScalarField]:
    """Return relative coordinates of pixels.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.

    Returns
    -------
    y : ndarray of float32, shape (h, 1)
        0 at the top, 1 at the bottom.
    x : ndarray of float32, shape (1, w)
        0 at the left, 1 at the right.
    """
    height, width = shape
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    return y, x


def enlarged(grid: NDArray[np.floating], shape: tuple[int, int]) -> ScalarField:
    """Enlarge a small grid bilinearly.

    Parameters
    ----------
    grid : ndarray of float
        Grid of at least 2 × 2 values.
    shape : (int, int)
        Height and width of the result.

    Returns
    -------
    ndarray of float
        Array of that shape.
    """
    small = grid.astype(np.float32)
    at, share = _places(grid.shape[1], shape[1])
    wide = small[:, at] + (small[:, at + 1] - small[:, at]) * share
    at, share = _places(grid.shape[0], shape[0])
    upper = wide[at]
    return upper + (wide[at + 1] - upper) * share[:, None]


def _places(size: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return, for each of `target` samples, the grid point before it and the distance towards the next."""
    place = np.linspace(0, size - 1, target, dtype=np.float32)
    before = np.minimum(place.astype(np.intp), size - 2)
    return before, place - before.astype(np.float32)


def clouds(shape: tuple[int, int], random: np.random.Generator, cells: int = 3, octaves: int = 4) -> ScalarField:
    """Generate fractal noise.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    random : numpy.random.Generator
        Source of randomness.
    cells : int, default 3
        Rows of the coarsest grid.
    octaves : int, default 4
        Number of grids.

    Returns
    -------
    ndarray of float
        Values in [0, 1].
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        scale = 2**octave
        total += enlarged(random.random((cells * scale + 1, cells * 2 * scale + 1)), shape) / scale
    total -= total.min()
    return total / max(float(total.max()), 1e-6)


def ridge(width: int, random: np.random.Generator, jagged: float) -> ScalarField:
    """Generate a fractal line.

    Parameters
    ----------
    width : int
        Number of columns.
    random : numpy.random.Generator
        Source of randomness.
    jagged : float
        From 0 (rolling) to 1 (jagged).

    Returns
    -------
    ndarray of float, shape (width,)
        Heights, about in [-1, 1].
    """
    line = np.zeros(width, np.float32)
    at = np.linspace(0, 1, width)
    for octave in range(6):
        knots = random.uniform(-1, 1, 3 * 2**octave + 1)
        level = (0.36 + 0.3 * jagged) ** octave
        line += (level * np.interp(at, np.linspace(0, 1, len(knots)), knots)).astype(np.float32)
    return line / 1.6


def gradient(shape: tuple[int, int], top: Colour, low: Colour, bend: float = 1.0) -> Image:
    """Paint a vertical gradient.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    top, low : Colour
        Colours at the top and at the bottom.
    bend : float, default 1.0
        Exponent of the transition.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    y, _ = coordinates(shape)
    share = (y**bend)[..., None]
    return np.broadcast_to(top + (low - top) * share, (*shape, 3)).astype(np.float32)


def blend(image: Image, colour: Colour, mask: ScalarField) -> None:
    """Blend a colour into an image, in place.

    Parameters
    ----------
    image : ndarray of float32
        Image to paint on.
    colour : Colour
        Colour to blend in.
    mask : ndarray of float
        Opacity in [0, 1], broadcastable.
    """
    # One channel at a time: numpy is slow at loops over three values.
    for channel, value in enumerate(colour):
        layer = image[..., channel]
        layer += (value - layer) * mask


def shine(image: Image, colour: Colour, light: ScalarField) -> None:
    """Add coloured light to an image, in place.

    Parameters
    ----------
    image : ndarray of float32
        Image to paint on.
    colour : Colour
        Colour of the light.
    light : ndarray of float
        Strength, broadcastable.
    """
    for channel, value in enumerate(colour):
        image[..., channel] += light * value


def surroundings(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> tuple[slice, slice]:
    """Return the rows and columns that a disc may reach; elsewhere its opacity is 0.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    centre : (float, float)
        Row and column.
    radius : float
        Radius in heights.

    Returns
    -------
    (slice, slice)
        Rows and columns, with a margin for the smooth rim.
    """
    height, width = shape
    # In columns a height is as many pixels, but for the two ends, which are pixels themselves.
    reach = radius * height + 4
    row, column = centre[0] * (height - 1), centre[1] * (width - 1)
    rows, columns = (
        slice(max(int(middle - reach), 0), min(max(int(middle + reach) + 1, 0), size))
        for middle, size in ((row, height), (column, width))
    )
    return rows, columns


def glow(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> ScalarField:
    """Compute a soft light.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    centre : (float, float)
        Row and column.
    radius : float
        Radius in heights.

    Returns
    -------
    ndarray of float
        Opacity in [0, 1].
    """
    y, x = coordinates(shape)
    aspect = shape[1] / shape[0]
    distance = (y - centre[0]) ** 2 + ((x - centre[1]) * aspect) ** 2
    return np.exp(-distance / np.float32(radius**2))


def disc(
    shape: tuple[int, int],
    centre: tuple[float, float],
    radius: float,
    part: tuple[slice, slice] = (slice(None), slice(None)),
) -> ScalarField:
    """Compute a filled circle with a smooth rim.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    centre : (float, float)
        Row and column.
    radius : float
        Radius in heights.
    part : (slice, slice), default all
        Rows and columns to compute.

    Returns
    -------
    ndarray of float
        Opacity in [0, 1] of that part.
    """
    y, x = coordinates(shape)
    rows, columns = part
    aspect = shape[1] / shape[0]
    distance = np.sqrt((y[rows] - centre[0]) ** 2 + ((x[:, columns] - centre[1]) * aspect) ** 2)
    return np.clip((radius - distance) * shape[0] + 0.5, 0, 1)


def beam(shape: tuple[int, int], source: tuple[float, float], lean: float, width: float) -> ScalarField:
    """Compute a downward cone of light.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    source : (float, float)
        Row and column of its apex.
    lean : float
        Columns per row to the side.
    width : float
        Opening.

    Returns
    -------
    ndarray of float
        Opacity.
    """
    y, x = coordinates(shape)
    depth = np.maximum(y - source[0], 0)
    offset = (x - source[1] - lean * depth) / (width * depth + 0.012)
    return np.clip(1.15 - np.abs(offset), 0, 1) * np.exp(-1.1 * depth) * (depth > 0)


def blurred(image: Image, radius: int) -> Image:
    """Blur an image by a box filter with repeated edges.

    Parameters
    ----------
    image : ndarray of float32
        Image to blur.
    radius : int
        Reach of the box in pixels; below 1 nothing is done.

    Returns
    -------
    ndarray of float32
        Blurred image.
    """
    if radius < 1:
        return image
    for axis in (0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis, dtype=np.float32)
        size = 2 * radius + 1
        upper, lower = (sums[size:], sums[:-size]) if axis == 0 else (sums[:, size:], sums[:, :-size])
        image = (upper - lower) / size
    return image
