"""What is counted and logged of requests: by route, so that clients cannot make up series."""

import io
import json
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from antiphon.app.application import create_app
from antiphon.app.telemetry import Telemetry
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, RUN


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def watched(workspace: Workspace, index: Index, log: io.StringIO) -> Iterator[TestClient]:
    app = create_app(workspace, index, RUN, telemetry=Telemetry(log))
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        yield client


def series(client: TestClient) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if not name.startswith("#")
    }


def test_requests_are_counted_by_route(watched: TestClient) -> None:
    for path in ("/video/plain", "/video/nobody", "/video/nobody/at/all", "/static/app.css", "/a", "/b"):
        watched.get(path)
    watched.head("/video/plain")
    watched.get("/", headers={"host": "evil.example"})
    watched.request("BREW", "/a")
    watched.post("/api/recommend", json={"history": ["plain"]})
    found = {name: value for name, value in series(watched).items() if name.startswith("antiphon_requests_total")}
    assert found == {
        'antiphon_requests_total{method="GET",route="/video/{id}",status="200"}': 1,
        'antiphon_requests_total{method="GET",route="/video/{id}",status="404"}': 2,
        'antiphon_requests_total{method="HEAD",route="/video/{id}",status="200"}': 1,
        'antiphon_requests_total{method="GET",route="/static",status="200"}': 1,
        'antiphon_requests_total{method="GET",route="none",status="404"}': 2,
        'antiphon_requests_total{method="GET",route="none",status="421"}': 1,
        'antiphon_requests_total{method="other",route="none",status="404"}': 1,
        'antiphon_requests_total{method="POST",route="/api/recommend",status="200"}': 1,
    }


def test_times_and_what_is_there(watched: TestClient) -> None:
    watched.get("/gallery")
    found = series(watched)
    assert found['antiphon_request_seconds_count{route="/gallery"}'] == 1
    assert 0 < found['antiphon_request_seconds_sum{route="/gallery"}'] < 600
    assert found["antiphon_index_videos"] == 12
    assert found["antiphon_files_under_way"] == 0
    assert found["antiphon_requests_under_way"] == 1  # That for the numbers themselves.
    assert found["process_resident_memory_bytes"] > 1e6


def test_each_request_is_a_line(watched: TestClient, log: io.StringIO) -> None:
    watched.get("/video/plain?q=secret")
    watched.get("/shared/abcdefghijk")
    watched.get("/lists/lmnopqrs")
    assert "abcdefghijk" not in log.getvalue() and "lmnopqrs" not in log.getvalue()
    watched.get("/x%0A%7B%22status%22%3A200%7D/%1B%5B31m")
    first, *_, second = map(json.loads, log.getvalue().splitlines())
    assert (first["method"], first["path"], first["route"], first["status"]) == (
        "GET",
        "/video/plain",
        "/video/{id}",
        200,
    )
    assert (
        first["bytes"] > 1000 and 0 < first["seconds"] < 600 and re.fullmatch(r"[\d-]+T[\d:.]+\+00:00", first["time"])
    )
    assert "secret" not in log.getvalue() and "\x1b" not in log.getvalue()
    assert second["status"] == 404


@pytest.mark.parametrize("path", ["/shared/secretkey", "/lists/secretkey", "/file/secretkey/", "/shared/secretkey/x/y"])
def test_what_gives_access_is_not_logged_where_no_route_was_reached(path: str) -> None:
    """Who lacks a token is sent to sign in before any route is reached."""
    log = io.StringIO()
    scope = {"type": "http", "path": path, "client": ("127.0.0.1", 1)}
    telemetry = Telemetry(log)
    telemetry.begin()
    telemetry.end(scope, "GET", 303, 0, 0.1)
    line = json.loads(log.getvalue())
    assert "secretkey" not in log.getvalue()
    assert line["path"].startswith(path[:6])


def test_a_request_that_fails_is_counted_as_such(
    workspace: Workspace, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(workspace, index, RUN)
    monkeypatch.setattr("antiphon.app.pages.drawn", lambda *_: 1 // 0)
    with TestClient(app, base_url=HOST, raise_server_exceptions=False) as client:
        assert client.get("/gallery").status_code == 500
        assert series(client)['antiphon_requests_total{method="GET",route="/gallery",status="500"}'] == 1
