"""The sum of softplus over a matrix of scores in chunks, with its gradients from the same blocks."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from antiphon.model.losses.blocks import score_blocks


def softplus_sum(
    audio: Tensor, video: Tensor, temperature: Tensor, bias: Tensor, excluded: Tensor | None, chunk_size: int
) -> Tensor:
    """Σᵢⱼ log(1 + exp(aᵢ·vⱼ / τ + b)), a float64 scalar.

    No sum has to be known before a score's gradient is, so that one pass over the blocks gives both.

    Parameters
    ----------
    audio, video : (n, dim).
    temperature, bias : τ and b, float64 scalars.
    excluded : (n, n) bool: pairs that the sum leaves out.
    chunk_size : rows and columns of a block. The memory beyond inputs and gradients is twice
        `chunk_size`² numbers.
    """
    result: Tensor = _SoftplusSum.apply(audio, video, temperature, bias, excluded, chunk_size)  # pyright: ignore[reportAssignmentType]
    return result


class _SoftplusSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, audio: Tensor, video: Tensor, temperature: Tensor, bias: Tensor, excluded: Tensor | None, size: int
    ) -> Tensor:
        total, to_bias = torch.zeros_like(bias), torch.zeros_like(bias)
        wanted = any(ctx.needs_input_grad)
        to_audio, to_video = (torch.zeros_like(side) if wanted else side for side in (audio, video))
        for at, to, block in score_blocks(audio, video, temperature, excluded, size):
            block.add_(bias)
            total += functional.softplus(block).sum()
            if wanted:
                block.sigmoid_()
                to_bias += block.sum()
                to_audio[at].addmm_(block, video[to])
                to_video[to].addmm_(block.T, audio[at])
        ctx.save_for_backward(audio, temperature, to_audio, to_video, to_bias)
        return total

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        audio, temperature, to_audio, to_video, to_bias = ctx.saved_tensors
        factor = gradients[0] / temperature
        to_temperature = -torch.linalg.vecdot(audio, to_audio).double().sum() / temperature * factor
        return to_audio * factor, to_video * factor, to_temperature, to_bias * gradients[0], None, None
