"""Gradients of a large batch's loss by embedding it in parts, so that only a part's activations stand in memory."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

Part = TypeVar("Part")


def cached_backward(
    embed: Callable[[Part], tuple[Tensor, ...]],
    parts: Sequence[Part],
    loss: Callable[..., Tensor],
) -> Tensor:
    """Add to `.grad` what `loss(*embed(whole batch)).backward()` would add.

    The parts are embedded without a graph; the loss's gradients in the embeddings are kept; then each part is embedded
    once more, with the same random numbers (so that dropout drops the same values), and its gradients flow on. A layer
    that looks at the whole batch, such as batch norm, gives other values in parts.

    Parameters
    ----------
    embed : a part of the batch → its embeddings, (part, dim) each.
    parts : of the batch, in order.
    loss : takes the whole batch's embeddings, as many as `embed` gives; what else it depends on has its gradients from
        this one call.

    Returns
    -------
    The loss, a scalar without a graph.

    Source: Gao et al. (2021), "Scaling deep contrastive learning batch size under memory limited setup" (GradCache).

    Examples
    --------
    >>> head = torch.nn.Linear(3, 2)
    >>> whole = torch.randn(10, 3)
    >>> head(whole).square().sum().backward()
    >>> expected, head.weight.grad = head.weight.grad, None
    >>> _ = cached_backward(lambda part: (head(part),), whole.split(4), lambda rows: rows.square().sum())
    >>> bool(torch.allclose(head.weight.grad, expected, rtol=1e-4))
    True
    """
    states: list[_RandomState] = []
    embedded: list[tuple[Tensor, ...]] = []
    with torch.no_grad():
        for part in parts:
            states.append(_RandomState())
            embedded.append(embed(part))
    leaves = [torch.cat(side).requires_grad_() for side in zip(*embedded, strict=True)]
    value = loss(*leaves)
    value.backward()
    after = _RandomState()
    sizes = [len(sides[0]) for sides in embedded]
    gradients = zip(*(_gradient(leaf).split(sizes) for leaf in leaves), strict=True)
    for part, state, wanted in zip(parts, states, gradients, strict=True):
        state.restore()
        torch.autograd.backward(embed(part), wanted)
    after.restore()
    return value.detach()


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


class _RandomState:
    """Where the global generators stand, of the processor and of the current GPU where one is in use."""

    def __init__(self) -> None:
        self._processor = torch.get_rng_state()
        self._gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None

    def restore(self) -> None:
        """Set them back."""
        torch.set_rng_state(self._processor)
        if self._gpu is not None:
            torch.cuda.set_rng_state(self._gpu)
