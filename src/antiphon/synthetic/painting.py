"""Painting of frames: scenes are filmed shot by shot, performers move with the beat, light follows the loudness.

Frames are painted in the codec's planes (YUV 4:2:0): half the bytes of RGB, and no conversion.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from antiphon.synthetic.looks import Look
from antiphon.synthetic.performers import POSES
from antiphon.synthetic.setups import Planes, Setup, Sprite, build_setup
from antiphon.synthetic.shots import Shot, plan_shots

Frame = NDArray[np.uint8]
"""`(height * 3 / 2, width)`: the luma plane, below it the rows of both chroma planes, as in yuv420p."""

_GAINS = np.linspace(0.0, 1.6, 65)
_FADE_S = 1.2


def paint(
    look: Look, duration_s: float, size_px: tuple[int, int], frames_per_s: float, random: np.random.Generator
) -> Iterator[Frame]:
    """Paint the frames of a video, from its look alone.

    Parameters
    ----------
    look : Look
        Visual style.
    duration_s : float
        Length of the video in seconds.
    size_px : (int, int)
        Width and height.
    frames_per_s : float
        Frame rate.
    random : numpy.random.Generator
        Source of randomness.

    Yields
    ------
    Frame
        Frames in order.
    """
    painter = _Painter(look, duration_s, size_px, random)
    for number in range(round(duration_s * frames_per_s)):
        yield painter.frame(number / frames_per_s)


class _Painter:
    """State that the frames of one video share."""

    def __init__(self, look: Look, duration_s: float, size_px: tuple[int, int], random: np.random.Generator) -> None:
        self.look = look
        self.duration_s = duration_s
        self.width, self.height = size_px
        self.random = random
        self.shots = plan_shots(look, duration_s, random)
        self.setups = {
            name: build_setup(name, look, size_px, random) for name in sorted({shot.setup for shot in self.shots})
        }
        self.stands = {name: _stands(look, random) for name in self.setups}
        self.grain_depth = round(3 + 22 * max(look.grain - 0.15, 0))
        self.grain = _grain(self.height + 32, self.width + 32, self.grain_depth, random)
        self.lookups = _brightness_tables(self.grain_depth)
        self.particles = Particles(look.particles, look.motion, size_px, random)
        self.current = 0

    def frame(self, time_s: float) -> Frame:
        """Paint the frame at a time; times must not decrease."""
        while self.shots[self.current].end_s <= time_s + 1e-6 and self.current < len(self.shots) - 1:
            self.current += 1
        shot = self.shots[self.current]
        setup = self.setups[shot.setup]
        frame = np.empty((self.height * 3 // 2, self.width), np.uint8)
        planes = split(frame)
        shift = self._film(planes, setup, shot, time_s)
        self._place_performers(planes, setup, shot, time_s, shift)
        self.particles.draw(planes[0], time_s)
        self._light(planes[0], time_s)
        self._mask(planes)
        return frame

    def _film(self, planes: Planes, setup: Setup, shot: Shot, time_s: float) -> tuple[int, int]:
        """Copy what the camera sees of the background, and return its offset from the centre."""
        share = (time_s - shot.start_s) / max(shot.end_s - shot.start_s, 1e-6)
        tall, wide = setup.background[0].shape
        free = (tall - self.height, wide - self.width)
        shake = self.random.normal(0, 2.2 * max(self.look.motion - 0.6, 0), 2)
        row, column = (
            int(min(max((start + (end - start) * share) * room + float(shaken), 0.0), room)) // 2 * 2
            for start, end, room, shaken in zip(*shot.path, free, shake, strict=True)
        )
        if shot.zoom:
            scale = 1 / (1 + shot.zoom * share)
            rows, columns = row + _zoomed(self.height, scale), column + _zoomed(self.width, scale)
            for half, ground, target in zip((1, 2, 2), setup.background, planes, strict=True):
                np.take(ground[rows[::half] // half], columns[::half] // half, axis=1, out=target)
        else:
            for half, ground, target in zip((1, 2, 2), setup.background, planes, strict=True):
                top, left = row // half, column // half
                target[:] = ground[top : top + target.shape[0], left : left + target.shape[1]]
        return row - free[0] // 2, column - free[1] // 2

    def _place_performers(
        self, planes: Planes, setup: Setup, shot: Shot, time_s: float, shift: tuple[int, int]
    ) -> None:
        look = self.look
        beats = time_s / look.timeline.beat_s
        pace = 0.25 if look.motion < 0.35 else 0.5 if look.motion < 0.65 else 1.0
        section = look.timeline.section_at(time_s).kind
        if shot.close:
            height = self.height * 3 // 2
            pose = int(beats * pace * POSES) % POSES
            column = (0.3 if shot.act else 0.62) * self.width - shift[1] * 1.3
            sprite = setup.sprite(look.acts[shot.act], pose, height, leads=not shot.act)
            _lay_over(planes, sprite, int(self.height * 0.16) - shift[0] // 2, int(column))
            return
        shown = 0 if shot.setup == "detail" else 1 if section in ("intro", "bridge") else look.crowd
        for place, (column, foot, size) in list(enumerate(self.stands[shot.setup]))[:shown][::-1]:
            height = int(size * self.height) // 2 * 2
            pose = int((beats * pace + place * 0.3) * POSES) % POSES
            sprite = setup.sprite(look.acts[min(place, 1)], pose, height, leads=place == 0)
            top = int(foot * self.height) - height - shift[0]
            _lay_over(planes, sprite, top, int(column * self.width - shift[1] * 1.1))

    def _light(self, luma: NDArray[np.uint8], time_s: float) -> None:
        look = self.look
        beat = time_s / look.timeline.beat_s % 1
        gain = 0.55 + 0.5 * look.timeline.section_at(time_s).level
        gain *= 1 + look.pulse * (0.5 * np.exp(-5 * beat) - 0.14)
        gain *= min(1.0, (self.duration_s - time_s) / _FADE_S)
        np.take(self.lookups[int(np.argmin(np.abs(_GAINS - gain)))], luma, out=luma, mode="clip")
        row, column = self.random.integers(0, 32, 2)
        luma += self.grain[row : row + self.height, column : column + self.width]
        if look.scanlines > 0.45:
            luma[::3] -= luma[::3] >> (3 if look.scanlines < 0.75 else 2)

    def _mask(self, planes: Planes) -> None:
        """Paint the black bars of a wide or an old format."""
        for plane, black in zip(planes, (16, 128, 128), strict=True):
            height, width = plane.shape
            if self.look.framing == "letterbox":
                bar = round(height * 0.11)
                plane[:bar], plane[-bar:] = black, black
            elif self.look.framing == "academy":
                bar = round(width * 0.125)
                plane[:, :bar], plane[:, -bar:] = black, black


def split(frame: Frame) -> Planes:
    """Return the planes of a frame, which share its memory.

    Parameters
    ----------
    frame : Frame
        Frame in yuv420p.

    Returns
    -------
    (ndarray of uint8, ndarray of uint8, ndarray of uint8)
        Luma and two chroma planes of half the size.
    """
    height, width = frame.shape[0] * 2 // 3, frame.shape[1]
    chroma = frame[height:].reshape(2, height // 2, width // 2)
    return frame[:height], chroma[0], chroma[1]


def _zoomed(size: int, scale: float) -> NDArray[np.intp]:
    return ((np.arange(size) - size / 2) * scale + size / 2).astype(np.intp)


def _stands(look: Look, random: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return column, row of the feet and height of each performer, the leading one in front."""
    tall = float(random.uniform(0.56, 0.72))
    columns = [0.5 + random.uniform(-0.12, 0.12), 0.22, 0.8, 0.04]
    return [
        (float(column), 0.97 - 0.05 * (place > 0), tall * (0.86 if place else 1.0))
        for place, column in enumerate(columns[: look.crowd])
    ]


def _grain(height: int, width: int, depth: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Generate noise of `depth` levels, two pixels coarse so that it survives compression."""
    coarse = random.integers(0, depth, (height // 2 + 1, width // 2 + 1), dtype=np.uint8)
    return coarse.repeat(2, 0).repeat(2, 1)[:height, :width]


def _brightness_tables(grain_depth: int) -> list[NDArray[np.uint8]]:
    """Return a lookup table of luma for each gain, with headroom for the grain."""
    luma = np.arange(256) - 16.0
    return [np.clip(16 + luma * gain - grain_depth / 2, 8, 250 - grain_depth).astype(np.uint8) for gain in _GAINS]


def _lay_over(planes: Planes, sprite: Sprite, top: int, middle: int) -> None:
    """Blend a sprite with its upper edge at `top` and its middle column at `middle`, clipped to the frame."""
    height, width = sprite.added[0].shape
    top = top // 2 * 2 + sprite.corner[0]
    left = (middle - sprite.size[1] // 2) // 2 * 2 + sprite.corner[1]
    tall, wide = planes[0].shape
    first, last = max(-top, 0), min(height, tall - top)
    near, far = max(-left, 0), min(width, wide - left)
    if first >= last or near >= far:
        return
    for number, (plane, added) in enumerate(zip(planes, sprite.added, strict=True)):
        half = 1 if number == 0 else 2
        inside = np.s_[first // half : last // half, near // half : far // half]
        target = plane[(top + first) // half : (top + last) // half, (left + near) // half : (left + far) // half]
        target[:] = ((target * sprite.ground[min(number, 1)][inside]) >> 8) + added[inside]


_COUNTS = {"none": 0, "embers": 45, "dust": 26, "confetti": 34}
_FALL = {"none": 0.0, "embers": -0.35, "dust": -0.02, "confetti": 0.4}
"""Heights per second, downwards."""


class Particles:
    """Specks that drift and wrap around, drawn into the luma plane only."""

    def __init__(self, kind: str, motion: float, size_px: tuple[int, int], random: np.random.Generator) -> None:
        count = _COUNTS[kind]
        self.size_px = size_px
        self.start = random.random((count, 2))
        self.fall = _FALL[kind] * (0.5 + motion) * random.uniform(0.5, 1.4, count)
        self.drift = random.normal(0, 0.05, count)
        self.luma = random.integers(150, 225, count, dtype=np.uint8)
        self.long = 2 if kind != "confetti" else 4
        # Pixels of a speck from its first, in the order of painting: where specks overlap, the later one is seen.
        self.offsets = np.array([down * size_px[0] + right for down in range(self.long) for right in (0, 1)])[:, None]
        self.shades = np.tile(self.luma, 2 * self.long)

    def draw(self, luma: NDArray[np.uint8], time_s: float) -> None:
        """Draw the specks.

        Parameters
        ----------
        luma : ndarray of uint8
            Plane to draw on.
        time_s : float
            Time of the frame.
        """
        width, height = self.size_px
        rows = ((self.start[:, 0] + self.fall * time_s) % 1 * (height - self.long)).astype(np.intp)
        sway = 0.012 * np.sin(time_s * 2 + self.start[:, 0] * 20)
        columns = ((self.start[:, 1] + self.drift * time_s + sway) % 1 * (width - 2)).astype(np.intp)
        first = rows * width + columns
        luma.reshape(-1)[(first + self.offsets).ravel()] = self.shades
