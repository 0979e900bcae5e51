"""The service gives out the files that were catalogued, and nothing that was put in their place later."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.media.identity import identify
from antiphon.media.opening import CataloguedFile

SECRET = b"root:x:0:0:root:/root:/bin/bash\n"


@pytest.fixture(params=["identified", "earlier version"])
def place(
    request: pytest.FixtureRequest, app: FastAPI, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where the file of the video "plain" lies, by a catalogue of this version or of an earlier one."""
    found = tmp_path / "song.mp4"
    found.write_bytes(song.read_bytes())
    file = CataloguedFile(str(found))
    if request.param == "identified":
        identity = identify(found)
        assert identity is not None
        file = replace(file, **vars(identity))
    videos = app.state.antiphon.searcher.library.videos
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=file))
    return found


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Nobody's music video."""
    found = tmp_path / "secret"
    found.write_bytes(SECRET)
    return found


def statuses(client: TestClient) -> dict[str, int]:
    """What is answered where a file is opened; nothing of the secret."""
    found = {
        "whole": client.get("/media/plain"),
        "part": client.get("/media/plain", headers={"range": "bytes=0-9"}),
        "head": client.head("/media/plain"),
        "still": client.get("/thumbnail/plain?at=2.5"),
    }
    assert not any(SECRET[:10] in answer.content for answer in found.values())
    assert not any("song.mp4" in answer.text for answer in found.values() if answer.status_code >= 400)
    return {name: answer.status_code for name, answer in found.items()}


def test_the_file_is_served(client: TestClient, place: Path) -> None:
    assert statuses(client) == {"whole": 200, "part": 206, "head": 200, "still": 200}
    assert client.get("/media/plain").content == place.read_bytes()


def test_a_link_to_the_file_is_served_and_a_touched_file_is_the_same(client: TestClient, place: Path) -> None:
    moved = place.rename(place.with_name("moved.mp4"))
    place.symlink_to(moved)
    os.utime(moved, (1, 1))
    assert statuses(client) == {"whole": 200, "part": 206, "head": 200, "still": 200}


@pytest.mark.parametrize("kind", ["link", "copy", "pipe", "folder", "device", "gone", "loop", "no permission"])
def test_what_was_put_in_its_place_is_not_served(client: TestClient, place: Path, secret: Path, kind: str) -> None:
    place.unlink()
    if kind == "link":
        place.symlink_to(secret)
    elif kind == "copy":
        place.write_bytes(SECRET)
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "device":
        place.symlink_to("/dev/zero")
    elif kind == "loop":
        place.symlink_to(place)
    elif kind == "no permission":
        place.symlink_to("/proc/1/environ")
    assert set(statuses(client).values()) == {404}


@pytest.mark.parametrize("place", ["identified"], indirect=True)
def test_another_film_in_its_place_is_not_served(client: TestClient, place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-1] + b"\1")
    assert set(statuses(client).values()) == {404}


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_addresses_of_this_machine_are_files_like_others(
    app: FastAPI, client: TestClient, song: Path, secret: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = secret.with_name("a b.mp4")
    place.write_bytes(song.read_bytes())
    uri = place.as_uri() if scheme == "file" else f"local://{place}"
    videos = app.state.antiphon.searcher.library.videos
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=CataloguedFile(uri)))
    assert client.get("/media/plain").content == song.read_bytes()
    place.unlink()
    place.symlink_to(secret)
    assert client.get("/media/plain").status_code == 404
    place.unlink()
    os.mkfifo(place)
    assert client.get("/media/plain").status_code == 404


def test_a_file_that_is_replaced_while_it_is_sent_is_sent_to_its_end(
    app: FastAPI, song: Path, place: Path, secret: Path
) -> None:
    from antiphon.app.sources import open_source

    source = open_source(app.state.antiphon.searcher.video("plain").file)
    place.unlink()
    place.symlink_to(secret)
    assert source.read(0, 1 << 30) == song.read_bytes()
    source.close()
