"""What scenes are drawn with: smooth noise, ridges, glows and masks on arrays in relative coordinates."""

import numpy as np
from numpy.typing import NDArray

from antiphon.synthetic.palette import Colour, Image

ScalarField = NDArray[np.floating]
"""`(height, width)` of one number a pixel."""


def coordinates(shape: tuple[int, int]) -> tuple[ScalarField, ScalarField]:
    """Rows `(h, 1)` and columns `(1, w)`: 0 at the top and at the left, 1 at the bottom and at the right."""
    height, width = shape
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    return y, x


def enlarged(grid: NDArray[np.floating], shape: tuple[int, int]) -> ScalarField:
    """Bilinear enlargement of a small grid to `shape`."""
    small = grid.astype(np.float32)
    at, share = _places(grid.shape[1], shape[1])
    wide = small[:, at] + (small[:, at + 1] - small[:, at]) * share
    at, share = _places(grid.shape[0], shape[0])
    upper = wide[at]
    return upper + (wide[at + 1] - upper) * share[:, None]


def _places(size: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each of `target` samples the grid point before it and how far it is towards the next."""
    place = np.linspace(0, size - 1, target, dtype=np.float32)
    before = np.minimum(place.astype(np.intp), size - 2)
    return before, place - before.astype(np.float32)


def clouds(shape: tuple[int, int], random: np.random.Generator, cells: int = 3, octaves: int = 4) -> ScalarField:
    """Fractal noise in [0, 1]."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        scale = 2**octave
        total += enlarged(random.random((cells * scale + 1, cells * 2 * scale + 1)), shape) / scale
    total -= total.min()
    return total / max(float(total.max()), 1e-6)


def ridge(width: int, random: np.random.Generator, jagged: float) -> ScalarField:
    """A fractal line over `width` columns, about in [-1, 1]: rolling at 0, toothed at 1."""
    line = np.zeros(width, np.float32)
    at = np.linspace(0, 1, width)
    for octave in range(6):
        knots = random.uniform(-1, 1, 3 * 2**octave + 1)
        level = (0.36 + 0.3 * jagged) ** octave
        line += (level * np.interp(at, np.linspace(0, 1, len(knots)), knots)).astype(np.float32)
    return line / 1.6


def gradient(shape: tuple[int, int], top: Colour, low: Colour, bend: float = 1.0) -> Image:
    """A sky from `top` down to `low`."""
    y, _ = coordinates(shape)
    share = (y**bend)[..., None]
    return np.broadcast_to(top + (low - top) * share, (*shape, 3)).astype(np.float32)


def blend(image: Image, colour: Colour, mask: ScalarField) -> None:
    """Cover `picture` with `colour` where `mask` (broadcastable, in [0, 1]) is high."""
    image += (colour - image) * mask[..., None]


def glow(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> ScalarField:
    """A soft light at `centre` (row, column); `radius` in heights."""
    y, x = coordinates(shape)
    aspect = shape[1] / shape[0]
    distance = (y - centre[0]) ** 2 + ((x - centre[1]) * aspect) ** 2
    return np.exp(-distance / np.float32(radius**2))


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> ScalarField:
    """A filled circle with a smooth rim."""
    y, x = coordinates(shape)
    aspect = shape[1] / shape[0]
    distance = np.sqrt((y - centre[0]) ** 2 + ((x - centre[1]) * aspect) ** 2)
    return np.clip((radius - distance) * shape[0] + 0.5, 0, 1)


def beam(shape: tuple[int, int], source: tuple[float, float], lean: float, width: float) -> ScalarField:
    """A cone of light downwards from `source`; `lean` columns a row to the side, `width` its opening."""
    y, x = coordinates(shape)
    depth = np.maximum(y - source[0], 0)
    offset = (x - source[1] - lean * depth) / (width * depth + 0.012)
    return np.clip(1.15 - np.abs(offset), 0, 1) * np.exp(-1.1 * depth) * (depth > 0)


def blurred(image: Image, radius: int) -> Image:
    """Box blur by `radius` pixels each way; edges are repeated."""
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
