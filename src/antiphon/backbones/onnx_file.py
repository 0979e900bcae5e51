"""Weights in an ONNX file, read without its library: the float32 tensors that its graph is given.

Source: onnx.proto of github.com/onnx/onnx. Bytes are untrusted.
"""

import math

import numpy as np
import numpy.typing as npt

from antiphon.backbones.weights import Tensors
from antiphon.errors import WeightsError
from antiphon.protobuf import byte_fields, fields, varints

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9
_FLOAT32 = 1


def read_floats(model: bytes) -> Tensors:
    """Read the float32 tensors of a model.

    Parameters
    ----------
    model : bytes
        Content of the ONNX file.

    Returns
    -------
    dict of str to ndarray of float32
        Tensors by name, in the file's order.

    Raises
    ------
    WeightsError
        It is not an ONNX file, or is damaged.
    """
    found: Tensors = {}
    try:
        for graph in byte_fields(model, _GRAPH):
            for tensor in byte_fields(graph, _INITIALIZER):
                name, values = _tensor(tensor)
                if values is not None:
                    found[name] = values
    except ValueError as error:
        raise WeightsError(f"The ONNX file is damaged ({error}). Delete it, and fetch it again.") from error
    if not found:
        raise WeightsError("The file is no ONNX file with weights. Delete it, and fetch it again.")
    return found


def _tensor(message: bytes) -> tuple[str, npt.NDArray[np.float32] | None]:
    """Return name and values; None for values of another type."""
    shape, name, kind, raw = list[int](), "", 0, b""
    for number, value in fields(message):
        if number == _DIMS:
            shape += [value] if isinstance(value, int) else varints(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number in (_FLOATS, _RAW) and isinstance(value, bytes):
            raw += value
        elif number == _NAME and isinstance(value, bytes):
            name = value.decode("utf-8", "replace")
    if kind != _FLOAT32:
        return name, None
    if len(raw) != 4 * math.prod(shape):
        raise ValueError(f"{name} has {len(raw):,} bytes for a shape of {shape}")
    return name, np.frombuffer(raw, "<f4").reshape(shape).copy()
