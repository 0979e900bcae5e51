"""Training objective: the recipe's loss, with labels and artists of the pairs where the recipe uses them."""

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
    """Compute the recipe's loss with one positive per row and all others as negatives.

    Chance levels and lower bounds are those of this loss, so histories record it whatever else is trained.

    Parameters
    ----------
    config : LossConfig
        Loss of the recipe.
    towers : Towers
        Towers, for temperature and bias.
    audio, video : Tensor, shape (n, dim)
        Unit rows; row i of both is one pair.

    Returns
    -------
    Tensor
        Scalar loss.
    """
    return contrastive_loss(config.name, audio, video, towers.temperature, towers.bias, config.chunk_size)


class RowMetadata(Protocol):
    """Metadata of training rows: (n,) artists, and the labels of each row."""

    @property
    def artists(self) -> npt.NDArray[np.str_]:
        """(n,) keys of artists, joined by unit separators; "" where unknown."""
        ...

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """Labels of each row."""
        ...


class Objective:
    """Loss of a batch of embeddings, given the artists and labels of its rows.

    Parameters
    ----------
    config : LossConfig
        Loss, and which pairs count.
    data : RowMetadata
        Metadata of all training rows.

    Raises
    ------
    ModelError
        `label_weight` is positive and no row has labels.
    """

    def __init__(self, config: LossConfig, data: RowMetadata) -> None:
        if config.label_weight and not any(data.labels):
            raise ModelError(
                f"loss.label_weight is {config.label_weight:g}, but no row of the features has a label. "
                "Add labels (tags of the catalogue), or train with label_weight = 0."
            )
        self._config = config
        self._data = data

    def __call__(
        self, towers: Towers, audio: Tensor, video: Tensor, rows: npt.NDArray[np.int64]
    ) -> tuple[Tensor, Tensor]:
        """Return the objective of a batch and its plain loss; they are equal where the recipe adds nothing."""
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
