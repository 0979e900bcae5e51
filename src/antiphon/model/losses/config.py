"""Which loss a recipe has, and its settings."""

import math
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional

from antiphon.model.losses.sigmoid import sigmoid
from antiphon.model.losses.softmax import decoupled, info_nce


class LossConfig(BaseModel):
    """Which loss, and its temperature.

    Attributes
    ----------
    name : "info_nce" (the positive pair stands in the denominator, as in the paper's code), "decoupled" (it does not,
        as in the paper's equation) or "sigmoid" (each pair is judged alone).
    temperature : divides the cosines; where it is learned, its first value.
    learn_temperature : trained as log(1/temperature), kept inside the limits.
    min_temperature, max_temperature : the limits of a learned temperature, which must start inside them; a fixed
        one has none.
    bias : the sigmoid's first bias, which is learned; no other loss has one.
    chunk_size : compute scores in blocks of so many rows and columns, for batches whose scores do not fit in memory.
    exclude_same_artist : rows of one artist are no negatives of each other.
    label_weight : weight, from 0 to 1, of positives by shared labels. The pair itself has what it leaves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["info_nce", "sigmoid", "decoupled"] = "info_nce"
    temperature: float = Field(default=1.0, gt=0)
    learn_temperature: bool = False
    min_temperature: float = Field(default=0.01, gt=0)
    max_temperature: float = Field(default=1.0, gt=0)
    bias: float = -10.0
    chunk_size: int | None = Field(default=None, ge=1)
    exclude_same_artist: bool = False
    label_weight: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _starts_inside_the_limits(self) -> Self:
        if self.learn_temperature and not self.min_temperature <= self.temperature <= self.max_temperature:
            raise ValueError(
                f"temperature {self.temperature:g} is not between min_temperature {self.min_temperature:g} and "
                f"max_temperature {self.max_temperature:g}, inside which a learned one is kept"
            )
        return self

    @model_validator(mode="after")
    def _has_chunks(self) -> Self:
        if self.name == "decoupled" and self.chunk_size is not None:
            raise ValueError("the decoupled loss is not computed in chunks; leave chunk_size out, or choose info_nce")
        return self


def contrastive_loss(
    name: str,
    audio: Tensor,
    video: Tensor,
    temperature: Tensor | float,
    bias: Tensor | float | None = None,
    chunk_size: int | None = None,
    *,
    targets: Tensor | None = None,
    excluded: Tensor | None = None,
) -> Tensor:
    """The loss called `name`: "info_nce", "sigmoid" (which alone has a bias) or "decoupled" (which has no chunks)."""
    if name == "sigmoid":
        shift = 0.0 if bias is None else bias
        return sigmoid(audio, video, temperature, shift, chunk_size, targets=targets, excluded=excluded)
    if name == "decoupled":
        return decoupled(audio, video, temperature, targets=targets, excluded=excluded)
    return info_nce(audio, video, temperature, chunk_size, targets=targets, excluded=excluded)


def chance_loss(name: str, pairs: int) -> float:
    """The loss, in nats, of a model that knows nothing about the pairs: all scores equal.

    The sigmoid loss depends on what they are equal to. Chance is the least that it can be then: each pair is said to
    belong together with probability 1/n, which a learned bias brings about.

    Examples
    --------
    >>> round(chance_loss("info_nce", 1000), 4)
    13.8155
    """
    if name == "sigmoid":
        return _sigmoid_lower_bound(pairs, 0.0)
    return 2 * math.log(pairs - 1 if name == "decoupled" else pairs)


def loss_lower_bound(name: str, pairs: int, temperature: float, *, non_negative: bool) -> float:
    """A lower bound of the loss, in nats: no unit embeddings of so many pairs score less at this temperature.

    Reached when every pair coincides and all others are as far apart as they can be: at cosine −1/(n − 1), a regular
    simplex (Lu and Steinerberger 2022), or, where an output like a sigmoid allows no negative value, at 0. Real outputs
    stay above it: there is room for only as many orthogonal vectors as dimensions. For the sigmoid loss it holds with
    any bias.

    Examples
    --------
    >>> round(loss_lower_bound("info_nce", 1000, 1.0, non_negative=False) / 2, 3)
    5.908
    """
    farthest = 0.0 if non_negative else -1 / (pairs - 1)
    if name == "sigmoid":
        return _sigmoid_lower_bound(pairs, (1 - farthest) / temperature)
    others = math.log(pairs - 1) + (farthest - 1) / temperature
    one_way = others if name == "decoupled" else _softplus(others)
    return 2 * one_way


def _sigmoid_lower_bound(pairs: int, gap: float) -> float:
    """The sigmoid loss where the positives' scores are all `gap` above all others', at the best bias.

    With u = exp(score of the others), its derivative vanishes where (n − 1) e^gap u² + (n − 2) u − 1 = 0.
    """
    height = min(gap, 600.0)  # beyond it the loss is 0 in double precision
    root = math.sqrt((pairs - 2) ** 2 + 4 * (pairs - 1) * math.exp(height))
    others = math.log(2 / (pairs - 2 + root))
    return _softplus(-others - height) + (pairs - 1) * _softplus(others)


def _softplus(value: float) -> float:
    return float(functional.softplus(torch.tensor(value, dtype=torch.float64)))
