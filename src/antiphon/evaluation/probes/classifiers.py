"""The classifiers: the paper's perceptron, a linear one that adds as little as possible of its own, and the fusions."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from antiphon.errors import ConfigError
from antiphon.evaluation.probes.fusion import FUSIONS, Fusion
from antiphon.evaluation.probes.lbfgs import minimised
from antiphon.evaluation.probes.perceptron import PERCEPTRON, perceptron
from antiphon.seeding import derived_seed
from antiphon.training.optimizer import Adam

Kind = Literal["perceptron", "linear", Fusion]
FloatArray = npt.NDArray[np.float32]

_MIN_SPREAD = 1e-6
"""Standard deviations below this, relative to the largest, are rounding of a value that never changes."""


class LinearConfig(BaseModel):
    """Logistic regression with a squared penalty.

    Attributes
    ----------
    penalties : tuple of float
        Strengths from strong to weak, of half the sum of squared weights beside the mean loss of a row; each is fitted
        from where the last one ended, until the validation loss rises.
    iterations : int
        Iterations of L-BFGS for each strength.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalties: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
    iterations: int = Field(default=30, ge=1)


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
        """Return (n, labels) float32 in [0, 1]: softmax over the labels for genre, independent sigmoids for tags."""
        with torch.inference_mode():
            logits = self._network(_standardised(values, self._shift, self._scale)).double()
            found = functional.softmax(logits, dim=1) if self._exclusive else torch.sigmoid(logits)
        return found.float().numpy()


def fit_probe(
    kind: Kind, train: Labelled, validation: Labelled, *, exclusive: bool, seed: int, widths: Sequence[int] = ()
) -> Probe:
    """Fit a classifier on standardised inputs, and keep what has the lowest loss on `validation`.

    Parameters
    ----------
    kind : str
        "perceptron", two hidden layers (512 and 256, ReLU) as in Veldkamp et al. (2023), trained with Adam; "linear",
        logistic regression, which does not depend on the seed; or one of `FUSIONS`, trained as the perceptron is.
    train, validation : Labelled
        Rows to learn from, and rows that stop the training.
    exclusive : bool
        One label a row (softmax over the labels and cross-entropy), or any number (sigmoids and binary cross-entropy,
        the mean over the labels). The published genre classifier takes the softmax over the rows of the batch instead;
        that is not repeated here.
    seed : int
        Seed of the first weights, dropout and batches. The global generators are left as they were.
    widths : sequence of int, optional
        Number of a row's values that are audio, and number that are video; only fusions need it.

    Raises
    ------
    ConfigError
        A fusion without widths, or with others than the rows have.
    """
    shift, scale = _standard(train.values)
    learned, held_out = (
        (_standardised(part.values, shift, scale), _goal(part.matrix, exclusive)) for part in (train, validation)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, "probe"))
        bias = _base_rates(train.matrix, exclusive)
        if kind == "linear":
            network = _fit_linear(learned, held_out, bias)
        else:
            network = _descended(_fresh(kind, train.values.shape[1], widths, bias), learned, held_out)
    return Probe(network, shift, scale, exclusive)


_Part = tuple[Tensor, Tensor]


def _fresh(kind: Literal["perceptron", Fusion], dim: int, widths: Sequence[int], bias: Tensor) -> nn.Module:
    if kind == "perceptron":
        return perceptron(dim, bias, PERCEPTRON)
    if len(widths) != 2 or sum(widths) != dim:
        raise ConfigError(f"widths: {tuple(widths)} for rows of {dim} values; {kind} needs those of audio and video.")
    return FUSIONS[kind]((widths[0], widths[1]), bias, PERCEPTRON)


def _descended(network: nn.Module, train: _Part, validation: _Part) -> nn.Module:
    """Train `network` with Adam, and return it at the epoch of its lowest validation loss."""
    settings = PERCEPTRON
    optimizer = Adam(network.parameters(), settings.learning_rate)
    batch = min(settings.batch_size, math.ceil(len(train[0]) / settings.min_steps))
    best, lowest, waited = copy.deepcopy(network.state_dict()), float("inf"), 0
    for _ in range(settings.epochs):
        network.train()
        for rows in torch.randperm(len(train[0])).split(batch):
            loss = _loss(network(train[0][rows]), train[1][rows])
            optimizer.clear_gradients()
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
    # The loss of tags is a mean over the labels; the penalty of a label must not depend on how many others there are.
    labels = 1 if train[1].ndim == 1 else train[1].shape[1]
    parameters = [network.weight, network.bias]

    def at(point: Tensor) -> tuple[float, Tensor]:
        vector_to_parameters(point, parameters)
        loss = labels * _loss(network(train[0]), train[1]) + penalty / 2 * network.weight.square().sum()
        return loss.item(), parameters_to_vector(torch.autograd.grad(loss, parameters))

    start = parameters_to_vector(parameters).detach().clone()
    vector_to_parameters(minimised(at, start, LINEAR.iterations), parameters)


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
    """Return biases that give each label its frequency: rare labels need not be unlearned first."""
    rates = (matrix.sum(axis=0) + 0.5) / (len(matrix) + 1)
    return torch.from_numpy(np.log(rates if exclusive else rates / (1 - rates)).astype(np.float32))


def _standard(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each column; 1 for columns that never change."""
    spread = values.std(axis=0, dtype=np.float64)
    scale = np.where(spread > _MIN_SPREAD * spread.max(initial=0), spread, 1)
    return values.mean(axis=0, dtype=np.float64).astype(np.float32), scale.astype(np.float32)


def _standardised(values: FloatArray, shift: FloatArray, scale: FloatArray) -> Tensor:
    return torch.from_numpy((values - shift) / scale)
