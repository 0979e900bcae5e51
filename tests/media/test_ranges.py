"""Media at addresses: parts are fetched, what fails is told in words, and nothing that gives access is shown."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from antiphon import addresses
from antiphon.catalogue.file_tags import file_tags
from antiphon.errors import AntiphonError, ConfigError, DecodeError
from antiphon.media import ranges
from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media
from antiphon.media.ranges import BLOCK_BYTES, RemoteFile, TransferError
from antiphon.media.windows import WindowsJob, decode_windows

from .range_server import Served, range_server

LAYOUT = FrameLayout(size_px=32, every=3)


@pytest.fixture(scope="module")
def content() -> bytes:
    return np.random.default_rng(0).bytes(9 * BLOCK_BYTES + 123)


@pytest.fixture
def server(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(ranges, "_PAUSE_S", 0.0)
    (tmp_path / "a.bin").write_bytes(content)
    with range_server(tmp_path) as served:
        yield served


def test_reading_from_a_place_fetches_its_block_and_no_other(server: Served, content: bytes) -> None:
    with RemoteFile(f"{server.url}/a.bin") as file:
        assert file.size_bytes == len(content)
        for place, size in ((7 * BLOCK_BYTES + 5, 100), (0, 10), (7 * BLOCK_BYTES + 200, 50), (len(content) - 9, 99)):
            file.seek(place)
            assert file.read(size) == content[place : place + size]
    starts = [first // BLOCK_BYTES for first, _ in server.ranges]
    assert starts == [7, 0, 9]
    assert server.sent == 2 * BLOCK_BYTES + 123


def test_blocks_that_are_kept_are_bounded(server: Served, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "KEPT_BLOCKS", 2)
    with RemoteFile(f"{server.url}/a.bin") as file:
        for block in (0, 1, 2, 0):
            file.seek(block * BLOCK_BYTES)
            file.read(1)
    assert [first // BLOCK_BYTES for first, _ in server.ranges] == [0, 1, 2, 0]


@pytest.fixture(scope="module")
def video(synthetic_table: Path) -> Path:
    return next(path for path in sorted(synthetic_table.parent.rglob("*.mp4")))


@pytest.fixture
def served_video(video: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(ranges, "_PAUSE_S", 0.0)
    with range_server(video.parent) as served:
        yield served


def windows(path: str) -> list[object]:
    job = WindowsJob("a", path, ((1.0, 4.0), (6.0, 9.0)), (LAYOUT,), 16_000, 0, segments=((0.5, 5.5), (5.5, 10.5)))
    return [(one.waveform, one.frames[LAYOUT], one.audio_flags, one.attributes) for one in decode_windows(job)]


def test_what_is_read_of_an_address_is_what_is_read_of_the_file(served_video: Served, video: Path) -> None:
    address = f"{served_video.url}/{video.name}"
    assert probe_media(address) == probe_media(video)
    assert file_tags(address) == file_tags(str(video))
    for there, here in zip(windows(address), windows(str(video)), strict=True):
        for one, other in zip(there, here, strict=True):
            np.testing.assert_array_equal(one, other)


def test_probing_a_long_file_fetches_a_small_part_of_it(tmp_path: Path, media_folder: Path) -> None:
    """A track as large as real ones: the sample, with a megabyte of padding after its index, and its data last."""
    whole = (media_folder / "video" / "big_buck_bunny.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(whole + (40_000_000).to_bytes(4, "big") + b"free" + bytes(40_000_000 - 8))
    with range_server(tmp_path) as served:
        info = probe_media(f"{served.url}/a.mp4")
        assert info.duration_s == pytest.approx(60.1, abs=0.2)
        assert served.sent < 3_000_000


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("404", "no such file"),
        ("403", "access is refused .403."),
        ("500", "the server answers 500"),
        ("reset", "the connection broke off"),
        ("whole", "does not send parts of files"),
        ("no ranges", "does not send parts of files"),
        ("unsized", "does not send parts of files"),
    ],
)
def test_what_a_server_does_is_told_in_words(
    served_video: Served, video: Path, fault: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "BLOCK_BYTES", 1 << 15)
    served_video.fails[video.name] = fault
    with pytest.raises(DecodeError, match=words) as caught:
        probe_media(f"{served_video.url.replace('://', '://me:pass@')}/{video.name}?X-Amz-Signature=1f2e")
    message = str(caught.value)
    assert video.name in message
    assert "pass" not in message
    assert "1f2e" not in message
    assert served_video.sent < 2 * BLOCK_BYTES + video.stat().st_size


def test_a_server_that_does_not_answer_is_not_waited_for(
    served_video: Served, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "READ_S", 0.3)
    served_video.fails[video.name] = "hang"
    with pytest.raises(TransferError, match="the server does not answer"):
        probe_media(f"{served_video.url}/{video.name}")


def test_a_server_that_cannot_be_reached() -> None:
    with pytest.raises(
        TransferError, match=r"http://127\.0\.0\.1:9/a\.mp4: cannot be opened: the server cannot be reached"
    ):
        probe_media("http://127.0.0.1:9/a.mp4")


def test_a_connection_that_breaks_off_is_tried_again(server: Served, content: bytes) -> None:
    server.fails["a.bin"] = "half"
    with RemoteFile(f"{server.url}/a.bin") as file:
        with pytest.raises(TransferError, match="a.bin: reading failed: the connection broke off"):
            file.read(5)
        assert len(server.ranges) == 3
        server.broken = 2
        assert file.read(5) == content[:5]
        assert len(server.ranges) == 6


@pytest.mark.parametrize("healthy", [1, 2, 3])
def test_a_store_that_fails_midway_is_no_damage_of_the_file(
    served_video: Served, video: Path, healthy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a shorter track, nor pictures that were concealed, nor one side alone."""
    monkeypatch.setattr(ranges, "BLOCK_BYTES", 1 << 15)
    whole = probe_media(video)
    served_video.fails[video.name], served_video.healthy = "500", healthy
    with suppress(TransferError):
        assert probe_media(f"{served_video.url}/{video.name}") == whole
    served_video.healthy = 3 + healthy
    with pytest.raises(TransferError, match="500"):
        windows(f"{served_video.url}/{video.name}")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", absent)
    with pytest.raises(DecodeError, match=r"s3://bucket/a\.mp4: .* pip install 'antiphon\[s3\]'"):
        probe_media("s3://bucket/a.mp4")
    with pytest.raises(ConfigError, match=r"nowhere://a: .*Install s3fs"):
        addresses.file_system("nowhere://a")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://bucket/a b.mp4: is empty", "s3://bucket/a b.mp4: is empty"),
        ("http://u:p@h/x: no", "http://…@h/x: no"),
        ("url='https://h/x?Signature=a%2Fb&Key=c', status=403", "url='https://h/x?…', status=403"),
        ("is it there? See /music/a?b=c.", "is it there? See /music/a?b=c."),
        ("mail me@home", "mail me@home"),
    ],
)
def test_errors_show_addresses_without_what_gives_access(text: str, shown: str) -> None:
    assert str(AntiphonError(text)) == shown
