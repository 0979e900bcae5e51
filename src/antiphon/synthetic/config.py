"""Settings of a synthetic catalogue."""

from fractions import Fraction
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SyntheticConfig(BaseModel):
    """Settings of a synthetic catalogue; a video depends on these and its index only, never on the order.

    Attributes
    ----------
    videos : int
        Number of music videos.
    coupling : float
        How far the video follows the song, in [0, 1]. At 1 every visual attribute is a function of the song; at 0 all
        are drawn from the same distribution, independently of it; between, each attribute follows the song with this
        probability. The distribution of every single attribute is the same at any coupling.
    seed : int
        Seed of artists, songs and visuals.
    duration_s : float
        Mean length of a video in seconds.
    duration_spread_s : float
        Maximum deviation from the mean; lengths are uniform and independent of the song.
    songs_per_artist : int
        Consecutive videos by one artist, who keeps one genre.
    width_px, height_px : int
        Size of the frames, even numbers.
    frames_per_s : float
        Frame rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    videos: int = Field(default=200, ge=1)
    coupling: float = Field(default=0.85, ge=0, le=1)
    seed: int = 0
    duration_s: float = Field(default=36.0, ge=4, le=600)
    duration_spread_s: float = Field(default=3.0, ge=0)
    songs_per_artist: int = Field(default=4, ge=1)
    width_px: int = Field(default=320, ge=64, le=1920, multiple_of=2)
    height_px: int = Field(default=180, ge=64, le=1080, multiple_of=2)
    frames_per_s: float = Field(default=12.5, ge=5, le=60)

    @model_validator(mode="after")
    def _check_spread(self) -> Self:
        if self.duration_s - self.duration_spread_s < 3:
            raise ValueError(
                "duration_spread_s must not exceed duration_s - 3, so that every video is at least 3 s long"
            )
        return self

    @property
    def frame_rate(self) -> Fraction:
        """`frames_per_s` as a fraction, which a video stream needs."""
        return Fraction(self.frames_per_s).limit_denominator(1001)
