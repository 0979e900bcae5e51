"""Sound of a stretch of a file in stereo, to be encoded again."""

from collections.abc import Iterator

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from antiphon.media.complaints import heard
from antiphon.media.stream_reader import StreamReader

Block = npt.NDArray[np.float32]

_WARM_UP_S = 0.3
_MAX_OFF_S = 0.05
"""How far time stamps may be from the samples counted; beyond it samples are missing, or there are too many."""
_BLOCK = 4096


def read_stereo(reader: StreamReader[AudioStream], start_s: float, length_s: float, rate_hz: int) -> Iterator[Block]:
    """Decode a stretch of sound in stereo; what is missing or damaged is silent.

    Parameters
    ----------
    reader : StreamReader[AudioStream]
        Audio stream of an open file.
    start_s, length_s : float
        The stretch, in seconds on the track's time line.
    rate_hz : int
        Sample rate of the result.

    Yields
    ------
    ndarray of float32, shape (2, samples)
        Blocks in order, in [-1, 1], together of the length asked for.
    """
    left = round(length_s * rate_hz)
    placed = _placed(reader, start_s, rate_hz)
    while left > 0:
        block = next(placed, None)
        block = np.zeros((2, _BLOCK), np.float32) if block is None else block[:, :left]
        left -= block.shape[1]
        yield np.ascontiguousarray(np.clip(np.nan_to_num(block), -1, 1))


def _placed(reader: StreamReader[AudioStream], start_s: float, rate_hz: int) -> Iterator[Block]:
    """Yield what is decoded from the start on, with silence where there are gaps."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate_hz)
    done = 0  # samples yielded
    for frame in _frames(reader, start_s - _WARM_UP_S):
        if frame.pts is None or not frame.samples:
            continue
        at = round((reader.time_s(frame.pts) - start_s) * rate_hz)
        frame.pts = None  # else the resampler would fill gaps in its own way
        for made in resampler.resample(frame):
            samples = np.asarray(made.to_ndarray(), np.float32)
            missing = at - done
            if missing > 0 and (done == 0 or missing > _MAX_OFF_S * rate_hz):
                yield from _silence(missing)
                done += missing
            elif missing < 0 and done == 0:
                samples = samples[:, -missing:]
            if samples.shape[1]:
                yield samples
                done += samples.shape[1]
                at = done


def _silence(samples: int) -> Iterator[Block]:
    for first in range(0, samples, _BLOCK):
        yield np.zeros((2, min(_BLOCK, samples - first)), np.float32)


def _frames(reader: StreamReader[AudioStream], position_s: float) -> Iterator[AudioFrame]:
    for packet in reader.packets(max(position_s, reader.start_s)):
        try:
            frames, _ = heard(lambda packet=packet: reader.decode(packet))
        except MemoryError:
            raise
        except av.error.FFmpegError:
            continue
        yield from frames
