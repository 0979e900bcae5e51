"""ONNX files, written without their library.

Source: onnx.proto of github.com/onnx/onnx, whose field numbers are used here; operators are those of opset 17.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.protobuf import field
from antiphon.tables import atomic_path

OPSET, IR_VERSION = 17, 8
_FLOAT, _INT64 = 1, 7
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 1, 2, 3, 7

Attribute = int | float | str | Sequence[int]
Name = str
"""Name of a value in the graph."""


class OnnxGraph:
    """Graph that grows operation by operation, with one float32 input and one output.

    Parameters
    ----------
    name : str
        Name of the graph.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._count = 0

    def constant(self, values: npt.ArrayLike) -> Name:
        """Add a constant tensor.

        Parameters
        ----------
        values : array_like
            Whole numbers become int64, all others float32.

        Returns
        -------
        str
            Name of the value.
        """
        given = np.asarray(values)
        kind, stored = (_INT64, "<i8") if given.dtype.kind in "iu" else (_FLOAT, "<f4")
        array = given.astype(stored)
        name = self._next("constant")
        dims = b"".join(field(1, int(size)) for size in array.shape)
        self._constants.append(dims + field(2, kind) + field(8, name) + field(9, array.tobytes()))
        return name

    def apply(self, operator: str, *inputs: Name, outputs: int = 1, **attributes: Attribute) -> Name:
        """Add an operation, and return its first output.

        Parameters
        ----------
        operator : str
            ONNX operator, such as "MatMul".
        *inputs : str
            Names of its inputs.
        outputs : int, default 1
            Number of its outputs.
        **attributes : int, float, str or sequence of int
            Its attributes.

        Returns
        -------
        str
            Name of the first output.
        """
        name = self._next(operator.lower())
        named = [name, *(f"{name}_{place}" for place in range(1, outputs))]
        message = b"".join(field(1, value) for value in inputs) + b"".join(field(2, value) for value in named)
        message += field(3, name) + field(4, operator)
        self._nodes.append(message + b"".join(field(5, _attribute(key, value)) for key, value in attributes.items()))
        return name

    def model(
        self,
        entry: tuple[Name, Sequence[int | str]],
        result: tuple[Name, Name, Sequence[int | str]],
        about: Mapping[str, str],
    ) -> bytes:
        """Return the whole model.

        Parameters
        ----------
        entry : (str, sequence of int or str)
            Name of the input and its shape; a text names an axis of any size.
        result : (str, str, sequence of int or str)
            Value that is the output, the output's name, and its shape.
        about : mapping of str to str
            Metadata of the model; "version" is the producer's.

        Returns
        -------
        bytes
            Content of the ONNX file.
        """
        value, name, shape = result
        last = field(1, value) + field(2, name) + field(4, "Identity")
        graph = b"".join(field(1, node) for node in [*self._nodes, last]) + field(2, self._name)
        graph += b"".join(field(5, constant) for constant in self._constants)
        graph += field(11, _value_info(*entry)) + field(12, _value_info(name, shape))
        message = field(1, IR_VERSION) + field(2, "antiphon") + field(3, about.get("version", "")) + field(7, graph)
        message += field(8, field(1, "") + field(2, OPSET))
        return message + b"".join(field(14, field(1, key) + field(2, text)) for key, text in about.items())

    def _next(self, kind: str) -> Name:
        self._count += 1
        return f"{kind}_{self._count}"


def write_model(content: bytes, path: Path) -> None:
    """Write a model to a file, atomically.

    Parameters
    ----------
    content : bytes
        The model.
    path : Path
        File to write.

    Raises
    ------
    StorageError
        The disk is full, failing or read-only.
    """
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, _ATTRIBUTE_INT)
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, _ATTRIBUTE_FLOAT)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, _ATTRIBUTE_STRING)
    return field(1, name) + b"".join(field(8, int(one)) for one in value) + field(20, _ATTRIBUTE_INTS)


def _value_info(name: str, shape: Sequence[int | str]) -> bytes:
    axes = b"".join(field(1, field(2, axis) if isinstance(axis, str) else field(1, axis)) for axis in shape)
    return field(1, name) + field(2, field(1, field(1, _FLOAT) + field(2, axes)))
