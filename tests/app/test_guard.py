"""Foreign hosts, foreign pages, and what every answer carries."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.guard import Guard


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
