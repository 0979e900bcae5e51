"""The matrix of scores, block by block, so that it never stands in memory as a whole."""

from collections.abc import Iterator

import torch
from torch import Tensor


def score_blocks(
    audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
) -> Iterator[tuple[slice, slice, Tensor]]:
    """The scores aᵢ·vⱼ / τ in blocks of at most `size` × `size`.

    Parameters
    ----------
    audio, video : (n, dim).
    temperature : τ, a scalar.
    excluded : (n, n) bool; such scores are −∞.

    Yields
    ------
    The block's rows, its columns, and its scores. All blocks lie in one memory: a block may be overwritten, and is
    gone when the next one comes.
    """
    scaled = audio / temperature
    memory = audio.new_empty(min(size, len(audio)) * min(size, len(video)))
    for first in range(0, len(audio), size):
        rows = slice(first, min(first + size, len(audio)))
        for start in range(0, len(video), size):
            columns = slice(start, min(start + size, len(video)))
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            block = memory[: shape[0] * shape[1]].view(shape)
            torch.mm(scaled[rows], video[columns].T, out=block)
            if excluded is not None:
                block.masked_fill_(excluded[rows, columns], -torch.inf)
            yield rows, columns, block
