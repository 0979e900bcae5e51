"""Gradients of a large batch's loss, embedding it in parts so that only one part's activations are in memory."""

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

    The parts are embedded without a graph, and the gradients of the loss with respect to the embeddings are kept; then
    each part is embedded again with the same random numbers, so that dropout drops the same values, and backpropagates
    its gradients. Layers that depend on the whole batch, such as batch norm, differ from one pass.

    Parameters
    ----------
    embed : callable
        Maps a part of the batch to its embeddings, (part, dim) each.
    parts : sequence of Part
        Parts of the batch in order.
    loss : callable
        Maps the embeddings of the whole batch, as many as `embed` returns, to a scalar. Other parameters that it
        depends on get their gradients from this one call.

    Returns
    -------
    Tensor
        Scalar loss, without a graph.

    References
    ----------
    Gao et al. (2021), "Scaling deep contrastive learning batch size under memory limited setup" (GradCache).

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
    """State of the global random generators, of the CPU and of the current GPU where one is in use."""

    def __init__(self) -> None:
        self._processor = torch.get_rng_state()
        self._gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None

    def restore(self) -> None:
        """Restore the state."""
        torch.set_rng_state(self._processor)
        if self._gpu is not None:
            torch.cuda.set_rng_state(self._gpu)
