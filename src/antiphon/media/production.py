"""How a file was produced, as far as its sound and its pictures may both tell: size, rate, bars, encoder, loudness."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.container import Uri, audio_stream, media_errors, open_container, video_stream
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import StreamReader
from antiphon.media.waveform import read_waveform

_PLACES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Where a file is looked at, and but for the outer ones listened to, as fractions of its usable stretch."""
_LISTENED_S, _RATE_HZ = 2.0, 16_000
_SMALL_PX = (128, 72)
_BLACK = 24
"""Largest luma of black, from 0 to 255; noise and compression lift it a little."""
_LEAST_BAR = 0.03
"""Least width of a bar, as a fraction of the picture."""
_STEP_DB = 3


@dataclass(frozen=True)
class Production:
    """How a file was produced; "" where something is not known.

    Attributes
    ----------
    picture_size : str
        Stored size of the frames, such as "1280×720".
    frame_rate : str
        Frames per second, rounded, such as "25".
    bars : str
        Black bars around the pictures: "none", "above and below", "at the sides" or "all around".
    encoder : str
        Codecs of pictures and sound, and what the file says of its encoder.
    loudness : str
        Level of the sound in steps of 3 dB, such as "-18 to -15 dB": full-scale RMS of three stretches of 2 s.
    """

    picture_size: str = ""
    frame_rate: str = ""
    bars: str = ""
    encoder: str = ""
    loudness: str = ""


def production_of(uri: Uri, start_s: float, duration_s: float) -> Production:
    """Examine a file at five places.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Path or address.
    start_s, duration_s : float
        Its usable stretch, in seconds on its time line.

    Returns
    -------
    Production
        What could be told.

    Raises
    ------
    DecodeError
        The file cannot be opened.
    """
    times_s = [start_s + place * duration_s for place in _PLACES]
    with open_container(uri) as container, media_errors(uri):
        audio, video = audio_stream(container), video_stream(container)
        codec = video.codec_context if video else None
        return Production(
            picture_size=f"{codec.width}×{codec.height}" if codec else "",
            frame_rate=f"{float(video.average_rate):.0f}" if video and video.average_rate else "",
            bars=_bars(uri, container, video, times_s) if video else "",
            encoder=_encoder(container, audio, video),
            loudness=_loudness(uri, container, audio, times_s[1:-1]) if audio else "",
        )


def bars_around(lumas: npt.NDArray[np.uint8]) -> str:
    """Name the black bars around pictures.

    Parameters
    ----------
    lumas : ndarray of uint8, shape (frames, height, width)
        Luma of some frames. A bar is black in all of them, and there is one on the opposite side.

    Returns
    -------
    str
        "none", "above and below", "at the sides", "all around", or "" where all is black.

    Examples
    --------
    >>> film = np.full((2, 72, 128), 90, np.uint8)
    >>> film[:, :9] = film[:, -9:] = 16
    >>> bars_around(film)
    'above and below'
    """
    brightest = lumas.max(axis=0)
    lit = [np.flatnonzero(brightest.max(axis=axis) > _BLACK) for axis in (1, 0)]
    if not len(lit[0]):
        return ""
    upright, across = (
        min(rows[0], size - 1 - rows[-1]) >= _LEAST_BAR * size for rows, size in zip(lit, brightest.shape, strict=True)
    )
    return {(False, False): "none", (True, False): "above and below", (False, True): "at the sides"}.get(
        (bool(upright), bool(across)), "all around"
    )


def _bars(uri: Uri, container: InputContainer, stream: VideoStream, times_s: list[float]) -> str:
    width, height = _SMALL_PX
    reader, lumas = StreamReader.of(uri, container, stream), list[npt.NDArray[np.uint8]]()
    for time_s in times_s:
        try:
            for _, frame in nearest_frames(reader, [time_s]):
                small = frame.reformat(width=width, height=height, format="gray", interpolation="AREA", threads=1)
                lumas.append(np.asarray(small.to_ndarray(), np.uint8))
        except DecodeError:
            continue
    return bars_around(np.stack(lumas)) if lumas else ""


def _loudness(uri: Uri, container: InputContainer, stream: AudioStream, times_s: list[float]) -> str:
    reader, heard = StreamReader.of(uri, container, stream), list[npt.NDArray[np.float32]]()
    for time_s in times_s:
        try:
            heard.append(read_waveform(reader, time_s, round(_LISTENED_S * _RATE_HZ), _RATE_HZ))
        except DecodeError:
            continue
    power = float(np.mean(np.square(np.concatenate(heard)))) if heard else 0.0
    if power <= 0:
        return ""
    low = int(10 * np.log10(power) // _STEP_DB) * _STEP_DB
    return f"{low} to {low + _STEP_DB} dB"


def _encoder(container: InputContainer, audio: AudioStream | None, video: VideoStream | None) -> str:
    named = [stream.codec_context.name for stream in (video, audio) if stream]
    for tags in (container.metadata, *(stream.metadata for stream in (video, audio) if stream)):
        named += [value for key, value in tags.items() if key.lower() in ("encoder", "encoded_by")]
    return ", ".join(dict.fromkeys(named))[:200]
