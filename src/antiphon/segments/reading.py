"""Reading of a file that is not in a catalogue: probed, planned and decoded in one go, here or in a worker process."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import Extents
from antiphon.media.layout import FrameLayout
from antiphon.media.names import file_name
from antiphon.media.probing import probe_media
from antiphon.media.windows import DecodedWindow, WindowsJob, decode_windows
from antiphon.segments.sampling import MAX_SEGMENTS, SamplingConfig, segment_rows

SOUND_ONLY, PICTURES_ONLY = "has sound only", "has pictures only"
"""What a message says of a file that lacks what was asked for."""


@dataclass(frozen=True)
class FileJob:
    """What to read of a file, small enough to send to another process.

    Attributes
    ----------
    path : str
        Local path, or an address that fsspec knows.
    layouts : tuple of FrameLayout
        Frames to return; empty to decode no video.
    rate_hz : int or None
        Sample rate of the waveforms; None to decode no audio.
    sampling : SamplingConfig
        Position of the windows.
    """

    path: str
    layouts: tuple[FrameLayout, ...]
    rate_hz: int | None
    sampling: SamplingConfig


@dataclass(frozen=True)
class PlannedWindows:
    """What will be read of a file.

    Attributes
    ----------
    windows : list of (float, float)
        Start and end of each window, in seconds on the track's time line.
    extents : Extents
        Where audio and video lie.
    """

    windows: list[tuple[float, float]]
    extents: Extents


def read_file(job: FileJob) -> Iterator[PlannedWindows | DecodedWindow]:
    """Probe a file, and decode its windows one after the other.

    Parameters
    ----------
    job : FileJob
        What to read.

    Yields
    ------
    PlannedWindows, then DecodedWindow
        All windows, and then each, as `decode_windows` yields them.

    Raises
    ------
    DecodeError
        The file cannot be read, is too short, or has none of the requested modalities.
    """
    info = probe_media(job.path)
    layouts = job.layouts if info.has_video else ()
    rate_hz = job.rate_hz if info.has_audio else None
    if not layouts and rate_hz is None:
        other = SOUND_ONLY if info.has_audio else PICTURES_ONLY if info.has_video else "has neither sound nor pictures"
        raise DecodeError(f"{job.path}: {other}.")
    name, extents = file_name(job.path), Extents.of(vars(info))
    rows = segment_rows(name, info.duration_s, job.sampling, info.start_s)
    windows = [(float(row["window_start_s"]), float(row["window_end_s"])) for row in rows]
    yield PlannedWindows(windows, extents)
    yield from decode_windows(WindowsJob(name, job.path, tuple(windows), layouts, rate_hz, job.sampling.seed, extents))


@dataclass(frozen=True)
class PatchesJob:
    """A whole track to read in consecutive patches, small enough to send to another process.

    Attributes
    ----------
    path : str
        Local path, or an address that fsspec knows.
    patch_s : float
        Length of a patch in seconds.
    rate_hz : int
        Sample rate of the waveforms.
    """

    path: str
    patch_s: float
    rate_hz: int


def read_patches(job: PatchesJob) -> Iterator[PlannedWindows | npt.NDArray[np.float32]]:
    """Decode the sound of a whole track, patch by patch.

    Parameters
    ----------
    job : PatchesJob
        What to read.

    Yields
    ------
    PlannedWindows, then ndarray of float32, shape (samples,)
        All patches, and then the consecutive ones that can be decoded; what is left at the end of the track is not
        read.

    Raises
    ------
    DecodeError
        The file cannot be read, has no audio, or is shorter than a patch.
    """
    info = probe_media(job.path)
    if not info.has_audio:
        raise DecodeError(f"{job.path}: has no audio.")
    count = int(info.duration_s // job.patch_s)
    if not 0 < count <= MAX_SEGMENTS:
        raise DecodeError(
            f"{job.path}: is {info.duration_s:.2f} s long; from {job.patch_s:g} to {MAX_SEGMENTS * job.patch_s:,.0f} s"
            " can be read."
        )
    starts = max(info.start_s, 0.0) + job.patch_s * np.arange(count)
    every = [(float(start_s), float(start_s) + job.patch_s) for start_s in starts]
    extents = Extents.of(vars(info))
    patches = [patch for patch in every if extents.hold("audio", *patch)]
    yield PlannedWindows(patches, extents)
    for patch in decode_stretches(job.path, patches, rate_hz=job.rate_hz):
        if patch.waveform is not None:
            yield patch.waveform
