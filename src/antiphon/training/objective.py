"""What one step of the training makes smaller: the recipe's loss, with all that it knows about the batch's pairs."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from antiphon.errors import ModelError
from antiphon.model.losses import LossConfig, contrastive_loss
from antiphon.model.losses.scores import label_targets, same_artist
from antiphon.model.towers import Towers


def plain_loss(config: LossConfig, towers: Towers, audio: Tensor, video: Tensor) -> Tensor:
    """The recipe's loss where each sound has one positive and all other pictures are negatives.

    Chance and lower bounds are those of this loss, so that histories hold it whatever else is trained.
    """
    return contrastive_loss(config.name, audio, video, towers.temperature, towers.bias, config.chunk_size)


class Described(Protocol):
    """What an objective knows of the rows to train on: (n,) artists, and the labels of each row."""

    @property
    def artists(self) -> npt.NDArray[np.str_]: ...

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]: ...


class Objective:
    """The loss of a batch of embeddings, of which it knows the artists and labels.

    Parameters
    ----------
    config : the loss, and which pairs count.
    data : all rows to train on.

    Raises
    ------
    ModelError
        Labels are to count, and no row has any.
    """

    def __init__(self, config: LossConfig, data: Described) -> None:
        if config.label_weight and not any(data.labels):
            raise ModelError(
                f"loss.label_weight is {config.label_weight:g}, and none of these features has a label. "
                "Give them labels (tags of the catalogue), or train with label_weight = 0."
            )
        self._config = config
        self._data = data

    def __call__(
        self, towers: Towers, audio: Tensor, video: Tensor, rows: npt.NDArray[np.int64]
    ) -> tuple[Tensor, Tensor]:
        """What is to be made smaller, and the plain loss; one and the same where the recipe adds nothing.

        Parameters
        ----------
        audio, video : (b, dim) embeddings of the batch.
        rows : (b,) which rows of the data they are.
        """
        config = self._config
        targets, excluded = self._targets(rows, audio.device), self._excluded(rows, audio.device)
        if targets is None and excluded is None:
            loss = plain_loss(config, towers, audio, video)
            return loss, loss.detach()
        with torch.no_grad():
            plain = plain_loss(config, towers, audio, video)
        of = (config.name, audio, video, towers.temperature, towers.bias, config.chunk_size)
        return contrastive_loss(*of, targets=targets, excluded=excluded), plain

    def _targets(self, rows: npt.NDArray[np.int64], device: torch.device) -> Tensor | None:
        weight = self._config.label_weight
        if not weight:
            return None
        shared = label_targets([self._data.labels[row] for row in rows])
        return ((1 - weight) * torch.eye(len(rows)) + weight * shared).to(device)

    def _excluded(self, rows: npt.NDArray[np.int64], device: torch.device) -> Tensor | None:
        if not self._config.exclude_same_artist:
            return None
        return same_artist(self._data.artists[rows]).to(device)
