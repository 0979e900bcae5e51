"""Projection heads: from a feature to an embedding."""

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from antiphon.model.dropout import head_dropout
from antiphon.shapes import MAX_DIM


class HeadConfig(BaseModel):
    """Layers of one head.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers, each at least 1; empty for a linear head.
    embedding_dim : int
        Size of the embedding.
    activation : {'relu', 'gelu'}
        Activation after each hidden layer.
    normalisation : {'none', 'batch', 'layer'}
        Normalisation between a hidden layer and its activation. The paper prints none; its code has "batch".
    frozen_affine : bool
        Keep the normalisation's scale at 1 and its shift at 0, as the authors' code does: its optimizer never gets
        them.
    dropout : float
        Dropout rate of the hidden layers, in [0, 1).
    input_dropout : float
        Dropout rate of the feature's values, in [0, 1).
    output : {'none', 'sigmoid'}
        "sigmoid", as in the paper, or "none".
    standardise : bool or {'together', 'chosen'}
        Subtract the training mean of each value and divide by its standard deviation. "together" divides all values by
        their common deviation, which keeps the weight of those that vary more; "chosen" takes whichever lets a linear
        analysis rank held-out training pairs better.
    skip : bool
        Add a linear map of the feature to the output of the hidden layers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=MAX_DIM)], ...], Field(max_length=64)] = (512,)
    embedding_dim: int = Field(default=256, ge=1, le=MAX_DIM)
    activation: Literal["relu", "gelu"] = "relu"
    normalisation: Literal["none", "batch", "layer"] = "none"
    frozen_affine: bool = False
    dropout: float = Field(default=0.3, ge=0, lt=1)
    input_dropout: float = Field(default=0.0, ge=0, lt=1)
    output: Literal["none", "sigmoid"] = "none"
    standardise: bool | Literal["together", "chosen"] = False
    skip: bool = False


class Standardise(nn.Module):
    """Subtract the mean and divide by the standard deviation seen by `fit`: (n, dim) → (n, dim).

    Parameters
    ----------
    dim : int
        Size of the features.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def fit(self, features: Tensor, *, together: bool = False) -> None:
        """Estimate mean and deviation from training features; values that never vary are not scaled.

        Parameters
        ----------
        features : Tensor, shape (n, dim)
            Training features.
        together : bool, default False
            Use one deviation for all values, the root mean square of theirs.
        """
        deviation = features.std(dim=0, correction=0)
        if together:
            deviation = deviation.square().mean().sqrt().expand_as(deviation)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.scale


class Head(nn.Module):
    """Projection head: (n, feature_dim) → (n, embedding_dim), not normalised.

    Parameters
    ----------
    feature_dim : int
        Size of the features.
    config : HeadConfig
        Layers.

    Attributes
    ----------
    embedding_dim : int
        Size of the output.

    Notes
    -----
    Veldkamp et al. (2023), section 3.2: dense, ReLU, dropout 0.3, dense, sigmoid.
    """

    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__()
        self.embedding_dim = config.embedding_dim
        layers: list[nn.Module] = [Standardise(feature_dim)] if config.standardise else []
        if config.input_dropout:
            layers.append(head_dropout(config.input_dropout))
        width = feature_dim
        for hidden in config.hidden:
            layers += [nn.Linear(width, hidden), *_normalisation(config, hidden), _activation(config)]
            layers.append(head_dropout(config.dropout))
            width = hidden
        layers.append(nn.Linear(width, config.embedding_dim))
        self.layers = nn.Sequential(*layers)
        linear = nn.Linear(feature_dim, config.embedding_dim, bias=False) if config.skip else None
        self.skip = None if linear is None else nn.Sequential(head_dropout(config.input_dropout), linear)
        self.output = nn.Sigmoid() if config.output == "sigmoid" else nn.Identity()

    def fit_input(self, features: Tensor, *, together: bool = False) -> None:
        """Fit the standardisation, if the head has one.

        Parameters
        ----------
        features : Tensor, shape (n, feature_dim)
            Training features.
        together : bool, default False
            See `Standardise.fit`.
        """
        first = self.layers[0]
        if isinstance(first, Standardise):
            first.fit(features, together=together)

    def standardised(self, features: Tensor) -> Tensor:
        """Standardise features, if the head does.

        Parameters
        ----------
        features : Tensor, shape (..., feature_dim)
            Features as a backbone computed them.

        Returns
        -------
        Tensor, shape (..., feature_dim)
            Input of the layers after the standardisation.
        """
        first = self.layers[0]
        return first(features) if isinstance(first, Standardise) else features

    @property
    def input_scale(self) -> Tensor | float:
        """What the standardisation divides by, shape (feature_dim,); 1 where the head does not standardise."""
        first = self.layers[0]
        return first.scale if isinstance(first, Standardise) else 1.0

    def project(self, standardised: Tensor) -> Tensor:
        """Project standardised features; `forward` is `standardised` followed by this.

        Parameters
        ----------
        standardised : Tensor, shape (n, feature_dim)
            Output of `Head.standardised`.

        Returns
        -------
        Tensor, shape (n, embedding_dim)
            Output of the head, not normalised.
        """
        made = self.layers[int(isinstance(self.layers[0], Standardise)) :](standardised)
        return self.output(made if self.skip is None else made + self.skip(standardised))

    def forward(self, features: Tensor) -> Tensor:
        return self.project(self.standardised(features))


class Unprojected(nn.Module):
    """Modality without a head: (n, feature_dim) → (n, feature_dim), standardised where the recipe's heads are.

    Parameters
    ----------
    feature_dim : int
        Size of the features.
    config : HeadConfig
        Layers of the other modality's head.
    """

    def __init__(self, feature_dim: int, config: HeadConfig) -> None:
        super().__init__()
        self.standardise = Standardise(feature_dim) if config.standardise else None

    def fit_input(self, features: Tensor, *, together: bool = False) -> None:
        """Fit the standardisation, if there is one.

        Parameters
        ----------
        features : Tensor, shape (n, feature_dim)
            Training features.
        together : bool, default False
            See `Standardise.fit`.
        """
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
