"""PyTorch modules as OpenVINO models, operation by operation.

OpenVINO's own converter is not used: it traces by TorchScript, which PyTorch gives up, and reports its use over the
network. The operations here are those of the networks of this package; any other is refused.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from antiphon.backbones.openvino_import import openvino, ops

Value = Any
"""Output of an OpenVINO node; its types are not published."""


def converted(module: nn.Module, shape: Sequence[int]) -> Value:
    """Convert a module.

    Parameters
    ----------
    module : nn.Module
        Module in evaluation mode: one float32 tensor → sequence of tensors.
    shape : sequence of int
        Shape of the input.

    Returns
    -------
    openvino.Model
        Model with an output for each of the module's. It holds copies of the weights.

    Raises
    ------
    ValueError
        The module needs an operation that is not here.
    """
    traced = fx.symbolic_trace(module)
    entry = ops.parameter(list(shape), np.float32)
    values: dict[fx.Node, Value] = {}
    for node in traced.graph.nodes:
        args, kwargs = (fx.map_arg(given, values.__getitem__) for given in (node.args, node.kwargs))
        if node.op == "placeholder":
            values[node] = entry
        elif node.op == "get_attr":
            values[node] = operator.attrgetter(node.target)(traced)
        elif node.op == "call_module":
            layer = traced.get_submodule(node.target)
            values[node] = _of(_MODULES, type(layer))(layer, *args, **kwargs)
        elif node.op != "output":
            values[node] = _of(_METHODS if node.op == "call_method" else _FUNCTIONS, node.target)(*args, **kwargs)
    results = fx.map_arg(list(traced.graph.nodes)[-1].args[0], values.__getitem__)
    return openvino.Model([ops.result(result) for result in results], [entry], type(module).__name__)


def _of(table: Mapping[Any, Callable[..., Value]], key: Any) -> Callable[..., Value]:
    if key not in table:
        raise ValueError(f"{key} has no counterpart of OpenVINO here.")
    return table[key]


def _array(values: Tensor) -> npt.NDArray[np.float32]:
    return values.detach().cpu().numpy()


def _constant(values: npt.NDArray[Any]) -> Value:
    return ops.constant(np.ascontiguousarray(values, np.float32))


def _per_channel(values: npt.NDArray[Any], node: Value) -> Value:
    """Return a constant that is broadcast along the second axis."""
    return _constant(values.reshape(1, -1, *[1] * (len(node.shape) - 2)))


def _convolution(
    node: Value, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Value:
    kernel = _array(weight)
    rank = kernel.ndim - 2
    strides, pads, dilations = (_each(value, rank) for value in (stride, padding, dilation))
    if groups == 1:
        found = ops.convolution(node, _constant(kernel), strides, pads, pads, dilations)
    else:
        grouped = kernel.reshape(groups, -1, *kernel.shape[1:])
        found = ops.group_convolution(node, _constant(grouped), strides, pads, pads, dilations)
    return found if bias is None else ops.add(found, _per_channel(_array(bias), found))


def _each(value: Any, rank: int) -> list[int]:
    return [value] * rank if isinstance(value, int) else list(value)


def _convolve(module: Any, node: Value) -> Value:
    return _convolution(node, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)


def _normalise(module: Any, node: Value) -> Value:
    mean, variance, weight, bias = (
        _array(values).astype(np.float64)
        for values in (module.running_mean, module.running_var, module.weight, module.bias)
    )
    scale = weight / np.sqrt(variance + module.eps)
    return ops.add(ops.multiply(node, _per_channel(scale, node)), _per_channel(bias - mean * scale, node))


def _linear(module: nn.Linear, node: Value) -> Value:
    product = ops.matmul(node, _constant(_array(module.weight)), transpose_a=False, transpose_b=True)
    return ops.add(product, _constant(_array(module.bias)[None]))


def _pad(node: Value, widths: Sequence[int], mode: str = "constant", value: float | None = None) -> Value:
    """Pad with a value; widths are given from the last axis on."""
    before, after = list(widths[0::2])[::-1], list(widths[1::2])[::-1]
    others = [0] * (len(node.shape) - len(before))
    return ops.pad(node, others + before, others + after, mode, value or 0.0)


def _relu(node: Value, inplace: bool = False) -> Value:
    del inplace  # nodes have no place
    return ops.relu(node)


def _relu6(node: Value, inplace: bool = False) -> Value:
    del inplace
    return ops.clamp(node, 0.0, 6.0)


def _pick(node: Value, places: Any) -> Value:
    """Index with whole axes, None for a new axis, and integers."""
    if not isinstance(node, openvino.Node):
        return node[places]
    axis = 0
    for place in places:
        if place is None:
            node = ops.unsqueeze(node, axis)
        elif isinstance(place, int):
            node = ops.gather(node, np.int64(place), np.int64(axis))
            axis -= 1
        elif place != slice(None):
            raise ValueError("Slices have no counterpart of OpenVINO here.")
        axis += 1
    return node


def _transpose(node: Value, one: int, other: int) -> Value:
    order = list(range(len(node.shape)))
    order[one], order[other] = order[other], order[one]
    return ops.transpose(node, order)


def _cat(nodes: Sequence[Value], dim: int = 0) -> Value:
    return ops.concat(list(nodes), dim)


def _stack(nodes: Sequence[Value], dim: int = 0) -> Value:
    return ops.concat([ops.unsqueeze(node, dim) for node in nodes], dim)


def _flatten(node: Value, start: int) -> Value:
    kept = list(node.shape)[:start]
    return ops.reshape(node, [*kept, -1], special_zero=False)


def _mean(node: Value, dim: Any) -> Value:
    return ops.reduce_mean(node, np.atleast_1d(dim), keep_dims=False)


def _amax(node: Value, dim: Any) -> Value:
    return ops.reduce_max(node, np.atleast_1d(dim), keep_dims=False)


_FUNCTIONS: dict[Any, Callable[..., Value]] = {
    F.conv2d: _convolution,
    F.pad: _pad,
    F.relu6: _relu6,
    torch.cat: _cat,
    torch.stack: _stack,
    operator.add: ops.add,
    operator.getitem: _pick,
}
_METHODS: dict[Any, Callable[..., Value]] = {
    "relu": _relu,
    "relu_": _relu,
    "sigmoid": ops.sigmoid,
    "mean": _mean,
    "amax": _amax,
    "flatten": _flatten,
    "transpose": _transpose,
}
_MODULES: dict[Any, Callable[..., Value]] = {
    nn.Conv1d: _convolve,
    nn.Conv2d: _convolve,
    nn.Conv3d: _convolve,
    nn.BatchNorm1d: _normalise,
    nn.BatchNorm2d: _normalise,
    nn.BatchNorm3d: _normalise,
    nn.ReLU: lambda _module, node: ops.relu(node),
    nn.Linear: _linear,
    nn.Identity: lambda _module, node: node,
}
