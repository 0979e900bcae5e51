import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.backbones.builtin import MUSICNN_WHEEL
from antiphon.backbones.downloads import read_member
from antiphon.backbones.tensorflow_checkpoint import Entry, read_index, read_variable
from antiphon.backbones.weights import cache_dir
from antiphon.checksums import masked_crc32c
from antiphon.errors import WeightsError


@pytest.fixture(scope="module")
def index() -> bytes:
    return read_member(MUSICNN_WHEEL.obtain(cache_dir()), "musicnn/MTT_musicnn/.index")


@pytest.fixture(scope="module")
def data() -> bytes:
    return read_member(MUSICNN_WHEEL.obtain(cache_dir()), "musicnn/MTT_musicnn/.data-00000-of-00001")


def test_every_variable_of_musicnn_is_found(index: bytes) -> None:
    entries = read_index(index)
    trained = [name for name in entries if f"{name}/Adam" in entries]
    assert sum(math.prod(entries[name].shape) for name in trained) == 787_159
    shapes = {name: entry.shape for name, entry in entries.items()}
    assert shapes["conv2d/kernel"] == (7, 38, 1, 204)
    assert shapes["conv2d_1/kernel"] == (7, 67, 1, 204)
    assert shapes["conv2d_2/kernel"] == (128, 1, 1, 51)
    assert shapes["conv2d_5/kernel"] == (7, 561, 1, 64)
    assert shapes["dense/kernel"] == (1506, 200)
    assert shapes["batch_normalization_9/moving_variance"] == (1506,)
    assert shapes["beta1_power"] == ()
    assert len(entries) == 150


def test_values_are_read_where_they_lie(index: bytes, data: bytes) -> None:
    entries = read_index(index)
    scale = read_variable(entries["batch_normalization/gamma"], data)
    assert scale.dtype == np.float32
    # Adam's decay after t steps is 0.9 to the power t, so both powers tell of the same t.
    first, second = (float(read_variable(entries[name], data)) for name in ("beta1_power", "beta2_power"))
    assert first < 1e-6 or math.log(first, 0.9) == pytest.approx(math.log(second, 0.999), rel=1e-3)
    variance = read_variable(entries["batch_normalization_9/moving_variance"], data)
    assert variance.shape == (1506,)
    assert (variance > 0).all()
    variance[0] = 0
    assert read_variable(entries["batch_normalization_9/moving_variance"], data)[0] != 0


def test_a_flipped_bit_in_the_data_is_noticed(index: bytes, data: bytes) -> None:
    entry = read_index(index)["dense_1/bias"]
    flipped = bytearray(data)
    flipped[entry.offset + 3] ^= 1
    with pytest.raises(WeightsError, match="checksum differs"):
        read_variable(entry, bytes(flipped))


def test_short_data_is_noticed(index: bytes, data: bytes) -> None:
    entry = read_index(index)["dense_1/kernel"]
    with pytest.raises(WeightsError, match="exceed the"):
        read_variable(entry, data[: entry.offset + 10])


def test_a_size_that_does_not_fit_the_shape_is_noticed(data: bytes) -> None:
    with pytest.raises(WeightsError, match="stored for the shape"):
        read_variable(Entry(np.dtype("<f4"), (3, 5), 0, 64, 0), data)


@pytest.mark.parametrize("bad", [b"", b"x" * 47, b"x" * 200])
def test_another_file_is_not_taken_for_an_index(bad: bytes) -> None:
    with pytest.raises(WeightsError, match="footer"):
        read_index(bad)


@settings(max_examples=60)
@given(place=st.integers(0, 4947 - 8), value=st.integers(1, 255))
def test_damage_anywhere_in_the_index_is_an_error_or_harmless(index: bytes, place: int, value: int) -> None:
    damaged = bytearray(index)
    damaged[place] ^= value
    try:
        found = read_index(bytes(damaged))
    except WeightsError:
        return
    assert found == read_index(index)


def test_a_cut_index_is_an_error(index: bytes) -> None:
    footer = index[-48:]
    for size in (0, 100, 4000):
        with pytest.raises(WeightsError, match="damaged"):
            read_index(index[:size] + footer)


def varint(value: int) -> bytes:
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])


def block(*pairs: tuple[int, bytes, bytes], restarts: int = 0) -> bytes:
    """Return a block with its kind and checksum; of each key its shared length and the rest are given."""
    entries = (varint(shared) + varint(len(rest)) + varint(len(value)) + rest + value for shared, rest, value in pairs)
    body = b"".join(entries) + struct.pack("<I", restarts) + b"\0"
    return body + struct.pack("<I", masked_crc32c(body))


def table(values: bytes, pointers: int = 1) -> bytes:
    handle = varint(0) + varint(len(values) - 5)
    pointing = block(*[(0, b"z", handle)] * pointers)
    footer = varint(0) * 2 + varint(len(values)) + varint(len(pointing) - 5)
    return values + pointing + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def test_an_index_written_by_hand_is_read_back() -> None:
    entry = b"\x08\x01" + b"\x28\x04"
    found = read_index(table(block((0, b"", b""), (0, b"scale", entry), (3, b"ry", entry))))
    assert found == dict.fromkeys(("scale", "scary"), Entry(np.dtype("<f4"), (), 0, 4, 0))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (table(block((0, b"x", b"\x08\x01"), restarts=1000)), "shorter than its list of restarts"),
        (table(block((0, b"x", b"\x08\x01")), pointers=40), "its blocks overlap"),
        (table(block((0, b"x" * 4097, b"\x08\x01"))), "a name has more than 4,096 bytes"),
    ],
)
def test_an_index_that_would_grow_beyond_its_size_is_refused(index: bytes, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        read_index(index)


def test_an_empty_variable_of_an_absurd_shape_is_refused() -> None:
    with pytest.raises(WeightsError, match="no array has the shape"):
        read_variable(Entry(np.dtype("<f4"), (0, 1 << 63), 0, 0, masked_crc32c(b"")), b"")
