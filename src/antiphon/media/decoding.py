"""Decoding of stretches of a media file: frames ready for the backbones, and a waveform, on one time line."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from antiphon.errors import ConfigError, DecodeError
from antiphon.media.complaints import listening
from antiphon.media.container import Uri, audio_stream, media_errors, open_container, video_stream
from antiphon.media.cropping import FrameCropper
from antiphon.media.extents import Extents
from antiphon.media.frames import nearest_frames
from antiphon.media.layout import FrameLayout
from antiphon.media.quality import Flag, frames_flags, waveform_flags
from antiphon.media.stream_reader import StreamReader
from antiphon.media.waveform import read_waveform
from antiphon.workers.steps import finish_step


@dataclass(frozen=True)
class Decoded:
    """Video and audio of one stretch.

    Attributes
    ----------
    frames : dict of FrameLayout to ndarray
        RGB of each layout as uint8, shape (frames, size_px, size_px, 3); empty without video, or outside of it.
    waveform : ndarray or None
        Mono float32, shape (samples,), nominally in [-1, 1]; None without audio, outside of it, or where it was not
        requested.
    audio_flags, video_flags : tuple of Flag
        What is wrong with them; see `antiphon.media.quality`.
    """

    frames: dict[FrameLayout, np.ndarray]
    waveform: np.ndarray | None
    audio_flags: tuple[Flag, ...] = ()
    video_flags: tuple[Flag, ...] = ()


def decode_stretches(
    uri: Uri,
    stretches: Sequence[tuple[float, float]],
    layouts: Sequence[FrameLayout] = (),
    rate_hz: int | None = 16_000,
    frames_per_s: float = 10.0,
    generator: np.random.Generator | None = None,
    extents: Extents | None = None,
    unjudged: Collection[FrameLayout] = (),
) -> Iterator[Decoded]:
    """Decode stretches of one file, opening it once and decoding only what they need.

    Frame i of a stretch is the source frame nearest to start + i / `frames_per_s`, at most half a source frame away.
    The same call gives the same result. A stretch does not depend on the others, except for random crops and for AAC
    with perceptual noise substitution, where the decoder makes up noise.

    Parameters
    ----------
    uri : str, Path or CataloguedFile
        Local path, or an address that fsspec knows.
    stretches : sequence of (float, float)
        Start and end in seconds on the track's time line, whose zero is the container's start.
    layouts : sequence of FrameLayout, default ()
        Frames to return; empty to decode no video.
    rate_hz : int or None, default 16000
        Sample rate of the waveform; None to decode no audio.
    frames_per_s : float, default 10.0
        Frame rate before `FrameLayout.every` thins the frames out.
    generator : numpy.random.Generator, optional
        Draws the random crops, one for each layout and stretch, in order.
    extents : Extents, optional
        Where audio and video lie; each is decoded only at stretches within its extent. Default: everywhere.
    unjudged : collection of FrameLayout, default ()
        Layouts whose frames do not count for the flags, so that these depend on the other layouts alone.

    Yields
    ------
    Decoded
        One for each stretch, in order: round(length × `frames_per_s`) frames, thinned out, and round(length ×
        `rate_hz`) samples.

    Raises
    ------
    DecodeError
        The file cannot be opened, is damaged where it is needed, or has nothing at a stretch.
    ConfigError
        A layout has random crops and there is no generator.
    """
    if generator is None and any(layout.crop == "random" for layout in layouts):
        raise ConfigError("A layout with random crops needs a generator. Pass one as generator.")
    for start_s, end_s in stretches:
        if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
            raise DecodeError(f"{uri}: cannot decode from {start_s} to {end_s} s; give 0 <= start < end.")
    generator = generator or np.random.default_rng(0)
    return _decode_all(uri, stretches, layouts, rate_hz, frames_per_s, generator, extents or Extents(), unjudged)


def _decode_all(
    uri: Uri,
    stretches: Sequence[tuple[float, float]],
    layouts: Sequence[FrameLayout],
    rate_hz: int | None,
    frames_per_s: float,
    generator: np.random.Generator,
    extents: Extents,
    unjudged: Collection[FrameLayout],
) -> Iterator[Decoded]:
    with open_container(uri) as container:
        with media_errors(uri):
            video = video_stream(container) if layouts else None
            audio = audio_stream(container) if rate_hz is not None else None
            video_reader = StreamReader.of(uri, container, video) if video else None
            audio_reader = StreamReader.of(uri, container, audio) if audio else None
        for start_s, end_s in stretches:
            frames: dict[FrameLayout, np.ndarray] = {}
            waveform = None
            audio_flags: set[Flag] = set()
            video_flags: set[Flag] = set()
            with media_errors(uri), listening():
                if video_reader is not None and extents.hold("video", start_s, end_s):
                    count = round((end_s - start_s) * frames_per_s)
                    frames = _read_frames(
                        video_reader, start_s, count, frames_per_s, layouts, generator, video_flags, unjudged
                    )
                if audio_reader is not None and rate_hz is not None and extents.hold("audio", start_s, end_s):
                    samples = round((end_s - start_s) * rate_hz)
                    waveform = read_waveform(audio_reader, start_s, samples, rate_hz, audio_flags)
            if waveform is not None:
                audio_flags.update(waveform_flags(waveform))
            video_flags.update(frames_flags(list(frames.values())))
            finish_step()
            yield Decoded(frames, waveform, tuple(sorted(audio_flags)), tuple(sorted(video_flags)))


def _read_frames(
    reader: StreamReader[VideoStream],
    start_s: float,
    count: int,
    frames_per_s: float,
    layouts: Sequence[FrameLayout],
    generator: np.random.Generator,
    flags: set[Flag],
    unjudged: Collection[FrameLayout],
) -> dict[FrameLayout, np.ndarray]:
    judging = [layout for layout in layouts if layout not in unjudged]
    wanted = [i for i in range(count) if any(i % layout.every == 0 for layout in layouts)]
    cropper = FrameCropper(str(reader.uri), layouts, reader.stream.sample_aspect_ratio, generator)
    frames = {
        layout: np.empty((len(range(0, count, layout.every)), layout.size_px, layout.size_px, 3), np.uint8)
        for layout in layouts
    }
    last: VideoFrame | None = None
    cropped: dict[FrameLayout, np.ndarray] = {}
    judged = {place for place, i in enumerate(wanted) if any(i % layout.every == 0 for layout in judging)}
    for place, frame in nearest_frames(reader, [start_s + i / frames_per_s for i in wanted], flags, judged):
        if frame is not last:
            last, cropped = frame, {}
        for layout in layouts:
            if wanted[place] % layout.every == 0:
                if layout not in cropped:
                    cropped[layout] = cropper.crop(frame, layout)
                frames[layout][wanted[place] // layout.every] = cropped[layout]
    return frames
