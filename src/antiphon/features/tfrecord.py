"""YouTube-8M's video-level shards: TFRecord files of tf.train.Example messages, read without TensorFlow.

Format: github.com/google/youtube-8m and the protocol-buffer wire format. A record is a length (uint64, little endian),
a checksum of the length, the message, and a checksum of the message. Files may be compressed with gzip or zlib.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from antiphon.checksums import masked_crc32c
from antiphon.documents import refuse_no_file
from antiphon.errors import FeatureStoreError
from antiphon.protobuf import byte_fields, fields, signed, varints

Example = dict[str, list[bytes] | np.ndarray]

_NAME = re.compile(r"(\.tfrec(ords?)?|\.gz|-\d{5}-of-\d{5})$", re.IGNORECASE)
_MAX_BYTES = 1 << 24
"""Size of the largest record; those of YouTube-8M's videos have about 5,000 bytes, those of their frames 350,000."""
_MAX_RATIO = 100
_BLOCK = 1 << 20
_COMPRESSED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_GZIP_OR_ZLIB = 47
"""Value of zlib's `wbits` that tells both by their first bytes."""


def is_shard(path: Path) -> bool:
    """Whether a file is named as TFRecords are: .tfrecord, .tfrecords, -00000-of-00010, or .gz.

    Parameters
    ----------
    path : Path
        Name of the file.

    Returns
    -------
    bool
        True if it is.

    Examples
    --------
    >>> [is_shard(Path(name)) for name in ("a.tfrecord", "train-00000-of-00010", "b.tfrecords.gz", "c.parquet")]
    [True, True, True, False]
    """
    return _NAME.search(path.name) is not None


def read_examples(path: Path) -> Iterator[Example]:
    """Read the features of each record, after comparing its checksums.

    Parameters
    ----------
    path : Path
        TFRecord file, as it is or compressed with gzip or zlib.

    Yields
    ------
    dict of str to list of bytes or ndarray
        Features by name; arrays are float32 or int64.

    Raises
    ------
    FeatureStoreError
        The file is missing, truncated, damaged, or not a TFRecord of examples.
    """
    try:
        refuse_no_file(path)
        with path.open("rb") as raw:
            file = _opened(raw, path)
            number = 0
            while header := file.read(12):
                number += 1
                yield _example(_message(file, header, f"{path}: record {number}"), f"{path}: record {number}")
    except (OSError, EOFError, zlib.error) as error:
        raise FeatureStoreError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _message(file: "IO[bytes] | _Inflated", header: bytes, where: str) -> bytes:
    """Read the message that follows the header of a record."""
    if len(header) == 12:
        length, length_crc = struct.unpack("<QI", header)
        if masked_crc32c(header[:8]) == length_crc:
            if length > _MAX_BYTES:
                raise FeatureStoreError(f"{where} has {length:,} bytes, more than the maximum of {_MAX_BYTES:,}.")
            body = file.read(length + 4)
            if len(body) < length + 4:
                raise FeatureStoreError(f"{where} is truncated. Download the file again.")
            if masked_crc32c(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
                raise FeatureStoreError(f"{where} is damaged: its checksum does not match. Download the file again.")
            return body[:-4]
    raise FeatureStoreError(
        f"{where} is damaged or truncated (the checksum of its length does not match), or this is not a TFRecord file."
    )


def _opened(raw: IO[bytes], path: Path) -> "IO[bytes] | _Inflated":
    """Return the content of a file, unpacked if it is compressed, which its first bytes tell, not its name."""
    start = raw.read(12)
    raw.seek(0)
    plain = len(start) == 12 and masked_crc32c(start[:8]) == struct.unpack("<I", start[8:])[0]
    return _Inflated(raw, path) if not plain and start[:2] in _COMPRESSED else raw


class _Inflated:
    """Unpacked content of a compressed file, a block at a time."""

    def __init__(self, packed: IO[bytes], path: Path) -> None:
        self._packed, self._path = packed, path
        self._left = _MAX_RATIO * path.stat().st_size + _MAX_BYTES
        self._unpacked = bytearray()
        self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._started = False

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end."""
        while len(self._unpacked) < size and (more := self._more()):
            self._unpacked += more
            self._left -= len(more)
            if self._left < 0:
                raise FeatureStoreError(f"{self._path}: unpacks to over {_MAX_RATIO} times its size, as no shard does.")
        found = bytes(self._unpacked[:size])
        del self._unpacked[:size]
        return found

    def _more(self) -> bytes:
        """Unpack a block; b"" at the end."""
        while True:
            if self._unpacker.eof:  # Of one member; files can be joined.
                rest = self._unpacker.unused_data
                self._unpacker, self._started = zlib.decompressobj(_GZIP_OR_ZLIB), False
            else:
                rest = self._unpacker.unconsumed_tail
            packed = rest or self._packed.read(_BLOCK)
            if not packed and self._started:
                raise EOFError("the compressed data end too early; download the file again")
            if not packed:
                return b""
            self._started = True
            if found := self._unpacker.decompress(packed, _BLOCK):
                return found


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
