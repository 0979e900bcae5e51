"""Under a proxy's path every page, answer and redirect stays under it, whether the proxy removes the path or not."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon.app.admission import Access
from antiphon.app.application import create_app
from antiphon.app.root import root_path
from antiphon.errors import ConfigError
from antiphon.search import Index
from antiphon.workspace import Workspace

from .conftest import HOST, RUN
from .test_pages import PAGES, Links

ROOT = "/tools/music"
MISSING = ("/nothing/here", "/video/nobody")


@pytest.fixture(scope="session")
def under_root(workspace: Workspace, index: Index) -> FastAPI:
    return create_app(workspace, index, RUN, access=Access(root=ROOT))


@pytest.fixture(scope="session")
def proxied(under_root: FastAPI) -> Iterator[TestClient]:
    with TestClient(under_root, base_url=HOST, follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("page", [*PAGES, "/status", *MISSING])
@pytest.mark.parametrize("before", [ROOT, ""])
def test_every_link_stays_under_it(proxied: TestClient, page: str, before: str) -> None:
    found = proxied.get(f"{before}{page}")
    assert found.status_code == (404 if page in MISSING else 200)
    links = Links(found.text).links
    assert len(links) > 10
    assert [link for link in links if not link.startswith((f"{ROOT}/", "#"))] == []
    for link in links:
        # The client of tests decodes twice.
        if "/static/" in link or (link.startswith(f"{ROOT}/thumbnail") and "%25" not in link):
            assert proxied.get(link).status_code == 200
            assert proxied.get(link.removeprefix(ROOT)).status_code == 200
    assert f'data-root="{ROOT}"' in found.text
    assert "hx-get=" not in found.text or f'hx-get="{ROOT}/' in found.text
    assert 'hx-get="/find' not in found.text


def test_answers_name_addresses_under_it(proxied: TestClient) -> None:
    item = proxied.get(f"{ROOT}/api/items?q=plain").json()["items"][0]
    assert item["page"] == f"{ROOT}/video/plain"
    assert proxied.get(item["media"], headers={"range": "bytes=0-9"}).status_code == 206
    point = next(point for point in _points(proxied) if point[0] == "plain")
    assert point[4] == f"{ROOT}/media/plain"
    assert proxied.get(f"{ROOT}/api/openapi.json").json()["servers"] == [{"url": ROOT}]


def _points(client: TestClient) -> list[list[object]]:
    while (found := client.get(f"{ROOT}/map.json")).status_code == 202:
        pass
    return client.get(f"{ROOT}/map/items", params={"version": found.json()["version"]}).json()


def test_redirects_and_cookies_stay_under_it(proxied: TestClient) -> None:
    assert proxied.get(f"{ROOT}/docs").headers["location"] == f"{ROOT}/api"
    assert proxied.get("/judge/question").headers["location"] == f"{ROOT}/judge"


@pytest.mark.parametrize("text", ["music", "/a b", "//evil.example", "/../up", '/"><script>', "/a//b", "/ä", "/a?b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--root-path"):
        root_path(text)


def test_without_one_nothing_is_added(client: TestClient) -> None:
    found = client.get("/")
    assert 'data-root=""' in found.text
    assert ROOT not in found.text
