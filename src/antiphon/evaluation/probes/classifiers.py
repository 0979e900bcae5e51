"""The classifiers: a perceptron as in the paper, and a linear one that adds as little as possible of its own."""

import copy
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from antiphon.seeding import derived_seed

Kind = Literal["perceptron", "linear"]
FloatArray = npt.NDArray[np.float32]

_SMALLEST_SPREAD = 1e-6
"""Standard deviations below this, relative to the largest, are rounding of a value that never changes."""


class PerceptronConfig(BaseModel):
    """The perceptron and its training.

    Attributes
    ----------
    hidden : widths of the hidden layers; the paper's are 512 and 256.
    input_dropout, dropout : shares of the inputs and of each hidden layer that are dropped in training.
    learning_rate : of Adam.
    batch_size : rows in a batch; fewer where an epoch would have less than `least_steps` steps.
    least_steps : batches in an epoch at the least.
    epochs : at the most.
    patience : epochs without a lower validation loss before training stops; the best epoch is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: tuple[int, ...] = (512, 256)
    input_dropout: float = Field(default=0.2, ge=0, lt=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    learning_rate: float = Field(default=0.002, gt=0)
    batch_size: int = Field(default=512, ge=1)
    least_steps: int = Field(default=8, ge=1)
    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=2, ge=1)


class LinearConfig(BaseModel):
    """Logistic regression with a squared penalty.

    Attributes
    ----------
    penalties : strengths from strong to weak, of half the sum of squared weights beside the mean loss of a row; each
        is fitted from where the last one ended, until the validation loss rises.
    iterations : of L-BFGS for each strength.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalties: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
    iterations: int = Field(default=30, ge=1)


PERCEPTRON = PerceptronConfig()
LINEAR = LinearConfig()


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows to learn from: (n, dim) values, (n, labels) whether the row has the label."""

    values: FloatArray
    matrix: npt.NDArray[np.bool_]


class Probe:
    """A fitted classifier: vectors in, probabilities out."""

    def __init__(self, network: nn.Module, shift: FloatArray, scale: FloatArray, exclusive: bool) -> None:
        self._network = network
        self._shift = shift
        self._scale = scale
        self._exclusive = exclusive

    def scores(self, values: FloatArray) -> FloatArray:
        """(n, labels) float32 in [0, 1]: softmax over the labels for genre, independent sigmoids for tags."""
        with torch.inference_mode():
            logits = self._network(_standardised(values, self._shift, self._scale)).double()
            found = functional.softmax(logits, dim=1) if self._exclusive else torch.sigmoid(logits)
        return found.float().numpy()


def fit_probe(kind: Kind, train: Labelled, validation: Labelled, *, exclusive: bool, seed: int) -> Probe:
    """Fit a classifier on standardised inputs, and keep what has the lowest loss on `validation`.

    Parameters
    ----------
    kind : "perceptron", two hidden layers (512 and 256, ReLU) as in Veldkamp et al. (2023), trained with Adam; or
        "linear", logistic regression, which does not depend on the seed.
    exclusive : one label a row (softmax over the labels and cross-entropy), or any number (sigmoids and binary
        cross-entropy, the mean over the labels). The published genre classifier takes the softmax over the rows of the
        batch instead; that is not repeated here.
    seed : of the first weights, dropout and batches. The global generators are left as they were.
    """
    shift, scale = _standard(train.values)
    learned, held_out = (
        (_standardised(part.values, shift, scale), _goal(part.matrix, exclusive)) for part in (train, validation)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "probe"))
        fit = _fit_perceptron if kind == "perceptron" else _fit_linear
        network = fit(learned, held_out, _base_rates(train.matrix, exclusive))
    return Probe(network, shift, scale, exclusive)


_Part = tuple[Tensor, Tensor]


def _fit_perceptron(train: _Part, validation: _Part, bias: Tensor) -> nn.Module:
    settings = PERCEPTRON
    network = _perceptron(train[0].shape[1], bias, settings)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    batch = min(settings.batch_size, math.ceil(len(train[0]) / settings.least_steps))
    best, lowest, waited = copy.deepcopy(network.state_dict()), float("inf"), 0
    for _ in range(settings.epochs):
        network.train()
        for rows in torch.randperm(len(train[0])).split(batch):
            loss = _loss(network(train[0][rows]), train[1][rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        network.eval()
        reached = _validation_loss(network, validation)
        if reached < lowest:
            best, lowest, waited = copy.deepcopy(network.state_dict()), reached, 0
        else:
            waited += 1
            if waited >= settings.patience:
                break
    network.load_state_dict(best)
    return network.eval()


def _fit_linear(train: _Part, validation: _Part, bias: Tensor) -> nn.Module:
    network = nn.Linear(train[0].shape[1], len(bias))
    nn.init.zeros_(network.weight)
    network.bias.data.copy_(bias)
    best, lowest = copy.deepcopy(network.state_dict()), _validation_loss(network, validation)
    for penalty in LINEAR.penalties:
        _minimise(network, train, penalty)
        reached = _validation_loss(network, validation)
        if not reached < lowest:
            break
        best, lowest = copy.deepcopy(network.state_dict()), reached
    network.load_state_dict(best)
    return network.eval()


def _minimise(network: nn.Linear, train: _Part, penalty: float) -> None:
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=LINEAR.iterations, line_search_fn="strong_wolfe")
    # The loss of tags is a mean over the labels; the penalty of a label must not depend on how many others there are.
    labels = 1 if train[1].ndim == 1 else train[1].shape[1]

    def closure() -> float:
        optimizer.zero_grad()
        loss = labels * _loss(network(train[0]), train[1]) + penalty / 2 * network.weight.square().sum()
        loss.backward()
        return loss.item()

    optimizer.step(closure)


def _perceptron(dim: int, bias: Tensor, settings: PerceptronConfig) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Dropout(settings.input_dropout)]
    for width in settings.hidden:
        layers += [nn.Linear(dim, width), nn.ReLU(), nn.Dropout(settings.dropout)]
        dim = width
    last = nn.Linear(dim, len(bias))
    last.bias.data.copy_(bias)
    return nn.Sequential(*layers, last)


def _loss(logits: Tensor, goal: Tensor) -> Tensor:
    if goal.ndim == 1:
        return functional.cross_entropy(logits, goal)
    return functional.binary_cross_entropy_with_logits(logits, goal)


def _validation_loss(network: nn.Module, validation: _Part) -> float:
    with torch.inference_mode():
        return float(_loss(network(validation[0]), validation[1]))


def _goal(matrix: npt.NDArray[np.bool_], exclusive: bool) -> Tensor:
    return torch.from_numpy(matrix.argmax(axis=1) if exclusive else matrix.astype(np.float32))


def _base_rates(matrix: npt.NDArray[np.bool_], exclusive: bool) -> Tensor:
    """Biases that give each label its frequency: rare labels need not be unlearned first."""
    rates = (matrix.sum(axis=0) + 0.5) / (len(matrix) + 1)
    return torch.from_numpy(np.log(rates if exclusive else rates / (1 - rates)).astype(np.float32))


def _standard(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each column; 1 for columns that never change."""
    spread = values.std(axis=0, dtype=np.float64)
    scale = np.where(spread > _SMALLEST_SPREAD * spread.max(initial=0), spread, 1)
    return values.mean(axis=0, dtype=np.float64).astype(np.float32), scale.astype(np.float32)


def _standardised(values: FloatArray, shift: FloatArray, scale: FloatArray) -> Tensor:
    return torch.from_numpy((values - shift) / scale)
