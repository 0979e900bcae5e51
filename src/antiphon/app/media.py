"""The catalogue's files and stills, by id. No path ever comes from a client."""

import mimetypes
from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.datastructures import MutableHeaders

from antiphon.app.library import Video
from antiphon.app.ranges import remote_response, short_digits
from antiphon.app.state import Here
from antiphon.errors import DecodeError

router = APIRouter(include_in_schema=False)

_MOST_WAITING = 64
_KEEP = "private, max-age=3600"


@router.api_route("/media/{id:path}", methods=["GET", "HEAD"])
def media(id: str, request: Request, here: Here, range: Annotated[str | None, Header()] = None) -> Response:
    """A music video's file, whole or the range that is asked for."""
    video = here.answers.video(id)
    if video.path is None:
        raise HTTPException(404, "The catalogue names no file for this video.")
    kind = media_type(video)
    if "://" in video.path:
        return remote_response(video.path, range, kind, head=request.method == "HEAD")
    if not Path(video.path).is_file():
        raise HTTPException(404, "The file of this video is not where the catalogue says.")
    if range is not None:  # which the response reads from the request
        MutableHeaders(scope=request.scope)["range"] = short_digits(range)
    return FileResponse(video.path, media_type=kind, headers={"cache-control": "private, no-cache"})


@router.get("/thumbnail/{id:path}")
async def thumbnail(id: str, here: Here, at: Annotated[float | None, Query(ge=0, le=1e6)] = None) -> Response:
    """A still of a music video, of its middle segment or of the moment that is asked for."""
    video = await run_sync(lambda: here.answers.video(id))
    time_s = video.middle_s if at is None else min(at, video.length_s)
    found = await run_sync(here.stills.kept, video, time_s)
    if found is None:
        found = await _made(here, video, time_s)
    return Response(found, media_type="image/jpeg", headers={"cache-control": _KEEP})


async def _made(here: Here, video: Video, time_s: float) -> bytes:
    limiter: CapacityLimiter = here.still_line
    if limiter.statistics().tasks_waiting >= _MOST_WAITING:
        raise HTTPException(503, "Too many stills are being made.", headers={"Retry-After": "2"})
    try:
        return await run_sync(here.stills.make, video, time_s, limiter=limiter)
    except DecodeError as error:
        raise HTTPException(404, "This video has no pictures to show.") from error


def media_type(video: Video) -> str:
    """What the file's ending says, if that is sound or pictures; a browser shall not take it for anything else."""
    guessed = mimetypes.guess_type(video.path or "")[0] or ""
    return guessed if guessed.startswith(("audio/", "video/")) else "application/octet-stream"
