"""Which pairs of a batch are positives beside its own, and which are no negatives.

Each function gives an (n, n) matrix for the losses' `targets` or `excluded`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def same_artist(artists: npt.NDArray[np.str_]) -> Tensor:
    """(n, n) bool: two different rows of one artist, which resemble each other without being a pair.

    Parameters
    ----------
    artists : (n,) names; "" for unknown, which nobody shares.

    Examples
    --------
    >>> same_artist(np.array(["a", "b", "a", "", ""])).nonzero().tolist()
    [[0, 2], [2, 0]]
    """
    alike = (artists[:, None] == artists) & (artists != "")
    np.fill_diagonal(alike, False)
    return torch.from_numpy(alike)


def label_targets(labels: Sequence[tuple[str, ...]]) -> Tensor:
    """(n, n) rows with a sum of 1: rows count as positives by the share of labels that they have in common.

    The share is Jaccard's: labels of both over labels of either. A row always counts itself as 1.

    Source: Khosla et al. (2020), equation 2, where a row's positives are those of its class; with one label a row this
    is the same.

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
