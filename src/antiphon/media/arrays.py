"""Windows of sound and pictures that are in memory already, cut as decoding cuts those of files."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import soxr
from av.video.frame import VideoFrame

from antiphon.media.cropping import FrameCropper
from antiphon.media.layout import FrameLayout
from antiphon.seeding import generator

_FRAMES_PER_S = 10.0


def waveform_windows(
    waveform: npt.NDArray[np.floating], rate_hz: int, windows: Sequence[tuple[float, float]], to_hz: int
) -> npt.NDArray[np.float32]:
    """Resample a mono waveform and cut windows from it.

    Parameters
    ----------
    waveform : ndarray, shape (samples,)
    rate_hz, to_hz : int
        Sample rates of the waveform and of the result.
    windows : sequence of (float, float)
        Start and end of each in seconds; all of one length.

    Returns
    -------
    ndarray of float32, shape (windows, samples)
    """
    sound = waveform.astype(np.float32)
    resampled = soxr.resample(sound, rate_hz, to_hz) if rate_hz != to_hz else sound
    count = round((windows[0][1] - windows[0][0]) * to_hz)
    padded = np.pad(resampled, (0, count))
    starts = [round(start_s * to_hz) for start_s, _ in windows]
    return np.stack([padded[start : start + count] for start in starts]).astype(np.float32)


def frame_windows(
    frames: npt.NDArray[np.uint8],
    frames_per_s: float,
    windows: Sequence[tuple[float, float]],
    layout: FrameLayout,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """Cut windows from frames, ten frames a second before the layout thins them out, each the nearest in time.

    Parameters
    ----------
    frames : ndarray of uint8, shape (frames, height, width, 3)
    frames_per_s : float
        Their rate.
    windows : sequence of (float, float)
        Start and end of each in seconds; all of one length.
    layout : FrameLayout
        Size, crop and thinning.
    seed : int
        Draws random crops.

    Returns
    -------
    ndarray of uint8, shape (windows, frames, size_px, size_px, 3)
    """
    crops = generator(seed, "crop", "array")
    cut: list[npt.NDArray[np.uint8]] = []
    for start_s, end_s in windows:
        times_s = start_s + np.arange(0, round((end_s - start_s) * _FRAMES_PER_S), layout.every) / _FRAMES_PER_S
        places = np.clip(np.round(times_s * frames_per_s).astype(int), 0, len(frames) - 1)
        cropper = FrameCropper("frames", [layout], None, crops)
        pictures = [VideoFrame.from_ndarray(np.ascontiguousarray(frames[place]), format="rgb24") for place in places]
        cut.append(np.stack([cropper.crop(picture, layout) for picture in pictures]))
    return np.stack(cut)
