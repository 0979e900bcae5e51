"""Scores of a batch, block by block, and which of its pairs are positives or no negatives."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def score_blocks(
    audio: Tensor, video: Tensor, temperature: Tensor, excluded: Tensor | None, size: int
) -> Iterator[tuple[slice, slice, Tensor]]:
    """Compute the scores aᵢ·vⱼ / τ in blocks of at most `size` × `size`.

    Parameters
    ----------
    audio, video : Tensor, shape (n, dim)
        Embeddings.
    temperature : Tensor
        τ, a scalar.
    excluded : Tensor or None, shape (n, n)
        Pairs whose score is −∞.
    size : int
        Maximum rows and columns of a block.

    Yields
    ------
    rows, columns : slice
        Position of the block.
    block : Tensor, shape (rows, columns)
        Scores. All blocks share one buffer: a block may be overwritten, and is gone when the next one is made.
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


def same_artist(artists: npt.NDArray[np.str_]) -> Tensor:
    """Mark pairs of different rows by one artist, which resemble each other without being a pair.

    Parameters
    ----------
    artists : ndarray of str, shape (n,)
        Names; of several artists joined by unit separators, where one in common is enough. "" for unknown, which
        matches nobody.

    Returns
    -------
    Tensor
        Bool, shape (n, n); False on the diagonal.

    Examples
    --------
    >>> same_artist(np.array(["a", "b", "a", "", ""])).nonzero().tolist()
    [[0, 2], [2, 0]]
    """
    alike = (artists[:, None] == artists) & (artists != "")
    several = [row for row, names in enumerate(artists.tolist()) if "\x1f" in names]
    if several:
        keys = [set(names.split("\x1f")) - {""} for names in artists.tolist()]
        for row in several:
            alike[row] = alike[:, row] = [not keys[row].isdisjoint(other) for other in keys]
    np.fill_diagonal(alike, False)
    return torch.from_numpy(alike)


def label_targets(labels: Sequence[tuple[str, ...]]) -> Tensor:
    """Compute how far rows are positives of each other by the labels that they share.

    The share is Jaccard's: labels of both over labels of either. A row always counts itself as 1.

    Parameters
    ----------
    labels : sequence of tuple of str
        Labels of each of n rows.

    Returns
    -------
    Tensor, shape (n, n)
        Rows that sum to 1.

    References
    ----------
    Khosla et al. (2020), "Supervised contrastive learning", equation 2, where the positives of a row are those of its
    class; with one label per row this is the same.

    Examples
    --------
    >>> (label_targets([("rock", "live"), ("rock",), ()]) * 3).tolist()
    [[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]
    """
    names = {label: number for number, label in enumerate(sorted({label for row in labels for label in row}))}
    has = torch.zeros(len(labels), len(names))
    for number, row in enumerate(labels):
        has[number, [names[label] for label in row]] = 1
    common, count = has @ has.T, has.sum(dim=1)
    shares = common / (count[:, None] + count - common).clamp(min=1)
    shares.fill_diagonal_(1)
    return shares / shares.sum(dim=1, keepdim=True)
