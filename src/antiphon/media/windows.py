"""Windows of one video, decoded for all backbones at once."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import EVERYWHERE, Extents
from antiphon.media.layout import FrameLayout
from antiphon.media.quality import Flag
from antiphon.seeding import generator


@dataclass(frozen=True)
class WindowsJob:
    """What to decode of one video, small enough to send to another process.

    Attributes
    ----------
    video_id : str
        Id of the video.
    path : str
        Media file.
    windows : tuple of (float, float)
        Start and end of each window, in seconds on the track's time line.
    layouts : tuple of FrameLayout
        Frames to return; empty to decode no video.
    rate_hz : int or None
        Sample rate of the waveforms; None to decode no audio.
    seed : int
        Seed of random crops, together with the video's id.
    extents : Extents
        Where audio and video lie; windows that reach out of one of them are decoded without it.
    """

    video_id: str
    path: str
    windows: tuple[tuple[float, float], ...]
    layouts: tuple[FrameLayout, ...]
    rate_hz: int | None
    seed: int
    extents: Extents = EVERYWHERE

    def windows_of(self, modality: str) -> tuple[int, ...]:
        """Number the windows, from 0, that lie within the extent of a modality."""
        return tuple(number for number, window in enumerate(self.windows) if self.extents.hold(modality, *window))


@dataclass(frozen=True)
class DecodedWindows:
    """Decoded windows of one video: of each modality those within its extent (`WindowsJob.windows_of`), in order.

    Attributes
    ----------
    waveforms : ndarray of float32 or None, shape (n, samples)
        Mono audio; None without audio.
    frames : dict of FrameLayout to ndarray of uint8
        RGB of each layout, shape (n, frames, size_px, size_px, 3); empty without video.
    problem : str or None
        Why a requested modality is missing.
    audio_flags, video_flags : tuple of tuple of Flag
        What is wrong with each window; see `antiphon.media.quality`. Empty where it was not examined.
    """

    waveforms: npt.NDArray[np.float32] | None
    frames: dict[FrameLayout, npt.NDArray[np.uint8]]
    problem: str | None = None
    audio_flags: tuple[tuple[Flag, ...], ...] = ()
    video_flags: tuple[tuple[Flag, ...], ...] = ()


def decode_windows(job: WindowsJob) -> DecodedWindows:
    """Decode all windows of one video.

    The file is opened once, or again for the other modality where one is damaged.

    Parameters
    ----------
    job : WindowsJob
        What to decode.

    Returns
    -------
    DecodedWindows
        The windows.

    Raises
    ------
    DecodeError
        The file cannot be read, or lacks every requested modality.
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
    decoded = list(
        decode_stretches(job.path, job.windows, job.layouts, rate_hz=job.rate_hz, generator=crops, extents=job.extents)
    )
    heard = [window for window in decoded if window.waveform is not None]
    seen = [window for window in decoded if window.frames]
    if job.rate_hz is not None and len(heard) < len(job.windows_of("audio")):
        raise DecodeError(f"{job.path}: has no audio that can be decoded.")
    if job.layouts and len(seen) < len(job.windows_of("video")):
        raise DecodeError(f"{job.path}: has no video that can be decoded.")
    return DecodedWindows(
        waveforms=np.stack([window.waveform for window in heard if window.waveform is not None]) if heard else None,
        frames={layout: np.stack([window.frames[layout] for window in seen]) for layout in job.layouts if seen},
        audio_flags=tuple(window.audio_flags for window in heard),
        video_flags=tuple(window.video_flags for window in seen),
    )
