"""Choice and settings of the contrastive loss."""

import math
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional

from antiphon.model.losses.sigmoid_loss import sigmoid
from antiphon.model.losses.softmax import decoupled, info_nce


class LossConfig(BaseModel):
    """Contrastive loss and its temperature.

    Attributes
    ----------
    name : {'info_nce', 'sigmoid', 'decoupled'}
        "info_nce" (the positive pair is in the denominator, as in the paper's code), "decoupled" (it is not, as in the
        paper's equation) or "sigmoid" (each pair is judged alone).
    temperature : float
        Divisor of the cosines, above 0; the initial value where it is learned.
    learn_temperature : bool
        Learn the temperature, as log(1 / temperature), within its bounds.
    min_temperature, max_temperature : float
        Bounds of a learned temperature, which must start inside them. They do not apply to a fixed one.
    bias : float
        Initial value of the learned bias of the sigmoid loss; other losses have none.
    chunk_size : int or None
        Compute scores in blocks of this many rows and columns, for batches whose score matrix does not fit in memory.
    exclude_same_artist : bool
        Do not count rows of one artist as negatives of each other.
    label_weight : float
        Weight in [0, 1] of positives that share labels. The pair itself has the rest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Literal["info_nce", "sigmoid", "decoupled"] = "info_nce"
    temperature: float = Field(default=1.0, gt=0)
    learn_temperature: bool = False
    min_temperature: float = Field(default=0.01, gt=0)
    max_temperature: float = Field(default=1.0, gt=0)
    bias: float = -10.0
    chunk_size: int | None = Field(default=None, ge=1, le=10**9)
    exclude_same_artist: bool = False
    label_weight: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _check_temperature(self) -> Self:
        if self.learn_temperature and not self.min_temperature <= self.temperature <= self.max_temperature:
            raise ValueError(
                f"temperature {self.temperature:g} is not between min_temperature {self.min_temperature:g} and "
                f"max_temperature {self.max_temperature:g}, the bounds of a learned temperature"
            )
        return self

    @model_validator(mode="after")
    def _check_chunk_size(self) -> Self:
        if self.name == "decoupled" and self.chunk_size is not None:
            raise ValueError("the decoupled loss cannot be computed in chunks; leave chunk_size out, or use info_nce")
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
    """Compute a loss by name.

    Parameters
    ----------
    name : str
        "info_nce", "sigmoid" (the only one with a bias) or "decoupled" (which takes no chunks).
    audio, video : Tensor, shape (n, dim)
        Unit rows; row i of both is one pair.
    temperature : Tensor or float
        Temperature, above 0.
    bias : Tensor or float, optional
        Bias of the sigmoid loss; None for 0.
    chunk_size : int, optional
        Rows and columns of a block of scores; None for the whole matrix.
    targets : Tensor, shape (n, n), optional
        Positives of each row; see the loss.
    excluded : Tensor, shape (n, n), optional
        Pairs that are not negatives.

    Returns
    -------
    Tensor
        Scalar loss, in nats.
    """
    if name == "sigmoid":
        shift = 0.0 if bias is None else bias
        return sigmoid(audio, video, temperature, shift, chunk_size, targets=targets, excluded=excluded)
    if name == "decoupled":
        return decoupled(audio, video, temperature, targets=targets, excluded=excluded)
    return info_nce(audio, video, temperature, chunk_size, targets=targets, excluded=excluded)


def chance_loss(name: str, pairs: int) -> float:
    """Return the loss of a model that knows nothing about the pairs: all scores are equal.

    The sigmoid loss depends on what they are equal to. Its chance level is the minimum over that value: each pair is a
    match with probability 1/n, which a learned bias brings about.

    Parameters
    ----------
    name : str
        Name of the loss.
    pairs : int
        Pairs in the batch.

    Returns
    -------
    float
        Loss in nats.

    Examples
    --------
    >>> round(chance_loss("info_nce", 1000), 4)
    13.8155
    """
    if name == "sigmoid":
        return _sigmoid_lower_bound(pairs, 0.0)
    return 2 * math.log(pairs - 1 if name == "decoupled" else pairs)


def loss_lower_bound(name: str, pairs: int, temperature: float, *, non_negative: bool) -> float:
    """Return a lower bound of the loss: no unit embeddings of that many pairs score less at this temperature.

    It is attained when every pair coincides and all others are as far apart as possible: at cosine −1/(n − 1), a
    regular simplex (Lu and Steinerberger 2022), or at 0 where the output, like a sigmoid, has no negative values.
    Trained embeddings stay above it: at most as many vectors as dimensions can be orthogonal. For the sigmoid loss it
    holds for any bias.

    Parameters
    ----------
    name : str
        Name of the loss.
    pairs : int
        Pairs in the batch.
    temperature : float
        Temperature, above 0.
    non_negative : bool
        True where embeddings have no negative values.

    Returns
    -------
    float
        Lower bound in nats.

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
    height = min(gap, 600.0)  # beyond it the loss is 0 in double precision
    root = math.sqrt((pairs - 2) ** 2 + 4 * (pairs - 1) * math.exp(height))
    others = math.log(2 / (pairs - 2 + root))
    return _softplus(-others - height) + (pairs - 1) * _softplus(others)


def _softplus(value: float) -> float:
    return float(functional.softplus(torch.tensor(value, dtype=torch.float64)))
