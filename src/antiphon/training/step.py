"""Gradients of one batch, in parts and across processes where requested."""

import numpy as np
import numpy.typing as npt
from torch import Tensor

from antiphon.errors import DivergedError
from antiphon.model.towers import Towers
from antiphon.training import distributed
from antiphon.training.cached_gradients import cached_backward
from antiphon.training.data import TrainingData
from antiphon.training.objective import Objective


def set_gradients(
    towers: Towers,
    objective: Objective,
    data: TrainingData,
    rows: npt.NDArray[np.int64],
    embed_batch_size: int | None,
) -> float:
    """Set the gradients of the towers to those of the objective on a batch.

    Parameters
    ----------
    towers : Towers
        Towers to train.
    objective : Objective
        Objective to minimise.
    data : TrainingData
        All training rows.
    rows : ndarray of int64, shape (b,)
        Rows of the batch; the same in all processes.
    embed_batch_size : int or None
        Rows to embed at a time; None for all at once.

    Returns
    -------
    float
        Plain loss of the batch.

    Raises
    ------
    DivergedError
        The objective is not finite.
    """
    towers.zero_grad(set_to_none=True)
    plain: list[float] = []

    def embed(part: npt.NDArray[np.int64]) -> tuple[Tensor, ...]:
        return towers(data.audio[rows[part]], data.video[rows[part]])

    def loss(*embedded: Tensor) -> Tensor:
        audio, video = (distributed.gathered(side, len(rows)) for side in embedded)
        value, measured = objective(towers, audio, video, rows)
        if not value.isfinite():
            raise DivergedError("Training diverged: the loss is not finite. Lower the recipe's learning_rate.")
        plain.append(float(measured))
        return value

    own = distributed.own_part(np.arange(len(rows)))
    if embed_batch_size is None:
        loss(*embed(own)).backward()
    else:
        parts = [own[first : first + embed_batch_size] for first in range(0, max(len(own), 1), embed_batch_size)]
        cached_backward(embed, parts, loss)
    distributed.average_gradients(towers.parameters())
    return plain[0]
