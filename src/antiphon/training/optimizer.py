"""Adam and AdamW with the recipe's learning rates, by torch's functions instead of its optimizer objects.

An object of `torch.optim` imports torch's compiler when it is made. That takes seconds, more than training on a few
hundred pairs, and nothing here is compiled. The arithmetic is the same to the last bit.
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw

from antiphon.model.recipe import TrainingConfig

_BETAS, _EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam at a constant learning rate, for what no recipe describes: probes, autoencoders and fine-tuning.

    Parameters
    ----------
    parameters : iterable of Parameter
        Parameters to train; those without gradients are left as they are.
    learning_rate : float
        Learning rate.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        self._learning_rate = learning_rate
        self._states = [_State(parameter, on_device=False) for parameter in parameters if parameter.requires_grad]

    def clear_gradients(self) -> None:
        """Forget the gradients of all parameters."""
        for state in self._states:
            state.parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take a step along the gradients of the parameters that have any."""
        _update(adam, self._states, fused=None, learning_rate=self._learning_rate, weight_decay=0.0)


class Optimizer:
    """Optimizer of a training, with its schedule. Weight decay applies to matrices only.

    Parameters
    ----------
    settings : TrainingConfig
        Optimizer, learning rate, weight decay and schedule.
    parameters : iterable of Parameter
        Parameters to train; those without gradients are left as they are.
    epochs : int
        Epochs over which a cosine schedule falls to 0.

    Attributes
    ----------
    learning_rate : float
        Learning rate of the next step.
    """

    def __init__(self, settings: TrainingConfig, parameters: Iterable[nn.Parameter], epochs: int) -> None:
        self._settings = settings
        self._epochs, self._done = epochs, 0
        self.learning_rate = settings.learning_rate
        # One pass over the parameters instead of ten. Adam is the paper's, and keeps its last digits.
        self._fused = True if settings.optimizer == "adamw" else None
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        matrices = [parameter for parameter in trained if parameter.ndim > 1]
        others = [parameter for parameter in trained if parameter.ndim <= 1]
        self._groups = [
            (settings.weight_decay, [_State(parameter, on_device=bool(self._fused)) for parameter in matrices]),
            (0.0, [_State(parameter, on_device=bool(self._fused)) for parameter in others]),
        ]

    @torch.no_grad()
    def step(self) -> None:
        """Take a step along the gradients of the parameters that have any."""
        update = adamw if self._settings.optimizer == "adamw" else adam
        for weight_decay, states in self._groups:
            _update(update, states, fused=self._fused, learning_rate=self.learning_rate, weight_decay=weight_decay)

    def end_epoch(self) -> None:
        """Change the learning rate as the schedule says."""
        self._done += 1
        if self._settings.schedule_not_stepped:
            return
        if self._settings.schedule == "cosine":
            progress = math.pi * self._done / self._epochs
            self.learning_rate = self._settings.learning_rate * (1 + math.cos(progress)) / 2
        else:
            self.learning_rate *= self._settings.learning_rate_decay


class _State:
    """A parameter with running means of its gradient and of the gradient's square."""

    def __init__(self, parameter: nn.Parameter, *, on_device: bool) -> None:
        self.parameter = parameter
        self.mean: Tensor = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        self.square: Tensor = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        self.taken: Tensor = torch.zeros((), dtype=torch.float32, device=parameter.device if on_device else None)


def _update(
    update: Callable[..., None],
    states: Iterable[_State],
    *,
    fused: bool | None,
    learning_rate: float,
    weight_decay: float,
) -> None:
    moving = [state for state in states if state.parameter.grad is not None]
    update(
        [state.parameter for state in moving],
        [state.parameter.grad for state in moving],
        [state.mean for state in moving],
        [state.square for state in moving],
        [],
        [state.taken for state in moving],
        fused=fused,
        amsgrad=False,
        beta1=_BETAS[0],
        beta2=_BETAS[1],
        lr=learning_rate,
        weight_decay=weight_decay,
        eps=_EPSILON,
        maximize=False,
    )
