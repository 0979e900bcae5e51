"""Foreign hosts, foreign pages, and what every answer carries."""

import socket

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.middleware import Guard
from antiphon.cli.app import run
from antiphon.cli.serving import own_names
from antiphon.workspace import Workspace


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil", "a b", "[::1"])
def test_a_name_that_is_not_ours_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_this_machine_s_names_are_ours(client: TestClient, host: str) -> None:
    assert client.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://localhost:9"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://localhost"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, True),
    ],
)
def test_only_our_own_pages_may_send(client: TestClient, headers: dict[str, str], let_in: bool) -> None:
    found = client.post("/api/embed", headers=headers, content=b"")
    assert (found.status_code != 403) == let_in


def test_every_answer_forbids_what_is_not_ours(client: TestClient) -> None:
    for path in ("/", "/api/health", "/media/nobody", "/static/app.css", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_a_report_runs_in_an_origin_of_its_own(client: TestClient) -> None:
    policy = client.get("/evaluation/report").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy


def test_further_names_can_be_let_in() -> None:
    app = FastAPI()
    app.add_middleware(Guard, hosts=("Studio.Local",))
    client = TestClient(app, base_url="http://studio.local")
    assert client.get("/nothing").status_code == 404


def guarded(host: str, reached: str, hosts: set[str]) -> int:
    """Status of an answer to a request for `host` that has come to an address of this machine."""
    app = FastAPI()
    app.add_middleware(Guard, hosts=hosts)
    return TestClient(app, base_url=f"http://{reached}").get("/openapi.json", headers={"host": host}).status_code


@pytest.mark.parametrize(
    ("host", "reached"),
    [("192.0.2.7:8000", "192.0.2.7"), ("[2001:db8::7]", "[2001:db8::7]"), ("192.0.2.7", "[::ffff:192.0.2.7]")],
)
def test_the_address_that_is_reached_is_let_in_and_no_other(host: str, reached: str) -> None:
    assert guarded(host, reached, set()) == 200
    assert guarded("evil.example", reached, set()) == 421
    assert guarded("192.0.2.8", reached, set()) == 421


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "studio.local"])  # noqa: S104
def test_listening_elsewhere_lets_no_foreign_name_in(host: str) -> None:
    hosts = own_names(host)
    assert guarded("evil.example", "192.0.2.7", hosts) == 421
    own = "studio.local" if host == "studio.local" else socket.gethostname() if host in {"0.0.0.0", "::"} else host  # noqa: S104
    assert guarded(own, "192.0.2.7", hosts) == 200


def test_serve_lets_in_its_own_address_and_the_names_it_is_given(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[TestClient] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: served.append(TestClient(self.config.app)))
    names = ("--allow-host", "Studio.Local", "--allow-host", "music.example")
    assert run(["--workspace", str(workspace.root), "serve", "--host", "0.0.0.0", "--port", "0", *names]) == 0  # noqa: S104
    status = {
        host: served[0].get("/api/health", headers={"host": host}).status_code
        for host in ("studio.local", "music.example:8000", socket.gethostname(), "evil.example")
    }
    assert list(status.values()) == [200, 200, 200, 421], status
