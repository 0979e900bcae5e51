"""The wire format of protocol buffers, read without their library: numbers of variable length, fields of messages.

Source: protobuf.dev/programming-guides/encoding. Bytes are untrusted: what is damaged raises ValueError.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_END = 1 << 64


def varint(data: bytes, at: int = 0) -> tuple[int, int]:
    """The unsigned number that starts at `at`, and where the next byte after it lies.

    Raises
    ------
    ValueError
        The data ends within the number, or it has more than 64 bits.

    Examples
    --------
    >>> varint(b"\\xac\\x02")
    (300, 2)
    """
    value = 0
    for shift in range(0, 64, 7):
        byte = piece(data, at, 1)[0]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    else:
        raise ValueError("a number is longer than 64 bits")
    if value >= _END:
        raise ValueError("a number is longer than 64 bits")
    return value, at


def varints(data: bytes) -> Iterator[int]:
    """All unsigned numbers of a packed field, as `varint` reads them."""
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def signed(value: int) -> int:
    """The int64 that an unsigned number of 64 bits stands for.

    Examples
    --------
    >>> signed(7), signed(2**64 - 1)
    (7, -1)
    """
    return value - _END if value >> 63 else value


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message, in its order.

    A value is an unsigned number where the wire has one of variable length, and bytes otherwise: those of a string, a
    message or packed values, or the 4 or 8 little-endian ones of a number of fixed size.

    Raises
    ------
    ValueError
        The message is cut short, or holds a field of an unknown kind.
    """
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = varint(message, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        yield tag >> 3, piece(message, at, size)
        at += size


def byte_fields(message: bytes, number: int) -> list[bytes]:
    """The values of the fields numbered `number`, which must be bytes.

    Raises
    ------
    ValueError
        As `fields`, or a value is a number of variable length.
    """
    values: list[bytes] = []
    for found, value in fields(message):
        if found == number:
            if isinstance(value, int):
                raise ValueError(f"field {number} is a number, not bytes")
            values.append(value)
    return values


def piece(data: bytes, start: int, size: int) -> bytes:
    """`size` bytes from `start`.

    Raises
    ------
    ValueError
        They are not all there.
    """
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError(f"{size} bytes at {start} lie outside the {len(data)} there are")
    return data[start : start + size]
