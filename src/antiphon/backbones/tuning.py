"""Backbones whose last blocks can be trained on: how they give gradients, and how what was tuned is told apart.

A network stays in evaluation mode while it is tuned: its batch norms keep the statistics of the pretraining, because
those of a small batch of music videos would change what the frozen blocks hand on. Where batch norms are folded into
the convolutions (EfficientNet), the folded convolutions are what is tuned.
"""

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from antiphon.backbones.base import TUNED_MARK, AudioBackbone, VideoBackbone
from antiphon.backbones.weights import Tensors, tensors_fingerprint
from antiphon.errors import ConfigError, WeightsError

Block = tuple[nn.Module, ...]
"""Modules that are frozen or trained together."""
_BASE = "backbone.fingerprint"


class TunableAudio(AudioBackbone):
    """An audio backbone that gives gradients."""

    device: torch.device

    @abstractmethod
    def blocks(self) -> list[Block]:
        """The blocks that the feature depends on, from the input to the output."""

    @abstractmethod
    def differentiable(self, inputs: Tensor) -> Tensor:
        """(n, samples) float32 waveforms at `rate_hz`, on `device` → (n, dim) features, as `__call__` gives."""


class TunableVideo(VideoBackbone):
    """A video backbone that gives gradients."""

    device: torch.device

    @abstractmethod
    def blocks(self) -> list[Block]:
        """The blocks that the feature depends on, from the input to the output."""

    @abstractmethod
    def differentiable(self, inputs: Tensor) -> Tensor:
        """(n, frames, 3, size_px, size_px) float32 in [0, 255], on `device` → (n, dim) features, as `__call__` gives.

        Frames are those of the backbone's layout: thinned out already.
        """


Tunable = TunableAudio | TunableVideo


def unfreeze(backbone: Tunable, count: int) -> list[nn.Parameter]:
    """Let the last `count` blocks be trained, and return their parameters; all before them stay frozen.

    Raises
    ------
    ConfigError
        The backbone has fewer blocks.
    """
    blocks = backbone.blocks()
    if not 1 <= count <= len(blocks):
        raise ConfigError(f"{backbone.name} has {len(blocks)} blocks: the last 1 to {len(blocks)} can be tuned.")
    for number, block in enumerate(blocks):
        for module in block:
            module.requires_grad_(number >= len(blocks) - count)
    return [parameter for parameter in _parameters(backbone).values() if parameter.requires_grad]


def tuned_tensors(backbone: Tunable) -> Tensors:
    """Copies of the parameters that `unfreeze` let be trained, by block, module of the block, and name there."""
    return {
        name: parameter.detach().cpu().numpy().copy()
        for name, parameter in _parameters(backbone).items()
        if parameter.requires_grad
    }


def apply_tuning(backbone: Tunable, tensors: Tensors) -> None:
    """Put tuned parameters into a backbone, which gets a name and a fingerprint of its own, and freeze it.

    The name is the backbone's with "+tuned-" and eight digits of the fingerprint, so that features of one tuning
    never pass for those of another.

    Raises
    ------
    WeightsError
        They are of another network, or not finite.
    """
    put_tensors(backbone, tensors)
    for parameter in _parameters(backbone).values():
        parameter.requires_grad_(False)
    base = np.frombuffer(backbone.fingerprint.encode(), np.uint8)
    backbone.fingerprint = tensors_fingerprint(tensors | {_BASE: base})
    backbone.name = f"{backbone.name}{TUNED_MARK}{backbone.fingerprint[:8]}"


def put_tensors(backbone: Tunable, tensors: Tensors) -> None:
    """Give parameters, named as `tuned_tensors` does, these values; nothing else changes.

    Raises
    ------
    WeightsError
        They are of another network, or not finite. Nothing is changed then.
    """
    own = _parameters(backbone)
    for name, values in tensors.items():
        if name not in own or own[name].shape != values.shape:
            raise WeightsError(f"{backbone.name}: has no parameter {name} of shape {values.shape}; of another network.")
        if not np.isfinite(values).all():
            raise WeightsError(f"{backbone.name}: the tuned parameter {name} holds values that are not finite.")
    with torch.no_grad():
        for name, values in tensors.items():
            own[name].copy_(torch.from_numpy(values))


def _parameters(backbone: Tunable) -> dict[str, nn.Parameter]:
    return {
        f"block{number}.{place}.{name}": parameter
        for number, block in enumerate(backbone.blocks())
        for place, module in enumerate(block)
        for name, parameter in module.named_parameters()
    }
