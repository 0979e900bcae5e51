"""Layout of the frames that a video backbone takes, so that decoding can prepare them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FrameLayout(BaseModel):
    """Square RGB frames, thinned out from 10 per second.

    Attributes
    ----------
    size_px : int
        Side of the square in pixels.
    every : int
        Take every `every`-th frame: 1 takes all 30 frames of a 3 s window, 3 takes 10 of them.
    crop : {'centre', 'random', 'whole'}
        "centre" scales the shorter side to `size_px` and crops the middle; "random" draws one resized crop per window
        (area 0.08 to 1 of the frame, aspect ratio 3/4 to 4/3), as the paper does; "whole" scales both sides to
        `size_px`, whatever the shape of the frame.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_px: int = Field(ge=1)
    every: int = Field(default=1, ge=1)
    crop: Literal["centre", "random", "whole"] = "centre"
