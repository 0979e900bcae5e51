"""How a video backbone wants its frames, so that decoding can hand them over ready."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FrameLayout(BaseModel):
    """Square RGB frames of `size_px`, every `every`-th of the frames decoded at 10 per second.

    Attributes
    ----------
    size_px : side of the square in pixels.
    every : 1 takes all 30 frames of a 3 s window, 3 takes 10 of them.
    crop : "centre" scales the shorter side to `size_px` and keeps the middle; "random" takes one resized random crop
        a window (area 0.08 to 1 of the picture, ratio 3/4 to 4/3), as the paper does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_px: int = Field(ge=1)
    every: int = Field(default=1, ge=1)
    crop: Literal["centre", "random"] = "centre"
