"""Variables of a TensorFlow 1 checkpoint, read without TensorFlow.

A checkpoint has two files. `.index` is a LevelDB table from the name of each variable to a `BundleEntryProto` (type,
shape, position of its bytes, their CRC-32C); `.data-00000-of-00001` has the bytes. Formats:
tensorflow/core/protobuf/tensor_bundle.proto and leveldb/doc/table_format.md. Nothing in either file is executed.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.checksums import masked_crc32c
from antiphon.errors import WeightsError
from antiphon.protobuf import byte_fields, fields, piece, varint

_MAGIC = 0xDB4775248B80FB57
_FOOTER_SIZE = 48
_MAX_NAME_BYTES = 4096
_DTYPES = {1: np.dtype("<f4"), 3: np.dtype("<i4"), 9: np.dtype("<i8")}


@dataclass(frozen=True)
class Entry:
    """Position and type of a variable in the data file.

    Attributes
    ----------
    dtype : numpy.dtype
        Type of a value.
    shape : tuple of int
        Shape in TensorFlow's order: convolutions are height × width × in × out, dense layers in × out.
    offset, size : int
        First byte in the data file, and number of bytes.
    crc32c : int
        Masked checksum of these bytes.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    offset: int
    size: int
    crc32c: int


def read_index(index: bytes) -> dict[str, Entry]:
    """Read the `.index` file of a checkpoint.

    Parameters
    ----------
    index : bytes
        Content of the file.

    Returns
    -------
    dict of str to Entry
        Entry of each variable by name.

    Raises
    ------
    WeightsError
        The bytes are not a LevelDB table, are damaged, compressed or sharded, or have an unsupported type.
    """
    if len(index) < _FOOTER_SIZE or struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise _damaged("its footer is not that of a LevelDB table")
    found: dict[str, Entry] = {}
    left = len(index)
    try:
        _, at = _handle(index, len(index) - _FOOTER_SIZE)
        (offset, size), _ = _handle(index, at)
        for _, pointer in _block(index, offset, size):
            (offset, size), _ = _handle(pointer, 0)
            left -= size
            if left < 0:
                raise _damaged("its blocks overlap")
            for key, value in _block(index, offset, size):
                if key:  # the unnamed entry describes the bundle, not a variable
                    found[key.decode("utf-8", "replace")] = _entry(value)
    except ValueError as error:
        raise _damaged(str(error)) from error
    return found


def read_variable(entry: Entry, data: bytes) -> npt.NDArray[np.generic]:
    """Read a variable from the data file.

    Parameters
    ----------
    entry : Entry
        Its entry in the index.
    data : bytes
        Content of the data file.

    Returns
    -------
    ndarray
        Copy of the values.

    Raises
    ------
    WeightsError
        The data file is too short, the size does not fit the shape, or the checksum differs.
    """
    try:
        raw = piece(data, entry.offset, entry.size)
    except ValueError as error:
        raise _damaged(str(error)) from error
    if math.prod(entry.shape) * entry.dtype.itemsize != entry.size:
        raise _damaged(f"{entry.size} bytes are stored for the shape {entry.shape}")
    if masked_crc32c(raw) != entry.crc32c:
        raise _damaged("a variable's checksum differs")
    try:
        return np.frombuffer(raw, entry.dtype).reshape(entry.shape).copy()
    except (ValueError, OverflowError) as error:  # An empty variable can have any sizes beside its 0.
        raise _damaged(f"no array has the shape {entry.shape}") from error


def _damaged(what: str) -> WeightsError:
    return WeightsError(f"TensorFlow checkpoint: {what}. The file is damaged or of another format; fetch it again.")


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of one block, in which each key stores only its difference from the previous one."""
    body = piece(index, offset, size + 1)
    (crc,) = struct.unpack("<I", piece(index, offset + size + 1, 4))
    if masked_crc32c(body) != crc:
        raise _damaged("a block's checksum differs")
    if body[-1] != 0:
        raise _damaged("its blocks are compressed, which is not supported")
    (restarts,) = struct.unpack("<I", piece(body, size - 4, 4))
    end, at, key = size - 4 - 4 * restarts, 0, b""
    if end < 0:
        raise _damaged("a block is shorter than its list of restarts")
    while at < end:
        shared, at = varint(body, at)
        rest, at = varint(body, at)
        length, at = varint(body, at)
        key = piece(key, 0, shared) + piece(body, at, rest)
        if len(key) > _MAX_NAME_BYTES:
            raise _damaged(f"a name has more than {_MAX_NAME_BYTES:,} bytes")
        yield key, piece(body, at + rest, length)
        at += rest + length


def _entry(message: bytes) -> Entry:
    """Parse BundleEntryProto {1: type, 2: shape, 3: shard, 4: offset, 5: size, 6: fixed-size CRC-32C, 7: slices}."""
    found = dict(fields(message))
    number = {key: value for key, value in found.items() if isinstance(value, int)}
    raw = {key: value for key, value in found.items() if isinstance(value, bytes)}
    dtype = _DTYPES.get(number.get(1, 0))
    if dtype is None:
        raise _damaged(f"a variable of the unknown type {number.get(1, 0)}")
    if number.get(3, 0) != 0 or 7 in found:
        raise _damaged("its variables are spread over several files, which is not supported")
    crc32c = int.from_bytes(raw.get(6, b""), "little")
    return Entry(dtype, _shape(raw.get(2, b"")), number.get(4, 0), number.get(5, 0), crc32c)


def _shape(message: bytes) -> tuple[int, ...]:
    sizes: list[int] = []
    for dimension in byte_fields(message, 2):
        size = dict(fields(dimension)).get(1, 0)
        sizes.append(size if isinstance(size, int) else 0)
    return tuple(sizes)
