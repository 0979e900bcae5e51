"""The windows of one video, decoded for all backbones at once."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from antiphon.seeding import generator


@dataclass(frozen=True)
class WindowsJob:
    """What to decode of one video, small enough to be sent to another process.

    Attributes
    ----------
    windows : start and end in seconds on the track's time line.
    layouts : how frames are wanted; none: no pictures.
    rate_hz : of the waveform; None: no sound.
    seed : of random crops, together with the video's id.
    """

    video_id: str
    path: str
    windows: tuple[tuple[float, float], ...]
    layouts: tuple[FrameLayout, ...]
    rate_hz: int | None
    seed: int


@dataclass(frozen=True)
class DecodedWindows:
    """(n, samples) float32 sound or None, and for each layout (n, frames, size, size, 3) uint8 pictures.

    `problem` says why a side that was asked for is not here.
    """

    waveforms: npt.NDArray[np.float32] | None
    frames: dict[FrameLayout, npt.NDArray[np.uint8]]
    problem: str | None = None


def decode_windows(job: WindowsJob) -> DecodedWindows:
    """Decode all windows of one video; the file is opened once, unless a side is damaged and the other is saved.

    Raises
    ------
    DecodeError
        It cannot be read, or lacks all that the job asks for.
    """
    try:
        return _decode(job)
    except DecodeError as error:
        if job.rate_hz is None or not job.layouts:
            raise
        for one_side in (replace(job, rate_hz=None), replace(job, layouts=())):
            try:
                return replace(_decode(one_side), problem=str(error))
            except DecodeError:
                continue
        raise


def _decode(job: WindowsJob) -> DecodedWindows:
    crops = generator(job.seed, "crop", job.video_id)
    decoded = list(decode_stretches(job.path, job.windows, job.layouts, rate_hz=job.rate_hz, generator=crops))
    waveforms = [window.waveform for window in decoded if window.waveform is not None]
    if job.rate_hz is not None and len(waveforms) < len(decoded):
        raise DecodeError(f"{job.path}: has no sound that can be decoded.")
    if any(layout not in window.frames for window in decoded for layout in job.layouts):
        raise DecodeError(f"{job.path}: has no pictures that can be decoded.")
    return DecodedWindows(
        waveforms=np.stack(waveforms) if waveforms else None,
        frames={layout: np.stack([window.frames[layout] for window in decoded]) for layout in job.layouts},
    )
