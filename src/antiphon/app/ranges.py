"""Parts of files that lie in an object store, for players that jump."""

import re
import traceback
from collections.abc import Iterator
from typing import Any

import fsspec.core
from fastapi import HTTPException
from fastapi.responses import Response, StreamingResponse

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
    asked : the Range header.
    head : only the headers are asked for; of the whole file, since a range goes with GET alone.

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
