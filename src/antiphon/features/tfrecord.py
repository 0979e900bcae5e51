"""YouTube-8M's video-level shards: TFRecord files of tf.train.Example messages, read without TensorFlow.

Format: github.com/google/youtube-8m and the protocol-buffer wire format. A record is a length (uint64, little endian),
a checksum of the length, the message, and a checksum of the message.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from antiphon.errors import FeatureStoreError
from antiphon.protobuf import byte_fields, fields, signed, varints

Example = dict[str, list[bytes] | np.ndarray]

_MAX_BYTES = 1 << 28


def read_examples(path: Path) -> Iterator[Example]:
    """Read the features of each record.

    Parameters
    ----------
    path : Path
        TFRecord file.

    Yields
    ------
    dict of str to list of bytes or ndarray
        Features by name; arrays are float32 or int64.

    Raises
    ------
    FeatureStoreError
        The file is missing, truncated, or not a TFRecord of examples.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while header := file.read(12):
                number += 1
                length = struct.unpack("<Q", header[:8])[0] if len(header) == 12 else _MAX_BYTES
                body = file.read(length + 4) if length < _MAX_BYTES else b""
                if len(body) != length + 4:
                    raise FeatureStoreError(f"{path}: record {number} is truncated, or this is not a TFRecord file.")
                yield _example(body[:-4], f"{path}: record {number}")
    except OSError as error:
        raise FeatureStoreError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _example(message: bytes, where: str) -> Example:
    """Parse tf.train.Example {1: Features {1: map<string, Feature>}}."""
    try:
        result: Example = {}
        for features in byte_fields(message, 1):
            for entry in byte_fields(features, 1):
                name = byte_fields(entry, 1)[-1].decode()
                result[name] = _feature(b"".join(byte_fields(entry, 2)))
        return result
    except (IndexError, ValueError) as error:
        raise FeatureStoreError(f"{where} is not a tf.train.Example message ({error}).") from error


def _feature(message: bytes) -> list[bytes] | np.ndarray:
    """Parse Feature {1: BytesList, 2: FloatList, 3: Int64List}, each {1: repeated values}, packed or not."""
    for kind, values in fields(message):
        if isinstance(values, int):
            raise ValueError("expected a list of values, found a number")
        if kind == 1:
            return byte_fields(values, 1)
        if kind == 2:
            return np.frombuffer(b"".join(byte_fields(values, 1)), dtype="<f4")
        lists = (
            [value] if isinstance(value, int) else varints(value) for number, value in fields(values) if number == 1
        )
        return np.array([signed(value) for numbers in lists for value in numbers], dtype=np.int64)
    return []
