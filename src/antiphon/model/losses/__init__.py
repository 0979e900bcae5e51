"""Contrastive losses over a batch of pairs.

They take tensors and return a scalar, in nats.
"""

from antiphon.model.losses.config import LossConfig, chance_loss, contrastive_loss, loss_lower_bound
from antiphon.model.losses.sigmoid_loss import sigmoid
from antiphon.model.losses.softmax import decoupled, info_nce

__all__ = [
    "LossConfig",
    "chance_loss",
    "contrastive_loss",
    "decoupled",
    "info_nce",
    "loss_lower_bound",
    "sigmoid",
]
