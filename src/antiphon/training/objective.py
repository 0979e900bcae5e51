"""What one step of the training makes smaller: the recipe's loss, with all that it knows about the batch's pairs."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from antiphon.model.losses import LossConfig, contrastive_loss, structure
from antiphon.model.losses.pairs import label_targets, same_artist
from antiphon.model.towers import Towers
from antiphon.training.data import TrainingData


def plain_loss(config: LossConfig, towers: Towers, audio: Tensor, video: Tensor) -> Tensor:
    """The recipe's loss where each sound has one positive and all other pictures are negatives.

    Chance and lower bounds are those of this loss, so that histories hold it whatever else is trained.
    """
    return contrastive_loss(config.name, audio, video, towers.temperature, towers.bias, config.chunk_size)


class Objective:
    """The loss of a batch of embeddings, of which it knows the features, artists and labels.

    Parameters
    ----------
    config : the loss, and which pairs count.
    data : all rows to train on. Similarities within a modality are cosines of features less the mean of all.
    """

    def __init__(self, config: LossConfig, data: TrainingData) -> None:
        self._config = config
        self._data = data
        self._means = data.audio.mean(dim=0), data.video.mean(dim=0)
        weights = (config.label_weight, config.structure_weight)
        self._adds_nothing = not any(weights) and not config.exclude_same_artist

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
        if self._adds_nothing:
            loss = plain_loss(config, towers, audio, video)
            return loss, loss.detach()
        with torch.no_grad():
            plain = plain_loss(config, towers, audio, video)
            targets, excluded = self._targets(rows), self._excluded(rows)
        of = (config.name, audio, video, towers.temperature, towers.bias, config.chunk_size)
        loss = contrastive_loss(*of, targets=targets, excluded=excluded)
        if config.structure_weight:
            features = self._centred(rows)
            kept = structure(features[0], audio) + structure(features[1], video)
            loss = loss + config.structure_weight * kept
        return loss, plain

    def _centred(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        audio, video = (
            functional.normalize(side[rows] - mean, dim=1)
            for side, mean in zip((self._data.audio, self._data.video), self._means, strict=True)
        )
        return audio, video

    def _targets(self, rows: npt.NDArray[np.int64]) -> Tensor | None:
        weight = self._config.label_weight
        if not weight:
            return None
        shared = label_targets([self._data.labels[row] for row in rows])
        return ((1 - weight) * torch.eye(len(rows)) + weight * shared).to(self._data.audio.device)

    def _excluded(self, rows: npt.NDArray[np.int64]) -> Tensor | None:
        if not self._config.exclude_same_artist:
            return None
        return same_artist(self._data.artists[rows]).to(self._data.audio.device)
