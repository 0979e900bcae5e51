"""Autoencoders of the features, whose encoders initialise the heads (Veldkamp et al. 2023, experiment 1)."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.model.heads import Head, HeadConfig
from antiphon.model.recipe import AutoencoderConfig
from antiphon.seeding import generator
from antiphon.training.optimizer import Adam


@dataclass(frozen=True)
class Reconstruction:
    """One epoch of an autoencoder's training.

    Losses are the fraction of the features' variance left unexplained: 0 is perfect, 1 is predicting the mean.

    Attributes
    ----------
    side : str
        Modality, "audio" or "video".
    epoch : int
        Number of the epoch; 0 is before training.
    train_loss : float
        Mean over the batches, with dropout; at epoch 0 of all rows, without.
    validation_loss : float
        Loss of the validation rows.
    best : bool
        True where the validation loss is the lowest so far.
    """

    side: str
    epoch: int
    train_loss: float
    validation_loss: float
    best: bool


def initialise(
    head: Head, side: str, config: HeadConfig, settings: AutoencoderConfig, data: Tensor, validation: Tensor, seed: int
) -> list[Reconstruction]:
    """Train a head in place as the encoder of an autoencoder, and keep its best epoch.

    The decoder mirrors the head, without dropout and output activation, and is discarded.

    Parameters
    ----------
    head : Head
        Head to initialise.
    side : str
        Modality, "audio" or "video", for the history and the seed.
    config : HeadConfig
        Layers of the head.
    settings : AutoencoderConfig
        Training of the autoencoder.
    data, validation : Tensor, shape (n, feature_dim)
        Features to reconstruct.
    seed : int
        Seed of the batches.

    Returns
    -------
    list of Reconstruction
        One entry per epoch, from epoch 0.
    """
    decoder = _decoder(head.embedding_dim, data.shape[1], config).to(data.device)
    both = nn.ModuleList([head, decoder])
    mean, deviation = data.mean(dim=0), data.std(dim=0, correction=0)
    varies = deviation > 1e-6

    def loss(rows: Tensor) -> Tensor:
        target = ((rows - mean) / deviation)[:, varies]
        return functional.mse_loss(decoder(head(rows))[:, varies], target)

    def measured(rows: Tensor) -> float:
        both.eval()
        with torch.inference_mode():
            return float(loss(rows))

    optimizer = Adam(both.parameters(), settings.learning_rate)
    shuffler = generator(seed, "autoencoder", side)
    history = [Reconstruction(side, 0, measured(data), measured(validation), best=True)]
    best, lowest, waited = copy.deepcopy(head.state_dict()), history[0].validation_loss, 0
    for number in range(1, settings.epochs + 1):
        both.train()
        losses: list[float] = []
        # Batches of nearly equal size, since batch norm refuses a batch of one row.
        for rows in np.array_split(shuffler.permutation(len(data)), -(-len(data) // settings.batch_size)):
            optimizer.clear_gradients()
            batch = loss(data[rows])
            batch.backward()
            optimizer.step()
            losses.append(batch.item())
        epoch = Reconstruction(side, number, float(np.mean(losses)), measured(validation), best=False)
        waited += 1
        if epoch.validation_loss < lowest:
            best, lowest, waited = copy.deepcopy(head.state_dict()), epoch.validation_loss, 0
        history.append(replace(epoch, best=waited == 0))
        if waited >= settings.patience:
            break
    head.load_state_dict(best)
    return history


def _decoder(embedding_dim: int, feature_dim: int, config: HeadConfig) -> Head:
    """Build the mirror image of a head, without standardisation, dropout and output activation."""
    update = {"hidden": config.hidden[::-1], "embedding_dim": feature_dim, "standardise": False, "output": "none"}
    return Head(embedding_dim, config.model_copy(update=update | {"dropout": 0.0, "input_dropout": 0.0}))
