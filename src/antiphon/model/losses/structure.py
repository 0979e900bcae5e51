"""Keeps the order of similarities within one modality as it was before the head."""

import torch
from torch import Tensor
from torch.nn import functional


def structure(features: Tensor, embeddings: Tensor) -> Tensor:
    """Soft intra-modal structure constraint: mean over all i, j, k of Cᵢⱼₖ (eᵢ·eⱼ − eᵢ·eₖ), where
    C = sign(eᵢ·eⱼ − eᵢ·eₖ) − sign(fᵢ·fⱼ − fᵢ·fₖ).

    C is 0 where j and k stand in the same order of similarity to i before the head (f) and after it (e), so that only
    triplets whose order has turned cost something, and the more, the further apart they are. C has no gradient.

    Source: Hong, Im and Yang (2018), "CBVMR" (VM-NET), beside a ranking loss. All n³ triplets are summed in n² log n:
    the positive part of a difference is half the sum of it and of its size, and the sums of both over all pairs follow
    from how many values are smaller and larger than each.

    Parameters
    ----------
    features : (n, feature_dim) of one modality; brought to unit length here.
    embeddings : (n, dim) unit rows, of the same modality.

    Returns
    -------
    Scalar, at least 0: 0 where no order has changed.

    Examples
    --------
    A linear map to two dimensions that learns to keep the order of ten features of five:

    >>> random = torch.Generator().manual_seed(0)
    >>> features = torch.randn(10, 5, generator=random)
    >>> head = torch.randn(5, 2, generator=random).requires_grad_()
    >>> optimizer = torch.optim.Adam([head], lr=0.05)
    >>> losses = []
    >>> for step in range(60):
    ...     loss = structure(features, functional.normalize(features @ head, dim=1))
    ...     optimizer.zero_grad(); loss.backward(); optimizer.step()
    ...     losses.append(loss.item())
    >>> losses[-1] < losses[0] / 2
    True
    """
    unit = functional.normalize(features, dim=1)
    before, after = unit @ unit.T, embeddings @ embeddings.T
    turned = _standing(after.detach()) - _standing(before)
    return 2 * (turned * after).sum() / len(after) ** 3


def _standing(values: Tensor) -> Tensor:
    """For each value of a row: how many of the row are smaller, less how many are larger."""
    ordered = values.sort(dim=1).values
    return torch.searchsorted(ordered, values) + torch.searchsorted(ordered, values, right=True) - values.shape[1]
