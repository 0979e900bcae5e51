"""Track model: the embedding of a whole music video from all its segments."""

from typing import Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

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
