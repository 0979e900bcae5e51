"""What the page of a read-only link plays and shows: files and stills of what is on its list, and of nothing else."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import Response

from antiphon.app.library import Video
from antiphon.app.list_pages import shared_list
from antiphon.app.media import file_answer, still_answer
from antiphon.app.state import Here, State

router = APIRouter(include_in_schema=False)


@router.get("/shared/{token}/media/{id:path}")
async def media(
    token: str,
    id: str,
    request: Request,
    here: Here,
    range: Annotated[str | None, Header()] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """Serve the file of a music video on a list, or the requested range of it."""
    return await file_answer(request, here, await run_sync(_on_the_list, here, token, id), range, if_range)


@router.get("/shared/{token}/thumbnail/{id:path}")
async def thumbnail(
    token: str, id: str, here: Here, at: Annotated[float | None, Query(ge=0, le=1e6)] = None
) -> Response:
    """Serve a still of a music video on a list, of its middle segment or of the requested time."""
    return await still_answer(here, await run_sync(_on_the_list, here, token, id), at)


def _on_the_list(here: State, token: str, id: str) -> Video:
    if id not in shared_list(here, token):
        raise HTTPException(404, "It is not on this list.")
    return here.searcher.video(id)  # Of the catalogue: what clients send is on no list.
