"""Performers: silhouettes in a few poses each, cut from distance fields.

A body is a set of rounded limbs in a unit square (y down, feet at 1). Its distance field is computed on a coarse grid
and enlarged, which keeps outlines crisp at any size and costs little.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from antiphon.synthetic.drawing import ScalarField, enlarged

POSES = 6
_GRID = (72, 60)

Limb = tuple[float, float, float, float, float]
"""A capsule from (x, y) to (x, y) with a radius."""


@lru_cache(maxsize=128)
def outline(act: str, pose: int) -> ScalarField:
    """Compute the signed distance to a performer's outline on a coarse grid.

    Parameters
    ----------
    act : str
        Kind of performer.
    pose : int
        Number of the pose.

    Returns
    -------
    ndarray of float32
        Distances in heights, negative inside.
    """
    rows, columns = _GRID
    y = np.linspace(-0.04, 1.04, rows, dtype=np.float32)[:, None]
    x = np.linspace(0, 0.9, columns, dtype=np.float32)[None, :]
    nearest = np.full(_GRID, 9.0, np.float32)
    for x0, y0, x1, y1, radius in _ACTS[act](2 * np.pi * pose / POSES):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2 + 1e-9
        along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
        distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) - radius
        nearest = np.minimum(nearest, distance)
    return nearest


def silhouette(act: str, pose: int, height_px: int) -> tuple[ScalarField, ScalarField]:
    """Render a performer.

    Parameters
    ----------
    act : str
        Kind of performer.
    pose : int
        Number of the pose.
    height_px : int
        Height in pixels.

    Returns
    -------
    opacity, rim : ndarray of float32
        Opacity and rim light in [0, 1].
    """
    shape = (height_px, max(int(height_px * 0.9 / 1.08), 2))
    field = enlarged(outline(act, pose), shape) * height_px
    opacity = np.clip(0.5 - field, 0, 1)
    rim = np.clip(1 + field / (0.014 * height_px + 1), 0, 1) * opacity
    # The light comes from the upper left.
    slope = np.zeros(shape, np.float32)
    slope[1:, 1:] = field[:-1, :-1] - field[1:, 1:]
    return opacity, rim * np.clip(0.25 + 0.75 * slope, 0, 1)


def _body(swing: float, lean: float = 0.0) -> list[Limb]:
    """Return head, trunk and legs; hips and knees move with the beat."""
    sway = 0.015 * swing
    return [
        (0.45 + lean + sway, 0.11, 0.45 + lean + sway, 0.13, 0.062),
        (0.38 + lean, 0.245, 0.52 + lean, 0.245, 0.04),
        (0.45 + lean * 0.8, 0.27, 0.45 + lean * 0.4, 0.38, 0.085),
        (0.45 + lean * 0.4, 0.38, 0.45, 0.54, 0.072),
        (0.41, 0.55, 0.36 - sway, 0.78, 0.042),
        (0.36 - sway, 0.78, 0.35, 1.02, 0.034),
        (0.49, 0.55, 0.54 + sway, 0.78, 0.042),
        (0.54 + sway, 0.78, 0.56, 1.02, 0.034),
    ]


def _arm(shoulder: float, elbow: tuple[float, float], hand: tuple[float, float]) -> list[Limb]:
    return [(shoulder, 0.24, *elbow, 0.032), (*elbow, *hand, 0.026)]


def _singer(phase: float) -> list[Limb]:
    lift = float(np.sin(phase))
    microphone: list[Limb] = [(0.56, 0.2, 0.5, 0.165, 0.018), (0.58, 0.24, 0.62, 1.0, 0.011)]
    free = _arm(0.36, (0.24, 0.32 - 0.1 * lift), (0.12, 0.3 - 0.24 * lift))
    return [*_body(lift), *_arm(0.53, (0.64, 0.33), (0.57, 0.21)), *free, *microphone]


def _guitarist(phase: float) -> list[Limb]:
    strum = 0.05 * float(np.sin(phase))
    guitar: list[Limb] = [
        (0.4, 0.54, 0.43, 0.53, 0.1),
        (0.5, 0.5, 0.52, 0.49, 0.075),
        (0.55, 0.48, 0.84, 0.33, 0.014),
        (0.82, 0.34, 0.87, 0.315, 0.024),
    ]
    arms = [*_arm(0.37, (0.26, 0.4), (0.42, 0.52 + strum)), *_arm(0.53, (0.66, 0.46), (0.73, 0.4))]
    return [*_body(float(np.sin(phase)), 0.02 * float(np.cos(phase))), *guitar, *arms]


def _keys(phase: float) -> list[Limb]:
    left, right = 0.03 * float(np.sin(phase)), 0.03 * float(np.cos(phase))
    board: list[Limb] = [
        (0.06, 0.57, 0.84, 0.57, 0.035),
        (0.12, 0.6, 0.3, 1.0, 0.012),
        (0.78, 0.6, 0.6, 1.0, 0.012),
    ]
    arms = [*_arm(0.37, (0.24, 0.38), (0.27, 0.52 + left)), *_arm(0.53, (0.66, 0.38), (0.62, 0.52 + right))]
    return [*_body(0.6 * float(np.sin(phase))), *board, *arms]


def _horn(phase: float) -> list[Limb]:
    tip = 0.07 * float(np.sin(phase))
    bell = (0.74, 0.42 - tip)
    horn: list[Limb] = [
        (0.49, 0.16, *bell, 0.022),
        (*bell, bell[0] + 0.05, bell[1] - 0.02, 0.045),
        (bell[0] + 0.05, bell[1] - 0.02, bell[0] + 0.07, bell[1] - 0.05, 0.055),
    ]
    arms = [*_arm(0.37, (0.3, 0.36), (0.56, 0.26)), *_arm(0.53, (0.64, 0.42), (0.66, 0.34 - tip))]
    return [*_body(float(np.sin(phase)), -0.02 + tip * 0.3), *horn, *arms]


def _fiddler(phase: float) -> list[Limb]:
    bow = 0.1 * float(np.sin(phase))
    violin: list[Limb] = [(0.5, 0.2, 0.6, 0.22, 0.045), (0.6, 0.22, 0.76, 0.25, 0.01)]
    stick: list[Limb] = [(0.4 + bow, 0.36, 0.68 + bow, 0.1, 0.011)]
    arms = [*_arm(0.37, (0.28, 0.36), (0.42 + bow, 0.34)), *_arm(0.53, (0.66, 0.36), (0.73, 0.26))]
    return [*_body(0.7 * float(np.sin(phase))), *violin, *stick, *arms]


def _deck(phase: float) -> list[Limb]:
    lift = float(np.sin(phase))
    table: list[Limb] = [
        (0.04, 0.72, 0.86, 0.72, 0.13),
        (0.04, 0.94, 0.86, 0.94, 0.1),
        (0.16, 0.57, 0.3, 0.57, 0.022),
        (0.6, 0.57, 0.74, 0.57, 0.022),
    ]
    headphones: list[Limb] = [(0.385, 0.12, 0.385, 0.135, 0.018), (0.515, 0.12, 0.515, 0.135, 0.018)]
    raised = _arm(0.53, (0.64, 0.2 - 0.04 * lift), (0.68, 0.08 - 0.07 * lift))
    return [*_body(lift), *table, *headphones, *_arm(0.37, (0.25, 0.4), (0.24, 0.54)), *raised]


def _choir(phase: float) -> list[Limb]:
    limbs: list[Limb] = []
    for place, offset in ((0.16, 0.0), (0.45, 1.2), (0.74, 2.4)):
        rise = 0.015 * float(np.sin(phase + offset))
        limbs += [
            (place, 0.22 + rise, place, 0.24 + rise, 0.055),
            (place, 0.38, place, 0.6, 0.08),
            (place, 0.6, place, 1.0, 0.12),
        ]
    return limbs


_ACTS: dict[str, Callable[[float], list[Limb]]] = {
    "singer": _singer,
    "guitarist": _guitarist,
    "keys": _keys,
    "horn": _horn,
    "fiddler": _fiddler,
    "deck": _deck,
    "choir": _choir,
}
