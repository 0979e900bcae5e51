"""Short previews of media files, small enough to embed: H.264 and AAC in MP4, and a still as JPEG."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from antiphon.errors import DecodeError
from antiphon.media.container import Uri, audio_stream, media_errors, open_container, video_stream
from antiphon.media.cropping import Orientation
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import StreamReader
from antiphon.media.waveform import read_waveform

FRAMES_PER_S = 15
AUDIO_HZ = 32_000
LONGER_SIDE_PX = 256
_AUDIO_BITS_PER_S = 48_000
_MIN_VIDEO_BITS_PER_S = 40_000
_AUDIO_BLOCK = 1024


@dataclass(frozen=True)
class Preview:
    """A stretch of a music video.

    Attributes
    ----------
    mp4 : bytes
        The stretch, with video, audio or both.
    poster : bytes, optional
        JPEG of its middle frame; None without video.
    has_audio, has_video : bool
        What it contains.
    """

    mp4: bytes
    poster: bytes | None
    has_audio: bool
    has_video: bool


def make_preview(
    uri: Uri, start_s: float, end_s: float, max_bytes: int, longer_side_px: int = LONGER_SIDE_PX
) -> Preview:
    """Encode a stretch of a file.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Local path, or URI that fsspec knows.
    start_s, end_s : float
        Position on the track's timeline, in seconds.
    max_bytes : int
        Approximate maximum size; the video bit rate is lowered to meet it.
    longer_side_px : int
        Longer side of the video.

    Returns
    -------
    Preview
        The preview.

    Raises
    ------
    DecodeError
        The file cannot be decoded there, or has neither audio nor video.
    """
    images: list[np.ndarray] = []
    waveform, missing = None, None
    with open_container(uri) as container:
        # One side may have ended already; the other is shown alone.
        try:
            images = _images(uri, container, start_s, end_s, longer_side_px)
        except DecodeError as error:
            missing = error
        try:
            waveform = _waveform(uri, container, start_s, end_s)
        except DecodeError as error:
            missing = error
    if not images and waveform is None:
        raise missing or DecodeError(f"{uri}: neither audio nor video to show.")
    bits_per_s = int(8 * max_bytes / (end_s - start_s)) - _AUDIO_BITS_PER_S
    with media_errors(uri):
        mp4 = _encode(images, waveform, max(bits_per_s, _MIN_VIDEO_BITS_PER_S))
        poster = jpeg(images[len(images) // 2]) if images else None
    return Preview(mp4, poster, has_audio=waveform is not None, has_video=bool(images))


def _images(uri: Uri, container: InputContainer, start_s: float, end_s: float, longer_side_px: int) -> list[np.ndarray]:
    with media_errors(uri):
        stream = video_stream(container)
        if stream is None:
            return []
        track = StreamReader.of(uri, container, stream)
        times_s = [start_s + number / FRAMES_PER_S for number in range(max(1, int((end_s - start_s) * FRAMES_PER_S)))]
        aspect = float(stream.sample_aspect_ratio or 1)
        shown: VideoFrame | None = None
        images: list[np.ndarray] = []
        for _, frame in nearest_frames(track, times_s):
            images.append(images[-1] if frame is shown else shrunk(frame, aspect, longer_side_px))
            shown = frame
        return images


def shrunk(frame: VideoFrame, aspect: float, longer_side_px: int) -> np.ndarray:
    """Scale a frame down and rotate it for display.

    Parameters
    ----------
    frame : VideoFrame
        The frame.
    aspect : float
        Width of a stored pixel over its height.
    longer_side_px : int
        Longer side of the result.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB with even sides.
    """
    width, height = frame.width * aspect, float(frame.height)
    scale = longer_side_px / max(width, height)
    even = [max(16, 2 * round(side * scale / 2)) for side in (width, height)]
    small = frame.reformat(width=even[0], height=even[1], format="rgb24", interpolation="AREA", threads=1)
    return np.ascontiguousarray(Orientation.of(frame).apply(small.to_ndarray()))


def _waveform(uri: Uri, container: InputContainer, start_s: float, end_s: float) -> np.ndarray | None:
    with media_errors(uri):
        stream = audio_stream(container)
        if stream is None:
            return None
        return read_waveform(
            StreamReader.of(uri, container, stream), start_s, int((end_s - start_s) * AUDIO_HZ), AUDIO_HZ
        )


def _encode(images: list[np.ndarray], waveform: np.ndarray | None, bits_per_s: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        video = _video_out(output, images[0].shape, bits_per_s) if images else None
        audio = _audio_out(output) if waveform is not None else None
        frames = _video_frames(images)
        blocks = _audio_frames(waveform) if waveform is not None else iter(())
        sent_s = 0.0
        for number, frame in enumerate(frames):
            while audio is not None and sent_s <= number / FRAMES_PER_S and (block := next(blocks, None)):
                output.mux(audio.encode(block))
                sent_s += _AUDIO_BLOCK / AUDIO_HZ
            output.mux(cast(VideoStream, video).encode(frame))
        for block in blocks:
            output.mux(cast(AudioStream, audio).encode(block))
        for stream in (video, audio):
            if stream is not None:
                output.mux(stream.encode(None))
    return buffer.getvalue()


def _video_out(output: OutputContainer, shape: tuple[int, ...], bits_per_s: int) -> VideoStream:
    stream = output.add_stream("libx264", rate=FRAMES_PER_S)
    stream.height, stream.width, stream.pix_fmt = shape[0], shape[1], "yuv420p"
    # The main profile plays everywhere; the rate is capped and mostly not reached.
    options: dict[str, object] = {
        "preset": "medium",
        "crf": "28",
        "profile": "main",
        "x264-params": "log-level=none",
        "maxrate": str(bits_per_s),
        "bufsize": str(2 * bits_per_s),
    }
    stream.options = options
    stream.codec_context.thread_count = 1
    return stream


def _audio_out(output: OutputContainer) -> AudioStream:
    stream = output.add_stream("aac", rate=AUDIO_HZ, layout="mono")
    stream.bit_rate = _AUDIO_BITS_PER_S
    return stream


def _video_frames(images: list[np.ndarray]) -> Iterator[VideoFrame]:
    for number, image in enumerate(images):
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
        yield frame


def _audio_frames(waveform: np.ndarray) -> Iterator[av.AudioFrame]:
    for first in range(0, waveform.size, _AUDIO_BLOCK):
        block = np.ascontiguousarray(np.clip(waveform[first : first + _AUDIO_BLOCK], -1, 1)[None])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_HZ, first, Fraction(1, AUDIO_HZ)
        yield frame


def jpeg(picture: np.ndarray) -> bytes:
    """Encode a picture as JPEG.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
        RGB with even sides.

    Returns
    -------
    bytes
        JPEG.
    """
    codec = cast(Any, av.CodecContext.create("mjpeg", "w"))
    codec.height, codec.width, codec.pix_fmt = picture.shape[0], picture.shape[1], "yuvj420p"
    codec.time_base = Fraction(1, FRAMES_PER_S)
    codec.options = {"qmin": "4", "qmax": "6"}
    frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


STILL_PX = (96, 54)


def make_strip(uri: Uri, times_s: Sequence[float]) -> bytes | None:
    """Render one still of 96 × 54 px for each time, side by side, letterboxed.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Local path, or URI that fsspec knows.
    times_s : sequence of float
        Times on the track's timeline, in seconds.

    Returns
    -------
    bytes, optional
        JPEG; None without video.

    Raises
    ------
    DecodeError
        The file cannot be decoded there.
    """
    with open_container(uri) as container, media_errors(uri):
        stream = video_stream(container)
        if stream is None or not times_s:
            return None
        track = StreamReader.of(uri, container, stream)
        aspect = float(stream.sample_aspect_ratio or 1)
        frames = [frame for time_s in times_s for frame in _frame_at(track, time_s)]
        if not frames:
            raise DecodeError(f"{uri}: no frame can be decoded at {times_s[0]:.2f} s.")
        return jpeg(np.concatenate([_still(frame, aspect) for frame in frames], axis=1))


def _frame_at(track: StreamReader[VideoStream], time_s: float) -> list[VideoFrame]:
    """Return the frame at a time; none where the pictures have ended, or are damaged."""
    try:
        return [frame for _, frame in nearest_frames(track, [time_s])]
    except DecodeError:
        return []


def _still(frame: VideoFrame, aspect: float) -> np.ndarray:
    width, height = STILL_PX
    picture = shrunk(frame, aspect, width)
    if picture.shape[0] > height:
        picture = shrunk(frame, aspect, max(16, round(width * height / picture.shape[0])))
    still = np.zeros((height, width, 3), np.uint8)
    rows, columns = min(height, picture.shape[0]), min(width, picture.shape[1])
    top, left = (height - rows) // 2, (width - columns) // 2
    still[top : top + rows, left : left + columns] = picture[:rows, :columns]
    return still
