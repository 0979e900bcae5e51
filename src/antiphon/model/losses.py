"""Contrastive losses over a batch of pairs, what chance scores on them, and the least that any model can score.

All take unit embeddings and return the sum of both directions' means, in nats (Veldkamp et al. 2023, equation 3).
"""

import math
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional


class LossConfig(BaseModel):
    """Which loss, and its temperature.

    Attributes
    ----------
    name : "info_nce" (the positive pair stands in the denominator, as in the paper's code) or "decoupled" (it does
        not, as in the paper's equation).
    temperature : divides the cosines; where it is learned, its first value.
    learn_temperature : trained as log(1/temperature), kept inside the limits.
    least_temperature, most_temperature : the limits of a learned temperature, which must start inside them; a fixed
        one has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["info_nce", "decoupled"] = "info_nce"
    temperature: float = Field(default=1.0, gt=0)
    learn_temperature: bool = False
    least_temperature: float = Field(default=0.01, gt=0)
    most_temperature: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _starts_inside_the_limits(self) -> Self:
        if self.learn_temperature and not self.least_temperature <= self.temperature <= self.most_temperature:
            raise ValueError(
                f"temperature {self.temperature:g} is not between least_temperature {self.least_temperature:g} and "
                f"most_temperature {self.most_temperature:g}, inside which a learned one is kept"
            )
        return self


def info_nce(audio: Tensor, video: Tensor, temperature: Tensor | float) -> Tensor:
    """Symmetric InfoNCE: mean over i of −log softmax_j(aᵢ·vⱼ / τ) at j = i, plus the same from v to a.

    Parameters
    ----------
    audio, video : (n, dim) unit rows, row i of both one pair.
    temperature : τ, above 0.

    Returns
    -------
    Scalar. 2 log n when nothing is known about the pairs.

    Source: van den Oord et al. (2018); Radford et al. (2021); the code of Veldkamp et al. (2023).

    Examples
    --------
    >>> round(info_nce(torch.ones(8, 1), torch.ones(8, 1), 1.0).item(), 4) == round(2 * math.log(8), 4)
    True
    """
    scores = audio @ video.T / temperature
    pairs = torch.arange(len(scores), device=scores.device)
    return functional.cross_entropy(scores, pairs) + functional.cross_entropy(scores.T, pairs)


def decoupled(audio: Tensor, video: Tensor, temperature: Tensor | float) -> Tensor:
    """As `info_nce` with the positive pair left out of the denominator: log Σ_{j≠i} exp(aᵢ·vⱼ / τ) − aᵢ·vᵢ / τ.

    Source: Veldkamp et al. (2023), equation 2, as printed; Yeh et al. (2022) study it as decoupled contrast.
    Needs at least two pairs. 2 log(n − 1) when nothing is known about the pairs; it can be below 0.
    """
    scores = audio @ video.T / temperature
    positives = scores.diagonal()
    others = scores.masked_fill(torch.eye(len(scores), dtype=torch.bool, device=scores.device), -torch.inf)
    return (others.logsumexp(dim=1) - positives).mean() + (others.logsumexp(dim=0) - positives).mean()


def contrastive_loss(name: str, audio: Tensor, video: Tensor, temperature: Tensor | float) -> Tensor:
    """The loss called `name`: "info_nce" or "decoupled"."""
    return (decoupled if name == "decoupled" else info_nce)(audio, video, temperature)


def chance_loss(name: str, pairs: int) -> float:
    """The loss, in nats, of a model that knows nothing about the pairs: all scores equal.

    Examples
    --------
    >>> round(chance_loss("info_nce", 1000), 4)
    13.8155
    """
    return 2 * math.log(pairs - 1 if name == "decoupled" else pairs)


def least_loss(name: str, pairs: int, temperature: float, *, non_negative: bool) -> float:
    """A lower bound of the loss, in nats: no unit embeddings of so many pairs score less at this temperature.

    Reached when every pair coincides and all others are as far apart as they can be: at cosine −1/(n − 1), a regular
    simplex (Lu and Steinerberger 2022), or, where an output like a sigmoid allows no negative value, at 0. Real outputs
    stay above it: there is room for only as many orthogonal vectors as dimensions.

    Examples
    --------
    >>> round(least_loss("info_nce", 1000, 1.0, non_negative=False) / 2, 3)
    5.908
    """
    farthest = 0.0 if non_negative else -1 / (pairs - 1)
    others = math.log(pairs - 1) + (farthest - 1) / temperature
    one_way = others if name == "decoupled" else float(functional.softplus(torch.tensor(others, dtype=torch.float64)))
    return 2 * one_way
