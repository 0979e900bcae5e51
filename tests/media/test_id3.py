"""Several artists in one ID3 tag, whatever its version, and damaged ones."""

import numpy as np
import pytest

from antiphon.media.id3 import id3_artists


def id3(frames, version=4, flags=0, encoding="utf-8"):
    """A tag with text frames, whose values are separated by zeros."""
    data = b"".join(frame(name, text, version, encoding) for name, text in frames)
    return b"ID3" + bytes([version, 0, flags]) + syncsafe(len(data)) + data + b"\xff\xfb" * 8


def frame(name, text, version, encoding):
    number = {"latin-1": 0, "utf-16": 1, "utf-16-be": 2, "utf-8": 3}[encoding]
    body = bytes([number]) + text.encode(encoding)
    if version == 2:
        return name.encode() + len(body).to_bytes(3, "big") + body
    return name.encode() + (syncsafe(len(body)) if version == 4 else len(body).to_bytes(4, "big")) + b"\0\0" + body


def syncsafe(size):
    return bytes((size >> shift) & 127 for shift in (21, 14, 7, 0))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("version", [2, 3, 4])
def test_all_values_of_the_artists_frame_are_read(version, encoding):
    name = "TP1" if version == 2 else "TPE1"
    tag = id3([("TT2" if version == 2 else "TIT2", "x" * 200), (name, "Ann\0Zoë")], version, encoding=encoding)
    assert id3_artists(tag) == ["Ann", "Zoë"]


def test_the_list_of_taggers_counts_where_it_has_more():
    assert id3_artists(id3([("TPE1", "Ann & Bea"), ("TXXX", "Artists\0Ann\0Bea")])) == ["Ann", "Bea"]
    assert id3_artists(id3([("TPE1", "Ann\0Bea"), ("TXXX", "ARTISTS\0Ann")])) == ["Ann", "Bea"]
    assert id3_artists(id3([("TXXX", "OTHER\0Ann\0Bea"), ("TPE1", "Ann\0")])) == ["Ann"]


def test_unsynchronised_tags_and_extended_headers():
    plain = id3([("TPE1", "A\u00ff\0B")], 3, encoding="latin-1")
    assert id3_artists(plain) == ["Aÿ", "B"]
    loose = frame("TPE1", "A\u00ff\0B", 3, "latin-1").replace(b"\xff\0", b"\xff\0\0")
    assert id3_artists(b"ID3\x03\0\x80" + syncsafe(len(loose)) + loose) == ["Aÿ", "B"]
    later = bytearray(frame("TPE1", "A\u00ff\0\0B", 4, "latin-1"))
    later[9] = 0x02
    assert id3_artists(b"ID3\x04\0\x80" + syncsafe(len(later)) + later) == ["Aÿ", "B"]
    extended = id3([("TPE1", "A\0B")])
    body = extended[10:]
    assert id3_artists(b"ID3\x04\0\x40" + syncsafe(len(body) + 6) + syncsafe(6) + b"\0\0" + body) == ["A", "B"]


def test_packed_frames_and_unknown_encodings_are_passed_over():
    tag = bytearray(id3([("TPE1", "A\0B"), ("TPE1", "C")]))
    tag[19] = 0x08
    assert id3_artists(bytes(tag)) == ["C"]
    tag[19], tag[20] = 0, 9
    assert id3_artists(bytes(tag)) == ["C"]


def test_nothing_that_is_damaged_raises():
    whole, draw = id3([("TPE1", "Ann\0Bea"), ("TXXX", "ARTISTS\0Ann\0Bea")]), np.random.default_rng(0)
    for _ in range(3_000):
        data = bytearray(whole)
        for place, value in zip(draw.integers(0, len(data), 4), draw.integers(0, 256, 4), strict=True):
            data[place] = value
        assert isinstance(id3_artists(bytes(data)[: draw.integers(0, len(data) + 1)]), list)
    assert id3_artists(b"fLaC" + whole) == []
