"""Rendering of one video from its number: song, look, and the file with both."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from antiphon.seeding import generator
from antiphon.synthetic.composition import compose
from antiphon.synthetic.config import SyntheticConfig
from antiphon.synthetic.instruments import RATE_HZ, Waveform
from antiphon.synthetic.looks import Look, couple, look_of
from antiphon.synthetic.painting import Frame, paint, split
from antiphon.synthetic.styles import SongStyle, draw_song, draw_stranger
from antiphon.synthetic.synthesis import synthesise
from antiphon.synthetic.timeline import lay_out
from antiphon.tables import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_AUDIO_BITS_PER_S = 128_000
_AUDIO_BLOCK = 16 * 1024


@dataclass(frozen=True)
class SyntheticVideo:
    """Song and look of a synthetic video.

    Attributes
    ----------
    id : str
        Id in the catalogue.
    index : int
        Number in the catalogue, from 0.
    duration_s : float
        Length in seconds.
    style : SongStyle
        Style of the song.
    look : Look
        Visual style.
    """

    id: str
    index: int
    duration_s: float
    style: SongStyle
    look: Look


def draw_video(config: SyntheticConfig, index: int) -> SyntheticVideo:
    """Draw song and look of a video, without rendering it.

    The duration depends on the index alone, neither on the song nor on the look, so that it reveals nothing of either.

    Parameters
    ----------
    config : SyntheticConfig
        Settings of the catalogue.
    index : int
        Number of the video.

    Returns
    -------
    SyntheticVideo
        Song and look.
    """
    spread_s = config.duration_spread_s
    offset_s = generator(config.seed, "duration", index).uniform(-spread_s, spread_s)
    duration_s = round((config.duration_s + offset_s) * config.frames_per_s) / config.frames_per_s
    style = draw_song(config.seed, index, config.songs_per_artist)
    stranger = draw_stranger(config.seed, index)
    look = couple(
        look_of(style, lay_out(style, duration_s)),
        look_of(stranger, lay_out(stranger, duration_s)),
        config.coupling,
        generator(config.seed, "coupling", index),
    )
    return SyntheticVideo(f"synthetic-{index + 1:04d}", index, duration_s, style, look)


def audio_of(config: SyntheticConfig, video: SyntheticVideo) -> Waveform:
    """Synthesise the song of a video.

    Parameters
    ----------
    config : SyntheticConfig
        Settings of the catalogue.
    video : SyntheticVideo
        Song and look.

    Returns
    -------
    ndarray of float32, shape (2, n)
        Stereo at 44.1 kHz.
    """
    random = generator(config.seed, "sound", video.index)
    timeline = lay_out(video.style, video.duration_s)
    return synthesise(video.style, timeline, compose(video.style, timeline, random), random)


def frames_of(config: SyntheticConfig, video: SyntheticVideo) -> "Iterator[Frame]":
    """Paint the frames of a video.

    Parameters
    ----------
    config : SyntheticConfig
        Settings of the catalogue.
    video : SyntheticVideo
        Song and look.

    Yields
    ------
    Frame
        Planes in yuv420p.
    """
    random = generator(config.seed, "pictures", video.index)
    return paint(video.look, video.duration_s, (config.width_px, config.height_px), config.frames_per_s, random)


def render_video(config: SyntheticConfig, index: int, path: Path) -> None:
    """Write a video as H.264 and AAC in MP4, atomically.

    Parameters
    ----------
    config : SyntheticConfig
        Settings of the catalogue.
    index : int
        Number of the video.
    path : Path
        File to write.
    """
    video = draw_video(config, index)
    waveform = audio_of(config, video)
    with atomic_path(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        container.metadata["title"] = video.style.title
        container.metadata["artist"] = video.style.artist
        container.metadata["genre"] = video.style.genre.name
        container.metadata["comment"] = "Synthetic music video, rendered by Antiphon: no real artist, song or place."
        video_stream = container.add_stream("libx264", rate=config.frame_rate)
        video_stream.width, video_stream.height, video_stream.pix_fmt = config.width_px, config.height_px, "yuv420p"
        video_stream.options = {"preset": "ultrafast", "crf": "27", "g": "50"}
        # One thread each, since the processes already use all cores.
        video_stream.codec_context.thread_count = 1
        audio_stream = container.add_stream(
            "aac", rate=RATE_HZ, layout="stereo", options={"aac_coder": "fast", "aac_tns": "0", "aac_is": "0"}
        )
        audio_stream.bit_rate = _AUDIO_BITS_PER_S
        _encode(container, video_stream, audio_stream, frames_of(config, video), waveform, config.frames_per_s)


def _encode(
    container: "OutputContainer",
    video_stream: "VideoStream",
    audio_stream: "AudioStream",
    frames: "Iterable[Frame]",
    waveform: Waveform,
    frames_per_s: float,
) -> None:
    """Feed both encoders in step, as a player reads them."""
    sent = 0
    frame_time = 1 / video_stream.codec_context.framerate
    for number, planes in enumerate(frames):
        while sent < waveform.shape[1] and sent / RATE_HZ <= number / frames_per_s:
            container.mux(audio_stream.encode(_audio_frame(waveform, sent)))
            sent += _AUDIO_BLOCK
        frame = _video_frame(planes)
        frame.pts = number
        frame.time_base = frame_time
        container.mux(video_stream.encode(frame))
    while sent < waveform.shape[1]:
        container.mux(audio_stream.encode(_audio_frame(waveform, sent)))
        sent += _AUDIO_BLOCK
    container.mux(video_stream.encode(None))
    container.mux(audio_stream.encode(None))


def _video_frame(painted: Frame) -> av.VideoFrame:
    """Copy the planes by numpy, ten times as fast as `VideoFrame.from_ndarray` for pictures as small as these."""
    width = painted.shape[1]
    frame = av.VideoFrame(width, painted.shape[0] * 2 // 3, "yuv420p")
    for plane, source in zip(frame.planes, split(painted), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = source
    return frame


def _audio_frame(waveform: Waveform, start: int) -> av.AudioFrame:
    block = np.ascontiguousarray(waveform[:, start : start + _AUDIO_BLOCK])
    frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
    frame.sample_rate = RATE_HZ
    frame.pts = start
    return frame
