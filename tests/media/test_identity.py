"""Telling a file that was moved or touched from one that was replaced."""

import os
import tracemalloc
from pathlib import Path

import pytest

from antiphon.media import identity as identities
from antiphon.media.identity import identify, identify_open, is_same
from antiphon.media.names import local_path

BLOCK = identities._BLOCK_BYTES
LARGE = identities._WHOLE_BYTES + 3 * BLOCK


def row_of(path: Path) -> dict:
    found = identify(path)
    assert found is not None
    return vars(found)


def same(path: Path, row: dict) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return is_same(descriptor, row)
    finally:
        os.close(descriptor)


def test_size_time_and_content(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"abc")
    os.utime(tmp_path / "a.mp4", ns=(1, 7))
    (tmp_path / "b.mp4").write_bytes(b"abc")
    row, copy = row_of(tmp_path / "a.mp4"), row_of(tmp_path / "b.mp4")
    assert (row["size_bytes"], row["modified_ns"], len(row["content_hash"])) == (3, 7, 32)
    assert row["content_hash"] == copy["content_hash"]


@pytest.mark.parametrize("place", [0, BLOCK - 1, LARGE // 2, LARGE - BLOCK, LARGE - 1])
def test_a_byte_at_the_start_in_the_middle_and_at_the_end_counts(tmp_path, place):
    content = bytearray(LARGE)
    (tmp_path / "a.mp4").write_bytes(content)
    before = row_of(tmp_path / "a.mp4")["content_hash"]
    content[place] = 1
    (tmp_path / "a.mp4").write_bytes(content)
    assert row_of(tmp_path / "a.mp4")["content_hash"] != before


def test_every_byte_of_a_small_file_counts(tmp_path):
    hashes = set()
    for place in range(0, 60_000, 997):
        (tmp_path / "a.mp3").write_bytes(bytes(place) + b"\1" + bytes(60_000 - place))
        hashes.add(row_of(tmp_path / "a.mp3")["content_hash"])
    assert len(hashes) == len(range(0, 60_000, 997))


def test_the_length_counts(tmp_path):
    (tmp_path / "a.mp4").write_bytes(bytes(LARGE))
    (tmp_path / "b.mp4").write_bytes(bytes(LARGE + 1))
    assert row_of(tmp_path / "a.mp4")["content_hash"] != row_of(tmp_path / "b.mp4")["content_hash"]


def test_three_blocks_of_a_large_file_are_read(tmp_path):
    with (tmp_path / "long.mkv").open("wb") as file:
        file.truncate(1 << 40)
    tracemalloc.start()
    assert row_of(tmp_path / "long.mkv")["size_bytes"] == 1 << 40
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * identities._WHOLE_BYTES


def test_a_touched_file_is_the_same_and_a_replaced_one_is_not(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"first content")
    row = row_of(path)
    assert same(path, row)
    os.utime(path, ns=(5, 5))
    assert same(path, row)
    path.write_bytes(b"other content")
    assert not same(path, row)
    path.write_bytes(b"longer content than before")
    assert not same(path, row)


def test_a_row_of_an_earlier_version_says_nothing(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"abc")
    unknown = {"size_bytes": None, "modified_ns": None, "content_hash": None}
    assert same(tmp_path / "a.mp4", unknown)


def test_what_is_no_file_has_no_identity(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "gone.mp4")
    for name in ("folder", "pipe.mp4", "link.mp4", "gone.mp4"):
        assert identify(tmp_path / name) is None
    assert identify("s3://bucket/a.mp4") is None
    assert not same(tmp_path / "folder", row_of_bytes(tmp_path))


def row_of_bytes(folder: Path) -> dict:
    (folder / "file.mp4").write_bytes(b"x")
    return row_of(folder / "file.mp4")


def test_a_link_has_the_identity_of_its_file(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"abc")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    assert row_of(tmp_path / "link.mp4") == row_of(tmp_path / "a.mp4")


def test_an_open_file_is_identified_without_moving_its_position(tmp_path):
    (tmp_path / "a.mp4").write_bytes(bytes(LARGE))
    with (tmp_path / "a.mp4").open("rb") as file:
        file.seek(77)
        assert vars(identify_open(file.fileno())) == row_of(tmp_path / "a.mp4")
        assert file.tell() == 77


def test_errors_while_reading_are_no_identity(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"abc")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", lambda *_: (_ for _ in ()).throw(OSError("the disk")))
        assert identify(tmp_path / "a.mp4") is None
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError("not yours")))
    assert identify(tmp_path / "a.mp4") is None


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/music/a.mp4", "/music/a.mp4"),
        ("music/a.mp4", "music/a.mp4"),
        ("file:///music/a.mp4", "/music/a.mp4"),
        ("file:////music/a.mp4", "/music/a.mp4"),
        ("file:/music/a.mp4", "/music/a.mp4"),
        ("File://LocalHost/music/a.mp4", "/music/a.mp4"),
        ("file:///music/a%20b%C3%A9.mp4", "/music/a bé.mp4"),
        ("file:///music/%23%3f.mp4", "/music/#?.mp4"),
        ("file://elsewhere/music/a.mp4", None),
        ("https://example.org/a.mp4", None),
        ("s3://bucket/a.mp4", None),
    ],
)
def test_the_path_of_an_address(uri, path):
    assert local_path(uri) == path
