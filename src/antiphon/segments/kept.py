"""Segments kept for fine-tuning: their pictures and sound in one small Matroska file each.

Veldkamp et al. (2023) stored 50 frames of 768 × 432, ten a second, and sound at 16 kHz of every segment. Here the
pictures keep their shape: they are scaled to fit into 768 × 432, without bars and without being enlarged, so that
no crop ever shows a bar or a stretched face, and 16:9 gives exactly the paper's size. Pictures are JPEG (4:2:0,
quantiser 3), sound is FLAC with 16 bits: both stand alone, moment by moment, so that windows can be cut anywhere.
JPEG loses a little (on eleven real videos pixels are off by 1 to 3 of 255 on average), and what goes beyond full
scale in the sound is clipped.
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
from antiphon.media.container import audio_stream, media_errors, open_container, video_stream
from antiphon.media.cropping import Orientation, shown_size, upright
from antiphon.media.decoding import decode_stretches
from antiphon.media.frames import nearest_frames
from antiphon.media.stream_reader import StreamReader

WIDTH_PX, HEIGHT_PX = 768, 432
FRAMES_PER_S = 10
RATE_HZ = 16_000
LONGEST_S = 60
_QUANTISER = "3"
_FULL_SCALE = 32_768

FrameArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class KeptSegment:
    """Pictures and sound of one segment.

    Attributes
    ----------
    frames : uint8 (n, height, width, 3) RGB, ten a second: 50 for 5 s; at most 432 high and 768 wide. None where the
        video has no pictures.
    waveform : float32 (samples,) mono in [-1, 1] at 16 kHz: 80,000 for 5 s. None where there is no sound.
    """

    frames: FrameArray | None
    waveform: FloatArray | None


def fitted_size(width: float, height: float) -> tuple[int, int]:
    """Width and height, both even, of a picture scaled to fit into 768 × 432; smaller ones stay as they are.

    Examples
    --------
    >>> fitted_size(1920, 1080), fitted_size(1440, 1080), fitted_size(320, 180)
    ((768, 432), (576, 432), (320, 180))
    """
    scale = min(1.0, WIDTH_PX / width, HEIGHT_PX / height)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def decode_segments(
    uri: str, stretches: Sequence[tuple[float, float]], *, pictures: bool = True, sound: bool = True
) -> Iterator[KeptSegment]:
    """Decode whole segments of one file, as they are kept.

    Parameters
    ----------
    uri : local path, or an address that fsspec knows.
    stretches : start and end in seconds on the track's time line.
    pictures, sound : which of the two are wanted.

    Raises
    ------
    DecodeError
        The file cannot be read there, or lacks what is wanted; in the middle of the iteration.
    """
    shown = _fitted_pictures(uri, stretches) if pictures else iter([None] * len(stretches))
    heard = decode_stretches(uri, stretches, rate_hz=RATE_HZ if sound else None)
    for frames, decoded in zip(shown, heard, strict=True):
        if sound and decoded.waveform is None:
            raise DecodeError(f"{uri}: has no sound that can be decoded.")
        yield KeptSegment(frames, decoded.waveform)


def encode_segment(segment: KeptSegment) -> bytes:
    """A segment as Matroska with JPEG pictures and FLAC sound; the same bytes every time."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        # All streams must be there before the first packet is written.
        streams: list[tuple[Stream, Iterator[VideoFrame] | Iterator[AudioFrame]]] = []
        if segment.frames is not None:
            streams.append(_add_pictures(container, segment.frames))
        if segment.waveform is not None:
            streams.append(_add_sound(container, segment.waveform))
        for stream, frames in streams:
            for frame in [*frames, None]:
                for packet in cast(Any, stream).encode(frame):
                    if packet.size:  # FLAC ends with a packet that holds a checksum alone
                        container.mux(packet)
    return file.getvalue()


def read_kept(path: Path, pictures: range | None = None) -> KeptSegment:
    """Read what `encode_segment` wrote.

    Parameters
    ----------
    path : the file; it is trusted no more than any other media file.
    pictures : numbers of the frames to decode, ascending; the others are skipped. Default: all.

    Raises
    ------
    DecodeError
        The file is missing, damaged, not of this kind, longer than a minute, or ends before the last of `pictures`.
    """
    with open_container(path) as container, media_errors(path):
        frames = _read_frames(path, container, pictures)
        waveform = _read_sound(path, container)
    if frames is None and waveform is None:
        raise DecodeError(f"{path}: holds neither pictures nor sound. Delete it, and extract with kept segments again.")
    return KeptSegment(frames, waveform)


def _fitted_pictures(uri: str, stretches: Sequence[tuple[float, float]]) -> Iterator[FrameArray]:
    with open_container(uri) as container:
        with media_errors(uri):
            stream = video_stream(container)
            if stream is None:
                raise DecodeError(f"{uri}: has no pictures that can be decoded.")
            track = StreamReader.of(uri, container, stream)
        for start_s, end_s in stretches:
            with media_errors(uri):
                count = round((end_s - start_s) * FRAMES_PER_S)
                times_s = [start_s + i / FRAMES_PER_S for i in range(count)]
                pixel_aspect = float(stream.sample_aspect_ratio or 1)
                frames = np.stack(list(_upright_frames(uri, nearest_frames(track, times_s), pixel_aspect)))
            yield frames


def _upright_frames(uri: str, chosen: Iterator[tuple[int, VideoFrame]], pixel_aspect: float) -> Iterator[FrameArray]:
    """Each picture fitted; all have the size of the first one."""
    reformatter = VideoReformatter()
    size: tuple[int, int] | None = None
    shown: VideoFrame | None = None
    picture = np.empty((0, 0, 3), np.uint8)
    for _, frame in chosen:
        if frame is not shown:
            orientation = Orientation.of(frame)
            size = size or fitted_size(*shown_size(uri, frame, orientation, pixel_aspect))
            shown, picture = frame, upright(reformatter, frame, orientation, *size)
        yield picture


def _add_pictures(container: OutputContainer, frames: FrameArray) -> tuple[Stream, Iterator[VideoFrame]]:
    stream = container.add_stream(
        "mjpeg", rate=FRAMES_PER_S, options={"qmin": _QUANTISER, "qmax": _QUANTISER, "strict": "unofficial"}
    )
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.color_range = ColorRange.JPEG
    stream.codec_context.thread_count = 1
    return stream, map(_full_range, frames)


def _full_range(picture: FrameArray) -> VideoFrame:
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(format="yuv420p", dst_color_range=ColorRange.JPEG)


def _add_sound(container: OutputContainer, waveform: FloatArray) -> tuple[Stream, Iterator[AudioFrame]]:
    stream = cast(Any, container).add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
    samples = np.clip(np.round(waveform * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    frame.time_base = Fraction(1, RATE_HZ)
    frame.pts = 0
    return stream, iter([frame])


def _read_frames(path: Path, container: InputContainer, pictures: range | None) -> FrameArray | None:
    stream = video_stream(container)
    if stream is None:
        return None
    context = stream.codec_context
    if context.name != "mjpeg" or context.width > WIDTH_PX or context.height > HEIGHT_PX:
        raise DecodeError(
            f"{path}: holds {context.name} pictures of {context.width}×{context.height}: no kept segment."
        )
    context.thread_count = 1
    found: list[FrameArray] = []
    number = 0
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        if number >= LONGEST_S * FRAMES_PER_S:
            raise DecodeError(f"{path}: is longer than {LONGEST_S} s: no kept segment.")
        if pictures is None or number in pictures:
            found += [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in packet.decode()]
        number += 1
    if len({frame.shape for frame in found}) != 1 or (pictures is not None and len(found) < len(pictures)):
        raise DecodeError(f"{path}: lacks pictures. Delete it, and extract with kept segments again.")
    return np.stack(found)


def _read_sound(path: Path, container: InputContainer) -> FloatArray | None:
    stream = audio_stream(container)
    if stream is None:
        return None
    context = stream.codec_context
    if context.name != "flac" or context.sample_rate != RATE_HZ or stream.channels != 1:
        raise DecodeError(f"{path}: holds {context.name} sound of {context.sample_rate} Hz: no kept segment.")
    if stream.index:
        container.seek(0)
    found: list[npt.NDArray[np.int16]] = []
    length = 0
    for packet in container.demux(stream):
        for frame in packet.decode():
            samples = frame.to_ndarray()
            if samples.dtype != np.int16 or length > LONGEST_S * RATE_HZ:
                raise DecodeError(f"{path}: holds sound of another form or length: no kept segment.")
            found.append(samples[0])
            length += samples.size
    if not found:
        raise DecodeError(f"{path}: its sound cannot be decoded. Delete it, and extract with kept segments again.")
    return np.concatenate(found).astype(np.float32) / np.float32(_FULL_SCALE)
