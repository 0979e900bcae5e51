"""Visual attributes without a network: colour, brightness, motion and cuts.

The question is that of Veldkamp et al. (2023), whose qualitative analysis explains neighbours by what they look like.
"""

from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt

from antiphon.media.layout import FrameLayout

FloatArray = npt.NDArray[np.floating]

ATTRIBUTES_LAYOUT = FrameLayout(size_px=96)
"""Frames in which the attributes of a window are measured."""
BLACK_AND_WHITE_BELOW = 0.06
CUT_ABOVE = 0.2
_CUT_OVER_MEDIAN = 2.0
_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
_BINS = 8
_GRID = 4


@dataclass(frozen=True)
class FrameAttributes:
    """Visual attributes of a stretch of frames.

    Attributes
    ----------
    saturation : float
        From 0 (grey) to 1: the mean range of the pixels' channels over the mean of their largest channel. Bright pixels
        weigh more, so that neither black bars nor noise in the dark count.
    black_and_white : bool
        True where the saturation is below `BLACK_AND_WHITE_BELOW`, which includes all-black frames.
    luma : float
        Mean coded brightness, from 0 (black) to 1 (white), with the weights of BT.709.
    motion : float
        Mean absolute difference of luma, pixel by pixel, between successive frames of the same shot.
    cuts_per_s : float
        Hard cuts per second.
    """

    saturation: float
    black_and_white: bool
    luma: float
    motion: float
    cuts_per_s: float


ATTRIBUTE_NAMES = tuple(field.name for field in fields(FrameAttributes))


def frame_attributes(frames: npt.NDArray[np.uint8], frames_per_s: float = 10.0) -> FrameAttributes:
    """Measure the frames of a stretch.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, height, width, 3)
        RGB frames in order, at least two.
    frames_per_s : float, default 10.0
        Frame rate, which motion and cuts per second depend on.

    Returns
    -------
    FrameAttributes
        The measurements.

    Raises
    ------
    ValueError
        `frames` has another shape or type.

    Examples
    --------
    >>> astuple(frame_attributes(np.full((30, 8, 8, 3), 255, np.uint8)))
    (0.0, True, 1.0, 0.0, 0.0)
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or len(frames) < 2:
        raise ValueError(f"frames must be at least two RGB frames of uint8, not {frames.dtype} {frames.shape}")
    luma = (frames @ _LUMA) / np.float32(255)
    cuts = find_cuts(frames)
    steps = np.abs(np.diff(luma, axis=0)).mean(axis=(1, 2))
    saturation = _saturation(frames)
    return FrameAttributes(
        saturation=saturation,
        black_and_white=saturation < BLACK_AND_WHITE_BELOW,
        luma=round(float(luma.mean(dtype=np.float64)), 9),
        motion=float(steps[~cuts].mean()) if not cuts.all() else 0.0,
        cuts_per_s=float(cuts.sum() * frames_per_s / len(cuts)),
    )


def find_cuts(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Find hard cuts: the colours of parts of the frame jump, and stay.

    The distributions of each channel (8 overlapping bins) in each of 4 × 4 parts of the frame differ by more than
    `CUT_ABOVE` (total variation, 0 to 1) and by more than twice the stretch's median between frames i and i + 1, and
    also from the frame before to the one after. Flashes of a single frame, fades and moving objects are not cuts.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, height, width, 3)
        RGB frames in order.

    Returns
    -------
    ndarray of bool, shape (n - 1,)
        True where frame i + 1 starts a new shot.
    """
    shares = _histograms(frames)
    steps = _variation(shares[:-1], shares[1:])
    threshold = max(CUT_ABOVE, _CUT_OVER_MEDIAN * float(np.median(steps))) if len(steps) > 2 else CUT_ABOVE
    # From frame i to i + 2: a flash jumps and comes back.
    stays = np.concatenate([[True], _variation(shares[:-2], shares[2:]) > threshold, [True]])
    return (steps > threshold) & stays[:-1] & stays[1:]


def attribute_row(found: FrameAttributes) -> tuple[float, ...]:
    """Convert attributes to numbers.

    Parameters
    ----------
    found : FrameAttributes
        Attributes of a stretch.

    Returns
    -------
    tuple of float
        Values in the order of `ATTRIBUTE_NAMES`, the flag as 0 or 1.
    """
    return tuple(float(value) for value in astuple(found))


def _saturation(frames: npt.NDArray[np.uint8]) -> float:
    maxima, minima = frames.max(axis=-1), frames.min(axis=-1)
    brightness = float(maxima.sum(dtype=np.int64))
    return float((maxima - minima).sum(dtype=np.int64)) / brightness if brightness else 0.0


def _histograms(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return the (n, parts × channels × bins) shares of all pixels; values between two bins' centres count in both."""
    count, height, width, _ = frames.shape
    part = (np.arange(height) * _GRID // height)[:, None] * _GRID + np.arange(width) * _GRID // width
    line = np.arange(count)[:, None, None] * _GRID**2 + part
    places = (line[..., None] * 3 + np.arange(3)) * 256 + frames
    counts = np.bincount(places.reshape(-1), minlength=count * _GRID**2 * 3 * 256).reshape(-1, 256)
    middles = np.linspace(0, 255, _BINS)
    overlap = np.clip(1 - np.abs(np.arange(256)[:, None] - middles) / (middles[1] - middles[0]), 0, 1)
    return (counts @ overlap).reshape(count, -1) / (height * width * 3)


def _variation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.abs(one - other).sum(axis=-1) / 2
