"""Training by several processes: each embeds its part of every batch, and all compute the loss of the whole batch.

Under torchrun (`python -m torch.distributed.run --nproc_per_node 2 -m antiphon train`) every process holds all features
and the same heads. The embeddings of the parts are gathered with their gradients, every process computes the loss of
the whole batch, and the mean of the heads' gradients is that of a single process. Only the first process writes.
Without torchrun all of this does nothing.

Each process has a dropout of its own, so results differ from those of one process; without dropout they are equal but
for rounding.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed, nn

from antiphon.backbones.inference import resolve_device


@contextmanager
def processes() -> Generator[bool]:
    """Join the processes started by torchrun, if any; see `backend`.

    Yields
    ------
    bool
        True in the first (or only) process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        yield process_rank() == 0
        return
    chosen = backend()
    if "nccl" in chosen:
        torch.cuda.set_device(resolve_device("cuda"))
    distributed.init_process_group(chosen)
    try:
        yield process_rank() == 0
        distributed.barrier()  # one that leaves early takes connections along that the others still use
    finally:
        distributed.destroy_process_group()


def backend() -> str:
    """Choose what the processes talk over: NCCL between GPUs, gloo without, or where some would have to share one.

    All machines must be alike, since each chooses by its own GPUs.

    Returns
    -------
    str
        Name for `torch.distributed.init_process_group`.
    """
    own_gpus = torch.cuda.is_available() and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return "cpu:gloo,cuda:nccl" if own_gpus and distributed.is_nccl_available() else "gloo"


def process_rank() -> int:
    """Return the number of this process.

    Returns
    -------
    int
        Number from 0.
    """
    return distributed.get_rank() if distributed.is_initialized() else 0


def process_count() -> int:
    """Return the number of processes that train together.

    Returns
    -------
    int
        At least 1.
    """
    return distributed.get_world_size() if distributed.is_initialized() else 1


def own_part(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Select the rows of a batch that this process embeds.

    Parameters
    ----------
    rows : ndarray of int64, shape (batch,)
        Rows of the batch.

    Returns
    -------
    ndarray of int64, shape (own,)
        Consecutive rows; sizes differ by at most one between processes.
    """
    return np.array_split(rows, process_count())[process_rank()]


def gathered(part: Tensor, total: int) -> Tensor:
    """Gather the embeddings of a whole batch from the parts of all processes, with gradients.

    In the backward pass a part gets the sum of the gradients of all processes. These are identical, so that it is their
    number times the gradient of a single process; `average_gradients` divides by it.

    Parameters
    ----------
    part : Tensor, shape (own, dim)
        Embeddings of this process's rows; see `own_part`.
    total : int
        Rows of the whole batch.

    Returns
    -------
    Tensor, shape (total, dim)
        The same in all processes.
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
    """Replace each gradient by its mean over the processes.

    Parameters
    ----------
    parameters : iterable of Parameter
        Parameters; those without a gradient are skipped.
    """
    if process_count() == 1:
        return
    for parameter in parameters:
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= process_count()


def agreed(value: float) -> float:
    """Return the first process's value in all processes, so that rounding cannot let one stop while another continues.

    Parameters
    ----------
    value : float
        This process's value.

    Returns
    -------
    float
        The first process's value.
    """
    if process_count() == 1:
        return value
    shared = torch.tensor(value, dtype=torch.float64)
    distributed.broadcast(shared, src=0)
    return float(shared)
