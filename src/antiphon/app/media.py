"""The catalogue's files, stills and outlines, by id. Paths never come from a client."""

from functools import partial
from hashlib import sha256
from typing import Annotated

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import Response

from antiphon.app.library import Video
from antiphon.app.middleware import wants_body
from antiphon.app.sources import open_source
from antiphon.app.spans import SpanResponse
from antiphon.app.state import Here, State
from antiphon.embeddings import Modality
from antiphon.errors import DecodeError
from antiphon.media.signatures import media_type

router = APIRouter(include_in_schema=False)

_MAX_WAITING = 64
_KEEP = "private, max-age=3600"
_SENT = {"content-security-policy": "default-src 'none'; media-src 'self'; sandbox"}
"""Whatever a client's file holds, it is no page."""


@router.get("/media/{id:path}")
async def media(
    id: str,
    request: Request,
    here: Here,
    range: Annotated[str | None, Header()] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """Serve a music video's file, or the requested range of it."""
    return await file_answer(request, here, await run_sync(here.video, id), range, if_range)


async def file_answer(request: Request, here: State, video: Video, range: str | None, if_range: str | None) -> Response:
    """Return a music video's file as an answer.

    Parameters
    ----------
    request : Request
        The request.
    here : State
        State of the application.
    video : Video
        The video.
    range, if_range : str, optional
        Headers of the request: which bytes are asked for, and of which version.

    Returns
    -------
    Response
        The file, or a part of it.

    Raises
    ------
    HTTPException
        404: there is no file.
    """
    if video.file is None:
        raise HTTPException(404, "The catalogue has no file for this video.")
    source = await run_sync(open_source, video.file, limiter=here.file_line)
    asked = range if if_range in (None, source.version) else None
    kind = media_type(video.file.path)
    answer = SpanResponse(source, asked, kind, here.file_line, headers_only=not wants_body(request.scope))
    if video.sent_name:
        answer.headers.update(_SENT)
    return answer


@router.get("/thumbnail/{id:path}")
async def thumbnail(id: str, here: Here, at: Annotated[float | None, Query(ge=0, le=1e6)] = None) -> Response:
    """Serve a still of a music video, of its middle segment or of the requested time."""
    return await still_answer(here, await run_sync(here.video, id), at)


async def still_answer(here: State, video: Video, at: float | None) -> Response:
    """Return a still of a music video as an answer.

    Parameters
    ----------
    here : State
        State of the application.
    video : Video
        The video.
    at : float, optional
        Time in seconds. Default: the middle segment's.

    Returns
    -------
    Response
        JPEG.

    Raises
    ------
    HTTPException
        404: there are no pictures. 503: too many stills are being rendered.
    """
    time_s = video.middle_s if at is None else min(at, video.length_s)
    found = await run_sync(here.stills.kept, video, time_s)
    if found is None:
        found = await _made(here, video, time_s)
    return Response(found, media_type="image/jpeg", headers={"cache-control": _KEEP})


async def _made(here: State, video: Video, time_s: float) -> bytes:
    limiter: CapacityLimiter = here.still_line
    if limiter.statistics().tasks_waiting >= _MAX_WAITING:
        raise HTTPException(503, "Too many stills are being rendered.", headers={"Retry-After": "2"})
    try:
        sent = here.sent.by_id(video.id)
        if sent is None:
            return await run_sync(here.stills.make, video, time_s, limiter=limiter)
        render = partial(here.stills.render, video, time_s)
        return await run_sync(here.sent.keep, sent, f"still {time_s:.1f}", render, limiter=limiter)
    except DecodeError as error:
        raise HTTPException(404, "This video has no pictures.") from error


@router.get("/outline/{side}/{id:path}")
async def outline(
    side: Modality, id: str, here: Here, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Serve the waveform and beats of a music video's sound, or the cuts of its pictures, as JSON."""
    video = await run_sync(here.video, id)
    found = await outlined(here, video, side)
    tag = f'"{sha256(found).hexdigest()[:32]}"'
    headers = {"cache-control": _KEEP, "etag": tag}
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    return Response(found, media_type="application/json", headers=headers)


async def outlined(here: State, video: Video, side: Modality) -> bytes:
    """Return the outline of a video's sound or pictures, made if it is not kept.

    Parameters
    ----------
    here : State
        State of the application.
    video : Video
        The video.
    side : {"audio", "video"}
        Sound or pictures.

    Returns
    -------
    bytes
        JSON.

    Raises
    ------
    HTTPException
        404: there is no such side, or no file. 503: too many are being made.
    """
    found = await run_sync(here.outlines.kept, video, side)
    if found is not None:
        return found
    limiter = here.outline_lines[side]
    if limiter.statistics().tasks_waiting >= _MAX_WAITING:
        raise HTTPException(503, "Too many outlines are being made.", headers={"Retry-After": "5"})
    try:
        sent = here.sent.by_id(video.id)
        if sent is None:
            return await run_sync(here.outlines.make, video, side, limiter=limiter)
        draw = partial(here.outlines.draw, video, side)
        return await run_sync(here.sent.keep, sent, side, draw, limiter=limiter)
    except DecodeError as error:
        raise HTTPException(404, f"This video has no {'sound' if side == 'audio' else 'pictures'}.") from error
