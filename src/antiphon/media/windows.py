"""Windows of one video, decoded for all backbones at once, one after the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import DecodeError
from antiphon.media.appearance import ATTRIBUTES_LAYOUT, attribute_row, frame_attributes
from antiphon.media.container import Uri
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import EVERYWHERE, Extents
from antiphon.media.layout import FrameLayout
from antiphon.media.quality import Flag
from antiphon.media.ranges import TransferError
from antiphon.media.tempo import RATE_HZ, estimate_tempo
from antiphon.seeding import generator


@dataclass(frozen=True)
class WindowsJob:
    """What to decode of one video, small enough to send to another process.

    Attributes
    ----------
    video_id : str
        Id of the video.
    path : str or CataloguedFile
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
    segments : tuple of (float, float)
        Start and end of each window's segment, to measure attributes and the tempo too; empty to measure none.
    """

    video_id: str
    path: Uri
    windows: tuple[tuple[float, float], ...]
    layouts: tuple[FrameLayout, ...]
    rate_hz: int | None
    seed: int
    extents: Extents = EVERYWHERE
    segments: tuple[tuple[float, float], ...] = ()

    def windows_of(self, modality: str) -> tuple[int, ...]:
        """Number the windows, from 0, that lie within the extent of a modality."""
        return tuple(number for number, window in enumerate(self.windows) if self.extents.hold(modality, *window))


@dataclass(frozen=True)
class DecodedWindow:
    """Decoded window of a video.

    Attributes
    ----------
    number : int
        Number of the window, from 0. After 0 the others follow in order; a second 0 starts anew, without the modality
        that could not be decoded, and replaces what came before.
    waveform : ndarray of float32 or None, shape (samples,)
        Mono audio; None without audio.
    frames : dict of FrameLayout to ndarray of uint8
        RGB of each layout, shape (frames, size_px, size_px, 3).
    problem : str or None
        Why a requested modality is missing.
    audio_flags, video_flags : tuple of Flag
        What is wrong with them; see `antiphon.media.quality`.
    attributes : tuple of float or None
        Visual attributes, in the order of `ATTRIBUTE_NAMES`; None where they were not measured.
    tempo_bpm : float or None
        With the last window whose attributes were measured: tempo of the track; None without a clear beat.
    """

    number: int
    waveform: npt.NDArray[np.float32] | None
    frames: dict[FrameLayout, npt.NDArray[np.uint8]]
    problem: str | None = None
    audio_flags: tuple[Flag, ...] = ()
    video_flags: tuple[Flag, ...] = ()
    attributes: tuple[float, ...] | None = None
    tempo_bpm: float | None = None


@dataclass(frozen=True)
class DecodedWindows:
    """Consecutive decoded windows of one video: of each modality those within its extent, in order.

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
    first : int
        Number of the first window.
    attributes : dict of int to tuple of float
        Visual attributes of the windows that were measured, by number of the window.
    tempo_bpm : float or None
        Tempo of the track, in the batch with the last of these.
    """

    waveforms: npt.NDArray[np.float32] | None
    frames: dict[FrameLayout, npt.NDArray[np.uint8]]
    problem: str | None = None
    audio_flags: tuple[tuple[Flag, ...], ...] = ()
    video_flags: tuple[tuple[Flag, ...], ...] = ()
    first: int = 0
    attributes: dict[int, tuple[float, ...]] = field(default_factory=dict[int, tuple[float, ...]])
    tempo_bpm: float | None = None

    @classmethod
    def of(cls, windows: Sequence[DecodedWindow]) -> Self:
        """Stack windows.

        Parameters
        ----------
        windows : sequence of DecodedWindow
            Consecutive windows, at least one.

        Returns
        -------
        DecodedWindows
            The windows.
        """
        heard = [(window.waveform, window.audio_flags) for window in windows if window.waveform is not None]
        seen = [window for window in windows if window.frames]
        return cls(
            waveforms=np.stack([waveform for waveform, _ in heard]) if heard else None,
            frames={layout: np.stack([window.frames[layout] for window in seen]) for layout in seen[0].frames}
            if seen
            else {},
            problem=windows[0].problem,
            audio_flags=tuple(flags for _, flags in heard),
            video_flags=tuple(window.video_flags for window in seen),
            first=windows[0].number,
            attributes={one.number: one.attributes for one in windows if one.attributes is not None},
            tempo_bpm=next((one.tempo_bpm for one in windows if one.tempo_bpm is not None), None),
        )


class WindowBatches:
    """Gathers the windows of one video into batches, cut at the same places whenever the video is decoded.

    Parameters
    ----------
    size : int
        Number of windows in a batch; the last one has the rest.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._waiting: list[DecodedWindow] = []

    def add(self, window: DecodedWindow) -> DecodedWindows | None:
        """Add the next window.

        Parameters
        ----------
        window : DecodedWindow
            The window.

        Returns
        -------
        DecodedWindows or None
            A batch, if it is full.
        """
        if window.number == 0:
            self._waiting = []
        self._waiting.append(window)
        return self.rest() if len(self._waiting) == self._size else None

    def rest(self) -> DecodedWindows | None:
        """Return the windows that wait for a batch to be full.

        Returns
        -------
        DecodedWindows or None
            None if there are none.
        """
        waiting, self._waiting = self._waiting, []
        return DecodedWindows.of(waiting) if waiting else None


def in_batches(windows: Iterable[DecodedWindow], size: int) -> Iterator[DecodedWindows]:
    """Stack the windows of a video as they come.

    Parameters
    ----------
    windows : iterable of DecodedWindow
        Windows, as `decode_windows` yields them.
    size : int
        Maximum number of windows in a batch.

    Yields
    ------
    DecodedWindows
        Batches. A second one that starts with window 0 replaces what came before.
    """
    batches = WindowBatches(size)
    for window in windows:
        batch = batches.add(window)
        if batch is not None:
            yield batch
    batch = batches.rest()
    if batch is not None:
        yield batch


def decode_windows(job: WindowsJob) -> Iterator[DecodedWindow]:
    """Decode all windows of one video, one after the other.

    The file is opened once for its windows, and once for the sound of its segments if there is a tempo to find; again
    where a picture that only the attributes need is damaged, and for the other modality where one is.

    Parameters
    ----------
    job : WindowsJob
        What to decode.

    Yields
    ------
    DecodedWindow
        The windows, in order. Where a modality turns out to be damaged, they start again at the first without it, and
        where a picture is that only the attributes need, without these.

    Raises
    ------
    DecodeError
        The file cannot be read, or lacks every requested modality.
    """
    if job.segments and (job.layouts or job.rate_hz is not None):
        try:
            yield from _decode(job)
        except TransferError:
            raise
        except DecodeError:
            job = replace(job, segments=())
        else:
            return
    try:
        yield from _decode(job)
    except TransferError:
        raise
    except DecodeError as error:
        if job.rate_hz is None or not job.layouts or isinstance(error.__cause__, MemoryError):
            raise
        yield from _decode_one_side(job, error)


def _decode_one_side(job: WindowsJob, problem: DecodeError) -> Iterator[DecodedWindow]:
    for one_side in (replace(job, rate_hz=None), replace(job, layouts=())):
        try:
            for window in _decode(one_side):
                yield replace(window, problem=str(problem))
        except DecodeError:
            continue
        return
    raise problem


def _decode(job: WindowsJob) -> Iterator[DecodedWindow]:
    crops = generator(job.seed, "crop", job.video_id)
    layouts = tuple(dict.fromkeys((*job.layouts, *((ATTRIBUTES_LAYOUT,) if job.segments else ()))))
    decoded = decode_stretches(
        job.path,
        job.windows,
        layouts,
        rate_hz=job.rate_hz,
        generator=crops,
        extents=job.extents,
        unjudged=() if ATTRIBUTES_LAYOUT in job.layouts else (ATTRIBUTES_LAYOUT,),
    )
    seen = job.windows_of("video")
    for number, (stretch, window) in enumerate(zip(job.windows, decoded, strict=True)):
        if job.rate_hz is not None and window.waveform is None and job.extents.hold("audio", *stretch):
            raise DecodeError(f"{job.path}: has no audio that can be decoded.")
        if layouts and not window.frames and number in seen:
            raise DecodeError(f"{job.path}: has no video that can be decoded.")
        measured = window.frames.get(ATTRIBUTES_LAYOUT, ()) if job.segments else ()
        yield DecodedWindow(
            number,
            window.waveform,
            {layout: window.frames[layout] for layout in job.layouts if layout in window.frames},
            audio_flags=window.audio_flags,
            video_flags=window.video_flags,
            attributes=attribute_row(frame_attributes(measured)) if len(measured) > 1 else None,
            tempo_bpm=_tempo_bpm(job) if len(measured) > 1 and number == seen[-1] else None,
        )


def _tempo_bpm(job: WindowsJob) -> float | None:
    """Estimate the tempo from the segments' sound; None if there is none that can be decoded, or no clear beat."""
    try:
        decoded = decode_stretches(job.path, job.segments, rate_hz=RATE_HZ, extents=job.extents)
        tempo = estimate_tempo(stretch.waveform for stretch in decoded if stretch.waveform is not None)
    except TransferError:
        raise
    except DecodeError:
        return None
    return tempo.bpm if tempo is not None and tempo.is_clear else None
