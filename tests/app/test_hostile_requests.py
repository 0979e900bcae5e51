"""Requests that no browser makes: refused in words, without a traceback, a path, or harm to others."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.errors import SearchError
from antiphon.workspace import Workspace

from .conftest import HOST

PAGES = (
    *("/", "/?q=plain", "/find?q=a", "/video/plain", "/match/plain", "/map", "/map.json", "/gallery", "/evaluation"),
    *("/evaluation/report", "/help", "/api", "/judge", "/judge/question", "/judge/thanks", "/judge/report", "/nothing"),
    *("/api/health", "/api/items?q=a", "/api/similar?id=plain", "/api/match?id=plain&target=audio", "/api/nothing"),
    *("/api/openapi.json", "/media/plain", "/media/nobody", "/thumbnail/plain", "/static/app.css", "/static/page.css"),
    *("/map?by=tag:x&q=%00&at=nobody", "/map?by=nothing", "/map/places?version=x", "/map/items", "/map/find?version="),
    *("/cut/plain", "/outline/audio/plain", "/outline/video/nobody", "/export/csv/plain?with=plain"),
)


@pytest.mark.parametrize("path", PAGES)
def test_head_is_answered_as_get(client: TestClient, path: str) -> None:
    while path.startswith("/map") and client.get("/map.json").json().get("being_made", True):
        time.sleep(0.05)  # Pages of a map that is being laid out differ from one moment to the next.
    found, head = client.get(path), client.head(path)
    assert (head.status_code, dict(head.headers)) == (found.status_code, dict(found.headers))
    assert head.content == b""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/similar?id=plain", "GET, HEAD, POST"),
        ("/api/health", "GET, HEAD"),
        ("/api/embed", "POST"),
        ("/judge", "GET, HEAD, POST"),
        ("/", "GET, HEAD"),
        ("/media/plain", "GET, HEAD"),
        ("/static/app.css", "GET, HEAD"),
    ],
)
def test_other_methods_are_refused_with_those_there_are(client: TestClient, path: str, allowed: str) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"):
        found = client.request(method, path)
        assert (found.status_code, found.headers["allow"]) == (405, allowed), method
    if "GET" not in allowed:
        assert client.head(path).status_code == 405


LONE = (b"\\ud800", b"\\udfff", b"a\\udc00\\ud800b", b"\\uD83C \\uDFB5")


@pytest.mark.parametrize("half", LONE)
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(client: TestClient, half: bytes) -> None:
    for body in (
        b'{"history": ["%s"]}' % half,
        b'{"history": ["plain", "x%s"], "k": 3}' % half,
        b'{"history": "%s"}' % half,
        b'{"history": ["plain"], "%s": 1}' % half,
        b'{"history": ["plain"], "k": "%s"}' % half,
        b'{"history": {"%s": ["%s"]}}' % (half, half),
        b'"%s"' % half,
    ):
        found = client.post("/api/recommend", content=body, headers={"content-type": "application/json"})
        assert found.status_code == 422, body
        assert found.json()["detail"]
    whole = client.post("/api/recommend", json={"history": ["\U0001f3b5"]})
    assert (whole.status_code, "🎵" in whole.text) == (404, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"history": ["plain"], "k": NaN}', 422),
        (b'{"history": ["plain"], "k": Infinity}', 422),
        (b'{"history": ["plain"], "k": -1}', 422),
        (b'{"history": ["plain"], "k": 1e400}', 422),
        (b'{"history": ["plain"], "k": true}', 422),
        (b'{"history": ["plain"], "k": "5"}', 422),
        (b'{"history": ["plain"], "k": 5.5}', 422),
        (b'{"history": ["plain"], "k": 5.0}', 200),
        (b'{"history": ["plain"], "k": %s}' % (b"9" * 30), 422),
        (b'{"history": ["plain"], "k": %s}' % (b"9" * 5000), 400),
        (b"[" * 100_000, 400),
        (b'{"history":' * 10_000, 400),
        (b'{"history": [%s"plain"]}' % (b'"plain", ' * 200_000), 413),
        (b'{"history": [%s"x"]}' % (b'"x", ' * 1500), 422),
        (b'{"history": ["%s"]}' % (b"x" * 900_000), 404),
        (b"\xff\xfe{", 400),
        (b'{"history": ["\xed\xa0\x80"]}', 422),
        (b'{"history": ["\\u0000"]}', 404),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bodies_that_are_absurd_are_refused(client: TestClient, body: bytes, status: int) -> None:
    found = client.post("/api/recommend", content=body, headers={"content-type": "application/json"})
    assert found.status_code == status
    assert len(found.content) < 30_000


@pytest.mark.parametrize(
    "path",
    [
        *(f"/{place}/{id}" for place in ("video", "match", "media", "thumbnail") for id in ("%ED%A0%80", "%00", "%FF")),
        *(f"/media/{id}" for id in ("..%2F..%2Fetc%2Fhosts", "%2Fetc%2Fpasswd", "..%5C..", "%2e%2e/%2e%2e/etc/hosts")),
        *("/static/%00", "/static/..%2F..%2Fpages.py", "/static/%2e%2e/pages.py", "/static//etc/passwd", "/static/"),
        *("/evaluation/..%2F..%2Frun.toml", "/evaluation/%00", "/api/similar?id=%ED%A0%80", "/api/similar?id=%00"),
    ],
)
def test_addresses_lead_nowhere_else(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "-1", "9" * 30, "9" * 5000, "0x1", "", "１"])
@pytest.mark.parametrize("name", ["k", "min_year", "max_year", "weight", "diversity"])
def test_numbers_out_of_their_range_are_refused(client: TestClient, name: str, value: str) -> None:
    assert client.get("/api/similar", params={"id": "plain", name: value}).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://[::1"},
        {"origin": "\xff"},
        {"content-type": "multipart/form-data; boundary=" + 300 * "a"},
        {"content-type": 'multipart/form-data; boundary=""'},
        {"content-type": "\xff"},
        {"cookie": 'judge="\\ud800"; judge=%ED%A0%80'},
        {"range": "bytes=" + 5000 * "0-,"},
        {"if-range": "\xff"},
        {"hx-request": "\xff"},
    ],
    ids=str,
)
def test_no_header_is_a_fault_of_ours(client: TestClient, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, path in (
        *(("GET", "/"), ("GET", "/media/plain"), ("GET", "/judge/question"), ("POST", "/api/embed")),
        *(("POST", "/find/file"), ("POST", "/judge"), ("POST", "/api/recommend")),
    ):
        body = b"--a\r\n" if method == "POST" else None
        assert client.request(method, path, headers=sent, content=body).status_code < 500, path  # pyright: ignore[reportArgumentType]


def test_a_fault_of_ours_shows_neither_traceback_nor_path(
    app: FastAPI, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = app.state.antiphon.searcher

    def stumbles(*_: object, **__: object) -> None:
        raise RuntimeError("secret of /home/somebody")

    monkeypatch.setattr(searcher, "video", stumbles)
    client = TestClient(app, base_url=HOST, raise_server_exceptions=False)
    for path in ("/api/similar?id=plain", "/video/plain", "/media/plain", "/thumbnail/plain"):
        found = client.get(path)
        assert found.status_code == 500
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert not any(word in found.text for word in ("secret", "Traceback", "RuntimeError", "/home"))
        assert "failed on this request" in found.text


def test_an_error_that_names_a_file_of_the_workspace_tells_no_path(
    app: FastAPI, client: TestClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise SearchError(f"{workspace.index / 'part-0.parquet'}: is damaged.")

    monkeypatch.setattr(app.state.antiphon.searcher, "by_id", damaged)
    for path in ("/api/similar?id=plain", "/video/plain"):
        found = client.get(path)
        assert "index/part-0.parquet: is damaged." in found.text
        assert str(workspace.root) not in found.text


RAW = {
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no version": b"GET /\r\n\r\n",
    "two lengths": b"POST /judge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "negative length": b"POST /judge HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "length in words": b"POST /judge HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n",
    "length without end": b"POST /api/embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
    b"Content-Length: " + 400 * b"9" + b"\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "other host": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "host of a header in a path": b"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + 100_000 * b"x" + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + 20_000 * b"X: y\r\n" + b"\r\n",
    "a zero in a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: evil\r\n  localhost\r\n\r\n",
    "no chunk": b"POST /judge HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk without end": b"POST /judge HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    + 30 * b"f"
    + b"\r\nname=",
    "another encoding": b"POST /judge HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_request_is_refused_and_harms_nobody(server: str, name: str) -> None:
    place = urlsplit(server)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=60) as line:
        line.sendall(RAW[name])
        line.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while piece := line.recv(1 << 16):
                found += piece
        except ConnectionError:
            pass
    assert found == b"" or 400 <= int(found.split()[1]) < 500, found[:200]
    assert b"Traceback" not in found and b"/antiphon/" not in found


def test_a_body_in_pieces_is_as_good_as_one_and_lies_about_its_length_leave_nothing(
    client: TestClient, server: str, app: FastAPI
) -> None:
    def in_pieces() -> object:
        yield from (b'{"history"', b': ["pl', b'ain"], "k": 3}')

    found = client.post("/api/recommend", content=in_pieces(), headers={"content-type": "application/json"})  # pyright: ignore[reportArgumentType]
    assert found.status_code == 200
    assert len(json.loads(found.content)["hits"]) == 3
    place = urlsplit(server)
    for length in (b"100", b"1"):
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=60) as line:
            line.sendall(
                b"POST /api/embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\nContent-Length: "
                + length
                + b"\r\n\r\nfilm"
            )
            line.shutdown(socket.SHUT_WR)
            status = line.recv(1 << 16).split(b" ")[1:2]
            assert status in ([], [b"400"], [b"415"])
    assert client.get("/api/health").json()["files_under_way"] == 0
