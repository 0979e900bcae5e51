"""Parts of files that lie in an object store, for players that jump."""

import re
from collections.abc import Iterator
from typing import Any

import fsspec.core
from fastapi import HTTPException
from fastapi.responses import Response, StreamingResponse

_BLOCK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\s*")


def remote_response(uri: str, asked: str | None, kind: str) -> Response:
    """Answer a request for a file behind an address that fsspec knows, or for one range of it.

    Raises
    ------
    HTTPException
        404: it cannot be read. 416: the range lies outside.
    """
    try:
        system, path = fsspec.core.url_to_fs(uri)
        size = int(system.size(path))
    except (OSError, ValueError, ImportError, TypeError):
        raise HTTPException(404, "The file of this video is not where the catalogue says.") from None
    span = byte_range(asked, size)
    headers = {"accept-ranges": "bytes", "content-length": str(size)}
    if span is None:
        return StreamingResponse(_bytes(system, path, 0, size), media_type=kind, headers=headers)
    first, end = span
    headers |= {"content-length": str(end - first), "content-range": f"bytes {first}-{end - 1}/{size}"}
    return StreamingResponse(_bytes(system, path, first, end), status_code=206, media_type=kind, headers=headers)


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
    match = _RANGE.fullmatch(asked or "")
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
