"""The loss of a batch that goes through backbones and heads, in one pass or in two with cached gradients.

In two passes (Gao et al. 2021, https://arxiv.org/abs/2101.06983) features come first without gradients, then the loss
and its gradient at the features, then each part once more to carry that gradient on. The result is the same, because
the backbones are deterministic: they stay in evaluation mode.
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
    """The plain loss of a batch; the gradient of what is to be made smaller is added to all that is trained.

    Parameters
    ----------
    loss : what is to be made smaller and the plain loss, of (n, dim) embeddings of sound and of pictures.
    audio, video : a backbone and its (n, …) inputs, row i of both one pair.
    micro_batch_size : rows that go through a backbone together with gradients; larger batches take a second pass.

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
        raise DivergedError("Fine-tuning diverged: the loss is not finite. Lower the learning rate.")
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
