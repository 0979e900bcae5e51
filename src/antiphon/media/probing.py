"""Streams and duration of a media file."""

from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import DecodeError
from antiphon.media.container import (
    audio_stream,
    media_errors,
    open_container,
    refuse_encrypted,
    tracks_note,
    video_stream,
)
from antiphon.media.extents import usable_stretch
from antiphon.media.lengths import stream_extent


@dataclass(frozen=True)
class MediaInfo:
    """Streams and duration of a media file, in seconds on the track's time line, whose zero is the container's start.

    Attributes
    ----------
    start_s, duration_s : float
        Stretch in which segments are drawn; see `antiphon.media.extents.usable_stretch`.
    has_audio, has_video : bool
        Whether there is a usable stream.
    audio_start_s, audio_end_s, video_start_s, video_end_s : float or None
        Extent of each stream; None where it is missing.
    width_px, height_px : int or None
        Stored size of the frames, before rotation and pixel aspect ratio.
    note : str or None
        Which of several audio or video tracks are used.
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
    note: str | None = None


def probe_media(uri: str | Path) -> MediaInfo:
    """Inspect the streams and the duration of a media file.

    Lengths are those of the packets, whatever the header states; a packet far away from all others does not count.

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
        The file cannot be opened, is encrypted, has neither audio nor video, or the two never overlap.
    """
    refuse_encrypted(uri)
    with open_container(uri) as container, media_errors(uri):
        audio, video = audio_stream(container), video_stream(container)
        audio_s = stream_extent(uri, container, audio) if audio else None
        video_s = stream_extent(uri, container, video, audio_s[1] if audio_s else None) if video else None
        extents = [extent for extent in (audio_s, video_s) if extent]
        if not extents:
            raise DecodeError(f"{uri}: has no usable audio or video stream.")
        if min(extent[1] for extent in extents) <= max(extent[0] for extent in extents):
            raise DecodeError(
                f"{uri}: its audio and video never overlap"
                f" ({'; '.join(f'{first:.1f}–{last:.1f} s' for first, last in extents)})."
            )
        start_s, end_s = usable_stretch(audio_s, video_s)
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
            note=tracks_note(container, audio if audio_s else None, video if video_s else None),
            height_px=video.codec_context.height if video and video_s else None,
        )
