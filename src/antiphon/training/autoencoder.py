"""Autoencoders of the features, whose encoders the heads start from (Veldkamp et al. 2023, experiment 1)."""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.model.heads import Head, HeadConfig
from antiphon.model.recipe import AutoencoderConfig
from antiphon.seeding import generator


@dataclass(frozen=True)
class Reconstruction:
    """One epoch of an autoencoder's training.

    Losses are the share of the feature's variance that is not rebuilt: 0 is perfect, 1 what the mean of all scores.
    Epoch 0 is before training; from then on `train_loss` is the mean over the batches, with dropout.
    """

    side: str
    epoch: int
    train_loss: float
    validation_loss: float
    best: bool


def initialise(
    head: Head, side: str, config: HeadConfig, settings: AutoencoderConfig, data: Tensor, validation: Tensor, seed: int
) -> list[Reconstruction]:
    """Train `head` as the encoder of an autoencoder, in place; it is left as it was in the best epoch.

    The decoder is the head in a mirror, without dropout and output activation, and is thrown away.

    Parameters
    ----------
    side : "audio" or "video", for the history and the seed.
    data, validation : (n, feature_dim) features to rebuild.
    """
    width = data.shape[1]
    mirrored = {
        "hidden": config.hidden[::-1],
        "embedding_dim": width,
        "output": "none",
        "dropout": 0.0,
        "input_dropout": 0.0,
    }
    decoder = Head(head.embedding_dim, config.model_copy(update=mirrored | {"standardise": False})).to(data.device)
    both = nn.ModuleList([head, decoder])
    mean, deviation = data.mean(dim=0), data.std(dim=0, correction=0)
    varies = deviation > 1e-6

    def loss(rows: Tensor) -> Tensor:
        wanted = ((rows - mean) / deviation)[:, varies]
        return functional.mse_loss(decoder(head(rows))[:, varies], wanted)

    def measured(rows: Tensor) -> float:
        both.eval()
        with torch.inference_mode():
            return float(loss(rows))

    optimizer = torch.optim.Adam(both.parameters(), lr=settings.learning_rate)
    shuffler = generator(seed, "autoencoder", side)
    history = [Reconstruction(side, 0, measured(data), measured(validation), best=True)]
    best, lowest, waited = copy.deepcopy(head.state_dict()), history[0].validation_loss, 0
    for number in range(1, settings.epochs + 1):
        both.train()
        losses: list[float] = []
        for rows in _dealt(len(data), settings.batch_size, shuffler):
            optimizer.zero_grad(set_to_none=True)
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


def _dealt(count: int, size: int, shuffler: np.random.Generator) -> list[np.ndarray]:
    """All rows in batches of nearly one size: batch norm refuses a batch of a single row."""
    return np.array_split(shuffler.permutation(count), -(-count // size))
