"""Vectors in NumPy's file format, from anyone: nothing is unpickled, and nothing is allocated that is not there.

Source: numpy.lib.format.
"""

import io
import math
from tokenize import TokenError

import numpy as np
import numpy.typing as npt

from antiphon.errors import FeatureStoreError

_MAX_HEADER = 10_000
_KINDS = "fiu"
_EXHAUSTED = (RecursionError, MemoryError)


def read_npy(content: bytes, where: str) -> npt.NDArray[np.float32]:
    """Read the numbers of a .npy file.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        What it is, for messages.

    Returns
    -------
    ndarray of float32
        Its values, of one or two axes.

    Raises
    ------
    FeatureStoreError
        It is no .npy file, is damaged, holds Python objects or no numbers, or has another number of axes.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, kind = read(file, max_header_size=_MAX_HEADER)
    except (LookupError, ValueError, TypeError, SyntaxError, TokenError, ArithmeticError, *_EXHAUSTED) as error:
        raise FeatureStoreError(f"{where}: is no .npy file, or is damaged ({_first_line(error)}).") from error
    if kind.hasobject or kind.kind not in _KINDS:
        raise FeatureStoreError(f"{where}: holds {kind}, no numbers. Save vectors with numpy.save as floats.")
    if len(shape) not in (1, 2) or not all(type(axis) is int and axis >= 0 for axis in shape):
        raise FeatureStoreError(f"{where}: has the shape {str(shape)[:80]}; vectors have one or two axes.")
    data = content[file.tell() :]
    if len(data) != math.prod(shape) * kind.itemsize:
        raise FeatureStoreError(f"{where}: is cut short, or damaged: {len(data):,} bytes for a shape of {shape}.")
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            values = np.frombuffer(data, kind).reshape(shape, order="F" if in_columns else "C")
        except ValueError as error:  # an axis of 0 beside one that no array has
            raise FeatureStoreError(f"{where}: has the shape {str(shape)[:80]}, which no array has.") from error
        return np.ascontiguousarray(values, dtype=np.float32)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
