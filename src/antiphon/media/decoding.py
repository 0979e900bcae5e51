"""Decoding stretches of a media file: frames ready for the backbones, and a waveform, on one time line."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from antiphon.errors import ConfigError, DecodeError
from antiphon.media.container import audio_stream, media_errors, open_container, video_stream
from antiphon.media.cropping import FrameCropper
from antiphon.media.frames import nearest_frames
from antiphon.media.layout import FrameLayout
from antiphon.media.stream_reader import StreamReader
from antiphon.media.waveform import read_waveform


@dataclass(frozen=True)
class Decoded:
    """Pictures and sound of one stretch.

    Attributes
    ----------
    frames : for each layout, uint8 (frames, size_px, size_px, 3) RGB; empty where there are no pictures.
    waveform : float32 (samples,) mono, nominally in [-1, 1]; None where there is no sound or none was asked for.
    """

    frames: dict[FrameLayout, np.ndarray]
    waveform: np.ndarray | None


def decode_stretches(
    uri: str,
    stretches: Sequence[tuple[float, float]],
    layouts: Sequence[FrameLayout] = (),
    rate_hz: int | None = 16_000,
    frames_per_s: float = 10.0,
    generator: np.random.Generator | None = None,
) -> Iterator[Decoded]:
    """Decode stretches of one file, opening it once and decoding only what they need.

    Frame i of a stretch is the source frame nearest to start + i / `frames_per_s`: at most half a source frame away.
    The same call gives the same result. What one stretch gives does not depend on the others, but for random crops
    and for AAC that leaves noise to the decoder to make up (perceptual noise substitution).

    Parameters
    ----------
    uri : local path, or an address that fsspec knows.
    stretches : start and end in seconds on the track's time line, whose zero is the container's start.
    layouts : how frames are wanted; none: no picture is decoded.
    rate_hz : sample rate of the waveform; None: no sound is decoded.
    frames_per_s : frames a second before `FrameLayout.every` thins them out.
    generator : draws the random crops, one for each layout and stretch, in order.

    Yields
    ------
    Decoded
        One for each stretch, in order: round(length × `frames_per_s`) frames (thinned out) and
        round(length × `rate_hz`) samples.

    Raises
    ------
    DecodeError
        The file cannot be opened, is damaged where it is needed, or has nothing at a stretch.
    ConfigError
        A layout wants random crops and there is no generator.
    """
    if generator is None and any(layout.crop == "random" for layout in layouts):
        raise ConfigError("A layout with random crops needs a generator.")
    for start_s, end_s in stretches:
        if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
            raise DecodeError(f"{uri}: a stretch from {start_s} to {end_s} s cannot be decoded.")
    return _decode_all(uri, stretches, layouts, rate_hz, frames_per_s, generator or np.random.default_rng(0))


def _decode_all(
    uri: str,
    stretches: Sequence[tuple[float, float]],
    layouts: Sequence[FrameLayout],
    rate_hz: int | None,
    frames_per_s: float,
    generator: np.random.Generator,
) -> Iterator[Decoded]:
    with open_container(uri) as container:
        with media_errors(uri):
            video = video_stream(container) if layouts else None
            audio = audio_stream(container) if rate_hz is not None else None
            pictures = StreamReader.of(uri, container, video) if video else None
            sound = StreamReader.of(uri, container, audio) if audio else None
        for start_s, end_s in stretches:
            frames: dict[FrameLayout, np.ndarray] = {}
            waveform = None
            with media_errors(uri):
                if pictures is not None:
                    count = round((end_s - start_s) * frames_per_s)
                    frames = _read_frames(pictures, start_s, count, frames_per_s, layouts, generator)
                if sound is not None and rate_hz is not None:
                    samples = round((end_s - start_s) * rate_hz)
                    waveform = read_waveform(sound, start_s, samples, rate_hz)
            yield Decoded(frames, waveform)


def _read_frames(
    reader: StreamReader[VideoStream],
    start_s: float,
    count: int,
    frames_per_s: float,
    layouts: Sequence[FrameLayout],
    generator: np.random.Generator,
) -> dict[FrameLayout, np.ndarray]:
    wanted = [i for i in range(count) if any(i % layout.every == 0 for layout in layouts)]
    cropper = FrameCropper(reader.uri, layouts, reader.stream.sample_aspect_ratio, generator)
    frames = {
        layout: np.empty((len(range(0, count, layout.every)), layout.size_px, layout.size_px, 3), np.uint8)
        for layout in layouts
    }
    shown: VideoFrame | None = None
    cropped: dict[FrameLayout, np.ndarray] = {}
    for place, frame in nearest_frames(reader, [start_s + i / frames_per_s for i in wanted]):
        if frame is not shown:
            shown, cropped = frame, {}
        for layout in layouts:
            if wanted[place] % layout.every == 0:
                if layout not in cropped:
                    cropped[layout] = cropper.crop(frame, layout)
                frames[layout][wanted[place] // layout.every] = cropped[layout]
    return frames
