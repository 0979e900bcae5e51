"""Answers that send a file, or the part of it that a player asks for."""

import re
from collections.abc import AsyncIterator

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import HTTPException
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from antiphon.app.sources import Source

_BLOCK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)\s*")
_MAX_DIGITS = 18


class SpanResponse(StreamingResponse):
    """Response with an open file or one range of it. The file is closed whatever happens.

    Several ranges, and ranges that cannot be understood, give the whole file.

    Parameters
    ----------
    source : Source
        The file.
    asked : str, optional
        The Range header.
    kind : str
        Media type.
    line : CapacityLimiter
        Bounds how many blocks are read at once, since a file system or a store may hang.
    headers_only : bool
        Send no body; ranges apply to bodies alone.

    Raises
    ------
    HTTPException
        416: the range is outside the file.
    """

    def __init__(
        self, source: Source, asked: str | None, kind: str, line: CapacityLimiter, *, headers_only: bool = False
    ) -> None:
        self._source, self._line = source, line
        headers = {"accept-ranges": "bytes", "cache-control": "private, no-cache"}
        if source.version:
            headers["etag"] = source.version
        try:
            span = None if headers_only else byte_range(asked, source.size_bytes)
        except HTTPException:
            source.close()
            raise
        first, end = span or (0, source.size_bytes)
        headers["content-length"] = str(end - first)
        if span is not None:
            headers["content-range"] = f"bytes {first}-{end - 1}/{source.size_bytes}"
        blocks = self._blocks(first, first if headers_only else end)
        super().__init__(blocks, status_code=206 if span else 200, headers=headers, media_type=kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and close the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()

    async def _blocks(self, first: int, end: int) -> AsyncIterator[bytes]:
        while first < end:
            block = await run_sync(self._source.read, first, min(_BLOCK_BYTES, end - first), limiter=self._line)
            if not block:  # It has become shorter; the connection ends, and the client sees that the rest is missing.
                raise OSError("The file has become shorter while it was sent.")
            first += len(block)
            yield block


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
