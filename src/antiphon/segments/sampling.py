"""Position of the segments of a track: one at random in each of n equal sections, or one every few seconds.

Each segment has a window. Source of the sections: Veldkamp et al. (2023), section 3: six sections per video, a segment
of 5 s from each, windows of 3 s.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from antiphon.errors import DecodeError
from antiphon.seeding import generator as seeded_generator

MAX_SEGMENTS = 100_000
"""Maximum number of segments of a track: five days of them, one every 5 s."""


class SamplingConfig(BaseModel):
    """Position of segments and windows.

    Attributes
    ----------
    sections : int
        Equal parts of a track; one segment is drawn from each.
    every_s : float or None
        Start a segment every so many seconds instead, so that long tracks have more segments. Segments overlap if it is
        below `segment_s`. `sections` is ignored then.
    segment_s, window_s : float
        Lengths in seconds; a window is at most as long as a segment.
    seed : int
        Seed of the position of each segment in its section. It is the same for all tracks, so that a music video under
        another name or encoding has the same segments and can be recognised by its features.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: int = Field(default=6, ge=1)
    every_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    segment_s: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    window_s: float = Field(default=3.0, gt=0, allow_inf_nan=False)
    seed: int = 0

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.window_s > self.segment_s:
            raise ValueError(f"window_s ({self.window_s}) must not exceed segment_s ({self.segment_s})")
        return self

    @model_serializer(mode="wrap")
    def _omit_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit `every_s` where it is None: workspaces compare samplings as text, and earlier ones do not have it."""
        return {name: value for name, value in handler(self).items() if name != "every_s" or value is not None}


@dataclass(frozen=True)
class Segment:
    """Segment of a track and its window, in seconds on the track's time line.

    Attributes
    ----------
    section : int
        Number of the section, from 0.
    start_s, end_s : float
        Position of the segment.
    window_start_s, window_end_s : float
        Position of the window.
    """

    section: int
    start_s: float
    end_s: float
    window_start_s: float
    window_end_s: float


def sample_segments(
    duration_s: float, config: SamplingConfig, generator: np.random.Generator, start_s: float = 0.0
) -> list[Segment]:
    """Draw one segment from each section of a track (or one every few seconds), and a window in each segment.

    A track too short for `config.sections` segments is cut into as many sections as hold one each. One shorter than a
    segment but not than a window is a single segment, whole.

    Parameters
    ----------
    duration_s : float
        Length of the usable stretch of the track.
    config : SamplingConfig
        Number of sections, or interval, and lengths.
    generator : numpy.random.Generator
        Draws the positions.
    start_s : float, default 0.0
        Start of the usable stretch on the track's time line.

    Returns
    -------
    list of Segment
        Segments in order of time. Segments of sections never overlap, and each lies in its section; each window lies in
        its segment. With `config.every_s` segment k starts at k × `every_s`, as long as all of it fits.

    Raises
    ------
    DecodeError
        The track is shorter than a window, or so long that it has more than `MAX_SEGMENTS`.
    """
    if not math.isfinite(duration_s) or duration_s < config.window_s:
        raise DecodeError(f"The track is {duration_s:.2f} s long, too short for a window of {config.window_s:g} s.")
    segment_s = min(config.segment_s, duration_s)
    if config.every_s is None:
        count = max(1, min(config.sections, int(duration_s / segment_s)))
        section_s = duration_s / count
        bounds = [(start_s + k * section_s, start_s + (k + 1) * section_s) for k in range(count)]
    else:
        count = 1 + int((duration_s - segment_s) / config.every_s)
        if count > MAX_SEGMENTS:
            raise DecodeError(
                f"The track is {duration_s / 3600:,.1f} h long: {count:,} segments, and at most {MAX_SEGMENTS:,} are "
                "drawn. Its time stamps are damaged, or every_s is too short."
            )
        bounds = [(start_s + k * config.every_s, start_s + k * config.every_s + segment_s) for k in range(count)]
    segments: list[Segment] = []
    for section, (section_start, section_end) in enumerate(bounds):
        segment_at, window_at = generator.random(2).tolist()
        # min, because the rounded sum may exceed the end of the section.
        first = section_start + segment_at * max(0.0, section_end - section_start - segment_s)
        last = min(first + segment_s, section_end)
        window = min(first + window_at * (segment_s - config.window_s), last - config.window_s)
        segments.append(Segment(section, first, last, window, window + config.window_s))
    return segments


def segment_rows(
    video_id: str, duration_s: float, config: SamplingConfig, start_s: float = 0.0
) -> list[dict[str, str | int | float]]:
    """Draw the rows of the `SEGMENTS` table for one music video.

    Positions depend neither on its name nor on other videos.

    Parameters
    ----------
    video_id : str
        Id of the video.
    duration_s : float
        Length of the usable stretch of the track.
    config : SamplingConfig
        Position of segments and windows.
    start_s : float, default 0.0
        Start of the usable stretch on the track's time line.

    Returns
    -------
    list of dict of str to str, int or float
        One row per segment.

    Raises
    ------
    DecodeError
        The track is shorter than a window.
    """
    draws = seeded_generator(config.seed, "segments")
    return [
        {
            "segment_id": f"{video_id}#{segment.section}",
            "video_id": video_id,
            **asdict(segment),
            "seed": config.seed,
        }
        for segment in sample_segments(duration_s, config, draws, start_s)
    ]
