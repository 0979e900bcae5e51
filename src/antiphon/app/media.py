"""The catalogue's files and stills, by id. No path ever comes from a client."""

import mimetypes
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import fsspec.core
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.datastructures import MutableHeaders

from antiphon.app.library import Video
from antiphon.app.state import Here
from antiphon.errors import DecodeError

router = APIRouter(include_in_schema=False)

_MOST_WAITING = 64
_KEEP = "private, max-age=3600"


@router.api_route("/media/{id:path}", methods=["GET", "HEAD"])
def media(id: str, request: Request, here: Here, range: Annotated[str | None, Header()] = None) -> Response:
    """A music video's file, whole or the range that is asked for."""
    video = here.searcher.video(id)
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
    video = await run_sync(lambda: here.searcher.video(id))
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


_BLOCK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)\s*")
_MOST_DIGITS = 18


def short_digits(asked: str) -> str:
    """A Range header whose numbers have at most 18 digits: more than any file's size, and what `int` takes.

    Examples
    --------
    >>> short_digits("bytes=007-" + 5000 * "9")
    'bytes=7-999999999999999999'
    """
    return re.sub("[0-9]+", lambda digits: digits[0].lstrip("0")[:_MOST_DIGITS] or "0", asked)


def remote_response(uri: str, asked: str | None, kind: str, *, head: bool = False) -> Response:
    """Answer a request for a file behind an address that fsspec knows, or for one range of it.

    Parameters
    ----------
    asked : str or None
        The Range header.
    head : bool
        Only the headers are asked for; of the whole file, since a range goes with GET alone.

    Raises
    ------
    HTTPException
        404: it cannot be read. 416: the range lies outside. 502: its store fails, or does not say how long it is.
    """
    system, path, size = _remote_file(uri)
    headers = {"accept-ranges": "bytes", "content-length": str(size)}
    if head:
        return Response(media_type=kind, headers=headers)
    span = byte_range(asked, size)
    if span is None:
        return StreamingResponse(_bytes(system, path, 0, size), media_type=kind, headers=headers)
    first, end = span
    headers |= {"content-length": str(end - first), "content-range": f"bytes {first}-{end - 1}/{size}"}
    return StreamingResponse(_bytes(system, path, first, end), status_code=206, media_type=kind, headers=headers)


def _remote_file(uri: str) -> tuple[Any, str, int]:
    """File system, path and size in bytes."""
    try:
        system, path = fsspec.core.url_to_fs(uri)
        size = system.size(path)
    except (FileNotFoundError, PermissionError, ValueError, ImportError):
        raise HTTPException(404, "The file of this video is not where the catalogue says.") from None
    except Exception:  # noqa: BLE001 - every store has errors of its own
        traceback.print_exc()
        raise HTTPException(502, "The store of this video's file does not answer as it should.") from None
    if size is None:
        raise HTTPException(502, "The store of this video's file does not say how long it is.")
    return system, path, int(size)


def byte_range(asked: str | None, size: int) -> tuple[int, int] | None:
    """First byte and end of the range that a header asks for; None where it asks for none that we understand.

    Raises
    ------
    HTTPException
        416: it lies outside the file.

    Examples
    --------
    >>> byte_range("bytes=2-5", 10), byte_range("bytes=-3", 10), byte_range("bytes=4-", 10), byte_range(None, 10)
    ((2, 6), (7, 10), (4, 10), None)
    """
    match = _RANGE.fullmatch(short_digits(asked or ""))
    if match is None or match.group(1) == match.group(2) == "":
        return None
    low, high = match.groups()
    if not low:
        first, end = max(size - int(high), 0), size
    else:
        first, end = int(low), min(int(high) + 1 if high else size, size)
    if first >= end:
        raise HTTPException(416, "The file has no such range.", headers={"content-range": f"bytes */{size}"})
    return first, end


def _bytes(system: Any, path: str, first: int, end: int) -> Iterator[bytes]:
    with system.open(path, "rb") as file:
        file.seek(first)
        while first < end and (block := file.read(min(_BLOCK_BYTES, end - first))):
            first += len(block)
            yield block
