"""Pairwise sigmoid loss: each pair is judged alone, as a match or not."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from antiphon.model.losses.scores import score_blocks


def sigmoid(
    audio: Tensor,
    video: Tensor,
    temperature: Tensor | float,
    bias: Tensor | float,
    chunk_size: int | None = None,
    *,
    targets: Tensor | None = None,
    excluded: Tensor | None = None,
) -> Tensor:
    """Compute the pairwise sigmoid loss.

    −(1/n) Σᵢⱼ [yᵢⱼ log σ(xᵢⱼ) + (1 − yᵢⱼ) log σ(−xᵢⱼ)], where xᵢⱼ = aᵢ·vⱼ / τ + b.

    Parameters
    ----------
    audio, video : Tensor, shape (n, dim)
        Unit rows; row i of both is one pair.
    temperature : Tensor or float
        τ, above 0; a tensor where it is learned.
    bias : Tensor or float
        b; a tensor where it is learned.
    chunk_size : int, optional
        Compute scores in blocks of this many rows and columns, together with their gradients, instead of the whole
        matrix: the same values in far less memory.
    targets : Tensor, shape (n, n), optional
        y, in [0, 1], used as it is. Default: 1 for each pair, 0 for all others.
    excluded : Tensor, shape (n, n), optional
        Pairs that are neither positives nor negatives; never on the diagonal.

    Returns
    -------
    Tensor
        Scalar loss, in nats per pair. It has no directions; `chance_loss` gives its chance level.

    References
    ----------
    Zhai et al. (2023), "Sigmoid loss for language image pre-training", equation 1, who start at τ = 0.1 and b = −10.

    Examples
    --------
    >>> random = torch.Generator().manual_seed(0)
    >>> hidden = torch.randn(20, 8, generator=random)
    >>> audio = hidden @ torch.randn(8, 12, generator=random)
    >>> video = hidden @ torch.randn(8, 16, generator=random)
    >>> maps = [torch.randn(size, 8, generator=random).requires_grad_() for size in (12, 16)]
    >>> bias = torch.tensor(-10.0, requires_grad=True)
    >>> optimizer = torch.optim.Adam([*maps, bias], lr=0.05)
    >>> for step in range(100):
    ...     a, v = (functional.normalize(x @ m, dim=1) for x, m in zip((audio, video), maps))
    ...     loss = sigmoid(a, v, 0.1, bias)
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    >>> bool((a @ v.T).argmax(dim=1).equal(torch.arange(20)))
    True
    """
    if targets is not None and excluded is not None:
        targets = targets.masked_fill(excluded, 0)
    # −y log σ(x) − (1 − y) log σ(−x) = log(1 + exp x) − y x; the second term needs no score but the positives'.
    # In float64, because their gradients are differences of large sums.
    tau, shift = (torch.as_tensor(value, dtype=torch.float64, device=audio.device) for value in (temperature, bias))
    partners = video if targets is None else targets @ video
    weight = len(audio) if targets is None else targets.sum()
    positives = (audio * partners).sum(dim=1).double().sum() / tau + weight * shift
    if chunk_size is not None:
        total = softplus_sum(audio, video, tau, shift, excluded, chunk_size)
    else:
        terms = functional.softplus(audio @ video.T / tau + shift)
        total = (terms if excluded is None else terms.masked_fill(excluded, 0)).sum()
    return ((total - positives) / len(audio)).to(audio.dtype)


def softplus_sum(
    audio: Tensor, video: Tensor, temperature: Tensor, bias: Tensor, excluded: Tensor | None, chunk_size: int
) -> Tensor:
    """Compute Σᵢⱼ log(1 + exp(aᵢ·vⱼ / τ + b)).

    The gradient of a score depends on no sum, so that one pass over the blocks gives both value and gradients.

    Parameters
    ----------
    audio, video : Tensor, shape (n, dim)
        Embeddings.
    temperature, bias : Tensor
        τ and b, float64 scalars.
    excluded : Tensor or None, shape (n, n)
        Pairs that the sum leaves out.
    chunk_size : int
        Rows and columns of a block. Memory beyond inputs and gradients is twice `chunk_size`² numbers.

    Returns
    -------
    Tensor
        Float64 scalar.
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
