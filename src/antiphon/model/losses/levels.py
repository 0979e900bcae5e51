"""What chance scores on a loss, and the least that any model can score."""

import math

import torch
from torch.nn import functional


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
        return _least_sigmoid(pairs, 0.0)
    return 2 * math.log(pairs - 1 if name == "decoupled" else pairs)


def least_loss(name: str, pairs: int, temperature: float, *, non_negative: bool) -> float:
    """A lower bound of the loss, in nats: no unit embeddings of so many pairs score less at this temperature.

    Reached when every pair coincides and all others are as far apart as they can be: at cosine −1/(n − 1), a regular
    simplex (Lu and Steinerberger 2022), or, where an output like a sigmoid allows no negative value, at 0. Real outputs
    stay above it: there is room for only as many orthogonal vectors as dimensions. For the sigmoid loss it holds with
    any bias.

    Examples
    --------
    >>> round(least_loss("info_nce", 1000, 1.0, non_negative=False) / 2, 3)
    5.908
    """
    farthest = 0.0 if non_negative else -1 / (pairs - 1)
    if name == "sigmoid":
        return _least_sigmoid(pairs, (1 - farthest) / temperature)
    others = math.log(pairs - 1) + (farthest - 1) / temperature
    one_way = others if name == "decoupled" else _softplus(others)
    return 2 * one_way


def _least_sigmoid(pairs: int, gap: float) -> float:
    """The sigmoid loss where the positives' scores are all `gap` above all others', at the best bias.

    With u = exp(score of the others), its derivative vanishes where (n − 1) e^gap u² + (n − 2) u − 1 = 0.
    """
    height = min(gap, 600.0)  # beyond it the loss is 0 in double precision
    root = math.sqrt((pairs - 2) ** 2 + 4 * (pairs - 1) * math.exp(height))
    others = math.log(2 / (pairs - 2 + root))
    return _softplus(-others - height) + (pairs - 1) * _softplus(others)


def _softplus(value: float) -> float:
    return float(functional.softplus(torch.tensor(value, dtype=torch.float64)))
