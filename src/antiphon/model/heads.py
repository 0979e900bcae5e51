"""The projection head: feature → embedding."""

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class HeadConfig(BaseModel):
    """Layers of one head.

    Attributes
    ----------
    hidden : widths of the hidden layers, each at least 1; none makes the head linear.
    embedding_dim : size of the embedding.
    activation : after each hidden layer.
    normalisation : between a hidden layer and its activation. The paper prints none; its code has "batch".
    frozen_affine : keep the normalisation's scale at 1 and its shift at 0. So it was in the authors' code, whose
        optimiser was never given them.
    dropout : share of hidden values dropped in training.
    input_dropout : share of the feature's values dropped in training.
    output : "sigmoid" as the paper, or "none".
    standardise : shift the feature's values by the training set's mean, and scale each by its deviation; "together"
        scales all by their common deviation, so that those that vary more keep counting more; "chosen" takes of both
        what lets linear analysis rank held-out training pairs better.
    skip : add a linear map of the feature to what the hidden layers make of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (512,)
    embedding_dim: int = Field(default=256, ge=1)
    activation: Literal["relu", "gelu"] = "relu"
    normalisation: Literal["none", "batch", "layer"] = "none"
    frozen_affine: bool = False
    dropout: float = Field(default=0.3, ge=0, lt=1)
    input_dropout: float = Field(default=0.0, ge=0, lt=1)
    output: Literal["none", "sigmoid"] = "none"
    standardise: bool | Literal["together", "chosen"] = False
    skip: bool = False


class Standardise(nn.Module):
    """(n, dim) → (n, dim): subtract the mean and divide by the deviation that `fit` saw."""

    mean: Tensor
    scale: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def fit(self, features: Tensor, *, together: bool = False) -> None:
        """Take mean and deviation of (n, dim) features; a value that never varies is left unscaled.

        `together` takes the root mean square of all deviations for each.
        """
        deviation = features.std(dim=0, correction=0)
        if together:
            deviation = deviation.square().mean().sqrt().expand_as(deviation)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.scale


class Head(nn.Module):
    """(n, feature_dim) → (n, config.embedding_dim), not yet of unit length.

    Veldkamp et al. (2023), section 3.2: dense, ReLU, dropout 0.3, dense, sigmoid.
    """

    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__()
        self.embedding_dim = config.embedding_dim
        layers: list[nn.Module] = [Standardise(feature_dim)] if config.standardise else []
        if config.input_dropout:
            layers.append(nn.Dropout(config.input_dropout))
        width = feature_dim
        for hidden in config.hidden:
            layers += [nn.Linear(width, hidden), *_normalisation(config, hidden), _activation(config)]
            layers.append(nn.Dropout(config.dropout))
            width = hidden
        layers.append(nn.Linear(width, config.embedding_dim))
        self.layers = nn.Sequential(*layers)
        linear = nn.Linear(feature_dim, config.embedding_dim, bias=False) if config.skip else None
        self.skip = None if linear is None else nn.Sequential(nn.Dropout(config.input_dropout), linear)
        self.output = nn.Sigmoid() if config.output == "sigmoid" else nn.Identity()

    def fit_input(self, features: Tensor, *, together: bool = False) -> None:
        """Let the standardisation, where there is one, see the training features."""
        first = self.layers[0]
        if isinstance(first, Standardise):
            first.fit(features, together=together)

    def standardised(self, features: Tensor) -> Tensor:
        """(..., feature_dim) features as the layers after the standardisation see them."""
        first = self.layers[0]
        return first(features) if isinstance(first, Standardise) else features

    def project(self, standardised: Tensor) -> Tensor:
        """(n, feature_dim) of what `standardised` returns → (n, config.embedding_dim): `forward` is both in a row."""
        made = self.layers[int(isinstance(self.layers[0], Standardise)) :](standardised)
        return self.output(made if self.skip is None else made + self.skip(standardised))

    def forward(self, features: Tensor) -> Tensor:
        return self.project(self.standardised(features))


class Unprojected(nn.Module):
    """(n, feature_dim) → (n, feature_dim): a side without a head, standardised where the recipe's heads are."""

    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__()
        self.standardise = Standardise(feature_dim) if config.standardise else None

    def fit_input(self, features: Tensor, *, together: bool = False) -> None:
        """As `Head.fit_input`."""
        if self.standardise is not None:
            self.standardise.fit(features, together=together)

    def forward(self, features: Tensor) -> Tensor:
        return features if self.standardise is None else self.standardise(features)


def _normalisation(config: HeadConfig, width: int) -> list[nn.Module]:
    if config.normalisation == "none":
        return []
    norm = nn.BatchNorm1d(width) if config.normalisation == "batch" else nn.LayerNorm(width)
    if config.frozen_affine:
        norm.requires_grad_(False)
    return [norm]


def _activation(config: HeadConfig) -> nn.Module:
    return nn.ReLU() if config.activation == "relu" else nn.GELU()
