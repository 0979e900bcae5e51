"""Losses that classify the partner among all candidates of a batch: InfoNCE, and its decoupled form.

In chunks the score matrix never exists as a whole: scores are computed once in the forward pass and once more in the
backward pass, a block at a time. One exponential of a block serves both its rows and its columns.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from antiphon.model.losses.scores import score_blocks


def info_nce(
    audio: Tensor,
    video: Tensor,
    temperature: Tensor | float,
    chunk_size: int | None = None,
    *,
    targets: Tensor | None = None,
    excluded: Tensor | None = None,
) -> Tensor:
    """Compute symmetric InfoNCE: the mean over i of −Σⱼ pᵢⱼ log softmaxⱼ(aᵢ·vⱼ / τ), plus the same from v to a.

    Parameters
    ----------
    audio, video : Tensor, shape (n, dim)
        Unit rows; row i of both is one pair.
    temperature : Tensor or float
        τ, above 0; a tensor where it is learned.
    chunk_size : int, optional
        Compute scores in blocks of this many rows and columns, and again for the gradients, instead of the whole
        matrix: the same values in far less memory. With 4096, a batch of 32,768 pairs fits.
    targets : Tensor, shape (n, n), optional
        How far video j is a positive of audio i, at least 0. p are its rows, normalised to sum 1 (its columns from v to
        a). Default: one positive per row, its pair.
    excluded : Tensor, shape (n, n), optional
        Pairs that are not negatives, never on the diagonal. The sums leave them out, and they are not positives either.

    Returns
    -------
    Tensor
        Scalar, the sum of both directions' means, in nats (Veldkamp et al. 2023, equation 3); 2 log n at chance.

    References
    ----------
    van den Oord et al. (2018); Radford et al. (2021); the code of Veldkamp et al. (2023). Several positives: Khosla et
    al. (2020), equation 2.

    Examples
    --------
    Two linear maps learn which of 20 videos belongs to which audio:

    >>> random = torch.Generator().manual_seed(0)
    >>> hidden = torch.randn(20, 8, generator=random)
    >>> audio = hidden @ torch.randn(8, 12, generator=random)
    >>> video = hidden @ torch.randn(8, 16, generator=random)
    >>> maps = [torch.randn(size, 8, generator=random).requires_grad_() for size in (12, 16)]
    >>> optimizer = torch.optim.Adam(maps, lr=0.05)
    >>> for step in range(100):
    ...     a, v = (functional.normalize(x @ m, dim=1) for x, m in zip((audio, video), maps))
    ...     loss = info_nce(a, v, 0.1)
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    >>> bool((a @ v.T).argmax(dim=1).equal(torch.arange(20)))
    True
    """
    shares = _target_shares(targets, excluded)
    if chunk_size is not None:
        tau = torch.as_tensor(temperature, dtype=torch.float64, device=audio.device)
        positives = audio * (2 * video if shares is None else (shares[0] + shares[1].T) @ video)
        difference = log_sums(audio, video, tau, excluded, chunk_size) - positives.sum(dim=1).double().sum() / tau
        return (difference / len(audio)).to(audio.dtype)
    scores = audio @ video.T / temperature
    if excluded is not None:
        scores = scores.masked_fill(excluded, torch.finfo(scores.dtype).min)
    own = torch.arange(len(scores), device=scores.device)
    forwards, backwards = shares or (own, own)
    return functional.cross_entropy(scores, forwards) + functional.cross_entropy(scores.T, backwards)


def decoupled(
    audio: Tensor,
    video: Tensor,
    temperature: Tensor | float,
    *,
    targets: Tensor | None = None,
    excluded: Tensor | None = None,
) -> Tensor:
    """Compute InfoNCE without the pair itself in the denominator: log Σ_{j≠i} exp(aᵢ·vⱼ / τ) − Σⱼ pᵢⱼ aᵢ·vⱼ / τ.

    Parameters
    ----------
    audio, video : Tensor, shape (n, dim)
        Unit rows; row i of both is one pair. At least two pairs.
    temperature : Tensor or float
        τ, above 0; a tensor where it is learned.
    targets : Tensor, shape (n, n), optional
        Positives of each row; see `info_nce`.
    excluded : Tensor, shape (n, n), optional
        Pairs that are not negatives; see `info_nce`. A row (column) with all others excluded adds nothing.

    Returns
    -------
    Tensor
        Scalar, the sum of both directions' means, in nats; 2 log(n − 1) at chance. It can be negative.

    References
    ----------
    Veldkamp et al. (2023), equation 2, as printed; Yeh et al. (2022), "Decoupled contrastive learning".

    Examples
    --------
    >>> random = torch.Generator().manual_seed(0)
    >>> hidden = torch.randn(20, 8, generator=random)
    >>> audio = hidden @ torch.randn(8, 12, generator=random)
    >>> video = hidden @ torch.randn(8, 16, generator=random)
    >>> maps = [torch.randn(size, 8, generator=random).requires_grad_() for size in (12, 16)]
    >>> optimizer = torch.optim.Adam(maps, lr=0.05)
    >>> for step in range(100):
    ...     a, v = (functional.normalize(x @ m, dim=1) for x, m in zip((audio, video), maps))
    ...     loss = decoupled(a, v, 0.1)
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    >>> bool((a @ v.T).argmax(dim=1).equal(torch.arange(20)))
    True
    """
    scores = audio @ video.T / temperature
    out = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    if excluded is not None:
        out = out | excluded
    others = scores.masked_fill(out, torch.finfo(scores.dtype).min)
    shares = _target_shares(targets, excluded)
    forwards, backwards = shares or (torch.eye(len(scores)).to(scores),) * 2
    from_audio = others.logsumexp(dim=1) - (forwards * scores).sum(dim=1)
    from_video = others.logsumexp(dim=0) - (backwards.T * scores).sum(dim=0)
    return from_audio.masked_fill(out.all(dim=1), 0).mean() + from_video.masked_fill(out.all(dim=0), 0).mean()


def _target_shares(targets: Tensor | None, excluded: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Normalise the targets to rows that sum to 1, from audio to video and from video to audio."""
    if targets is None:
        return None
    kept = targets if excluded is None else targets.masked_fill(excluded, 0)
    return kept / kept.sum(dim=1, keepdim=True), (kept / kept.sum(dim=0)).T


_ROOM = 0.8
"""Fraction of the exponent range that scores may use before sums of their exponentials could overflow."""


def log_sums(audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, chunk_size: int) -> Tensor:
    """Compute Σᵢ log Σⱼ exp(aᵢ·vⱼ / τ) + Σⱼ log Σᵢ exp(aᵢ·vⱼ / τ).

    Parameters
    ----------
    audio, video : Tensor, shape (n, dim)
        Embeddings.
    temperature : Tensor
        τ, a float64 scalar. Its gradient is a small difference of large sums, which are accumulated in float64 too.
    excluded : Tensor or None, shape (n, n)
        Pairs that both sums leave out; never a whole row or column.
    chunk_size : int
        Rows and columns of a block. Memory beyond inputs and gradients is twice `chunk_size`² numbers.

    Returns
    -------
    Tensor
        Float64 scalar.
    """
    result: Tensor = _LogSums.apply(audio, video, temperature, excluded, chunk_size)  # pyright: ignore[reportAssignmentType]
    return result


class _LogSums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
    ) -> Tensor:
        small = _max_score(audio, video, temperature) < _ROOM * math.log(torch.finfo(audio.dtype).max)
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


def _max_score(audio: Tensor, video: Tensor, temperature: Tensor) -> float:
    """Bound the absolute scores from above (Cauchy and Schwarz)."""
    return float(audio.norm(dim=1).max() * video.norm(dim=1).max() / temperature)


def _sums_of_small(
    audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
) -> tuple[Tensor, Tensor]:
    """Return the log-sums of rows and columns where exponentials neither overflow nor vanish."""
    rows, columns = audio.new_zeros(len(audio)), audio.new_zeros(len(video))
    for at, to, block in score_blocks(audio, video, temperature, excluded, size):
        block.exp_()
        rows[at] += block.sum(dim=1)
        columns[to] += block.sum(dim=0)
    return rows.double().log_(), columns.double().log_()


def _sums(
    audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
) -> tuple[Tensor, Tensor]:
    """Return the log-sums of rows and columns for scores of any size."""
    rows, columns = audio.new_full((len(audio),), -torch.inf), audio.new_full((len(video),), -torch.inf)
    for at, to, block in score_blocks(audio, video, temperature, excluded, size):
        rows[at] = torch.logaddexp(rows[at], block.logsumexp(dim=1))
        columns[to] = torch.logaddexp(columns[to], block.logsumexp(dim=0))
    return rows.double(), columns.double()


def _shares_of_small(block: Tensor, rows: Tensor, columns: Tensor, memory: Tensor) -> None:
    """Turn scores, in place, into their shares of their row's sum plus those of their column's, by one exponential."""
    torch.add(torch.exp(-rows).to(memory), torch.exp(-columns).to(memory), out=memory)
    block.exp_().mul_(memory)


def _shares(block: Tensor, rows: Tensor, columns: Tensor, memory: Tensor) -> None:
    """Do as `_shares_of_small` for scores of any size."""
    torch.sub(block, columns.to(block), out=memory)
    block.sub_(rows.to(block)).exp_().add_(memory.exp_())
