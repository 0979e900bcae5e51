"""Wire format of protocol buffers, read and written without their library: varints and fields of messages.

Source: protobuf.dev/programming-guides/encoding. Bytes are untrusted: damage raises ValueError.
"""

import struct
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_END = 1 << 64


def varint(data: bytes, at: int = 0) -> tuple[int, int]:
    r"""Read the unsigned number of variable length at a position.

    Parameters
    ----------
    data : bytes
        Bytes.
    at : int, default 0
        Position of its first byte.

    Returns
    -------
    value : int
        The number.
    at : int
        Position after it.

    Raises
    ------
    ValueError
        The data ends within the number, or it has more than 64 bits.

    Examples
    --------
    >>> varint(b"\xac\x02")
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
        raise ValueError("a varint has more than 64 bits")
    if value >= _END:
        raise ValueError("a varint has more than 64 bits")
    return value, at


def varints(data: bytes) -> Iterator[int]:
    """Read all numbers of a packed field; see `varint`.

    Parameters
    ----------
    data : bytes
        Content of the field.

    Yields
    ------
    int
        Unsigned numbers.
    """
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def signed(value: int) -> int:
    """Convert an unsigned 64-bit number to the int64 with the same bits.

    Parameters
    ----------
    value : int
        Unsigned number.

    Returns
    -------
    int
        Signed number.

    Examples
    --------
    >>> signed(7), signed(2**64 - 1)
    (7, -1)
    """
    return value - _END if value >> 63 else value


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read the fields of a message in order.

    A value is an unsigned number for a varint, and bytes otherwise: those of a string, a message or packed values, or
    the 4 or 8 little-endian ones of a number of fixed size.

    Parameters
    ----------
    message : bytes
        Content of the message.

    Yields
    ------
    number : int
        Number of the field.
    value : int or bytes
        Its value.

    Raises
    ------
    ValueError
        The message is truncated, or has a field of an unknown wire type.
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
            raise ValueError(f"unknown wire type {kind}")
        yield tag >> 3, piece(message, at, size)
        at += size


def byte_fields(message: bytes, number: int) -> list[bytes]:
    """Read the fields of a message with one number, which must be bytes.

    Parameters
    ----------
    message : bytes
        Content of the message.
    number : int
        Number of the fields.

    Returns
    -------
    list of bytes
        Their values.

    Raises
    ------
    ValueError
        As in `fields`, or a value is a varint.
    """
    values: list[bytes] = []
    for found, value in fields(message):
        if found == number:
            if isinstance(value, int):
                raise ValueError(f"field {number} is a varint, expected bytes")
            values.append(value)
    return values


def piece(data: bytes, start: int, size: int) -> bytes:
    """Slice bytes, which must all exist.

    Parameters
    ----------
    data : bytes
        Bytes.
    start, size : int
        Position and length.

    Returns
    -------
    bytes
        The slice.

    Raises
    ------
    ValueError
        The slice exceeds the data.
    """
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError(f"{size} bytes at {start} exceed the {len(data)} available")
    return data[start : start + size]


def varint_bytes(value: int) -> bytes:
    r"""Write an unsigned number in variable length; a negative one is written as the int64 with the same bits.

    Parameters
    ----------
    value : int
        The number, from −2⁶³ to 2⁶⁴ − 1.

    Returns
    -------
    bytes
        What `varint` reads.

    Examples
    --------
    >>> varint_bytes(300)
    b'\xac\x02'
    """
    rest, written = value % _END, bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*written, rest])


def field(number: int, value: int | float | str | bytes) -> bytes:
    """Write one field of a message: a whole number as a varint, a float in 4 bytes, anything else by its length.

    Parameters
    ----------
    number : int
        Number of the field.
    value : int, float, str or bytes
        Its value; bytes may be a message.

    Returns
    -------
    bytes
        What `fields` reads.
    """
    if isinstance(value, int):
        return varint_bytes(number << 3 | _VARINT) + varint_bytes(value)
    if isinstance(value, float):
        return varint_bytes(number << 3 | _FIXED32) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return varint_bytes(number << 3 | _BYTES) + varint_bytes(len(content)) + content
