"""Films of the pictures of one file and the sound of another: MP4 with H.264 and AAC, copied where that is possible."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.error
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from antiphon.errors import AntiphonError, DecodeError
from antiphon.media.container import Uri, audio_stream, media_errors, open_container, video_stream
from antiphon.media.cropping import Orientation
from antiphon.media.frames import nearest_frames
from antiphon.media.stereo import read_stereo
from antiphon.media.stream_reader import StreamReader
from antiphon.presentation.previews import shrunk

LONGER_SIDE_PX = 1920
"""Larger pictures are scaled down where they have to be encoded."""
AUDIO_HZ = 48_000
_AUDIO_BITS_PER_S = 256_000
_MAX_FRAMES_PER_S, _USUAL_FRAMES_PER_S = 60, 25
_THREADS = 2
_MAX_GAP_S = 0.05
"""Longest silence before and after a sound that is copied; for a longer one it is encoded with it."""
_COPIED_FROM = {"h264": ("mov,", "flv"), "aac": ("mov,", "flv", "matroska,")}
"""Formats whose packets say when they are decoded; Matroska does not, of pictures that are stored out of order."""
_WARM_UP_FRAMES = 2
"""Packets of sound before the first that is heard, which its decoder needs; the file says that they are not heard."""

Made = Literal["copied", "encoded"]
Packets = Iterator[tuple[float, "Packet[Any]"]]


class SpliceError(AntiphonError):
    """A film that became too large."""


@dataclass(frozen=True)
class Splice:
    """What a film is made of; times in seconds on each file's own time line.

    Attributes
    ----------
    pictures, song : str, Path or CataloguedFile
        Files whose pictures are seen and whose sound is heard.
    pictures_from_s, song_from_s : float
        Where they start. The sound may start before its file does: it is silent until then, and after its end.
    length_s : float
        Length of the film.
    """

    pictures: Uri
    pictures_from_s: float
    song: Uri
    song_from_s: float
    length_s: float


@dataclass(frozen=True)
class Spliced:
    """How the pictures and the sound of a film were made."""

    pictures: Made
    sound: Made


def write_splice(splice: Splice, out: Path, max_bytes: int) -> Spliced:
    """Write a film.

    H.264 pictures that start at a key frame, and AAC sound, are copied; everything else is encoded. Where the pictures
    are copied, the film starts with the frame nearest to its start, the sound is shifted with it, and a few frames that
    others refer to may be shown after its end.

    Parameters
    ----------
    splice : Splice
        What it is made of.
    out : Path
        File to write.
    max_bytes : int
        Maximum size.

    Returns
    -------
    Spliced
        Whether its sides were copied or encoded.

    Raises
    ------
    DecodeError
        A file cannot be read there, or has no such side.
    SpliceError
        The film is larger than `max_bytes`.
    """
    try:
        return _written(splice, out, max_bytes, may_copy=True)
    except av.error.FFmpegError:  # What was to be copied does not fit into the format after all.
        with media_errors(splice.pictures):
            return _written(splice, out, max_bytes, may_copy=False)


def _written(splice: Splice, out: Path, max_bytes: int, *, may_copy: bool) -> Spliced:
    with open_container(splice.pictures) as seen, open_container(splice.song) as heard:
        video, audio = video_stream(seen), audio_stream(heard)
        if video is None or audio is None:
            lacking = f"{splice.pictures}: has no pictures." if video is None else f"{splice.song}: has no sound."
            raise DecodeError(lacking)
        frames = StreamReader.of(splice.pictures, seen, video)
        sound = StreamReader.of(splice.song, heard, audio)
        key_s = _key_s(frames, splice.pictures_from_s) if may_copy else None
        if key_s is not None:
            moved_s = key_s - splice.pictures_from_s
            splice = replace(splice, pictures_from_s=key_s, song_from_s=splice.song_from_s + moved_s)
        copies_sound = may_copy and _can_copy(sound, "aac") and _covers(sound, splice)
        with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            pictures = _encoded_pictures(frames, output, splice) if key_s is None else None
            pictures = pictures or _copied(frames, output, splice.pictures_from_s, splice.length_s, 0.0)
            if copies_sound:
                lead_s = _WARM_UP_FRAMES * (audio.codec_context.frame_size or 1024) / audio.rate
                songs = _copied(sound, output, splice.song_from_s, splice.length_s, lead_s)
            else:
                songs = _encoded_sound(sound, output, splice)
            _mux(output, pictures, songs, max_bytes)
    return Spliced("encoded" if key_s is None else "copied", "copied" if copies_sound else "encoded")


def _mux(output: OutputContainer, pictures: Packets, songs: Packets, max_bytes: int) -> None:
    size = 0
    for _, packet in heapq.merge(pictures, songs, key=lambda one: one[0]):
        size += packet.size
        if size > max_bytes:
            raise SpliceError(f"The film would have more than {max_bytes >> 20} MiB. Choose a shorter stretch.")
        output.mux(packet)


def _can_copy(reader: StreamReader[Any], codec: str) -> bool:
    name = reader.container.format.name
    return reader.stream.codec_context.name == codec and name.startswith(_COPIED_FROM[codec])


def _covers(reader: StreamReader[AudioStream], splice: Splice) -> bool:
    """Tell whether a sound goes on for the whole film."""
    end_s = splice.song_from_s + splice.length_s
    lasts = reader.stated_end_s is None or end_s <= reader.stated_end_s + _MAX_GAP_S
    return lasts and splice.song_from_s >= reader.start_s - _MAX_GAP_S


def _key_s(reader: StreamReader[VideoStream], from_s: float) -> float | None:
    """Return the time of the key frame that is shown at the start; None if pictures cannot be copied from there."""
    stream = reader.stream
    if not _can_copy(reader, "h264") or stream.codec_context.pix_fmt != "yuv420p":
        return None
    half_s = 0.5 / _rate(stream)
    first = next((packet for packet in reader.packets(from_s + half_s) if packet.size), None)
    time_s = None if first is None or first.pts is None else reader.time_s(first.pts)
    near = time_s is not None and first is not None and first.is_keyframe and abs(time_s - from_s) <= half_s
    return time_s if near else None


def _rate(stream: VideoStream) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate or Fraction(_USUAL_FRAMES_PER_S)
    return min(Fraction(rate), Fraction(_MAX_FRAMES_PER_S))


def _copied(
    reader: StreamReader[Any], output: OutputContainer, from_s: float, length_s: float, lead_s: float
) -> Packets:
    """Add a stream to the film, and return its packets, those of the lead before the start."""
    made = output.add_stream_from_template(reader.stream)
    start = round((from_s + reader.zero_s) / reader.tick_s)
    slack_s = 0.5 / _rate(reader.stream) if isinstance(reader.stream, VideoStream) else 0.0

    def packets() -> Packets:
        for packet in reader.packets(from_s - lead_s + slack_s):
            if not packet.size or packet.pts is None or packet.dts is None:
                continue
            time_s = reader.time_s(packet.dts) - from_s
            if time_s >= length_s:
                return
            packet.pts, packet.dts = packet.pts - start, packet.dts - start
            packet.stream = made
            yield time_s, packet

    return packets()


def _encoded_pictures(reader: StreamReader[VideoStream], output: OutputContainer, splice: Splice) -> Packets:
    """Add H.264 pictures to the film at their own rate, and return its packets."""
    rate = _rate(reader.stream)
    count = max(1, int(splice.length_s * rate))
    times_s = [splice.pictures_from_s + float(number / rate) for number in range(count)]
    aspect = float(reader.stream.sample_aspect_ratio or 1)
    found = nearest_frames(reader, times_s)
    first = next(found)
    convert = _converter(first[1], aspect)
    picture = convert(first[1])
    made = output.add_stream("libx264", rate=rate)
    made.width, made.height, made.pix_fmt = picture.width, picture.height, "yuv420p"
    made.options = {"preset": "veryfast", "crf": "20", "x264-params": "log-level=none"}
    made.codec_context.thread_count = _THREADS
    for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
        setattr(made.codec_context, name, getattr(picture, name))

    def pictures() -> Iterator[VideoFrame]:
        shown, converted = first[1], picture
        yield picture
        try:
            for _, frame in found:
                if frame is not shown:
                    shown, converted = frame, convert(frame)
                yield converted
        except DecodeError:
            return  # The pictures end there, or are damaged; the sound goes on.

    def packets() -> Packets:
        for number, frame in enumerate(pictures()):
            frame.pts, frame.time_base = number, 1 / rate
            frame.pict_type = 0
            yield from ((float(number / rate), packet) for packet in made.encode(frame))
        yield from ((splice.length_s, packet) for packet in made.encode(None))

    return packets()


def _converter(frame: VideoFrame, aspect: float) -> Callable[[VideoFrame], VideoFrame]:
    """Return what scales frames; those that are turned or of other than square pixels go by way of RGB."""
    scale = min(1.0, LONGER_SIDE_PX / max(frame.width * aspect, frame.height))
    if aspect != 1 or Orientation.of(frame) != Orientation():
        side = round(max(frame.width * aspect, frame.height) * scale)
        return lambda one: VideoFrame.from_ndarray(shrunk(one, aspect, side), format="rgb24").reformat(format="yuv420p")
    width, height = (max(16, 2 * round(side * scale / 2)) for side in (frame.width, frame.height))
    return lambda one: one.reformat(width=width, height=height, format="yuv420p", threads=1)


def _encoded_sound(reader: StreamReader[AudioStream], output: OutputContainer, splice: Splice) -> Packets:
    """Add AAC sound in stereo to the film, and return its packets."""
    made = output.add_stream("aac", rate=AUDIO_HZ, layout="stereo")
    made.bit_rate = _AUDIO_BITS_PER_S

    def packets() -> Packets:
        done = 0
        for block in read_stereo(reader, splice.song_from_s, splice.length_s, AUDIO_HZ):
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = AUDIO_HZ, done, Fraction(1, AUDIO_HZ)
            yield from ((done / AUDIO_HZ, packet) for packet in made.encode(frame))
            done += block.shape[1]
        yield from ((splice.length_s, packet) for packet in made.encode(None))

    return packets()
