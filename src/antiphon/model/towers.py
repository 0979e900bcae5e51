"""The heads, and the temperature (and bias) of their scores: everything that is trained."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import ModelError
from antiphon.model.aggregators import aggregator
from antiphon.model.heads import Head, Unprojected
from antiphon.model.recipe import Recipe


class Towers(nn.Module):
    """Audio and video features → unit embeddings in the joint space, of `dim` values.

    A recipe with `heads = "video"` projects the pictures alone: to the size of the audio feature, which passes as it
    is (Veldkamp et al. 2023, "single projection head"). A recipe with a `track` table has an aggregator for each side,
    whose output passes through the same head as a segment's feature: tracks and segments share one space.
    """

    def __init__(self, audio_dim: int, video_dim: int, recipe: Recipe) -> None:
        super().__init__()
        head, loss = recipe.head, recipe.loss
        if recipe.heads == "video":
            self.dim = audio_dim
            self.audio: Head | Unprojected = Unprojected(audio_dim, head)
        else:
            self.dim = head.dim
            self.audio = Head(audio_dim, head)
        self.video = Head(video_dim, head.model_copy(update={"dim": self.dim}))
        self.log_scale = nn.Parameter(torch.tensor(-math.log(loss.temperature)), requires_grad=loss.learn_temperature)
        self.aggregators: nn.ModuleDict | None = None
        if recipe.track is not None:
            dims = {"audio": audio_dim, "video": video_dim}
            self.aggregators = nn.ModuleDict({side: aggregator(dim, recipe.track) for side, dim in dims.items()})
        self.bias = nn.Parameter(torch.tensor(loss.bias)) if loss.name == "sigmoid" else None
        self._limits = (-math.log(loss.most_temperature), -math.log(loss.least_temperature))

    @property
    def heads(self) -> dict[str, Head]:
        """The heads there are, by side."""
        sides = {"audio": self.audio, "video": self.video}
        return {side: head for side, head in sides.items() if isinstance(head, Head)}

    @property
    def temperature(self) -> Tensor:
        """The temperature in force, a positive scalar."""
        return torch.exp(-self.log_scale)

    def clamp_temperature(self) -> None:
        """Bring a learned temperature back inside its limits; called after each step."""
        if self.log_scale.requires_grad:
            with torch.no_grad():
                self.log_scale.clamp_(*self._limits)

    def embed_audio(self, features: Tensor) -> Tensor:
        """(n, audio_dim) → (n, dim) unit rows."""
        return functional.normalize(self.audio(features), dim=-1)

    def embed_video(self, features: Tensor) -> Tensor:
        """(n, video_dim) → (n, dim) unit rows."""
        return functional.normalize(self.video(features), dim=-1)

    def embed_tracks(self, side: Literal["audio", "video"], features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        """(t, length, feature_dim) features of tracks' segments → (t, dim) unit rows.

        Parameters
        ----------
        mask : (t, length) whether there is a segment; at least one a track.
        starts_s : (t, length) where the segments' windows start, in seconds.

        Raises
        ------
        ModelError
            The recipe has no track model.
        """
        if self.aggregators is None:
            raise ModelError("This model has no track model: its recipe has no [track] table.")
        head = self.heads[side]
        track = self.aggregators[side](head.standardised(features), mask, starts_s)
        return functional.normalize(head.project(track), dim=-1)

    def forward(self, audio: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        return self.embed_audio(audio), self.embed_video(video)
