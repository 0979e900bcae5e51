"""Outdoor scenes: city, meadow, beach, inferno, nebula and the neon plain."""

import numpy as np

from antiphon.synthetic.drawing import (
    ScalarField,
    beam,
    blend,
    clouds,
    coordinates,
    disc,
    enlarged,
    glow,
    gradient,
    ridge,
    shine,
    surroundings,
)
from antiphon.synthetic.palette import Image, Palette

Shape = tuple[int, int]


def city(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint a skyline in two rows with lit windows, above a wet street.

    Parameters
    ----------
    palette : Palette
        Colours.
    shape : (int, int)
        Height and width in pixels.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    image = gradient(shape, palette.top, palette.low)
    blend(image, palette.light, 0.8 * disc(shape, (random.uniform(0.12, 0.3), random.uniform(0.1, 0.9)), 0.07))
    for colour, highest, lowest, lit in ((palette.far, 0.12, 0.5, 0.25), (palette.near, 0.3, 0.75, 0.35)):
        roofs, windows = _buildings(shape, random, highest, lowest, lit)
        y, _ = coordinates(shape)
        wall = np.clip((y - roofs) * shape[0], 0, 1)
        blend(image, colour, wall)
        blend(image, palette.accent * 0.5 + palette.light * 0.5, wall * windows * (y < 0.82))
    y, _ = coordinates(shape)
    street = np.broadcast_to(np.clip((y - 0.82) * 40, 0, 1), shape)
    mirrored = image[::-1][: shape[0]]
    blend(image, palette.near * 0.7, street)
    wet = enlarged(random.random((12, 40)), shape) ** 3
    image += 0.35 * (street * wet)[..., None] * mirrored
    return image


def _buildings(
    shape: Shape, random: np.random.Generator, highest: float, lowest: float, lit: float
) -> tuple[ScalarField, ScalarField]:
    height, width = shape
    edges = np.sort(random.integers(0, width, random.integers(9, 16)))
    number = np.searchsorted(edges, np.arange(width))
    roofs = random.uniform(highest, lowest, len(edges) + 1)[number].astype(np.float32)[None, :]
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    panes = ((rows % 8) > 3) & ((columns % 7) > 3)
    on = random.random((height // 8 + 1, width // 7 + 1)) < lit
    return roofs, (panes & on[rows // 8, columns // 7]).astype(np.float32)


def meadow(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint rolling hills, trees, clouds and a low sun.

    Parameters
    ----------
    palette : Palette
        Colours.
    shape : (int, int)
        Height and width in pixels.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    image = gradient(shape, palette.top, palette.low, 0.8)
    cover = np.clip(clouds(shape, random, 2) * 2.2 - 1.1, 0, 1)
    y, x = coordinates(shape)
    blend(image, palette.light, 0.75 * cover * (1 - y))
    sun = (random.uniform(0.2, 0.42), random.uniform(0.15, 0.85))
    blend(image, palette.light, np.maximum(disc(shape, sun, 0.08), 0.6 * glow(shape, sun, 0.3)))
    texture = clouds(shape, random, 8, 3)[..., None]
    for layer in range(4):
        share = layer / 3
        crest = 0.5 + 0.14 * layer + 0.07 * ridge(shape[1], random, 0.0)[None, :]
        hill = np.clip((y - crest) * shape[0], 0, 1)
        colour = palette.low * 0.45 + palette.far * 0.55
        blend(image, colour * (1 - share) + palette.near * 1.25 * share, hill)
        if layer < 3:
            for _ in range(random.integers(2, 6)):
                _tree(image, palette, crest, random, 0.05 + 0.04 * layer)
    image *= 0.82 + 0.36 * texture * (y > 0.5)[..., None] + 0.1 * (y <= 0.5)[..., None]
    return image + 0 * x[..., None]


def _tree(image: Image, palette: Palette, crest: ScalarField, random: np.random.Generator, size: float) -> None:
    shape = image.shape[:2]
    column = random.uniform(0.03, 0.97)
    foot = float(crest[0, int(column * (shape[1] - 1))])
    aspect = shape[1] / shape[0]
    y, x = coordinates(shape)
    trunk = (np.abs(x - column) * aspect < size * 0.12) & (y > foot - size * 1.2) & (y < foot + 0.02)
    part = surroundings(shape, (foot - size * 1.4, column), size * 1.5 + 0.03)
    crown = np.zeros_like(image[part][..., 0])
    for _ in range(3):
        centre = (foot - size * random.uniform(1.2, 2.0), column + size * random.uniform(-0.4, 0.4) / aspect)
        crown = np.maximum(crown, disc(shape, centre, size * 0.75, part))
    blend(image[part], palette.near, np.maximum(crown, trunk[part]))


def beach(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint a sun over a glittering sea, sand, and palms that lean in from the side.

    Parameters
    ----------
    palette : Palette
        Colours.
    shape : (int, int)
        Height and width in pixels.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    image = gradient(shape, palette.top, palette.low, 0.7)
    y, x = coordinates(shape)
    sun = (random.uniform(0.3, 0.46), random.uniform(0.25, 0.75))
    blend(image, palette.light, np.maximum(disc(shape, sun, 0.13), 0.7 * glow(shape, sun, 0.4)))
    sea = np.broadcast_to((y > 0.52) & (y < 0.8 + 0.03 * np.sin(9 * x + random.uniform(0, 6))), shape)
    blend(image, palette.far, sea.astype(np.float32))
    waves = enlarged(random.random((60, 14)), shape) ** 4
    lane = np.exp(-(((x - sun[1]) / (0.05 + 0.3 * np.maximum(y - 0.5, 0))) ** 2))
    blend(image, palette.light, sea * np.clip(waves * (0.35 + 1.6 * lane), 0, 1))
    sand = np.broadcast_to(y >= 0.52, shape) & ~sea
    blend(image, palette.low * 0.6 + palette.light * 0.3, sand * (0.75 + 0.25 * clouds(shape, random, 20, 2)))
    for _ in range(random.integers(1, 4)):
        _palm(image, palette, random)
    return image


def _palm(image: Image, palette: Palette, random: np.random.Generator) -> None:
    shape = image.shape[:2]
    y, x = coordinates(shape)
    aspect = shape[1] / shape[0]
    side = 1 if random.random() < 0.5 else -1
    foot = 0.5 - side * random.uniform(0.25, 0.46)
    top = random.uniform(0.16, 0.36)
    lean = side * random.uniform(0.08, 0.2)
    trunk = foot + lean * np.clip((1 - y) / (1 - top), 0, 1) ** 1.6
    mask = ((np.abs(x - trunk) < 0.009 + 0.006 * y) & (y > top)).astype(np.float32)
    down, across = y - top, (x - foot - lean) * aspect
    radius = np.sqrt(down**2 + across**2)
    angle = np.arctan2(down + 0.9 * radius**2 * 0, across)
    leaves = np.abs(np.sin(angle * 3.5 + random.uniform(0, 3))) * (1 - 0.5 * (angle > 0))
    mask = np.maximum(mask, (radius < 0.3 * leaves**2) * (down < 0.16))
    blend(image, palette.near, mask.astype(np.float32))


def inferno(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint jagged mountains under a torn sky, fire behind them, and sometimes lightning.

    Parameters
    ----------
    palette : Palette
        Colours.
    shape : (int, int)
        Height and width in pixels.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    image = gradient(shape, palette.top * 0.5, palette.accent * 0.8 + palette.low * 0.2, 2.2)
    y, x = coordinates(shape)
    smoke = clouds(shape, random, 3, 5)
    image *= (0.25 + 1.2 * smoke**1.5)[..., None]
    flames = np.clip(enlarged(random.random((6, 46)), shape) * 1.6 - 1.5 * (1 - y), 0, 1)
    blend(image, palette.light * 0.5 + palette.accent * 0.5, flames * 0.9)
    if random.random() < 0.6:
        path = random.uniform(0.2, 0.8) + 0.09 * ridge(shape[0], random, 1.0)[:, None]
        bolt = np.exp(-(((x - path) * shape[1] / 1.6) ** 2)) + 0.35 * np.exp(-(((x - path) * 22) ** 2))
        blend(image, palette.light, np.clip(bolt, 0, 1) * (y < 0.62))
    for depth, colour in ((0.52, palette.near * 2.2), (0.68, palette.near * 0.6)):
        crest = depth + 0.16 * ridge(shape[1], random, 1.0)[None, :]
        blend(image, colour, np.clip((y - crest) * shape[0], 0, 1))
    return image


def nebula(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint stars behind slow veils of light, and the rim of a planet.

    Parameters
    ----------
    palette : Palette
        Colours.
    shape : (int, int)
        Height and width in pixels.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    image = gradient(shape, palette.top * 0.45, palette.far * 0.6)
    stars = random.random(shape) ** 400
    image += (enlarged(random.random((9, 16)), shape) * stars)[..., None] * 1.6
    for colour in (palette.low, palette.accent, palette.far):
        veil = clouds(shape, random, 2, 5)
        blend(image, colour, np.clip(1.9 * veil - 0.95, 0, 1) ** 1.3)
    y, x = coordinates(shape)
    curtain = 0.35 + 0.13 * ridge(shape[1], random, 0.0)[None, :]
    fall = np.clip(1 - np.abs(y - curtain) * 4, 0, 1) * (0.4 + 0.6 * enlarged(random.random((2, 60)), shape))
    blend(image, palette.light, 0.45 * fall)
    if random.random() < 0.55:
        centre = (random.uniform(0.9, 1.3), random.uniform(0.2, 0.8))
        planet = disc(shape, centre, random.uniform(0.4, 0.8))
        blend(image, palette.near, planet)
        image += (glow(shape, (centre[0] - 0.5, centre[1] - 0.1), 0.35) * planet)[..., None] * palette.low * 0.7
    return image + 0 * x[..., None]


def grid(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint a neon plain: lines that run to the horizon under a striped sun.

    Parameters
    ----------
    palette : Palette
        Colours.
    shape : (int, int)
        Height and width in pixels.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        RGB.
    """
    image = gradient(shape, palette.top * 0.5, palette.low, 1.6)
    y, x = coordinates(shape)
    horizon = random.uniform(0.52, 0.64)
    centre = random.uniform(0.35, 0.65)
    sun = disc(shape, (horizon - 0.14, centre), random.uniform(0.2, 0.3))
    stripes = ((y - horizon) * 26 % 1 > 0.12 + 0.6 * np.clip(1 + (y - horizon) * 3, 0, 1)).astype(np.float32)
    shade = palette.light + (palette.accent - palette.light) * np.clip(y / horizon, 0, 1)[..., None] ** 2
    image += (shade - image) * (sun * stripes)[..., None]
    peaks = horizon - 0.05 - 0.1 * np.abs(ridge(shape[1], random, 0.6))[None, :] * np.minimum(np.abs(x - centre) * 5, 1)
    blend(image, palette.far * 0.5, np.clip((y - peaks) * shape[0], 0, 1))
    depth = np.maximum(y - horizon, 0) + 1e-3
    ground = np.broadcast_to(y > horizon, shape).astype(np.float32)
    blend(image, palette.near, ground)
    across = np.abs(((x - centre) / depth * 0.55 + 0.5) % 1 - 0.5) * depth * 60
    along = np.abs((0.16 / depth + 0.5) % 1 - 0.5) * depth**2 * 260
    lines = np.exp(-(np.minimum(across, along) ** 2))
    blend(image, palette.accent, ground * lines)
    shine(image, palette.accent, np.exp(-(((y - horizon) * 26) ** 2)) * 0.5)
    if random.random() < 0.5:
        shine(image, palette.light, beam(shape, (0.0, random.uniform(0.1, 0.9)), 0.3, 0.05) * 0.4)
    return image
