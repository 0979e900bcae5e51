"""The read-only link of a list, where a service has a token: it opens that list alone, and nothing else."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from antiphon.app.admission import Access
from antiphon.app.application import create_app
from antiphon.app.templating import address
from antiphon.search import Index
from antiphon.shortlists import Shortlist, Shortlists, added, noted
from antiphon.workspace import Workspace

from .conftest import HOST, IDS, RUN, SCRIPT

TOKEN = "3f-a_long.enough~secret"  # noqa: S105 - for these tests
KNOWN = {"authorization": f"Bearer {TOKEN}"}
PAGE = {"accept": "text/html"}
OTHER = "x/.."


@pytest.fixture
def stranger(workspace: Workspace, index: Index) -> Iterator[TestClient]:
    """Somebody without the token."""
    app = create_app(workspace, index, RUN, access=Access(token=TOKEN, root="/m"))
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        yield client


@pytest.fixture
def listed(workspace: Workspace) -> Iterator[Shortlist]:
    """A list of two with notes, and another list of a third."""
    store = Shortlists(workspace.shortlists)
    made = store.create("For a colleague")
    for id in ("plain", IDS[3], "gone"):
        made = store.change(made.key, lambda one, id=id: added(one, id))
    made = store.change(made.key, lambda one: noted(one, "plain", "the bridge"))
    second = store.create("Not for them")
    store.change(second.key, lambda one: added(one, OTHER))
    yield made
    for one in (made, second):
        store.delete(one.key)


def media_of(page: str) -> list[str]:
    """Addresses of everything that a page plays or shows, and of its styles and scripts."""
    return sorted(set(re.findall(r'(?:src|data-video|data-audio|href)="([^"#]+)"', page.replace("&amp;", "&"))))


def test_whoever_has_the_link_sees_the_list_and_what_is_on_it(stranger: TestClient, listed: Shortlist) -> None:
    found = stranger.get(f"/m/shared/{listed.token}", headers=PAGE)
    assert found.status_code == 200 and "set-cookie" not in found.headers
    assert "Read-only list" in found.text and "the bridge" in found.text and SCRIPT not in found.text
    needed = media_of(found.text)
    places = {one.removeprefix("/m/").split("/")[0] for one in needed}
    assert places == {"static", "shared"}
    for one in needed:
        assert stranger.get(one, headers={"range": "bytes=0-3"}).status_code in (200, 206), one
        assert stranger.head(one).status_code == 200, one
    assert stranger.head(f"/m/shared/{listed.token}").status_code == 200


def test_its_page_leads_nowhere_else(stranger: TestClient, listed: Shortlist) -> None:
    for headers in (PAGE, PAGE | KNOWN):
        page = stranger.get(f"/m/shared/{listed.token}", headers=headers).text
        assert "<nav" not in page and 'method="post"' not in page and "data-max-bytes" not in page
        inside = f"/m/shared/{listed.token}"
        links = re.findall(r'<(?:a|form)[^>]* (?:href|action)="([^"]*)"', page)
        assert all(one == "#main" or one.startswith(f"{inside}/") for one in links), links
        assert listed.key not in page
    assert "/csv" in page
    assert "/csv" not in stranger.get(f"/m/shared/{listed.token}", headers=PAGE).text
    side = stranger.get(f"/m/shared/{listed.token}/compare", params={"id": ["plain", IDS[3]]}, headers=KNOWN).text
    assert "<nav" not in side and "/m/media/" not in side and side.count("/media/") == 2 and "/m/cut/" not in side
    assert all(one in ("#main", inside) for one in re.findall(r'<(?:a|form)[^>]* (?:href|action)="([^"]*)"', side))


def test_the_link_opens_nothing_else(stranger: TestClient, listed: Shortlist, workspace: Workspace) -> None:
    inside = f"/m/shared/{listed.token}"
    second = next(one for one in Shortlists(workspace.shortlists).all() if one.name == "Not for them")
    for kind in ("media", "thumbnail"):
        of_another = address(OTHER, kind).removeprefix("/")
        for id in (of_another, f"{kind}/gone", f"{kind}/nobody", f"{kind}/..%2F..%2Fetc%2Fpasswd", f"{kind}/file-x"):
            assert stranger.get(f"{inside}/{id}").status_code == 404, id
        assert stranger.get(f"/m/{kind}/plain").status_code == 401
        assert stranger.get(f"/m/{kind}/plain", headers={"referer": f"{HOST}{inside}"}).status_code == 401
        assert stranger.get(f"{inside}/{kind}/").status_code == 401
    for path in (
        *(f"{inside}{one}" for one in ("/", "/csv", "/m3u", "/html", "/compare?id=plain", "/outline/audio/plain")),
        *(f"{inside}/..{one}" for one in ("/lists", "/lists/x", "/map.json")),
        f"{inside}%2F..%2F..%2Flists",
        f"/m/shared/{listed.key}",
        f"/m/shared/{listed.key}/media/plain",
        "/m/shared/",
        "/m/shared/%",
        "/m/shared/nobody/media/plain",
        f"/m//shared/{listed.token}",
        f"/m/m/shared/{listed.token}",
        f"/m/lists/{listed.key}",
        f"/m/lists/{second.key}",
        f"/m/shared/{listed.token}x",
        "/m/",
        "/m/lists",
        "/m/keep.json",
        "/m/video/plain",
        "/m/outline/audio/plain",
        "/m/cut/plain",
        "/m/api/items?q=plain",
        "/m/status",
        "/m/metrics",
    ):
        assert stranger.get(path).status_code == 401, path
        assert stranger.get(path, headers=PAGE).status_code in (303, 401), path
    for path in ("", "/media/plain", "/thumbnail/plain", "/csv"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert stranger.request(method, f"{inside}{path}").status_code == 401, (method, path)
    fault = stranger.get(f"{inside}/media/nobody", headers=PAGE).text
    assert "<nav" not in fault and "<form" not in fault and "/m/lists" not in fault


def test_what_leaves_the_list_or_is_deleted_is_closed_again(
    stranger: TestClient, listed: Shortlist, workspace: Workspace
) -> None:
    place = f"/m/shared/{listed.token}"
    assert stranger.get(f"{place}/media/plain").status_code == 200
    store = Shortlists(workspace.shortlists)
    store.undo(listed.key)  # the note
    store.undo(listed.key)  # the one that is gone
    store.undo(listed.key)
    assert stranger.get(f"{place}/{address(IDS[3], 'media').removeprefix('/')}").status_code == 404
    store.delete(listed.key)
    for path in ("", "/media/plain", "/thumbnail/plain"):
        assert stranger.get(f"{place}{path}").status_code == 401
