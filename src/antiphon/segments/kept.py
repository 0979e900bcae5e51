"""Segments kept for fine-tuning: their frames and audio in one small Matroska file each.

Veldkamp et al. (2023) stored 50 frames of 768 × 432, 10 per second, and audio at 16 kHz of every segment. Here frames
keep their aspect ratio: they are scaled down to fit into 768 × 432 without bars, so that no crop shows a bar or a
stretched face, and 16:9 gives exactly the paper's size. Frames are JPEG (4:2:0, quantiser 3), audio is 16-bit FLAC:
each moment is coded on its own, so that windows can be cut anywhere. JPEG is lossy (on eleven real videos pixels are
off by 1 to 3 of 255 on average), and audio beyond full scale is clipped.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from antiphon.errors import DecodeError
from antiphon.media.container import audio_stream, media_errors, open_container, picture_stream, video_stream
from antiphon.media.cropping import Orientation, shown_size, upright
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import Extents
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import StreamReader

WIDTH_PX, HEIGHT_PX = 768, 432
FRAMES_PER_S = 10
RATE_HZ = 16_000
MAX_S = 60
_QUANTISER = "3"
_FULL_SCALE = 32_768
_TOLERANCE_S = 0.2

FrameArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class KeptSegment:
    """Frames and audio of one segment.

    Attributes
    ----------
    frames : ndarray of uint8 or None, shape (n, height, width, 3)
        RGB, 10 per second: 50 for 5 s; at most 432 high and 768 wide. None without video.
    waveform : ndarray of float32 or None, shape (samples,)
        Mono in [-1, 1] at 16 kHz: 80,000 samples for 5 s. None without audio.
    """

    frames: FrameArray | None
    waveform: FloatArray | None


def fitted_size(width: float, height: float) -> tuple[int, int]:
    """Scale a frame size down to fit into 768 × 432, with even sides; smaller frames are not enlarged.

    Parameters
    ----------
    width, height : float
        Size of the frame as shown.

    Returns
    -------
    width, height : int
        Even sides in pixels.

    Examples
    --------
    >>> fitted_size(1920, 1080), fitted_size(1440, 1080), fitted_size(320, 180)
    ((768, 432), (576, 432), (320, 180))
    """
    scale = min(1.0, WIDTH_PX / width, HEIGHT_PX / height)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def decode_segments(
    uri: str,
    stretches: Sequence[tuple[float, float]],
    *,
    video: bool = True,
    audio: bool = True,
    extents: Extents | None = None,
) -> Iterator[KeptSegment]:
    """Decode whole segments of one file, in the form that they are kept in.

    Parameters
    ----------
    uri : str
        Local path, or an address that fsspec knows.
    stretches : sequence of (float, float)
        Start and end of each segment, in seconds on the track's time line.
    video, audio : bool, default True
        Whether to decode that modality.
    extents : Extents, optional
        Where both lie; segments that reach out of one of them come without it. Default: everywhere.

    Yields
    ------
    KeptSegment
        Segments in order.

    Raises
    ------
    DecodeError
        The file cannot be read at a segment, or lacks a requested modality; raised during the iteration.
    """
    known = extents or Extents()
    resized = _resized_frames(uri, stretches, known) if video else iter([None] * len(stretches))
    waveforms = decode_stretches(uri, stretches, rate_hz=RATE_HZ if audio else None, extents=known)
    for stretch, frames, decoded in zip(stretches, resized, waveforms, strict=True):
        if audio and decoded.waveform is None and known.hold("audio", *stretch):
            raise DecodeError(f"{uri}: has no audio that can be decoded.")
        yield KeptSegment(frames, decoded.waveform)


def encode_segment(segment: KeptSegment) -> bytes:
    """Encode a segment as Matroska with JPEG frames and FLAC audio, deterministically.

    Parameters
    ----------
    segment : KeptSegment
        Segment to encode.

    Returns
    -------
    bytes
        Content of the file.
    """
    file = io.BytesIO()
    with av.open(file, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        # All streams must be added before the first packet is written.
        streams: list[tuple[Stream, Iterator[VideoFrame] | Iterator[AudioFrame]]] = []
        if segment.frames is not None:
            streams.append(_add_video(container, segment.frames))
        if segment.waveform is not None:
            streams.append(_add_audio(container, segment.waveform))
        for stream, frames in streams:
            for frame in [*frames, None]:
                for packet in cast(Any, stream).encode(frame):
                    if packet.size:  # FLAC ends with an empty packet that carries only a checksum
                        container.mux(packet)
    return file.getvalue()


def read_kept(path: Path, frames: range | None = None) -> KeptSegment:
    """Read a file written by `encode_segment`.

    Parameters
    ----------
    path : Path
        File; it is not trusted more than any other media file.
    frames : range, optional
        Ascending numbers of the frames to decode. Default: all.

    Returns
    -------
    KeptSegment
        The segment.

    Raises
    ------
    DecodeError
        The file is missing, damaged, not a kept segment, longer than a minute, or ends before the last of `frames`.
    """
    with open_container(path) as container, media_errors(path):
        decoded, count = _read_frames(path, container, frames)
        waveform = _read_audio(path, container)
        length_s = max(count / FRAMES_PER_S, 0 if waveform is None else waveform.size / RATE_HZ)
        if (container.duration or 0) / 1e6 > length_s + _TOLERANCE_S:
            raise DecodeError(f"{path}: is cut short. Delete it, and extract with --keep-segments again.")
    if decoded is None and waveform is None:
        raise DecodeError(f"{path}: has neither video nor audio. Delete it, and extract with --keep-segments again.")
    return KeptSegment(decoded, waveform)


def _resized_frames(
    uri: str, stretches: Sequence[tuple[float, float]], extents: Extents
) -> Iterator[FrameArray | None]:
    with open_container(uri) as container:
        with media_errors(uri):
            stream = video_stream(container)
            if stream is None:
                raise DecodeError(f"{uri}: has no video that can be decoded.")
            reader = StreamReader.of(uri, container, stream)
        for start_s, end_s in stretches:
            if not extents.hold("video", start_s, end_s):
                yield None
                continue
            with media_errors(uri):
                count = round((end_s - start_s) * FRAMES_PER_S)
                times_s = [start_s + i / FRAMES_PER_S for i in range(count)]
                pixel_aspect = float(stream.sample_aspect_ratio or 1)
                frames = np.stack(list(_upright_frames(uri, nearest_frames(reader, times_s), pixel_aspect)))
            yield frames


def _upright_frames(uri: str, chosen: Iterator[tuple[int, VideoFrame]], pixel_aspect: float) -> Iterator[FrameArray]:
    """Yield each frame upright and scaled, all in the size of the first."""
    reformatter = VideoReformatter()
    size: tuple[int, int] | None = None
    last: VideoFrame | None = None
    image = np.empty((0, 0, 3), np.uint8)
    for _, frame in chosen:
        if frame is not last:
            orientation = Orientation.of(frame)
            size = size or fitted_size(*shown_size(uri, frame, orientation, pixel_aspect))
            last, image = frame, upright(reformatter, frame, orientation, *size)
        yield image


def _add_video(container: OutputContainer, frames: FrameArray) -> tuple[Stream, Iterator[VideoFrame]]:
    stream = container.add_stream(
        "mjpeg", rate=FRAMES_PER_S, options={"qmin": _QUANTISER, "qmax": _QUANTISER, "strict": "unofficial"}
    )
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.color_range = ColorRange.JPEG
    stream.codec_context.thread_count = 1
    return stream, map(_full_range, frames)


def _full_range(image: FrameArray) -> VideoFrame:
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return frame.reformat(format="yuv420p", dst_color_range=ColorRange.JPEG)


def _add_audio(container: OutputContainer, waveform: FloatArray) -> tuple[Stream, Iterator[AudioFrame]]:
    stream = cast(Any, container).add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
    samples = np.clip(np.round(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    frame.time_base = Fraction(1, RATE_HZ)
    frame.pts = 0
    return stream, iter([frame])


def _read_frames(path: Path, container: InputContainer, frames: range | None) -> tuple[FrameArray | None, int]:
    """Return the frames that are wanted, and the number of all."""
    stream = picture_stream(container)
    if stream is None:
        return None, 0
    context = stream.codec_context
    if context.name != "mjpeg" or context.width > WIDTH_PX or context.height > HEIGHT_PX:
        raise DecodeError(
            f"{path}: is not a kept segment: it has {context.name} video of {context.width}×{context.height}."
        )
    context.thread_count = 1
    found: list[FrameArray] = []
    number = 0
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        if number >= MAX_S * FRAMES_PER_S:
            raise DecodeError(f"{path}: is not a kept segment: it is longer than {MAX_S} s.")
        if frames is None or number in frames:
            found += [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in packet.decode()]
        number += 1
    if len({frame.shape for frame in found}) != 1 or (frames is not None and len(found) < len(frames)):
        raise DecodeError(f"{path}: lacks frames. Delete it, and extract with --keep-segments again.")
    return np.stack(found), number


def _read_audio(path: Path, container: InputContainer) -> FloatArray | None:
    stream = audio_stream(container)
    if stream is None:
        return None
    context = stream.codec_context
    if context.name != "flac" or context.sample_rate != RATE_HZ or stream.channels != 1:
        raise DecodeError(f"{path}: is not a kept segment: it has {context.name} audio at {context.sample_rate} Hz.")
    if stream.index:
        container.seek(0)
    found: list[npt.NDArray[np.int16]] = []
    length = 0
    for packet in container.demux(stream):
        for frame in packet.decode():
            samples = frame.to_ndarray()
            if samples.dtype != np.int16 or length > MAX_S * RATE_HZ:
                raise DecodeError(f"{path}: is not a kept segment: its audio has another format or length.")
            found.append(samples[0])
            length += samples.size
    if not found:
        raise DecodeError(f"{path}: its audio cannot be decoded. Delete it, and extract with --keep-segments again.")
    return np.concatenate(found).astype(np.float32) / np.float32(_FULL_SCALE)
