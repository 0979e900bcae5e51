"""What can be seen in pictures without knowing anything: colour, brightness, motion, cuts.

Source of the question: Veldkamp et al. 2023, whose qualitative analysis explains neighbours by what they look like.
"""

from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

BLACK_AND_WHITE_BELOW = 0.06
CUT_ABOVE = 0.2
_CUT_OVER_USUAL = 2.0
_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
_BINS = 8
_GRID = 4


@dataclass(frozen=True)
class PictureAttributes:
    """Simple measures of one stretch of pictures.

    Attributes
    ----------
    saturation : 0 (grey) to 1: the pixels' mean range between their channels over their mean largest channel. Bright
        pixels weigh more, so that neither black bars nor noise in the dark count.
    black_and_white : whether the saturation is below `BLACK_AND_WHITE_BELOW`. A picture with nothing but black is.
    luma : mean brightness as coded, 0 (black) to 1 (white), with the weights of BT.709.
    motion : mean absolute difference of luma, pixel by pixel, between successive frames of the same shot.
    cuts_per_s : hard cuts a second.
    """

    saturation: float
    black_and_white: bool
    luma: float
    motion: float
    cuts_per_s: float


ATTRIBUTE_NAMES = tuple(field.name for field in fields(PictureAttributes))


def picture_attributes(frames: npt.NDArray[np.uint8], frames_per_s: float = 10.0) -> PictureAttributes:
    """Measure the frames of one stretch.

    Parameters
    ----------
    frames : (n, height, width, 3) uint8 RGB in order, at least two.
    frames_per_s : how many of them are a second; motion depends on it.

    Raises
    ------
    ValueError
        `frames` has another shape or type.

    Examples
    --------
    >>> astuple(picture_attributes(np.full((30, 8, 8, 3), 255, np.uint8)))
    (0.0, True, 1.0, 0.0, 0.0)
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or len(frames) < 2:
        raise ValueError(f"frames: {frames.dtype} {frames.shape} given; at least two RGB frames of uint8 are needed.")
    luma = (frames @ _LUMA) / np.float32(255)
    cuts = find_cuts(frames)
    steps = np.abs(np.diff(luma, axis=0)).mean(axis=(1, 2))
    saturation = _saturation(frames)
    return PictureAttributes(
        saturation=saturation,
        black_and_white=saturation < BLACK_AND_WHITE_BELOW,
        luma=round(float(luma.mean(dtype=np.float64)), 9),
        motion=float(steps[~cuts].mean()) if not cuts.all() else 0.0,
        cuts_per_s=float(cuts.sum() * frames_per_s / len(cuts)),
    )


def find_cuts(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(n - 1,) whether a new shot begins with frame i + 1: the colours of the parts of the picture jump, and stay.

    The distributions of each channel (8 overlapping bins) in each of 4 × 4 parts of the picture differ by more than
    `CUT_ABOVE` (total variation, 0 to 1) and by more than twice the stretch's median between frames i and i + 1, and
    also from the frame before to the one after. A flash that is over within a frame, a fade and things that move are
    none.
    """
    shares = _histograms(frames)
    steps = _variation(shares[:-1], shares[1:])
    least = max(CUT_ABOVE, _CUT_OVER_USUAL * float(np.median(steps))) if len(steps) > 2 else CUT_ABOVE
    # From frame i to i + 2: what jumps and comes back is a flash.
    stays = np.concatenate([[True], _variation(shares[:-2], shares[2:]) > least, [True]])
    return (steps > least) & stays[:-1] & stays[1:]


def attribute_row(found: PictureAttributes) -> list[float]:
    """The values in the order of `ATTRIBUTE_NAMES`, the flag as 0 or 1."""
    return [float(value) for value in astuple(found)]


def _saturation(frames: npt.NDArray[np.uint8]) -> float:
    largest, least = frames.max(axis=-1), frames.min(axis=-1)
    brightness = float(largest.sum(dtype=np.int64))
    return float((largest - least).sum(dtype=np.int64)) / brightness if brightness else 0.0


def _histograms(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(n, parts × channels × bins) share of all pixels; a value between the middles of two bins counts in both."""
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
