"""The two heads and the temperature between them: everything that is trained."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.model.heads import Head, HeadConfig
from antiphon.model.losses import LossConfig


class Towers(nn.Module):
    """Audio and video features → unit embeddings in the joint space."""

    def __init__(self, audio_dim: int, video_dim: int, head: HeadConfig, loss: LossConfig) -> None:
        super().__init__()
        self.audio = Head(audio_dim, head)
        self.video = Head(video_dim, head)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(loss.temperature)), requires_grad=loss.learn_temperature)
        self._limits = (-math.log(loss.most_temperature), -math.log(loss.least_temperature))

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

    def forward(self, audio: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        return self.embed_audio(audio), self.embed_video(video)
