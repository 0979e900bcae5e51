"""Files and stills: ranges as players ask for them, and nothing that is not in the catalogue."""

import os
from dataclasses import replace
from pathlib import Path

import av
import fsspec
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from antiphon.app.sources import open_source
from antiphon.app.spans import byte_range
from antiphon.app.stills import Stills
from antiphon.media.opening import CataloguedFile
from antiphon.workspace import Workspace


def test_a_whole_file_and_its_parts(client: TestClient, song: Path) -> None:
    data = song.read_bytes()
    whole = client.get("/media/plain")
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, data, "bytes")
    assert whole.headers["content-type"] == "video/mp4"
    for asked, first, end in (
        (f"bytes=0-{9}", 0, 10),
        ("bytes=100-", 100, len(data)),
        ("bytes=-7", len(data) - 7, None),
    ):
        part = client.get("/media/plain", headers={"range": asked})
        assert part.status_code == 206
        assert part.content == data[first:end]
        assert part.headers["content-range"] == f"bytes {first}-{first + len(part.content) - 1}/{len(data)}"


def test_a_range_outside_is_refused(client: TestClient, song: Path) -> None:
    found = client.get("/media/plain", headers={"range": "bytes=999999999-"})
    assert found.status_code == 416
    assert found.headers["content-range"].endswith(f"*/{song.stat().st_size}")


def test_a_range_of_another_version_gives_the_whole_file(client: TestClient) -> None:
    now = client.get("/media/plain").headers["etag"]
    same = client.get("/media/plain", headers={"range": "bytes=0-3", "if-range": now})
    other = client.get("/media/plain", headers={"range": "bytes=0-3", "if-range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200)


@pytest.mark.parametrize("id", ["nobody", "/etc/passwd", "..%2F..%2F..%2Fetc%2Fhosts", "videos.csv"])
def test_only_files_of_the_catalogue_are_served(client: TestClient, id: str) -> None:
    assert client.get(f"/media/{id}").status_code == 404
    assert client.get(f"/thumbnail/{id}").status_code == 404


def test_a_still_is_a_picture_and_is_kept(client: TestClient, workspace: Workspace, tmp_path: Path) -> None:
    found = client.get("/thumbnail/plain?at=3.0")
    assert found.headers["content-type"] == "image/jpeg"
    (tmp_path / "still.jpg").write_bytes(found.content)
    with av.open(str(tmp_path / "still.jpg")) as container:
        assert max(container.streams.video[0].width, container.streams.video[0].height) == 320
    kept = [path for path in (workspace.page / "stills").iterdir() if path.read_bytes() == found.content]
    assert kept
    other = b"\xff\xd8 kept \xff\xd9"  # Begins and ends like a picture; anything else is made again.
    kept[0].write_bytes(other)
    try:
        assert client.get("/thumbnail/plain?at=3.0").content == other
        kept[0].write_bytes(b"damaged")
        assert client.get("/thumbnail/plain?at=3.0").content == found.content
    finally:
        kept[0].write_bytes(found.content)


NINES = 5000 * "9"


@pytest.fixture
def elsewhere(app: FastAPI, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The video "plain" lies in an object store."""
    place = "memory://bucket/plain.mp4"
    with fsspec.open(place, "wb") as file:
        file.write(song.read_bytes())  # pyright: ignore[reportAttributeAccessIssue]
    videos = app.state.antiphon.searcher.library.videos
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=CataloguedFile(place)))


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_numbers_without_end_are_numbers(
    client: TestClient, song: Path, where: str, request: pytest.FixtureRequest
) -> None:
    if where == "elsewhere":
        request.getfixturevalue("elsewhere")
    data = song.read_bytes()
    for asked, status, content in (
        (f"bytes=5-{NINES}", 206, data[5:]),
        (f"bytes=-{NINES}", 206, data),
        (f"bytes={5000 * '0'}3-4", 206, data[3:5]),
        (f"bytes={NINES}-", 416, None),
    ):
        found = client.get("/media/plain", headers={"range": asked})
        assert found.status_code == status, asked[:20]
        assert content in (None, found.content)


@pytest.mark.usefixtures("elsewhere")
def test_only_the_headers_of_a_file_elsewhere(client: TestClient, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the file is read")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "open", opened)
    for headers in ({}, {"range": "bytes=0-3"}):
        found = client.head("/media/plain", headers=headers)
        assert (found.status_code, found.content) == (200, b"")
        assert found.headers["content-length"] == str(song.stat().st_size)
        assert found.headers["content-type"] == "video/mp4"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("failure", [RuntimeError("no credentials"), None], ids=["error", "no size"])
def test_a_store_that_fails_is_told_from_a_file_that_is_gone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    def size(*_: object) -> None:
        if failure:
            raise failure

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "size", size)
    for ask in (client.get, client.head):
        assert ask("/media/plain").status_code == 502


def test_stills_that_nobody_asks_for_make_room(app: FastAPI, tmp_path: Path, song: Path) -> None:
    video = app.state.antiphon.searcher.video("plain")
    stills = Stills(tmp_path, max_stills=3)
    monday = song.stat().st_mtime_ns - 10**12
    for number in range(3):
        stills.make(video, number / 10)
        for path in tmp_path.glob("*.jpg"):  # each is older than the next, whatever the clock's ticks
            os.utime(path, ns=(monday, path.stat().st_mtime_ns - 10**9))
    assert stills.kept(video, 0.0)
    stills.make(video, 0.3)
    stills.close()
    assert [bool(stills.kept(video, number / 10)) for number in range(4)] == [True, False, True, True]
    assert len(list(tmp_path.iterdir())) == 3


@given(st.binary(min_size=1, max_size=40), st.integers(0, 50), st.integers(0, 50))
def test_ranges_are_slices(data: bytes, first: int, last: int) -> None:
    for asked, slice_ in (
        (f"bytes={first}-{last}", data[first : last + 1]),
        (f"bytes=-{last}", data[-last:] if last else b""),
    ):
        if not slice_:
            with pytest.raises(HTTPException, match="no such range"):
                byte_range(asked, len(data))
        else:
            low, end = byte_range(asked, len(data)) or (0, 0)
            assert data[low:end] == slice_


@pytest.mark.parametrize("asked", [None, "", "bytes=-", "items=0-3", "bytes=0-3,5-6", "bytes=a-b"])
def test_what_is_not_understood_asks_for_the_whole(asked: str | None) -> None:
    assert byte_range(asked, 10) is None


def test_a_file_in_an_object_store_is_streamed() -> None:
    with fsspec.open("memory://bucket/song.mp3", "wb") as file:
        file.write(bytes(range(256)))  # pyright: ignore[reportAttributeAccessIssue]
    found = open_source(CataloguedFile("memory://bucket/song.mp3"))
    assert (found.size_bytes, found.read(10, 3), found.read(0, 2)) == (256, bytes([10, 11, 12]), bytes([0, 1]))
    found.close()
    with pytest.raises(HTTPException, match="not where"):
        open_source(CataloguedFile("memory://bucket/gone.mp3"))
