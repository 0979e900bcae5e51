"""One training by several processes: each embeds its part of every batch, and all see all pairs.

Started by torchrun, `python -m torch.distributed.run --nproc_per_node 2 -m antiphon train`, every process holds all
features and the same heads. The parts' embeddings are gathered with their gradients; every process computes the whole
batch's loss; the mean of the heads' gradients is what one process alone would have. Only the first process writes.
Without torchrun all of this does nothing.

With dropout each process draws its own, so that a training by several is not, number for number, the training by one;
without dropout it is, but for rounding.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed, nn


@contextmanager
def processes() -> Generator[bool]:
    """Join the processes that torchrun started, where it did. Yields whether this one is the first (or the only one).

    They speak over gloo, which needs no GPU.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        yield process_rank() == 0
        return
    distributed.init_process_group("gloo")
    try:
        yield process_rank() == 0
    finally:
        distributed.destroy_process_group()


def process_rank() -> int:
    """The number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def process_count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def own_part(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The part of a batch's rows that this process embeds; the parts' sizes differ by one at most."""
    return np.array_split(rows, process_count())[process_rank()]


def gathered(part: Tensor, total: int) -> Tensor:
    """The embeddings of a whole batch from every process's part, with gradients.

    Parameters
    ----------
    part : (own, dim) this process's, of the rows of `own_part`.
    total : rows of the whole batch.

    Returns
    -------
    (total, dim), the same in all processes. Backwards a part has the sum of the gradients that all processes found for
    it; all finding the same, that is their number times what one alone would find, and `average_gradients` takes it
    back.
    """
    if process_count() == 1:
        return part
    whole: Tensor = _Gather.apply(part, total)  # pyright: ignore[reportAssignmentType]
    return whole


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Tensor, total: int) -> Tensor:
        ctx.rows = torch.from_numpy(own_part(np.arange(total)))
        whole = part.new_zeros(total, part.shape[1])
        whole[ctx.rows] = part
        distributed.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total[ctx.rows], None


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes."""
    if process_count() == 1:
        return
    for parameter in parameters:
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= process_count()


def agreed(value: float) -> float:
    """The first process's value, in all processes: rounding must not let one stop where another goes on."""
    if process_count() == 1:
        return value
    shared = torch.tensor(value, dtype=torch.float64)
    distributed.broadcast(shared, src=0)
    return float(shared)
