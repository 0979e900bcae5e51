"""The map on pages: its places and colours as bytes, who is where, and what is put on a list from it."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from antiphon.app.api import refuse_repeated
from antiphon.app.asking import page_of_file
from antiphon.app.atlas import Drawn, Guest, rows_of
from antiphon.app.colouring import COLOURS, LEVELS, TAG, Colouring, colourings
from antiphon.app.forms import form_fields
from antiphon.app.layout import NEAREST
from antiphon.app.library import Video
from antiphon.app.narrowing import Narrowed
from antiphon.app.root import rooted
from antiphon.app.searching import UnknownVideoError
from antiphon.app.sent_records import PREFIX
from antiphon.app.state import Here, State
from antiphon.app.templating import address
from antiphon.shortlists import Shortlist, Shortlists, UnknownShortlistError, added
from antiphon.shortlists.records import MAX_ENTRIES

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, dependencies=[Depends(refuse_repeated)]
)

BLOCK = 100
"""Music videos that are told of at once."""
_MAX_FOUND = 2_000
_BYTES = "application/octet-stream"

By = Annotated[str, Query(max_length=1000)]
Version = Annotated[str, Query(max_length=64)]
Name = Annotated[str, Query(max_length=4096)]


@router.get("/map")
def map_page(request: Request, here: Here, by: By = "genre", q: Name = "", at: Name = "") -> Response:
    """Show the map of the catalogue, and on it a music video or a client's file."""
    searcher, drawn = here.searcher, here.atlas.drawn
    file = here.sent.by_id(at)
    if at.startswith(PREFIX) and (file is None or here.served is None or file.origin != here.served.origin):
        return RedirectResponse(page_of_file(at), 303)  # It is gone, or not embedded yet: its page says so.
    ways = colourings(searcher.library, here.atlas.measured)
    shown = None if drawn is None else here.atlas.colouring(by, drawn)
    if shown is not None and by not in ways:
        ways[by] = shown.title
    guest = None if file is None or drawn is None else here.atlas.guest((at, file.origin), file.encodings, drawn)
    near = [] if drawn is None else _near(here, at, guest, drawn)
    return here.pages.render(
        request,
        "map.html",
        drawn=drawn,
        ways={way: title for way, title in ways.items() if not way.startswith(TAG)},
        tags={way: title for way, title in ways.items() if way.startswith(TAG)},
        by=by,
        q=q,
        at=at,
        file=None if file is None else file.video,
        guest=guest,
        near=[one for _, one in near],
        named=[(row, one.title) for row, one in near],
        point=None if guest is None or file is None or file.video is None else _point(guest, file.video),
        colouring=shown,
        colours=COLOURS,
        made=_day(drawn) if drawn is not None else "",
        being_made=here.atlas.is_being_made,
        lists=Shortlists(here.workspace.shortlists).all() if not here.read_only else [],
        may_change=not here.read_only,
        total=len(searcher.findable),
        library=searcher.library,
    )


@router.get("/map.json")
def about(here: Here) -> JSONResponse:
    """Say which map there is; 202 while it is being computed."""
    drawn = here.atlas.drawn
    if drawn is None:
        return JSONResponse({"detail": "The map is being computed."}, status_code=202, headers={"Retry-After": "1"})
    return JSONResponse(
        {
            "version": drawn.version,
            "count": len(drawn.videos),
            "block": BLOCK,
            "levels": LEVELS,
            "being_made": here.atlas.is_being_made,
        }
    )


@router.get("/map/places")
def places(here: Here, version: Version) -> Response:
    """Return where the music videos stand, four bytes each."""
    return Response(_same(here, version).places, media_type=_BYTES)


@router.get("/map/colours")
def colours(here: Here, version: Version, by: By = "genre") -> Response:
    """Return the colour of each music video, a byte each."""
    return Response(_colouring(here, version, by).numbers.tobytes(), media_type=_BYTES)


@router.get("/map/legend")
def legend(request: Request, here: Here, version: Version, by: By = "genre") -> HTMLResponse:
    """Return what the colours stand for, as a part of the page."""
    return here.pages.render(request, "map_legend.html", colouring=_colouring(here, version, by), colours=COLOURS)


@router.get("/map/items")
def items(here: Here, version: Version, first: Annotated[int, Query(ge=0)] = 0) -> JSONResponse:
    """Tell of some music videos: id, title, artist, genre, address of the file, start in seconds."""
    drawn, library = _same(here, version), here.searcher.library
    return JSONResponse([_item(video, library.genre_of(video)) for video in drawn.videos[first : first + BLOCK]])


@router.get("/map/find")
def find(here: Here, version: Version, q: Name = "", id: Name = "") -> JSONResponse:
    """Return the rows of a music video, or of those whose title, artist, id, genre, tags or year have some words."""
    drawn, library = _same(here, version), here.searcher.library
    if id:
        row = drawn.row(id)
        return JSONResponse({"rows": [] if row is None else [row], "is_whole": True})
    found = library.find(q, _MAX_FOUND + 1)
    return JSONResponse({"rows": rows_of(drawn, found[:_MAX_FOUND]), "is_whole": len(found) <= _MAX_FOUND})


@router.post("/map/list")
async def put_on_list(request: Request, here: Here) -> JSONResponse:
    """Put music videos of the map on a list, or on a new one, in one change that can be undone."""
    given = await form_fields(request, "version", "rows", "list", "name")
    drawn = await run_sync(_same, here, given["version"])
    rows = [int(word) for word in given["rows"].split(",") if word.isascii() and word.isdigit() and len(word) < 10]
    if not rows or any(row >= len(drawn.videos) for row in rows):
        raise HTTPException(422, "No music videos of this map were named.")
    ids = [drawn.videos[row].id for row in dict.fromkeys(rows)]
    if len(ids) > MAX_ENTRIES:
        raise HTTPException(422, f"A list holds at most {MAX_ENTRIES:,} music videos; these are {len(ids):,}.")
    try:
        found = await run_sync(_listed, Shortlists(here.workspace.shortlists), given["list"], given["name"], ids)
    except UnknownShortlistError as error:
        raise HTTPException(404, str(error)) from error
    return JSONResponse({"name": found.name, "address": rooted(f"/lists/{found.key}"), "count": len(ids)})


def _near(here: State, at: str, guest: Guest | None, drawn: Drawn) -> list[tuple[int, Video]]:
    """Return what is most like the music video or the file that an address names, with its rows on the map."""
    videos = [] if guest is None else guest.nearest
    if drawn.row(at) is not None:
        with suppress(UnknownVideoError):  # It may have left the index before the map.
            videos = [one.video for one in here.searcher.by_id(at, Narrowed(k=NEAREST))]
    return [(row, one) for one in videos if (row := drawn.row(one.id)) is not None]


def _listed(store: Shortlists, key: str, name: str, ids: list[str]) -> Shortlist:
    found = store.get(key) if key else store.create(name)

    def all_added(before: Shortlist) -> Shortlist:
        for id in ids:
            before = added(before, id)
        return before

    return store.change(found.key, all_added)


@router.post("/map")
def lay_out_anew(here: Here) -> RedirectResponse:
    """Lay out the whole map anew; the former one is shown until then."""
    here.atlas.start(anew=True)
    return RedirectResponse(rooted("/map"), 303)


def _same(here: State, version: str) -> Drawn:
    """Return the map that a client has, or refuse: numbers of rows mean nothing on another one."""
    drawn = here.atlas.drawn
    if drawn is None or drawn.version != version:
        raise HTTPException(409, "The map has changed meanwhile. Load the page again.")
    return drawn


def _colouring(here: State, version: str, by: str) -> Colouring:
    return here.atlas.colouring(by, _same(here, version))


def _item(video: Video, genre: str) -> list[str | float]:
    start_s = video.segments[0].start_s if video.segments else video.start_s
    file = address(video.id, "media") if video.file else ""
    return [video.id, video.title, video.artist, genre, file, round(start_s, 2)]


def _point(guest: Guest, file: Video) -> dict[str, object]:
    """Return what the page's script draws of a client's file."""
    return {"place": guest.place, "item": _item(replace(file, artist="Your file"), "")}


def _day(drawn: Drawn) -> str:
    return f"{datetime.fromisoformat(drawn.made).astimezone():%d %B %Y, %H:%M}".lstrip("0")
