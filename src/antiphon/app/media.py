"""The catalogue's files and stills, by id. Paths never come from a client."""

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

_MAX_WAITING = 64
_KEEP = "private, max-age=3600"


@router.api_route("/media/{id:path}", methods=["GET", "HEAD"])
def media(id: str, request: Request, here: Here, range: Annotated[str | None, Header()] = None) -> Response:
    """Serve a music video's file, or the requested range of it."""
    video = here.searcher.video(id)
    if video.path is None:
        raise HTTPException(404, "The catalogue has no file for this video.")
    kind = media_type(video)
    if "://" in video.path:
        return remote_response(video.path, range, kind, head=request.method == "HEAD")
    if not Path(video.path).is_file():
        raise HTTPException(404, "The file of this video is not where the catalogue says.")
    if range is not None:  # The response reads it from the request.
        MutableHeaders(scope=request.scope)["range"] = short_digits(range)
    return FileResponse(video.path, media_type=kind, headers={"cache-control": "private, no-cache"})


@router.get("/thumbnail/{id:path}")
async def thumbnail(id: str, here: Here, at: Annotated[float | None, Query(ge=0, le=1e6)] = None) -> Response:
    """Serve a still of a music video, of its middle segment or of the requested time."""
    video = await run_sync(lambda: here.searcher.video(id))
    time_s = video.middle_s if at is None else min(at, video.length_s)
    found = await run_sync(here.stills.kept, video, time_s)
    if found is None:
        found = await _made(here, video, time_s)
    return Response(found, media_type="image/jpeg", headers={"cache-control": _KEEP})


async def _made(here: Here, video: Video, time_s: float) -> bytes:
    limiter: CapacityLimiter = here.still_line
    if limiter.statistics().tasks_waiting >= _MAX_WAITING:
        raise HTTPException(503, "Too many stills are being rendered.", headers={"Retry-After": "2"})
    try:
        return await run_sync(here.stills.make, video, time_s, limiter=limiter)
    except DecodeError as error:
        raise HTTPException(404, "This video has no pictures.") from error


def media_type(video: Video) -> str:
    """Guess the media type of a file by its name. Anything but audio and video is served as binary data.

    Parameters
    ----------
    video : Video
        The video.

    Returns
    -------
    str
        The media type.
    """
    guessed = mimetypes.guess_type(video.path or "")[0] or ""
    return guessed if guessed.startswith(("audio/", "video/")) else "application/octet-stream"


_BLOCK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)\s*")
_MAX_DIGITS = 18


def short_digits(asked: str) -> str:
    """Shorten the numbers of a Range header to 18 digits: more than any file's size, and safe for `int`.

    Parameters
    ----------
    asked : str
        The header.

    Returns
    -------
    str
        The shortened header.

    Examples
    --------
    >>> short_digits("bytes=007-" + 5000 * "9")
    'bytes=7-999999999999999999'
    """
    return re.sub("[0-9]+", lambda digits: digits[0].lstrip("0")[:_MAX_DIGITS] or "0", asked)


def remote_response(uri: str, asked: str | None, kind: str, *, head: bool = False) -> Response:
    """Respond with a remote file that fsspec can open, or with one range of it.

    Parameters
    ----------
    uri : str
        URI of the file.
    asked : str, optional
        The Range header.
    kind : str
        Media type.
    head : bool
        Send headers only; ranges apply to GET alone.

    Returns
    -------
    Response
        The response, which streams the file.

    Raises
    ------
    HTTPException
        404: the file cannot be read. 416: the range is outside the file. 502: the store fails, or reports no size.
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
    """Return file system, path and size in bytes."""
    try:
        system, path = fsspec.core.url_to_fs(uri)
        size = system.size(path)
    except (FileNotFoundError, PermissionError, ValueError, ImportError):
        raise HTTPException(404, "The file of this video is not where the catalogue says.") from None
    except Exception:  # noqa: BLE001 - every store raises errors of its own
        traceback.print_exc()
        raise HTTPException(502, "The store of this video's file failed.") from None
    if size is None:
        raise HTTPException(502, "The store of this video's file reports no size.")
    return system, path, int(size)


def byte_range(asked: str | None, size: int) -> tuple[int, int] | None:
    """Parse a Range header.

    Parameters
    ----------
    asked : str, optional
        The header.
    size : int
        Size of the file in bytes.

    Returns
    -------
    tuple of (int, int), optional
        First byte and end of the range; None if there is no header, or one that is not supported.

    Raises
    ------
    HTTPException
        416: the range is outside the file.

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
