"""Contrastive loss of a batch through backbones and heads, in one pass, or in two passes with cached gradients.

In two passes (Gao et al. 2021, https://arxiv.org/abs/2101.06983) features are computed first without gradients, then
the loss and its gradients with respect to the features; each part is then computed again to backpropagate these. The
result is the same, because the backbones are deterministic: they stay in evaluation mode.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from antiphon.backbones.tuning import Tunable, TunableAudio, TunableVideo
from antiphon.errors import DivergedError
from antiphon.model.towers import Towers


def contrast(
    loss: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    towers: Towers,
    audio: tuple[TunableAudio, Tensor],
    video: tuple[TunableVideo, Tensor],
    micro_batch_size: int,
) -> float:
    """Compute the loss of a batch and accumulate its gradients.

    Parameters
    ----------
    loss : callable
        Maps (n, dim) audio and video embeddings to the objective and the plain loss.
    towers : Towers
        Heads.
    audio, video : tuple of (TunableAudio or TunableVideo, Tensor)
        A backbone and its (n, …) inputs; row i of both is one pair.
    micro_batch_size : int
        Maximum rows that go through a backbone at a time with gradients; larger batches take a second pass.

    Returns
    -------
    float
        Plain loss of the batch.

    Raises
    ------
    DivergedError
        The loss is not finite.
    """
    sides: tuple[tuple[Tunable, Tensor], ...] = (audio, video)
    whole = len(audio[1]) <= micro_batch_size
    with torch.set_grad_enabled(whole):
        features = [_forward(backbone, inputs, micro_batch_size) for backbone, inputs in sides]
    if not whole:
        features = [feature.requires_grad_() for feature in features]
    value, plain = loss(*towers(*features))
    if not value.isfinite():
        raise DivergedError("Fine-tuning diverged: the loss is not finite. Lower learning_rate.")
    value.backward()
    if not whole:
        for (backbone, inputs), feature in zip(sides, features, strict=True):
            if feature.grad is not None:
                for part, gradient in zip(
                    inputs.split(micro_batch_size), feature.grad.split(micro_batch_size), strict=True
                ):
                    backbone.differentiable(part.to(backbone.device)).backward(gradient)
    return float(plain)


def _forward(backbone: Tunable, inputs: Tensor, micro_batch_size: int) -> Tensor:
    return torch.cat([backbone.differentiable(part.to(backbone.device)) for part in inputs.split(micro_batch_size)])
