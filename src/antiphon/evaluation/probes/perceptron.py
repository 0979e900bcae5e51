"""The paper's perceptron, of which the fusing networks take over all but the first layer."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class PerceptronConfig(BaseModel):
    """The perceptron and its training.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers; the paper's are 512 and 256.
    input_dropout, dropout : float
        Shares of the inputs and of each hidden layer that are dropped in training.
    learning_rate : float
        Learning rate of Adam.
    batch_size : int
        Rows in a batch; fewer where an epoch would have less than `min_steps` steps.
    min_steps : int
        Minimum number of batches in an epoch.
    epochs : int
        Maximum number of epochs.
    patience : int
        Epochs without a lower validation loss before training stops; the best epoch is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: tuple[int, ...] = (512, 256)
    input_dropout: float = Field(default=0.2, ge=0, lt=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    learning_rate: float = Field(default=0.002, gt=0)
    batch_size: int = Field(default=512, ge=1)
    min_steps: int = Field(default=8, ge=1)
    epochs: int = Field(default=100, ge=1)
    patience: int = Field(default=2, ge=1)


PERCEPTRON = PerceptronConfig()


def perceptron(dim: int, bias: Tensor, settings: PerceptronConfig) -> nn.Sequential:
    """Return a network from (n, dim) inputs to (n, labels) logits, whose last biases are the given (labels,) `bias`."""
    return nn.Sequential(nn.Dropout(settings.input_dropout), *_layers(dim, settings.hidden, bias, settings.dropout))


def rest_of_perceptron(bias: Tensor, settings: PerceptronConfig) -> nn.Sequential:
    """Return what follows the first hidden layer and its activation: (n, hidden[0]) → (n, labels) logits."""
    first, *others = settings.hidden
    return nn.Sequential(nn.Dropout(settings.dropout), *_layers(first, others, bias, settings.dropout))


def _layers(dim: int, hidden: Sequence[int], bias: Tensor, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(dim, width), nn.ReLU(), nn.Dropout(dropout)]
        dim = width
    last = nn.Linear(dim, len(bias))
    last.bias.data.copy_(bias)
    return [*layers, last]
