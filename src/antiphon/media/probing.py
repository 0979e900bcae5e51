"""Streams and duration of a media file."""

from dataclasses import dataclass
from pathlib import Path

import av.error
from av.container import InputContainer

from antiphon.errors import DecodeError
from antiphon.media.container import (
    MICROSECONDS,
    MediaStream,
    audio_stream,
    media_errors,
    open_container,
    origin_s,
    stream_start_s,
    video_stream,
)

_LOOK_BACK_S = (2.0, 8.0, 32.0, 128.0, 512.0)
# A stated end within the last, padded packet is trusted; if it is further off, the packets are.
_HEADER_TRUST_S = 0.12


@dataclass(frozen=True)
class MediaInfo:
    """Streams and duration of a media file, in seconds on the track's time line, whose zero is the container's start.

    Attributes
    ----------
    start_s, duration_s : float
        Usable stretch: the overlap of audio and video, or the extent of the only stream.
    has_audio, has_video : bool
        Whether there is a usable stream.
    audio_start_s, audio_end_s, video_start_s, video_end_s : float or None
        Extent of each stream; None where it is missing.
    width_px, height_px : int or None
        Stored size of the frames, before rotation and pixel aspect ratio.
    """

    start_s: float
    duration_s: float
    has_audio: bool
    has_video: bool
    audio_start_s: float | None = None
    audio_end_s: float | None = None
    video_start_s: float | None = None
    video_end_s: float | None = None
    width_px: int | None = None
    height_px: int | None = None


def probe_media(uri: str | Path) -> MediaInfo:
    """Inspect the streams and the duration of a media file.

    Headers are checked against the timestamps of the last packets: truncated files, and files whose header states no
    duration, get the duration that can be read.

    Parameters
    ----------
    uri : str or Path
        Path or address of the file.

    Returns
    -------
    MediaInfo
        Streams and duration.

    Raises
    ------
    DecodeError
        The file cannot be opened, has neither audio nor video, or the two never overlap.
    """
    with open_container(uri) as container, media_errors(uri):
        audio, video = audio_stream(container), video_stream(container)
        audio_s = _extent(container, audio) if audio else None
        video_s = _extent(container, video) if video else None
        if audio_s is None and video_s is None:
            raise DecodeError(f"{uri}: has no usable audio or video stream.")
        extents = [extent for extent in (audio_s, video_s) if extent]
        start_s, end_s = max(extent[0] for extent in extents), min(extent[1] for extent in extents)
        if end_s <= start_s:
            raise DecodeError(
                f"{uri}: its audio and video never overlap"
                f" ({'; '.join(f'{first:.1f}–{last:.1f} s' for first, last in extents)})."
            )
        audio_start_s, audio_end_s = audio_s or (None, None)
        video_start_s, video_end_s = video_s or (None, None)
        return MediaInfo(
            start_s=start_s,
            duration_s=end_s - start_s,
            has_audio=audio_s is not None,
            has_video=video_s is not None,
            audio_start_s=audio_start_s,
            audio_end_s=audio_end_s,
            video_start_s=video_start_s,
            video_end_s=video_end_s,
            width_px=video.codec_context.width if video and video_s else None,
            height_px=video.codec_context.height if video and video_s else None,
        )


def _extent(container: InputContainer, stream: MediaStream) -> tuple[float, float] | None:
    """Return the start and end of a stream; None where no packet can be read."""
    start_s = stream_start_s(container, stream)
    stated_s = _stated_end_s(container, stream)
    last_s = _last_packet_end_s(container, stream, stated_s)
    if last_s is None:
        return None
    if stated_s is not None and abs(stated_s - last_s) < _HEADER_TRUST_S:
        return start_s, stated_s
    return start_s, last_s


def _stated_end_s(container: InputContainer, stream: MediaStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream_start_s(container, stream) + float(stream.duration * stream.time_base)
    return container.duration / MICROSECONDS if container.duration else None


def _last_packet_end_s(container: InputContainer, stream: MediaStream, stated_s: float | None) -> float | None:
    """Return the end of the last packet, read from shortly before the stated end, or from ever earlier."""
    for back_s in _LOOK_BACK_S:
        if stated_s is None or stated_s <= back_s:
            break
        end_s = _read_to_end(container, stream, stated_s - back_s)
        if end_s is not None:
            return end_s
    return _read_to_end(container, stream, 0.0)


def _read_to_end(container: InputContainer, stream: MediaStream, from_s: float) -> float | None:
    if stream.time_base is None:
        return None
    zero_s = origin_s(container)
    end_s: float | None = None
    try:
        container.seek(max(stream.start_time or 0, int((from_s + zero_s) / stream.time_base)), stream=stream)
        for packet in container.demux(stream):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None and not packet.is_corrupt:
                time_s = float((stamp + (packet.duration or 0)) * stream.time_base) - zero_s
                end_s = time_s if end_s is None else max(end_s, time_s)
    except (av.error.FFmpegError, OSError):
        # A truncated file ends like this; what was read up to here counts.
        return end_s
    return end_s
