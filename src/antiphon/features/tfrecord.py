"""YouTube-8M's video-level shards: TFRecord files of tf.train.Example messages, read without TensorFlow.

Format: github.com/google/youtube-8m and the protocol-buffer wire format. A record is a length (uint64, little endian),
a checksum of the length, the message, and a checksum of the message.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from antiphon.errors import FeatureStoreError

Example = dict[str, list[bytes] | np.ndarray]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_BYTES = 1 << 28


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the features of each record: name → list of bytes, float32 array, or int64 array.

    Raises
    ------
    FeatureStoreError
        The file is missing, cut short, or not a TFRecord of examples.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while header := file.read(12):
                number += 1
                length = struct.unpack("<Q", header[:8])[0] if len(header) == 12 else _MOST_BYTES
                body = file.read(length + 4) if length < _MOST_BYTES else b""
                if len(body) != length + 4:
                    raise FeatureStoreError(f"{path}: record {number} is cut short or this is not a TFRecord file.")
                yield _example(body[:-4], f"{path}: record {number}")
    except OSError as error:
        raise FeatureStoreError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _example(message: bytes, where: str) -> Example:
    """tf.train.Example {1: Features {1: map<string, Feature>}}."""
    try:
        result: Example = {}
        for _, features in _fields(message, 1):
            for _, entry in _fields(features, 1):
                parts = dict(_fields(entry))
                result[parts[1].decode()] = _feature(parts.get(2, b""))
        return result
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise FeatureStoreError(f"{where} is not a tf.train.Example message ({error}).") from error


def _feature(message: bytes) -> list[bytes] | np.ndarray:
    """Feature {1: BytesList, 2: FloatList, 3: Int64List}, each {1: repeated values}."""
    for kind, values in _fields(message):
        if kind == 1:
            return [value for _, value in _fields(values, 1)]
        if kind == 2:
            return np.frombuffer(b"".join(value for _, value in _fields(values, 1)), dtype="<f4")
        return np.array([number for _, value in _fields(values, 1) for number in _varints(value)], dtype=np.int64)
    return []


def _fields(message: bytes, only: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Field numbers and raw values of a message, packed or not."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        wire = key & 7
        if wire == _BYTES:
            length, place = _varint(message, place)
        elif wire == _VARINT:
            length = _varint(message, place)[1] - place
        elif wire in {_FIXED32, _FIXED64}:
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if place + length > len(message):
            raise ValueError("a field reaches past the end")
        if only is None or key >> 3 == only:
            yield key >> 3, message[place : place + length]
        place += length


def _varints(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        value, place = _varint(data, place)
        yield value - (1 << 64) if value >> 63 else value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
