"""Shortlists on pages: hearts, names, notes, order, and what can be taken along."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Cookie, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from antiphon.app.admission import may_use_all
from antiphon.app.attachments import attachment
from antiphon.app.forms import form_fields
from antiphon.app.library import Video
from antiphon.app.root import rooted
from antiphon.app.state import Here, State
from antiphon.app.templating import address
from antiphon.errors import ConfigError
from antiphon.presentation.csv_text import csv_text
from antiphon.shortlists import (
    Entry,
    Shortlist,
    Shortlists,
    UnknownShortlistError,
    added,
    moved,
    noted,
    removed,
    renamed,
)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_FIRST_NAME = "My list"
_REMEMBERED_S = 90 * 24 * 3600
_COLUMNS = ("place", "id", "title", "artist", "genre", "year", "note")
_CHANGES = ("add", "remove", "up", "down", "note", "rename", "delete", "undo")

Current = Annotated[str, Cookie(alias="list", max_length=100)]
"""Key of the list that hearts go to."""


@router.get("/lists")
def lists(request: Request, here: Here) -> HTMLResponse:
    """Show all lists."""
    return _page(request, here, "lists.html", lists=_store(here).all())


@router.post("/lists")
async def create(request: Request, here: Here) -> Response:
    """Begin a list, which hearts go to from then on."""
    name = (await form_fields(request, "name"))["name"]
    try:
        made = await run_sync(_store(here).create, name)
    except ConfigError as error:
        return await run_sync(partial(_refused, request, here, name, str(error)))
    return _remembering(RedirectResponse(rooted(f"/lists/{made.key}"), 303), made.key)


def _refused(request: Request, here: State, name: str, fault: str) -> HTMLResponse:
    return _page(request, here, "lists.html", status=422, lists=_store(here).all(), fault=fault, name=name)


@router.get("/lists/{key}")
def one(key: str, request: Request, here: Here) -> Response:
    """Show a list, which hearts go to from then on."""
    found = the_list(here, key)
    page = _page(
        request,
        here,
        "list.html",
        shortlist=found,
        entries=entries_of(here, found),
        may_change=not here.read_only,
        takes_along=True,
    )
    return page if found.is_deleted or here.read_only else _remembering(page, key)


@router.post("/lists/{key}")
async def change(key: str, request: Request, here: Here) -> Response:
    """Change a list."""
    given = await form_fields(request, "do", "id", "text")
    if given["do"] not in _CHANGES:
        raise HTTPException(422, f"Nothing is called {given['do'][:20]!r} here; a list takes {', '.join(_CHANGES)}.")
    if given["do"] == "add":
        await run_sync(lambda: here.searcher.video(given["id"]))
    try:
        await run_sync(_changed, _store(here), key, given)
    except UnknownShortlistError as error:
        raise HTTPException(404, str(error)) from error
    return RedirectResponse(rooted(f"/lists/{key}"), 303)


def _changed(store: Shortlists, key: str, given: dict[str, str]) -> Shortlist:
    do, id, text = given["do"], given["id"], given["text"]
    if do == "undo":
        return store.undo(key)
    if do == "delete":
        return store.delete(key)
    changes: dict[str, Callable[[Shortlist], Shortlist]] = {
        "add": partial(added, id=id),
        "remove": partial(removed, id=id),
        "note": partial(noted, id=id, note=text),
        "rename": partial(renamed, name=text),
        "up": partial(moved, id=id, step=-1),
        "down": partial(moved, id=id, step=1),
    }
    return store.change(key, changes[do])


@router.get("/keep.json")
def kept(here: Here, current: Current = "") -> JSONResponse:
    """Return which music videos are on the list that hearts go to."""
    found = _current(here, current)
    return JSONResponse({"ids": [entry.id for entry in found.entries] if found else []})


@router.post("/keep")
async def keep(request: Request, here: Here, current: Current = "") -> Response:
    """Put a music video on the list that hearts go to, or take it off; without a list, begin one."""
    id = (await form_fields(request, "id"))["id"]
    await run_sync(lambda: here.searcher.video(id))
    found = await run_sync(_current, here, current)
    if found is None:
        found = await run_sync(_store(here).create, _FIRST_NAME)
    found = await run_sync(
        _store(here).change, found.key, lambda one: removed(one, id) if id in one else added(one, id)
    )
    if request.headers.get("accept", "").startswith("application/json"):
        return _remembering(JSONResponse({"name": found.name, "kept": id in found}), found.key)
    return _remembering(RedirectResponse(rooted(f"/lists/{found.key}"), 303), found.key)


@router.get("/shared/{token}")
def shared(token: str, request: Request, here: Here) -> HTMLResponse:
    """Show a list alone, to whoever has its link; exports and comparing are for those who may use the service."""
    found = shared_list(here, token)
    entries = entries_of(here, found)
    along = may_use_all(request)
    return _page(request, here, "list.html", shortlist=found, entries=entries, may_change=False, takes_along=along)


@router.get("/shared/{token}/{kind}")
def export(token: str, kind: Literal["csv", "m3u"], request: Request, here: Here) -> Response:
    """Export a list as a table, or as a playlist of the service's addresses."""
    found = shared_list(here, token)
    entries = entries_of(here, found)
    if kind == "csv":
        return _attached(csv_text(_COLUMNS, _rows(entries)), "text/csv; charset=utf-8", found.name, kind)
    origin = str(request.base_url).removesuffix("/").removesuffix(request.scope.get("root_path", ""))
    return _attached(_playlist(entries, origin), "audio/x-mpegurl; charset=utf-8", found.name, "m3u8")


def _rows(entries: Sequence[tuple[Entry, Video | None]]) -> list[dict[str, object]]:
    return [
        {
            "place": place,
            "id": entry.id,
            "title": video.title if video else "",
            "artist": video.artist if video else "",
            "genre": video.genre if video else "",
            "year": video.year if video else None,
            "note": entry.note,
        }
        for place, (entry, video) in enumerate(entries, 1)
    ]


def _playlist(entries: Sequence[tuple[Entry, Video | None]], origin: str) -> str:
    lines = ["#EXTM3U"]
    for _, video in entries:
        if video is not None and video.file is not None:
            name = " ".join((f"{video.artist} - {video.title}" if video.artist else video.title).split())
            lines += [f"#EXTINF:{round(video.duration_s or -1)},{name}", f"{origin}{address(video.id, 'media')}"]
    return "\n".join([*lines, ""])


def _attached(text: str, kind: str, name: str, ending: str) -> Response:
    return Response(text, media_type=kind, headers={"content-disposition": attachment(name, ending)})


def _store(here: State) -> Shortlists:
    return Shortlists(here.workspace.shortlists)


def _current(here: State, key: str) -> Shortlist | None:
    try:
        found = _store(here).get(key)
    except UnknownShortlistError:
        return None
    return None if found.is_deleted else found


def the_list(here: State, key: str) -> Shortlist:
    """Return the list with a key; 404 where there is none."""
    try:
        return _store(here).get(key)
    except UnknownShortlistError as error:
        raise HTTPException(404, str(error)) from error


def shared_list(here: State, token: str) -> Shortlist:
    """Return the list that a token lets read; 404 where there is none."""
    try:
        return _store(here).shared(token)
    except UnknownShortlistError as error:
        raise HTTPException(404, str(error)) from error


def entries_of(here: State, shortlist: Shortlist) -> list[tuple[Entry, Video | None]]:
    """Return the entries with their music videos; None for one that has left the catalogue."""
    videos = here.searcher.library.videos
    return [(entry, videos.get(entry.id)) for entry in shortlist.entries]


def _page(request: Request, here: State, template: str, status: int = 200, **context: object) -> HTMLResponse:
    usual: dict[str, object] = {"fault": "", "name": ""}
    return here.pages.render(request, template, status, library=here.searcher.library, **(usual | context))


def _remembering(answer: Response, key: str) -> Response:
    answer.set_cookie("list", key, max_age=_REMEMBERED_S, path=rooted("/"), httponly=True, samesite="strict")
    return answer
