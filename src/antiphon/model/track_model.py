"""Track model: the embedding of a whole music video from all its segments."""

from typing import Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import ModelError
from antiphon.model.closed_form import SIDES, Side
from antiphon.model.time_course import TimeCourse
from antiphon.model.track_summary import TrackSummary
from antiphon.shapes import MAX_DIM


class TrackConfig(BaseModel):
    """Track model of a recipe.

    Attributes
    ----------
    num_axes : int
        Principal axes of each modality whose statistics a summary has; see `TrackSummary`.
    num_parts : int
        Equal parts of a track that its time course has.
    num_curves : int
        Curves of the time course; 0 for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    num_axes: int = Field(default=32, ge=1, le=MAX_DIM)
    num_parts: int = Field(default=32, ge=2, le=4096)
    num_curves: int = Field(default=4, ge=0, le=4096)


class SummaryTowers(Protocol):
    """Heads that project summaries of tracks."""

    @property
    def embedding_dim(self) -> int:
        """Size of the embeddings."""
        ...

    def embed(self, side: Side, features: Tensor) -> Tensor:
        """Embed (t, summary_dim) summaries as (t, embedding_dim) unit rows."""
        ...

    def take_shapes(self, state: dict[str, Tensor], prefix: str = "") -> None:
        """Resize closed forms to a state dict."""
        ...


class TrackModel(nn.Module):
    """Embed tracks by what they are like, and by when they change.

    The first part is a summary of the track (`TrackSummary`), projected by heads of its own; the second is its time
    course (`TimeCourse`). A dot product of two tracks is the weighted mean of both parts' dot products.

    Parameters
    ----------
    dims : dict of {'audio', 'video'} to int
        Sizes of the features.
    config : TrackConfig
        Sizes of the parts.
    towers : SummaryTowers
        Heads for summaries; see `summary_dim` for their sizes.

    Attributes
    ----------
    weights : Tensor, shape (2,)
        Weights of the summary and of the time course in a score.
    """

    weights: Tensor

    def __init__(self, dims: dict[Side, int], config: TrackConfig, towers: SummaryTowers) -> None:
        super().__init__()
        self.towers = towers
        self.register_buffer("weights", torch.tensor([1.0, 0.0]))
        self.audio, self.video = (TrackSummary(dims[side], config.num_axes) for side in SIDES)
        self.course = TimeCourse(dims, config.num_parts, config.num_curves) if config.num_curves else None

    @property
    def embedding_dim(self) -> int:
        """Size of the embeddings."""
        return self.towers.embedding_dim + (0 if self.course is None else self.course.course_dim)

    def refuse_broken(self, state: dict[str, Tensor], prefix: str) -> None:
        """Refuse values of a state dict that no fitted model has.

        Parameters
        ----------
        state : dict of str to Tensor
            Parameters and buffers by name.
        prefix : str
            Prefix of this module's names in `state`.

        Raises
        ------
        ModelError
            The weights are negative or their sum is 0, or a scale, a deviation or a length is not positive.
        """
        own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        weights = own.get("weights", self.weights)
        if not ((weights >= 0).all() and weights[0] > 0):
            raise ModelError("the weights of its track model are negative, or that of the summary is 0")
        for name, value in own.items():
            is_scale = name in ("audio.scale", "video.scale", "audio.counts", "video.counts")
            is_size = name in ("course.audio_deviation", "course.video_deviation", "course.least_s")
            if (is_scale and not (value > 0).all()) or (is_size and not (value >= 0).all()):
                raise ModelError(f"{name} of its track model has values that are no sizes")

    def summary(self, side: Side) -> TrackSummary:
        """Return the summary of one modality."""
        return self.audio if side == "audio" else self.video

    def embed(self, side: Side, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """Embed tracks.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        features : Tensor, shape (t, length, dim)
            Features of each track's segments in order of time, padded at the end.
        mask : Tensor, shape (t, length)
            True where there is a segment; at least one per track.
        starts_s : Tensor, shape (t, length)
            Start of each segment in seconds.

        Returns
        -------
        Tensor, shape (t, embedding_dim)
            Unit rows.
        """
        parts = [self.towers.embed(side, self.summary(side)(features, mask))]
        if self.course is not None:
            parts.append(self.course(side, features, mask, starts_s))
        factors = (self.weights / self.weights.sum()).sqrt()
        weighted = [factor * part for factor, part in zip(factors, parts, strict=False)]
        return functional.normalize(torch.cat(weighted, dim=-1), dim=-1)
