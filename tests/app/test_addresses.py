"""Addresses that clients send are never opened, wherever they stand in a request; those of the catalogue are."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from antiphon.media.opening import CataloguedFile
from antiphon.media.ranges import TransferError
from antiphon.workers.reasons import reason
from antiphon.workspace import Failure

from ..media.range_server import Served, range_server

VALID = {"id": "plain", "side": "audio", "target": "audio", "q": "plain", "name": "report"}
"""What a parameter needs where another one is tried."""


@pytest.fixture
def bait(song: Path, tmp_path: Path) -> Iterator[Served]:
    """A server that would notice; it has a whole music video, so that nothing else ends the attempt."""
    free = (24).to_bytes(4, "big") + b"free" + bytes(16)  # else it would be "plain" itself
    (tmp_path / "bait.mp4").write_bytes(song.read_bytes() + free)
    with range_server(tmp_path) as served:
        yield served


@pytest.fixture
def forms(bait: Served) -> list[str]:
    """The music video as an address, as a file of this machine, and through the packages that open what others name."""
    address = f"{bait.url}/bait.mp4"
    return [address, f"simplecache::{address}", f"file://{bait.folder}/bait.mp4", f"{bait.folder}/bait.mp4"]


def routes(app: FastAPI) -> list[APIRoute]:
    found: list[APIRoute] = []
    waiting: list[Any] = list(app.routes)
    while waiting:
        route = waiting.pop()
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            waiting += getattr(getattr(route, "original_router", route), "routes", None) or []
    return sorted(found, key=lambda route: route.path)


def ask(client: TestClient, route: APIRoute, method: str, values: dict[str, str], **body: Any) -> httpx.Response:
    """Send a request with these values of its parameters, each where the route takes it."""
    path, query, headers = route.path, dict[str, str](), dict[str, str](body.pop("headers", {}))
    for field in get_flat_params(route.dependant):
        value = values.get(field.alias, VALID.get(field.alias))
        kind = str(field.field_info.in_.value)  # pyright: ignore[reportAttributeAccessIssue]
        if value is None:
            continue
        if kind == "path":
            path = path.replace(f"{{{field.alias}:path}}", quote(value, "")).replace(
                f"{{{field.alias}}}", quote(value, "")
            )
        elif kind == "query":
            query[field.alias] = value
        elif kind == "cookie":
            headers["cookie"] = f"{field.alias}={quote(value, '')}"
        else:
            headers[field.alias] = value
    return client.request(method, path, params=query, headers=headers, follow_redirects=False, **body)


def test_the_service_opens_addresses_of_the_catalogue(
    client: TestClient, app: FastAPI, bait: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the server of these tests would notice nothing whatever happened."""
    videos = app.state.antiphon.searcher.library.videos
    file = CataloguedFile(f"{bait.url}/bait.mp4")
    monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=file))
    assert client.get("/media/plain").content == (bait.folder / "bait.mp4").read_bytes()
    assert bait.asked
    bait.forget()
    assert client.get("/thumbnail/plain?at=1.25").headers["content-type"] == "image/jpeg"
    assert bait.asked


def test_no_page_shows_what_gives_access_to_an_address(
    client: TestClient, app: FastAPI, bait: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = app.state.antiphon.searcher.library.videos
    address = f"{bait.url.replace('://', '://me:s3cret@')}/gone.mp4?Signature=1f2e3d4c"
    message = reason(address, TransferError(f"{address}: cannot be opened: no such file."))
    failed = (Failure("plain", "extract", "TransferError", message),)
    for file, unread in ((CataloguedFile(address), None), (None, CataloguedFile(address))):
        monkeypatch.setitem(videos, "plain", replace(videos["plain"], file=file, unread=unread, failures=failed))
        for path in ("/video/", "/match/", "/media/", "/thumbnail/", "/api/items?q=", "/api/similar?id="):
            found = client.get(f"{path}plain")
            assert "s3cret" not in found.text, path
            assert "1f2e3d4c" not in found.text, path
            assert found.status_code in (200, 404), path
    assert bait.asked


def test_no_parameter_takes_an_address(client: TestClient, app: FastAPI, bait: Served, forms: list[str]) -> None:
    media, tried = (bait.folder / "bait.mp4").read_bytes(), set[str]()
    for route in routes(app):
        for name in {field.alias for field in get_flat_params(route.dependant)}:
            for method in sorted(route.methods or ()):
                for form in forms:
                    found = ask(client, route, method, {name: form})
                    assert media not in found.content, (route.path, name)
                    assert found.headers.get("content-type") != "image/jpeg" or name not in ("id", "at")
                    assert found.status_code < 500, (route.path, name, found.text)
                    tried.add(name)
    assert bait.asked == []
    assert {"id", "q", "genre", "range", "if-range", "judge", "name"} <= tried


def bodies(form: str) -> list[dict[str, Any]]:
    """Bodies that name an address: as text, in JSON, in forms, as the name of an upload, and in files that refer."""
    named = dict.fromkeys(("url", "uri", "path", "file", "id", "q", "query", "name", "judge", "item", "answer"), form)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5.0,\n{form}\n#EXT-X-ENDLIST\n".encode()
    concat = f"ffconcat version 1.0\nfile '{form}'\n".encode()
    description = f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{form}</BaseURL></MPD>'
    return [
        {"content": form.encode(), "headers": {"content-type": "video/mp4", "content-location": form}},
        {
            "content": form.encode(),
            "headers": {"content-type": f'message/external-body; access-type=URL; URL="{form}"'},
        },
        {"json": {"history": [form]}},
        {"json": named},
        {"content": json.dumps(named).encode(), "headers": {"content-type": "application/octet-stream"}},
        {"data": named},
        {"data": named, "files": {"file": (form, playlist, "video/mp4")}},
        {"files": {"file": (form, form.encode(), "audio/mpeg")}},
        *(
            {"content": content, "headers": {"content-type": kind}}
            for content in (playlist, concat, description.encode())
            for kind in ("video/mp4", "application/octet-stream")
        ),
    ]


def test_no_body_takes_an_address(client: TestClient, app: FastAPI, bait: Served, forms: list[str]) -> None:
    posted = [route for route in routes(app) if "POST" in (route.methods or ())]
    assert {"/api/similar", "/api/match", "/api/embed", "/api/recommend", "/find/file", "/judge"} <= {
        route.path for route in posted
    }
    for route in posted:
        for form in forms:
            for body in bodies(form):
                found = ask(client, route, "POST", {}, **body)
                assert found.status_code in (303, 400, 404, 409, 413, 415, 422), (route.path, body, found.text)
    assert bait.asked == []
