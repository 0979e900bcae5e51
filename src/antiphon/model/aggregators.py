"""Aggregators: from the features of a track's segments to one feature of the track.

A head projects that feature like any other.

An aggregator takes (tracks, length, dim) features, a (tracks, length) mask that is true where there is a segment, and
the (tracks, length) start times of the segments in seconds. It returns (tracks, dim). Padding has no influence. Every
aggregator is initialised to the mean and learns a correction.
"""

import math
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from antiphon.model.dropout import QuickDropout
from antiphon.shapes import MAX_DIM

_MIN_PERIOD_S, _MAX_PERIOD_S = 4.0, 1200.0
"""Range of the sinusoids' periods: from below the length of a segment to above that of most tracks."""


class TrackConfig(BaseModel):
    """Track model, and its weight in training.

    Attributes
    ----------
    aggregator : {'mean', 'attention', 'transformer'}
        "mean" of the segments' features; "attention", a mean with learned weights; or "transformer", which also reads
        the order and times of the segments.
    num_layers : int
        Layers of the transformer.
    width : int
        Hidden size of the transformer and of the attention; even, and a multiple of `num_heads`.
    num_heads : int
        Attention heads of the transformer.
    dropout : float
        Dropout rate of the transformer, in [0, 1).
    max_segments : int
        Maximum segments per track in a training batch; longer tracks are subsampled in each batch.
    segment_weight, track_weight : float
        Weights of the segment loss and of the track loss in training, at least 0 and not both 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    aggregator: Literal["mean", "attention", "transformer"] = "transformer"
    num_layers: int = Field(default=1, ge=1, le=64)
    width: int = Field(default=64, ge=2, le=MAX_DIM)
    num_heads: int = Field(default=4, ge=1, le=MAX_DIM)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    max_segments: int = Field(default=32, ge=1, le=10**6)
    segment_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    track_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check_sizes_and_weights(self) -> Self:
        if self.width % self.num_heads or self.width % 2:
            raise ValueError(f"width {self.width} must be even and a multiple of num_heads {self.num_heads}")
        if not self.segment_weight + self.track_weight:
            raise ValueError("segment_weight and track_weight are both 0; at least one must be positive")
        return self


class Mean(nn.Module):
    """Mean of a track's segments."""

    def forward(self, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        del starts_s
        return _weighted(_known(features, mask), mask.to(features.dtype))


class AttentionPooling(nn.Module):
    """Weighted mean: the weight of segment x is the softmax over its track of v · tanh(W x).

    Parameters
    ----------
    dim : int
        Size of the features.
    config : TrackConfig
        Hidden size.

    References
    ----------
    Ilse, Tomczak and Welling (2018), "Attention-based deep multiple instance learning", equation 8.
    """

    def __init__(self, dim: int, config: TrackConfig) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, config.width)
        self.score = nn.Linear(config.width, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        del starts_s
        known = _known(features, mask)
        scores = self.score(torch.tanh(self.hidden(known))).squeeze(-1)
        return _weighted(known, scores.masked_fill(~mask, -torch.inf).softmax(dim=1))


class TemporalTransformer(nn.Module):
    """Mean of a track's segments, plus a correction by a transformer encoder over their sequence.

    Each segment's token is c + p + c ⊙ p, where c is a projection of its feature and p are sinusoids of its start in
    seconds; the encoder's mean output is projected back to the size of the feature. That last projection starts at
    zero. The product keeps content bound to time even in a plain mean, so that few tracks suffice to learn it.

    Parameters
    ----------
    dim : int
        Size of the features.
    config : TrackConfig
        Size of the encoder.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need"; here with positions in seconds, the product, and pre-norm
    blocks.
    """

    def __init__(self, dim: int, config: TrackConfig) -> None:
        super().__init__()
        self.width = config.width
        self.token = nn.Linear(dim, config.width)
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.num_heads,
            dim_feedforward=4 * config.width,
            dropout=config.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        layer.dropout, layer.dropout1, layer.dropout2 = (QuickDropout(config.dropout) for _ in range(3))
        self.encoder = nn.TransformerEncoder(
            layer, config.num_layers, norm=nn.LayerNorm(config.width), enable_nested_tensor=False
        )
        self.correction = nn.Linear(config.width, dim)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def forward(self, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        known = _known(features, mask)
        content, place = self.token(known), sinusoids(starts_s.masked_fill(~mask, 0.0), self.width)
        tokens = content + place + content * place
        read = self.encoder(tokens, src_key_padding_mask=None if mask.all() else ~mask)
        weights = mask.to(features.dtype)
        return _weighted(known, weights) + self.correction(_weighted(_known(read, mask), weights))


Aggregator = Mean | AttentionPooling | TemporalTransformer


def aggregator(dim: int, config: TrackConfig) -> Aggregator:
    """Build the aggregator that a configuration names.

    Parameters
    ----------
    dim : int
        Size of the features.
    config : TrackConfig
        Aggregator and its size.

    Returns
    -------
    Aggregator
        The aggregator, initialised to the mean.
    """
    if config.aggregator == "mean":
        return Mean()
    return AttentionPooling(dim, config) if config.aggregator == "attention" else TemporalTransformer(dim, config)


def sinusoids(seconds: Tensor, width: int) -> Tensor:
    """Encode times as sinusoids: sines, then cosines, with periods from 4 s to 20 min in geometric progression.

    Parameters
    ----------
    seconds : Tensor, shape (...)
        Times in seconds.
    width : int
        Number of values per time; even.

    Returns
    -------
    Tensor, shape (..., width)
        Values in [-1, 1].
    """
    steps = torch.linspace(0, 1, width // 2, dtype=seconds.dtype, device=seconds.device)
    periods_s = _MIN_PERIOD_S * (_MAX_PERIOD_S / _MIN_PERIOD_S) ** steps
    angles = 2 * math.pi * seconds[..., None] / periods_s
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _known(features: Tensor, mask: Tensor) -> Tensor:
    """Set padding to zero; where there is none, this saves a copy."""
    return features if mask.all() else features.masked_fill(~mask[..., None], 0.0)


def _weighted(known: Tensor, weights: Tensor) -> Tensor:
    """Return the (tracks, dim) weighted means of (tracks, length, dim) rows without NaN."""
    return (weights[:, None] @ known).squeeze(1) / weights.sum(dim=1, keepdim=True)
