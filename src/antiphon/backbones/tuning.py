"""Backbones whose last blocks can be fine-tuned: gradients, and names that tell tunings apart.

A network stays in evaluation mode while it is tuned: batch norms keep the statistics of pretraining, because those of a
small batch of music videos would change the outputs of the frozen blocks. Where batch norms are folded into
convolutions (EfficientNet), the folded convolutions are tuned.
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
    """Audio backbone with gradients.

    Attributes
    ----------
    device : torch.device
        Device of the network.
    """

    device: torch.device

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Return the blocks that the feature depends on.

        Returns
        -------
        list of tuple of nn.Module
            Blocks from input to output.
        """

    @abstractmethod
    def differentiable(self, inputs: Tensor) -> Tensor:
        """Compute features with gradients.

        Parameters
        ----------
        inputs : Tensor, shape (n, samples)
            Float32 waveforms at `rate_hz`, on `device`.

        Returns
        -------
        Tensor, shape (n, dim)
            Features, as `__call__` computes them.
        """


class TunableVideo(VideoBackbone):
    """Video backbone with gradients.

    Attributes
    ----------
    device : torch.device
        Device of the network.
    """

    device: torch.device

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Return the blocks that the feature depends on.

        Returns
        -------
        list of tuple of nn.Module
            Blocks from input to output.
        """

    @abstractmethod
    def differentiable(self, inputs: Tensor) -> Tensor:
        """Compute features with gradients.

        Parameters
        ----------
        inputs : Tensor, shape (n, frames, 3, size_px, size_px)
            Frames of the backbone's layout as float32 in [0, 255], on `device`.

        Returns
        -------
        Tensor, shape (n, dim)
            Features, as `__call__` computes them.
        """


Tunable = TunableAudio | TunableVideo


def unfreeze(backbone: Tunable, count: int) -> list[nn.Parameter]:
    """Unfreeze the last blocks of a backbone.

    Parameters
    ----------
    backbone : Tunable
        Backbone to tune.
    count : int
        Number of blocks to unfreeze; all others stay frozen.

    Returns
    -------
    list of nn.Parameter
        Parameters of these blocks.

    Raises
    ------
    ConfigError
        The backbone has fewer blocks.
    """
    blocks = backbone.blocks()
    if not 1 <= count <= len(blocks):
        raise ConfigError(f"{backbone.name} has {len(blocks)} blocks; the number to tune must be 1 to {len(blocks)}.")
    for number, block in enumerate(blocks):
        for module in block:
            module.requires_grad_(number >= len(blocks) - count)
    return [parameter for parameter in _parameters(backbone).values() if parameter.requires_grad]


def tuned_tensors(backbone: Tunable) -> Tensors:
    """Copy the unfrozen parameters of a backbone.

    Parameters
    ----------
    backbone : Tunable
        Backbone that is tuned.

    Returns
    -------
    Tensors
        Values by block, module of the block, and name of the parameter.
    """
    return {
        name: parameter.detach().cpu().numpy().copy()
        for name, parameter in _parameters(backbone).items()
        if parameter.requires_grad
    }


def apply_tuning(backbone: Tunable, tensors: Tensors) -> None:
    """Put tuned parameters into a backbone, freeze it, and change its name and fingerprint.

    The name gets "+tuned-" and eight digits of the fingerprint, so that features of different tunings are never mixed.

    Parameters
    ----------
    backbone : Tunable
        Untuned backbone; it is changed in place.
    tensors : Tensors
        Tuned parameters; see `tuned_tensors`.

    Raises
    ------
    WeightsError
        The parameters belong to another network, or are not finite.
    """
    put_tensors(backbone, tensors)
    for parameter in _parameters(backbone).values():
        parameter.requires_grad_(False)
    base = np.frombuffer(backbone.fingerprint.encode(), np.uint8)
    backbone.fingerprint = tensors_fingerprint(tensors | {_BASE: base})
    backbone.name = f"{backbone.name}{TUNED_MARK}{backbone.fingerprint[:8]}"


def put_tensors(backbone: Tunable, tensors: Tensors) -> None:
    """Set parameters of a backbone.

    Parameters
    ----------
    backbone : Tunable
        Backbone to change in place.
    tensors : Tensors
        Values by name; see `tuned_tensors`.

    Raises
    ------
    WeightsError
        The parameters belong to another network, or are not finite. Nothing is changed then.
    """
    own = _parameters(backbone)
    for name, values in tensors.items():
        if name not in own or own[name].shape != values.shape:
            raise WeightsError(
                f"{backbone.name}: has no parameter {name} of shape {values.shape}; it belongs to another network."
            )
        if not np.isfinite(values).all():
            raise WeightsError(f"{backbone.name}: the tuned parameter {name} has values that are not finite.")
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
