"""The musicnn network of Pons and Serra (2019, https://arxiv.org/abs/1909.06654) in PyTorch.

Log-mel patches → timbral and temporal convolutions → three densely connected layers → max and mean over time → two
dense layers. Each convolution is followed by ReLU and then batch norm, the reverse of the common order.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from antiphon.backbones.weights import Tensors
from antiphon.errors import WeightsError

TIMBRAL_FILTERS, TEMPORAL_FILTERS, MIDDLE_FILTERS = 204, 51, 64
TIMBRAL_BANDS = (38, 67)
TEMPORAL_FRAMES = (128, 64, 32)
FRONT = 2 * TIMBRAL_FILTERS + 3 * TEMPORAL_FILTERS
POOLED = FRONT + 3 * MIDDLE_FILTERS
PENULTIMATE = 200
TAGS = 50
EPS = 1e-3
"""TensorFlow 1's default for batch normalisation."""


class Activations(NamedTuple):
    """Outputs of the network.

    Attributes
    ----------
    logits : Tensor, shape (p, 50)
        Tags before the sigmoid.
    max_pool, mean_pool : Tensor, shape (p, 753)
        Maximum and mean over time.
    penultimate : Tensor, shape (p, 200)
        Layer before the tags.
    """

    logits: Tensor
    max_pool: Tensor
    mean_pool: Tensor
    penultimate: Tensor


def _same(frames: Tensor, kernel: int) -> Tensor:
    """Pad the last axis like TensorFlow's "same": the odd zero goes to the end."""
    return F.pad(frames, ((kernel - 1) // 2, kernel // 2))


class _BandPooled(nn.Module):
    """Convolution over (time, bands), ReLU, batch norm, maximum over the bands."""

    def __init__(self, filters: int, frames: int, bands: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, filters, (frames, bands))
        self.norm = nn.BatchNorm2d(filters, EPS)

    def forward(self, patches: Tensor) -> Tensor:
        """(n, frames, 96) → (n, filters, frames)."""
        padded = _same(patches.transpose(1, 2), self.conv.kernel_size[0]).transpose(1, 2)
        return self.norm(self.conv(padded[:, None]).relu()).amax(3)


class _Layer(nn.Module):
    """Convolution over time, ReLU, batch norm.

    The input is one plane (time, channels), not channels over time, so that sums run in the original's order and the
    largest pooled values, which float32 rounds by several 1e-4, match within 1e-4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, MIDDLE_FILTERS, (7, channels))
        self.norm = nn.BatchNorm1d(MIDDLE_FILTERS, EPS)

    def forward(self, values: Tensor) -> Tensor:
        """(n, channels, frames) → (n, 64, frames)."""
        plane = _same(values, 7).transpose(1, 2)[:, None]
        return self.norm(self.conv(plane)[:, :, :, 0].relu())


class MusicnnNetwork(nn.Module):
    """Log-mel patches (n, 187, 96) → `Activations`; for inference, and fine-tuning with frozen batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, EPS)
        self.timbral = nn.ModuleList(_BandPooled(TIMBRAL_FILTERS, 7, bands) for bands in TIMBRAL_BANDS)
        self.temporal = nn.ModuleList(_BandPooled(TEMPORAL_FILTERS, frames, 1) for frames in TEMPORAL_FRAMES)
        self.middle = nn.ModuleList(_Layer(channels) for channels in (FRONT, MIDDLE_FILTERS, MIDDLE_FILTERS))
        self.pool_norm = nn.BatchNorm1d(2 * POOLED, EPS)
        self.hidden = nn.Linear(2 * POOLED, PENULTIMATE)
        self.hidden_norm = nn.BatchNorm1d(PENULTIMATE, EPS)
        self.tags = nn.Linear(PENULTIMATE, TAGS)

    def forward(self, log_mel: Tensor) -> Activations:
        patches = self.input_norm(log_mel[:, None])[:, 0]
        front = torch.cat([block(patches) for block in (*self.timbral, *self.temporal)], 1)
        first = self.middle[0](front)
        second = first + self.middle[1](first)
        third = second + self.middle[2](second)
        stacked = torch.cat([front, first, second, third], 1)
        max_pool, mean_pool = stacked.amax(2), stacked.mean(2)
        hidden = self.hidden(self.pool_norm(interleaved(max_pool, mean_pool))).relu()
        penultimate = self.hidden_norm(hidden)
        return Activations(self.tags(penultimate), max_pool, mean_pool, penultimate)


def interleaved(max_pool: Tensor, mean_pool: Tensor) -> Tensor:
    """Interleave two matrices as max₀, mean₀, max₁, mean₁, …, as the network flattens them.

    Parameters
    ----------
    max_pool, mean_pool : Tensor, shape (p, 753)
        Pooled values.

    Returns
    -------
    Tensor, shape (p, 1506)
        Interleaved values.
    """
    return torch.stack([max_pool, mean_pool], 2).flatten(1)


_CONVOLUTIONS = ("timbral.0", "timbral.1", "temporal.0", "temporal.1", "temporal.2", "middle.0", "middle.1", "middle.2")
_NORMS = (
    "input_norm",
    *(f"{layer}.norm" for layer in _CONVOLUTIONS),
    "pool_norm",
    "hidden_norm",
)
_NORM_PARTS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def from_tensorflow(variables: Mapping[str, npt.NDArray[np.float32]]) -> Tensors:
    """Convert the variables of a TensorFlow checkpoint.

    Parameters
    ----------
    variables : mapping of str to ndarray of float32
        Variables by name.

    Returns
    -------
    Tensors
        Weights of a `MusicnnNetwork`.

    Raises
    ------
    WeightsError
        A variable is missing.
    """
    state: Tensors = {}
    try:
        for number, layer in enumerate(_CONVOLUTIONS):
            name = _numbered("conv2d", number)
            kernel = variables[f"{name}/kernel"].transpose(3, 2, 0, 1)  # filters × 1 × time × bands
            state[f"{layer}.conv.weight"] = np.ascontiguousarray(kernel)
            state[f"{layer}.conv.bias"] = variables[f"{name}/bias"]
        for number, layer in enumerate(_NORMS):
            name = _numbered("batch_normalization", number)
            state |= {f"{layer}.{ours}": variables[f"{name}/{theirs}"] for ours, theirs in _NORM_PARTS.items()}
            state[f"{layer}.num_batches_tracked"] = np.zeros((), np.int64)
        for number, layer in enumerate(("hidden", "tags")):
            name = _numbered("dense", number)
            state[f"{layer}.weight"] = np.ascontiguousarray(variables[f"{name}/kernel"].T)
            state[f"{layer}.bias"] = variables[f"{name}/bias"]
    except KeyError as error:
        raise WeightsError(f"The checkpoint lacks the variable {error}, so it is not musicnn's.") from error
    return state


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name
