"""A list as one HTML file that plays without this service, and two of its music videos side by side."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from antiphon.app.attachments import attachment
from antiphon.app.library import Video
from antiphon.app.list_pages import entries_of, shared_list, the_list
from antiphon.app.previews import LENGTH_S
from antiphon.app.state import Here, State
from antiphon.presentation.page_frame import page_style
from antiphon.presentation.previews import Preview
from antiphon.shortlists import Entry, Shortlist

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

MAX_PLAYERS = 50
MAX_BYTES = 20 << 20
"""Of all players together, before they are written as text, which takes a third more."""
_MAX_WAITING = 4

Two = Annotated[list[str], Query(alias="id", max_length=1000)]


@dataclass(frozen=True)
class Shown:
    """An entry of a list with its player.

    Attributes
    ----------
    entry : Entry
        The entry.
    video : Video, optional
        Its music video; None where it has left the catalogue.
    player : str
        Address that holds the preview; "" without one.
    poster : str
        Address that holds its picture; "" without one.
    """

    entry: Entry
    video: Video | None
    player: str = ""
    poster: str = ""


@router.get("/lists/{key}/compare")
def compare(key: str, request: Request, here: Here, two: Two = []) -> HTMLResponse:  # noqa: B006 - never changed
    """Show two music videos of a list side by side, to be played in step."""
    return _compared(request, here, the_list(here, key), two, f"/lists/{key}")


@router.get("/shared/{token}/compare")
def compare_shared(token: str, request: Request, here: Here, two: Two = []) -> HTMLResponse:  # noqa: B006
    """Show two music videos of a list side by side, to those who may read it."""
    return _compared(request, here, shared_list(here, token), two, f"/shared/{token}")


def _compared(request: Request, here: State, shortlist: Shortlist, two: Sequence[str], back: str) -> HTMLResponse:
    on_it = {entry.id: (entry, video) for entry, video in entries_of(here, shortlist) if video is not None}
    chosen = [on_it[id] for id in dict.fromkeys(two) if id in on_it]
    if len(chosen) != 2:
        raise HTTPException(422, "Choose two music videos of the list to compare.")
    facts = here.searcher.facts.tracks
    pairs = [(entry, video, facts.get(video.id)) for entry, video in chosen]
    library = here.searcher.library
    return here.pages.render(request, "compare.html", shortlist=shortlist, pairs=pairs, back=back, library=library)


@router.get("/shared/{token}/html")
async def export_html(token: str, request: Request, here: Here) -> Response:
    """Export a list as one HTML file with players, which needs nothing else."""
    found = await run_sync(shared_list, here, token)
    if here.preview_line.statistics().tasks_waiting >= _MAX_WAITING:
        raise HTTPException(503, "Too many lists are being written. Try again later.", headers={"Retry-After": "30"})
    shown = await _with_players(request, here, found)
    text = here.pages.text(
        request,
        "list_file.html",
        shortlist=found,
        shown=shown,
        style=page_style(),
        length_s=LENGTH_S,
        most=MAX_PLAYERS,
        most_mb=round(MAX_BYTES / 1e6),
    )
    headers = {"content-disposition": attachment(found.name, "html"), "content-security-policy": "sandbox"}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


async def _with_players(request: Request, here: State, shortlist: Shortlist) -> list[Shown]:
    """Make the players of the first entries, as many as may be, in turn with those of other lists."""
    shown: list[Shown] = []
    size = 0
    for place, (entry, video) in enumerate(await run_sync(lambda: list(entries_of(here, shortlist)))):
        preview = None
        if video is not None and place < MAX_PLAYERS and size < MAX_BYTES and not await request.is_disconnected():
            preview = await run_sync(here.previews.make, video, limiter=here.preview_line)
        if preview is None:
            shown.append(Shown(entry, video))
            continue
        size += len(preview.mp4) + len(preview.poster or b"")
        shown.append(Shown(entry, video, *_addresses(preview)))
    return shown


def _addresses(preview: Preview) -> tuple[str, str]:
    kind = "video/mp4" if preview.has_video else "audio/mp4"
    player = f"data:{kind};base64,{base64.b64encode(preview.mp4).decode()}"
    poster = f"data:image/jpeg;base64,{base64.b64encode(preview.poster).decode()}" if preview.poster else ""
    return player, poster
