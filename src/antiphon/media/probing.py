"""What a media file holds and how long it is."""

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
# A header may end within the last packet, which is padded; further off, the packets are right.
_HEADER_TRUST_S = 0.12


@dataclass(frozen=True)
class MediaInfo:
    """What a media file holds. Times in seconds on the track's time line, whose zero is the container's start.

    Attributes
    ----------
    start_s, duration_s : the usable stretch: where sound and pictures overlap, or the extent of the only one there.
    audio_start_s, audio_end_s, video_start_s, video_end_s : extent of each stream, None where there is none.
    width_px, height_px : stored size of the pictures, before rotation and pixel shape are applied.
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
    """Find out what a media file holds and how long it is.

    Headers are checked against the timestamps of the last packets: a file that was cut short or whose header states
    no duration gets the duration that can be read.

    Raises
    ------
    DecodeError
        The file cannot be opened, or holds neither sound nor pictures, or the two never overlap.
    """
    with open_container(uri) as container, media_errors(uri):
        audio, video = audio_stream(container), video_stream(container)
        audio_s = _extent(container, audio) if audio else None
        video_s = _extent(container, video) if video else None
        if audio_s is None and video_s is None:
            raise DecodeError(f"{uri}: holds no usable stream of sound or pictures.")
        extents = [extent for extent in (audio_s, video_s) if extent]
        start_s, end_s = max(extent[0] for extent in extents), min(extent[1] for extent in extents)
        if end_s <= start_s:
            raise DecodeError(
                f"{uri}: its sound and pictures never overlap"
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
    """Start and end of a stream on the track's time line; None where not one packet can be read."""
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
    """Where the last packet ends: read from shortly before the stated end, or else from ever earlier on."""
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
        # A file cut short ends so: what could be read up to here counts.
        return end_s
    return end_s
