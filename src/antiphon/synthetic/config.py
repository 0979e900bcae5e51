"""What a synthetic catalogue is made of."""

from fractions import Fraction
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SyntheticConfig(BaseModel):
    """Settings of a synthetic catalogue; a video is determined by these and its index, never by the order.

    Attributes
    ----------
    videos
        How many music videos to render.
    coupling
        How far the pictures follow the song, in [0, 1]. At 1 every visual attribute is a function of the song; at 0
        all are drawn from the same distribution, independently of it; between, each attribute follows the song with
        this probability. The distribution of every single attribute is the same at any coupling.
    seed
        Draws artists, songs and pictures.
    duration_s
        Mean length of a video.
    duration_spread_s
        Lengths are uniform within this distance of the mean, independently of the song.
    songs_per_artist
        Consecutive videos by one artist, who keeps one genre.
    width_px, height_px
        Size of the pictures, even numbers.
    frames_per_s
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
    def _spread_leaves_a_song(self) -> Self:
        if self.duration_s - self.duration_spread_s < 3:
            raise ValueError("duration_spread_s must leave every video at least 3 s long")
        return self

    @property
    def frame_rate(self) -> Fraction:
        """`frames_per_s` as the fraction that a video stream needs."""
        return Fraction(self.frames_per_s).limit_denominator(1001)
