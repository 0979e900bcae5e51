"""From the features of a track's segments to one feature of the track, which a head projects like any other.

An aggregator takes (tracks, length, dim) features, a (tracks, length) mask that is true where there is a segment, and
the (tracks, length) seconds at which the segments start. It returns (tracks, dim). What stands where the mask is false
changes nothing. All start as the mean and learn what to make of the rest.
"""

import math
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

_MIN_PERIOD_S, _MAX_PERIOD_S = 4.0, 1200.0
"""Periods of the sinusoids: from less than a segment's length to longer than most tracks."""


class TrackConfig(BaseModel):
    """How a track is embedded, and how much that counts in training.

    Attributes
    ----------
    aggregator : "mean" of the segments' features; "attention", a weighted mean whose weights are learned; or
        "transformer", which knows the order and the times of the segments.
    num_layers, num_heads : of the transformer.
    width : of the transformer and of the attention; a multiple of `num_heads`.
    dropout : share of the transformer's values dropped in training.
    max_segments : of a track in a training batch; a longer track is represented by as many, drawn anew each time.
    segment_weight, track_weight : of the two losses in training. Without the one only tracks are told apart, without
        the other only segments; one of them is above 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aggregator: Literal["mean", "attention", "transformer"] = "transformer"
    num_layers: int = Field(default=1, ge=1)
    width: int = Field(default=64, ge=2)
    num_heads: int = Field(default=4, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    max_segments: int = Field(default=32, ge=1)
    segment_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    track_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.width % self.num_heads or self.width % 2:
            raise ValueError(f"width {self.width} must be even and a multiple of the {self.num_heads} heads")
        if not self.segment_weight + self.track_weight:
            raise ValueError("segment_weight and track_weight are both 0: there is nothing to train")
        return self


class Mean(nn.Module):
    """The mean of a track's segments."""

    def forward(self, features: Tensor, mask: Tensor, starts_s: Tensor) -> Tensor:
        del starts_s
        return _weighted(features, mask, mask.to(features.dtype))


class AttentionPooling(nn.Module):
    """A weighted mean: the weight of segment x is the softmax over its track of v · tanh(W x).

    Source: Ilse, Tomczak and Welling (2018), equation 8.
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
        return _weighted(features, mask, scores.masked_fill(~mask, -torch.inf).softmax(dim=1))


class TemporalTransformer(nn.Module):
    """The mean of a track's segments, plus what a transformer encoder reads from their sequence.

    Each segment's token is c + p + c ⊙ p, where c is a projection of its feature and p are sinusoids of its start in
    seconds; the encoder's mean output is projected back to the size of the feature. That last projection starts at
    zero. The product says which content stands when even after a plain mean, so that few tracks suffice to learn it.

    Source: Vaswani et al. (2017), with positions in seconds, the product, and the normalisation before each block.
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
        read = self.encoder(tokens, src_key_padding_mask=~mask)
        weights = mask.to(features.dtype)
        return _weighted(known, mask, weights) + self.correction(_weighted(read, mask, weights))


Aggregator = Mean | AttentionPooling | TemporalTransformer


def aggregator(dim: int, config: TrackConfig) -> Aggregator:
    """The aggregator that `config` names, for features of `dim` values."""
    if config.aggregator == "mean":
        return Mean()
    return AttentionPooling(dim, config) if config.aggregator == "attention" else TemporalTransformer(dim, config)


def sinusoids(seconds: Tensor, width: int) -> Tensor:
    """(...) seconds → (..., width): sines, then cosines, of periods from 4 s to 20 min, spaced evenly in logarithm.

    Parameters
    ----------
    width : even.
    """
    steps = torch.linspace(0, 1, width // 2, dtype=seconds.dtype, device=seconds.device)
    periods_s = _MIN_PERIOD_S * (_MAX_PERIOD_S / _MIN_PERIOD_S) ** steps
    angles = 2 * math.pi * seconds[..., None] / periods_s
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _known(features: Tensor, mask: Tensor) -> Tensor:
    """Zeros where there is no segment, whatever stands there."""
    return features.masked_fill(~mask[..., None], 0.0)


def _weighted(rows: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    """(tracks, length, dim) rows and (tracks, length) weights, not all 0, → their (tracks, dim) weighted mean."""
    return (_known(rows, mask) * weights[..., None]).sum(dim=1) / weights.sum(dim=1, keepdim=True)
