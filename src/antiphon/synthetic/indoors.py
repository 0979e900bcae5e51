"""Indoor scenes: dance floor, tunnel, stage, room and club, and the close-ups between."""

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
    shine,
    surroundings,
)
from antiphon.synthetic.palette import Image, Palette

Shape = tuple[int, int]


def dancefloor(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint lit tiles in perspective, a wall of lamps, and a mirror ball with its specks.

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
    image = gradient(shape, palette.top * 0.6, palette.far)
    y, x = coordinates(shape)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    lamps = ((rows % 12 - 6) ** 2 + (columns % 12 - 6) ** 2 < 12) * (y < 0.5)
    on = random.random((shape[0] // 12 + 1, shape[1] // 12 + 1))[rows // 12, columns // 12]
    blend(image, palette.accent, lamps * on**2)
    horizon = 0.52
    depth = np.maximum(y - horizon, 0) + 0.02
    u, v = ((x - 0.5) / depth * 1.1 + 40), (0.32 / depth + random.uniform(0, 1))
    tile = random.random((64, 96))[v.astype(int) % 64, u.astype(int) % 96]
    seams = (u % 1 > 0.08) & (v % 1 > 0.08)
    floor = np.broadcast_to(y > horizon, shape)
    blend(image, palette.near, floor.astype(np.float32))
    for colour, low, high in ((palette.accent, 0.0, 0.28), (palette.low, 0.28, 0.5), (palette.light, 0.5, 0.6)):
        blend(image, colour, 0.85 * (floor & seams & (tile >= low) & (tile < high)))
    ball = (0.2, random.uniform(0.3, 0.7))
    facets = 0.45 + 0.55 * ((rows // 4 * 7 + columns // 4 * 3) % 5 > 2)
    blend(image, palette.light, disc(shape, ball, 0.11) * facets)
    shine(image, palette.light, 0.35 * glow(shape, ball, 0.3))
    return image


def tunnel(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint receding frames of light: squares, circles or a star, at random.

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
    y, x = coordinates(shape)
    aspect = shape[1] / shape[0]
    down, across = y - random.uniform(0.42, 0.58), (x - random.uniform(0.42, 0.58)) * aspect
    twist = random.uniform(0, 0.6)
    a, b = down * np.cos(twist) + across * np.sin(twist), across * np.cos(twist) - down * np.sin(twist)
    kind = random.integers(3)
    if kind == 0:
        radius = np.maximum(np.abs(a), np.abs(b))
    elif kind == 1:
        radius = np.sqrt(a**2 + b**2)
    else:
        radius = np.abs(a) + np.abs(b)
    radius = radius + 0.012
    depth = np.log(radius) * random.uniform(2.2, 3.6)
    image = gradient(shape, palette.top * 0.35, palette.far * 0.35)
    walls = np.clip(radius * 1.3, 0, 1)
    spokes = np.sin(np.arctan2(a, b) * random.integers(3, 9)) > 0.4
    blend(image, palette.far, walls * 0.7 * (spokes * 0.6 + 0.2))
    ring = depth % 1
    bright = np.exp(-(((ring - 0.5) / 0.11) ** 2))
    every = (np.floor(depth).astype(int) % 3) == 0
    blend(image, palette.low, bright * walls**0.5 * ~every)
    blend(image, palette.accent, bright * walls**0.4 * every)
    shine(image, palette.light, 0.9 * np.exp(-(radius**2) / 0.006))
    return image


def stage(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint spotlights from a truss, walls of amplifiers, smoke and a floor.

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
    image = gradient(shape, palette.near * 0.5, palette.top * 0.8)
    y, x = coordinates(shape)
    smoke = 0.5 + 0.8 * clouds(shape, random, 3)
    for place in np.linspace(0.08, 0.92, random.integers(4, 8)):
        colour = (palette.accent, palette.low, palette.light)[random.integers(3)]
        lean = random.uniform(-0.45, 0.45)
        shine(image, colour, 0.85 * smoke * beam(shape, (0.05, float(place)), lean, 0.13))
        shine(image, palette.light, 0.9 * glow(shape, (0.06, float(place)), 0.035))
    truss = (y > 0.02) & (y < 0.09) & ((np.abs((x * 34 + y * 20) % 1 - 0.5) < 0.1) | (np.abs(y - 0.055) > 0.03))
    blend(image, palette.near * 0.4, truss.astype(np.float32))
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    for left in (random.uniform(0.0, 0.12), random.uniform(0.68, 0.8)):
        wall = (x > left) & (x < left + 0.22) & (y > 0.5) & (y < 0.82)
        cone = (rows % 26 - 13) ** 2 + (columns % 26 - 13) ** 2
        blend(image, palette.near * 0.9, wall * 0.95)
        blend(image, palette.far * 0.6, wall * ((cone < 100) & (cone > 60)) * 0.9)
    blend(image, palette.near * 0.8, np.broadcast_to(y > 0.8, shape) * 0.85)
    shine(image, palette.accent, np.exp(-(((y - 0.8) * 60) ** 2)) * 0.25 + 0 * x)
    return image


def room(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint a window whose light falls across the floor, a curtain, a lamp and papered walls.

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
    image = gradient(shape, palette.far, palette.top)
    y, x = coordinates(shape)
    paper = 0.88 + 0.12 * (np.sin(x * random.integers(60, 110)) > 0.55)
    image *= np.broadcast_to(paper, shape)[..., None]
    left, wide = random.uniform(0.12, 0.55), random.uniform(0.22, 0.32)
    u, v = (x - left) / wide, (y - 0.12) / 0.46
    opening = (u > 0) & (u < 1) & (v > 0) & (v < 1)
    outside = palette.light * 0.75 + palette.low * 0.25
    blend(image, outside, opening * (0.8 + 0.2 * clouds(shape, random, 2)))
    bars = opening & ((np.abs(u % (1 / 2) - 1 / 4) > 0.232) | (np.abs(v % (1 / 3) - 1 / 6) > 0.152))
    blend(image, palette.near, bars * 0.9)
    floor = np.broadcast_to(y > 0.74, shape)
    blend(image, palette.near * 1.6, floor * (0.8 + 0.2 * (np.sin((x - 0.5) / np.maximum(y - 0.4, 0.1) * 26) > 0)))
    slant = (x - left - (y - 0.58) * 0.5) / wide
    patch = floor & (slant > 0) & (slant < 1) & (np.abs(slant % 0.5 - 0.25) < 0.2)
    blend(image, outside, patch * 0.5)
    for side in (left - 0.09, left + wide):
        fold = (x > side) & (x < side + 0.09) & (y > 0.06) & (y < 0.74)
        shade = 0.6 + 0.4 * np.sin((x - side) * 330 + 2 * y)
        blend(image, palette.accent * 0.75, fold * 0.9 * shade)
    lamp = (0.45, 0.08 if left > 0.35 else 0.92)
    shine(image, palette.light, 0.5 * glow(shape, lamp, 0.26))
    return image


def club(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint a heavy curtain, a chequered floor and one cone of lamplight in the smoke.

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
    y, x = coordinates(shape)
    folds = np.sin(x * random.uniform(50, 90) + 2.5 * np.sin(x * 9 + random.uniform(0, 6)))
    image = np.broadcast_to(palette.far * 0.75, (*shape, 3)).astype(np.float32)
    image *= (0.55 + 0.35 * folds + 0.2 * y)[..., None]
    depth = np.maximum(y - 0.66, 0) + 0.03
    u, v = (x - 0.5) / depth * 0.9 + 60, 0.3 / depth
    check = (u.astype(int) + v.astype(int)) % 2 == 0
    floor = np.broadcast_to(y > 0.7, shape)
    blend(image, palette.near, floor.astype(np.float32))
    blend(image, palette.low * 0.8, 0.8 * (floor & check))
    for _ in range(random.integers(1, 3)):
        source = (-0.02, random.uniform(0.25, 0.75))
        cone = beam(shape, source, random.uniform(-0.12, 0.12), 0.32)
        image += (1.1 * cone * (0.55 + 0.6 * clouds(shape, random, 3)))[..., None] * palette.light * 0.7
    for _ in range(random.integers(2, 5)):
        table = (random.uniform(0.84, 0.97), random.uniform(0.0, 1.0))
        blend(image, palette.near * 0.5, disc(shape, table, 0.1))
        shine(image, palette.accent, 0.8 * glow(shape, (table[0] - 0.08, table[1]), 0.045))
    return image


def bokeh(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint lights out of focus, the close-up of an acoustic song.

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
    image = gradient(shape, palette.near, palette.far)
    for _ in range(22):
        colour = (palette.low, palette.accent, palette.light, palette.far)[random.integers(4)]
        centre, radius = (random.random(), random.random()), random.uniform(0.04, 0.17)
        part = surroundings(shape, centre, radius)
        shine(image[part], colour, random.uniform(0.15, 0.5) * disc(shape, centre, radius, part))
    return image


def mosaic(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint slanted blocks of flat colour, the close-up of an electronic song.

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
    y, x = coordinates(shape)
    cells = random.integers(5, 14)
    slant = random.uniform(-0.8, 0.8)
    u, v = (x * 1.78 + slant * y) * cells + 20, y * cells * random.uniform(0.4, 1.0)
    value: ScalarField = random.random((64, 64))[v.astype(int) % 64, u.astype(int) % 64]
    colours = np.stack([palette.near, palette.top, palette.far, palette.low, palette.accent, palette.light])
    image = colours[(value**1.3 * 6).astype(int)].astype(np.float32)
    return image * (0.75 + 0.25 * enlarged(random.random((4, 6)), shape))[..., None]


def burst(palette: Palette, shape: Shape, random: np.random.Generator) -> Image:
    """Paint torn rays from one point, the close-up of a distorted song.

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
    y, x = coordinates(shape)
    down, across = y - random.uniform(0.3, 0.7), (x - random.uniform(0.3, 0.7)) * 1.78
    angle = np.arctan2(down, across) + 0.1 * clouds(shape, random, 8, 3)
    knots = random.random(random.integers(18, 40))
    level = np.interp(angle.ravel(), np.linspace(-np.pi, np.pi + 0.1, len(knots)), knots).reshape(shape)
    image = gradient(shape, palette.near * 0.7, palette.near)
    blend(image, palette.far, (level > 0.45) * 0.8)
    blend(image, palette.accent, (level > 0.68) * 0.9)
    blend(image, palette.light, (level > 0.86) * 0.9)
    distance = np.sqrt(down**2 + across**2)
    return image * (0.35 + 0.75 * np.clip(distance, 0, 1) + 0.3 * clouds(shape, random, 5))[..., None]
