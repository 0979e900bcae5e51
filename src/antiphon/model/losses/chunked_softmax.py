"""Both ways' log-sums of a matrix of scores in chunks: little memory, exact values, exact gradients.

The scores are computed once forwards and once more backwards, a block at a time, instead of being kept. One exponential
of a block serves its rows and its columns.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from antiphon.model.losses.blocks import score_blocks

_ROOM = 0.8
"""Share of the number format's exponents that scores may fill before sums of their exponentials could overflow."""


def log_sums(audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, chunk_size: int) -> Tensor:
    """Σᵢ log Σⱼ exp(aᵢ·vⱼ / τ) + Σⱼ log Σᵢ exp(aᵢ·vⱼ / τ), a float64 scalar.

    Parameters
    ----------
    audio, video : (n, dim).
    temperature : τ, a float64 scalar. Its gradient is a small difference of large sums, which are kept in float64 too.
    excluded : (n, n) bool: pairs that both sums leave out; no whole row or column.
    chunk_size : rows and columns of a block. The memory beyond inputs and gradients is twice
        `chunk_size`² numbers.
    """
    result: Tensor = _LogSums.apply(audio, video, temperature, excluded, chunk_size)  # pyright: ignore[reportAssignmentType]
    return result


class _LogSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
    ) -> Tensor:
        small = _largest_score(audio, video, temperature) < _ROOM * math.log(torch.finfo(audio.dtype).max)
        add = _sums_of_small if small else _sums
        rows, columns = add(audio, video, temperature, excluded, size)
        ctx.save_for_backward(audio, video, temperature, rows, columns)
        ctx.excluded, ctx.size, ctx.small = excluded, size, small
        return rows.sum() + columns.sum()

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        audio, video, temperature, rows, columns = ctx.saved_tensors
        to_audio, to_video = torch.zeros_like(audio), torch.zeros_like(video)
        share = _shares_of_small if ctx.small else _shares
        memory = audio.new_empty(min(ctx.size, len(audio)) * min(ctx.size, len(video)))
        for at, to, block in score_blocks(audio, video, temperature, ctx.excluded, ctx.size):
            share(block, rows[at, None], columns[to], memory[: block.numel()].view(block.shape))
            to_audio[at].addmm_(block, video[to])
            to_video[to].addmm_(block.T, audio[at])
        factor = gradients[0] / temperature
        to_audio.mul_(factor)
        to_video.mul_(factor)
        # Σᵢⱼ Gᵢⱼ aᵢ·vⱼ, with G the scores' gradient, is Σᵢ aᵢ·(ΣⱼGᵢⱼvⱼ): it costs nothing more.
        to_temperature = -torch.linalg.vecdot(audio, to_audio).double().sum() / temperature
        return to_audio, to_video, to_temperature, None, None


def _largest_score(audio: Tensor, video: Tensor, temperature: Tensor) -> float:
    """What no score's size exceeds (Cauchy and Schwarz)."""
    return float(audio.norm(dim=1).max() * video.norm(dim=1).max() / temperature)


def _sums_of_small(
    audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
) -> tuple[Tensor, Tensor]:
    """The log-sums of rows and columns where exponentials neither overflow nor vanish."""
    rows, columns = audio.new_zeros(len(audio)), audio.new_zeros(len(video))
    for at, to, block in score_blocks(audio, video, temperature, excluded, size):
        block.exp_()
        rows[at] += block.sum(dim=1)
        columns[to] += block.sum(dim=0)
    return rows.double().log_(), columns.double().log_()


def _sums(
    audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
) -> tuple[Tensor, Tensor]:
    """The log-sums of rows and columns of scores of any size."""
    rows, columns = audio.new_full((len(audio),), -torch.inf), audio.new_full((len(video),), -torch.inf)
    for at, to, block in score_blocks(audio, video, temperature, excluded, size):
        rows[at] = torch.logaddexp(rows[at], block.logsumexp(dim=1))
        columns[to] = torch.logaddexp(columns[to], block.logsumexp(dim=0))
    return rows.double(), columns.double()


def _shares_of_small(block: Tensor, rows: Tensor, columns: Tensor, memory: Tensor) -> None:
    """Turn scores into their shares of their row's sum plus those of their column's, in place, by one exponential."""
    torch.add(torch.exp(-rows).to(memory), torch.exp(-columns).to(memory), out=memory)
    block.exp_().mul_(memory)


def _shares(block: Tensor, rows: Tensor, columns: Tensor, memory: Tensor) -> None:
    """As `_shares_of_small`, for scores of any size."""
    torch.sub(block, columns.to(block), out=memory)
    block.sub_(rows.to(block)).exp_().add_(memory.exp_())
