"""A token, asked for once by a page and sent by programs; and a service that takes nothing."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from antiphon.app.admission import Access, read_token
from antiphon.app.application import create_app
from antiphon.errors import ConfigError
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, RUN

TOKEN = "3f-a_long.enough~secret"  # noqa: S105 - for these tests
PAGE = {"accept": "text/html"}


@pytest.fixture
def guarded(workspace: Workspace, index: Index) -> Iterator[TestClient]:
    app = create_app(workspace, index, RUN, access=Access(token=TOKEN, root="/m"))
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/video/plain", "/media/plain", "/thumbnail/plain", "/map.json", "/metrics", "/judge", "/api"]
)
def test_nothing_is_shown_without_it(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 401
    assert guarded.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert guarded.get(path, headers={"authorization": f"Basic {TOKEN}"}).status_code == 401
    assert guarded.get(path, headers={"cookie": f"antiphon={TOKEN}"}).status_code == 401
    assert guarded.get(path, headers={"cookie": 'antiphon="\\'}).status_code == 401
    assert guarded.head(path).status_code == 401
    page = guarded.get(path, headers=PAGE)
    assert page.status_code == 303
    assert page.headers["location"] == f"/m/sign-in?next={quote(path, safe='')}"


def test_programs_are_told_in_json(guarded: TestClient) -> None:
    answer = guarded.get("/api/items?q=plain", headers=PAGE)
    assert answer.status_code == 401
    assert "Bearer" in answer.json()["detail"] and answer.headers["www-authenticate"] == "Bearer"
    assert guarded.post("/api/embed", content=b"x").status_code == 401


def test_programs_send_it(guarded: TestClient) -> None:
    sent = {"authorization": f"bearer  {TOKEN} "}
    assert guarded.get("/api/items?q=plain", headers=sent).status_code == 200
    assert guarded.get("/media/plain", headers=sent | {"range": "bytes=0-1"}).status_code == 206


def test_people_are_asked_once(guarded: TestClient) -> None:
    page = guarded.get("/m/sign-in")
    assert page.status_code == 200 and 'action="/m/sign-in"' in page.text
    assert guarded.get("/m/static/app.css").status_code == 200
    wrong = guarded.post("/m/sign-in", data={"token": "wrong"})
    assert wrong.status_code == 403 and "set-cookie" not in wrong.headers and "Wrong token" in wrong.text
    right = guarded.post("/m/sign-in", data={"token": TOKEN})
    assert (right.status_code, right.headers["location"]) == (303, "/m/")
    cookie = right.headers["set-cookie"]
    assert TOKEN not in cookie
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/m/"))
    assert guarded.get("/m/", headers={"cookie": cookie.partition(";")[0]}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/video/plain?q=calm&weight=0.5", "/m/video/plain?q=calm&weight=0.5"),
        ("//evil.example", "/m/"),
        ("/\\evil.example", "/m/"),
        ("https://evil.example", "/m/"),
        ("/x\r\nSet-Cookie: a=b", "/m/"),
        ("", "/m/"),
    ],
)
def test_who_followed_a_link_comes_to_what_it_names(guarded: TestClient, asked: str, led: str) -> None:
    assert guarded.post("/m/sign-in", data={"token": TOKEN, "next": asked}).headers["location"] == led


def test_a_cookie_of_another_application_does_no_harm(guarded: TestClient) -> None:
    cookie = guarded.post("/m/sign-in", data={"token": TOKEN}).headers["set-cookie"].partition(";")[0]
    guarded.cookies.clear()
    assert guarded.get("/m/", headers={"cookie": f'foo={{"a":1}}; theme; {cookie}'}).status_code == 200


@pytest.mark.parametrize("host", ["localhost/healthz?", "localhost/healthz#", "localhost\\healthz", "a@localhost"])
def test_no_host_name_opens_a_door(guarded: TestClient, host: str) -> None:
    assert guarded.get("/api/items?q=plain", headers={"host": host}).status_code == 421


def test_what_watches_the_service_needs_none(guarded: TestClient) -> None:
    assert guarded.get("/healthz").text == "ok\n"
    assert guarded.get("/m/readyz").text == "ok: 12 music videos\n"


def test_a_service_for_reading_takes_nothing(workspace: Workspace, index: Index) -> None:
    with TestClient(create_app(workspace, index, RUN, access=Access(read_only=True)), base_url=HOST) as client:
        assert "Uploads are off here." in client.get("/").text
        for path in (
            "/api/embed",
            "/api/match?target=audio",
            "/find/file",
            "/judge",
            "/judge/question",
            "/api/refresh",
        ):
            assert client.post(path, content=b"x").status_code == 403, path
        assert client.post("/api/recommend", json={"history": ["plain"]}).status_code == 200
        assert client.get("/api/similar?id=plain").status_code == 200


@pytest.mark.parametrize("content", [b"short", b"two words but long enough", b"\xff" * 30, b"", b"x" * 2000])
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="token"):
        read_token(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_token(tmp_path / "none")


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\r\n")
    assert read_token(tmp_path / "token") == TOKEN
