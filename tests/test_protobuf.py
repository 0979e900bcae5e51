"""The wire format against messages put together by hand, and against damage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.protobuf import byte_fields, fields, piece, signed, varint, varints


def encoded(value):
    """Seven bits a byte, the lowest first; all but the last byte have the highest bit."""
    digits = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


def field(number, value):
    if isinstance(value, int):
        return encoded(number << 3) + encoded(value)
    return encoded(number << 3 | 2) + encoded(len(value)) + value


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_numbers_are_read_back(values):
    data = b"".join(map(encoded, values))
    assert list(varints(data)) == values
    if values:
        assert varint(b"xx" + data, 2) == (values[0], 2 + len(encoded(values[0])))


@given(st.lists(st.tuples(st.integers(1, 2**29 - 1), st.integers(0, 2**64 - 1) | st.binary(max_size=200))))
def test_fields_are_read_back_in_order(values):
    assert list(fields(b"".join(field(*item) for item in values))) == values


def test_numbers_of_fixed_size_are_bytes():
    message = encoded(3 << 3 | 5) + struct.pack("<f", 2.5) + encoded(4 << 3 | 1) + struct.pack("<d", -1.0)
    assert list(fields(message)) == [(3, struct.pack("<f", 2.5)), (4, struct.pack("<d", -1.0))]


@given(st.integers(-(2**63), 2**63 - 1))
def test_negative_numbers_are_twos_complements(value):
    assert signed(value % 2**64) == value


def test_fields_of_one_number():
    message = field(1, b"a") + field(2, b"b") + field(3, 5) + field(1, b"c")
    assert byte_fields(message, 1) == [b"a", b"c"]
    assert byte_fields(message, 9) == []
    with pytest.raises(ValueError, match="field 3 is a varint, expected bytes"):
        byte_fields(message, 3)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x80", "1 bytes at 1 exceed the 1 available"),
        (field(1, b"abc")[:-1], "3 bytes at 2 exceed the 4 available"),
        (encoded(1 << 3 | 5) + b"abc", "4 bytes at 1 exceed"),
        (encoded(1 << 3 | 1) + b"abcdefg", "8 bytes at 1 exceed"),
        (encoded(1 << 3 | 3), "unknown wire type 3"),
        (encoded(1 << 3) + b"\xff" * 10 + b"\x01", "more than 64 bits"),
        (encoded(1 << 3) + b"\xff" * 9 + b"\x02", "more than 64 bits"),
    ],
)
def test_damage_is_named(message, reason):
    with pytest.raises(ValueError, match=reason):
        list(fields(message))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_value_error(data):
    try:
        assert all(number >= 0 for number, _ in fields(data))
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(("start", "size"), [(-1, 1), (0, -1), (2, 2), (4, 0)])
def test_a_piece_lies_inside(start, size):
    assert piece(b"abc", 1, 2) == b"bc"
    with pytest.raises(ValueError, match="exceed the 3"):
        piece(b"abc", start, size)
