"""Where the segments of a track lie: one at random in each of n equal sections, or one every few seconds.

In each segment lies a window. Source of the sections: Veldkamp et al. 2023, section 3: six sections a video, a segment
of 5 s from each, windows of 3 s.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from antiphon.errors import DecodeError
from antiphon.seeding import generator as seeded_generator


class SamplingConfig(BaseModel):
    """How segments are drawn.

    Attributes
    ----------
    sections : equal parts that a track is cut into; one segment is drawn from each.
    every_s : a segment every so many seconds from the start of the track, instead of one a section; long tracks then
        have more segments than short ones. Below `segment_s` they overlap. `sections` does not count.
    segment_s, window_s : lengths in seconds; a window is no longer than a segment.
    seed : decides where in its section each segment lies, and alike in all tracks: the same music video under another
        name, or encoded anew, has the same segments, so that its features are found to be the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: int = Field(default=6, ge=1)
    every_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    segment_s: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    window_s: float = Field(default=3.0, gt=0, allow_inf_nan=False)
    seed: int = 0

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        if self.window_s > self.segment_s:
            raise ValueError(f"window_s ({self.window_s}) must not be longer than segment_s ({self.segment_s})")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Workspaces compare samplings as text: one of sections reads as it did before there was `every_s`."""
        return {name: value for name, value in handler(self).items() if name != "every_s" or value is not None}


@dataclass(frozen=True)
class Segment:
    """A stretch of a track and the window in it, in seconds on the track's time line."""

    section: int
    start_s: float
    end_s: float
    window_start_s: float
    window_end_s: float


def sample_segments(
    duration_s: float, config: SamplingConfig, generator: np.random.Generator, start_s: float = 0.0
) -> list[Segment]:
    """Draw one segment from each section of a track (or one every few seconds), and a window in each segment.

    A track too short for `config.sections` segments is cut into as many sections as hold one each. One shorter than
    a segment but not than a window is a single segment, whole.

    Parameters
    ----------
    duration_s : length of the usable stretch of the track.
    config : number of sections, or how often, and lengths.
    generator : draws the positions.
    start_s : where the usable stretch starts on the track's time line.

    Returns
    -------
    list of Segment
        In order of time. Segments of sections never overlap, and each lies in its section; each window lies in its
        segment. With `config.every_s` segment k starts at k × `every_s`, as long as it fits in whole.

    Raises
    ------
    DecodeError
        The track is shorter than a window.
    """
    if not math.isfinite(duration_s) or duration_s < config.window_s:
        raise DecodeError(f"The track lasts {duration_s:.2f} s: too short for a window of {config.window_s:g} s.")
    segment_s = min(config.segment_s, duration_s)
    if config.every_s is None:
        count = max(1, min(config.sections, int(duration_s / segment_s)))
        section_s = duration_s / count
        bounds = [(start_s + k * section_s, start_s + (k + 1) * section_s) for k in range(count)]
    else:
        count = 1 + int((duration_s - segment_s) / config.every_s)
        bounds = [(start_s + k * config.every_s, start_s + k * config.every_s + segment_s) for k in range(count)]
    segments: list[Segment] = []
    for section, (begins, ends) in enumerate(bounds):
        segment_at, window_at = generator.random(2).tolist()
        # min: a sum of floats must not reach past the section by a rounding error.
        first = begins + segment_at * max(0.0, ends - begins - segment_s)
        last = min(first + segment_s, ends)
        window = min(first + window_at * (segment_s - config.window_s), last - config.window_s)
        segments.append(Segment(section, first, last, window, window + config.window_s))
    return segments


def segment_rows(
    video_id: str, duration_s: float, config: SamplingConfig, start_s: float = 0.0
) -> list[dict[str, str | int | float]]:
    """Rows of the `SEGMENTS` table for one music video: the same ones whatever its name and whatever else is sampled.

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
