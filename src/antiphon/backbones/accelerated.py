"""Networks in less than full float32, for a GPU: batch norms folded, channels last, compiled once that pays."""

import copy
import warnings
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from antiphon.backbones.arithmetic import Precision
from antiphon.backbones.inference import exact_arithmetic

COMPILE_AFTER = 1_000
"""Batches after which a network is compiled: that takes about a minute, which a run of fewer batches does not."""
_COMPILER = "inductor"
_Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
_BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


class Accelerated:
    """A copy of a network in another precision.

    Parameters
    ----------
    network : nn.Module
        Network in evaluation mode: float32 tensor → sequence of tensors.
    precision : {'tf32', 'bfloat16'}
        Precision of products and sums; with bfloat16, of weights and of what lies between layers too.
    """

    def __init__(self, network: nn.Module, precision: Precision) -> None:
        self._dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._network = channels_last(folded(copy.deepcopy(network))).to(self._dtype)
        self._run: Any = self._network
        self._tf32 = precision == "tf32"
        self._batches = 0

    def __call__(self, batches: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
        """Run batches of one shape.

        Parameters
        ----------
        batches : sequence of Tensor
            Float32, on the network's device.

        Returns
        -------
        list of tuple of Tensor
            Float32 outputs of each.
        """
        with exact_arithmetic(tf32=self._tf32):
            return [tuple(values.float() for values in self._computed(batch.to(self._dtype))) for batch in batches]

    def _computed(self, batch: Tensor) -> Sequence[Tensor]:
        self._batches += 1
        if self._batches == COMPILE_AFTER + 1:
            try:
                compiled = torch.compile(self._network, backend=_COMPILER, dynamic=False)
                found = compiled(batch)
            except Exception as error:  # noqa: BLE001 - whatever a compiler raises that is missing or too old
                warnings.warn(
                    f"The network cannot be compiled here ({type(error).__name__}), so it runs as it is, at about half "
                    "the speed. PyTorch needs Triton and a C compiler for that.",
                    UserWarning,
                    stacklevel=2,
                )
            else:
                self._run = compiled
                return found
        return self._run(batch)


def folded(network: nn.Module) -> nn.Module:
    """Fold batch norms into the convolutions right before them, in place.

    Parameters
    ----------
    network : nn.Module
        Network in evaluation mode; convolutions and batch norms that follow each other in a `Sequential` are folded.

    Returns
    -------
    nn.Module
        The same network, with `Identity` in place of what was folded.
    """
    for parent in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for place in range(len(parent) - 1):
            owner, name = _last_layer(parent, place)
            layer, norm = getattr(owner, name), parent[place + 1]
            if isinstance(layer, _Convolution) and isinstance(norm, _BatchNorm):
                setattr(owner, name, fuse_conv_bn_eval(cast(Any, layer), cast(Any, norm)))
                parent[place + 1] = nn.Identity()
    return network


def _last_layer(parent: nn.Sequential, place: int) -> tuple[nn.Sequential, str]:
    """Return where the last layer of a module stands, which may be made of several: its parent and its name there."""
    module = parent[place]
    return (
        _last_layer(module, len(module) - 1)
        if isinstance(module, nn.Sequential) and len(module)
        else (parent, str(place))
    )


def channels_last(network: nn.Module) -> nn.Module:
    """Lay the weights of convolutions out with channels last, which tensor cores take without copies, in place.

    Parameters
    ----------
    network : nn.Module
        Network.

    Returns
    -------
    nn.Module
        The same network.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            layout = torch.channels_last if isinstance(module, nn.Conv2d) else torch.channels_last_3d
            module.weight.data = module.weight.data.contiguous(memory_format=layout)
    return network
