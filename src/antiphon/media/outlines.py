"""Outlines of a file, to draw it on a timeline: how loud it is, where its beats are, and where its pictures cut."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import DecodeError
from antiphon.media.appearance import find_cuts
from antiphon.media.beats import find_beats
from antiphon.media.container import Uri, audio_stream, media_errors, open_container, video_stream
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import StreamReader
from antiphon.media.tempo import RATE_HZ
from antiphon.media.waveform import read_waveform

MAX_PEAKS = 1_000
MAX_PEAK = 255
MAX_S = 1_800.0
"""What lies later is left out: 30 min."""
MAX_FRAMES = 15_000
_MIN_SHOT_S = 0.3
_MAX_FRAMES_PER_S, _USUAL_FRAMES_PER_S = 30.0, 25.0
_STRETCH_S = 30.0
_FINE_HZ = 100
_SMALL_PX = (64, 36)
_FRAMES_AT_ONCE = 300
_KEPT_FRAMES = 3
"""Frames of a block that the next one begins with: a cut is judged by a frame more on either side."""


@dataclass(frozen=True)
class SoundOutline:
    """Outline of the sound.

    Attributes
    ----------
    length_s : float
        Seconds that the peaks stretch over, from the start of the file's time line.
    peaks : list of int
        Largest value of each of at most 1,000 equal parts, from 0 to 255 (full scale).
    beats_s : list of float
        Times of the beats; none where no beat is clear.
    """

    length_s: float
    peaks: list[int]
    beats_s: list[float]


@dataclass(frozen=True)
class PictureOutline:
    """Outline of the pictures.

    Attributes
    ----------
    length_s : float
        Seconds that were looked at, from the start of the file's time line.
    cuts_s : list of float
        Times at which another shot begins.
    frames_per_s : float
        Their rate, on average.
    """

    length_s: float
    cuts_s: list[float]
    frames_per_s: float


def sound_outline(uri: Uri, length_s: float) -> SoundOutline:
    """Measure the sound of a file. Stretches that cannot be decoded count as silent.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Path or address.
    length_s : float
        Length of its time line in seconds.

    Returns
    -------
    SoundOutline
        Its outline.

    Raises
    ------
    DecodeError
        The file cannot be read, or has no sound.
    """
    length_s = min(length_s, MAX_S)
    with open_container(uri) as container, media_errors(uri):
        stream = audio_stream(container)
        if stream is None:
            raise DecodeError(f"{uri}: has no sound.")
        waveform = _whole(StreamReader.of(uri, container, stream), length_s)
    return SoundOutline(round(length_s, 3), peaks_of(waveform), find_beats(waveform))


def _whole(reader: StreamReader, length_s: float) -> npt.NDArray[np.float32]:
    """Decode the sound in stretches, of which one that is damaged costs no other."""
    waveform = np.zeros(max(round(length_s * RATE_HZ), 1), np.float32)
    step = round(_STRETCH_S * RATE_HZ)
    for first in range(0, len(waveform), step):
        count = min(step, len(waveform) - first)
        try:
            waveform[first : first + count] = read_waveform(reader, first / RATE_HZ, count, RATE_HZ)
        except DecodeError:
            continue
    return waveform


def peaks_of(waveform: npt.NDArray[np.floating]) -> list[int]:
    """Return the largest absolute values of equal parts of a waveform.

    Parameters
    ----------
    waveform : ndarray of float, shape (samples,)
        Mono at 16 kHz.

    Returns
    -------
    list of int
        At most 1,000 values from 0 to 255 (full scale), none for parts of less than 10 ms.

    Examples
    --------
    >>> peaks_of(np.concatenate([np.zeros(160), np.full(160, -0.5), np.full(160, 2.0)]))
    [0, 128, 255]
    """
    fine = RATE_HZ // _FINE_HZ
    padded = np.pad(np.abs(waveform), (0, -len(waveform) % fine))
    tops = padded.reshape(-1, fine).max(axis=1)
    count = min(MAX_PEAKS, len(tops))
    firsts = np.arange(count) * len(tops) // count
    tops = np.maximum.reduceat(tops, firsts)
    return [int(value) for value in np.rint(np.minimum(tops, 1) * MAX_PEAK)]


def picture_outline(uri: Uri, length_s: float) -> PictureOutline:
    """Find the cuts of a file's pictures, as far as they can be decoded.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Path or address.
    length_s : float
        Length of its time line in seconds.

    Returns
    -------
    PictureOutline
        Its outline, of at most 15,000 frames.

    Raises
    ------
    DecodeError
        The file cannot be read, or has no pictures.
    """
    with open_container(uri) as container, media_errors(uri):
        stream = video_stream(container)
        if stream is None:
            raise DecodeError(f"{uri}: has no pictures.")
        frames_per_s = float(stream.average_rate or stream.guessed_rate or _USUAL_FRAMES_PER_S)
        rate = min(frames_per_s, _MAX_FRAMES_PER_S)
        reader = StreamReader.of(uri, container, stream)
        count = min(int((min(length_s, MAX_S) - reader.start_s) * rate), MAX_FRAMES)
        times_s = [reader.start_s + place / rate for place in range(count)]
        cuts_s: list[float] = []
        done = 0
        for first, frames in _blocks(reader, times_s):
            new = 0 if first == 0 else 1
            found = np.flatnonzero(find_cuts(frames)[new:-1]) + new
            for place in found:
                time_s = times_s[first + int(place) + 1]
                if not cuts_s or time_s - cuts_s[-1] >= _MIN_SHOT_S:  # a flicker is no shot
                    cuts_s.append(round(time_s, 3))
            done = first + len(frames)
    return PictureOutline(round(times_s[done - 1] if done else 0.0, 3), cuts_s, round(frames_per_s, 5))


def _blocks(reader: StreamReader, times_s: list[float]) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Yield the frames in small, in blocks that overlap, each with the number of its first frame."""
    if not times_s:
        return
    block: list[npt.NDArray[np.uint8]] = []
    first = 0
    width, height = _SMALL_PX
    try:
        for _, frame in nearest_frames(reader, times_s):
            small = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA", threads=1)
            block.append(np.asarray(small.to_ndarray(), np.uint8))
            if len(block) == _FRAMES_AT_ONCE:
                yield first, np.stack(block)
                first, block = first + len(block) - _KEPT_FRAMES, block[-_KEPT_FRAMES:]
    except DecodeError:
        pass  # What was seen until then is worth having.
    if len(block) > 1:
        yield first, np.stack(block)
