"""Uploads: streamed to the workspace within limits, under generated names, and deleted after use."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from antiphon.app.bodies import Body, body_of, too_large
from antiphon.app.multipart import FilePart
from antiphon.app.own_folder import OwnFolder
from antiphon.workers.limits import StoppedError

_PREFIX = "upload-"
_RETRY_S = 15
_PLAIN_TYPES = ("application/octet-stream", "application/ogg", "application/x-matroska", "application/mp4")


@dataclass(frozen=True)
class UploadLimits:
    """Limits of uploads.

    Attributes
    ----------
    max_bytes : int
        Maximum size of a body: a file, or a form with all its fields.
    receive_s : float
        Maximum time of an upload in seconds.
    max_concurrent : int
        Maximum number of files being received, queued or read. A further one takes the place of the slowest that comes
        at less than the minimum rate of a body; if there is none, it is refused with Retry-After.
    """

    max_bytes: int = 512 << 20
    receive_s: float = 600.0
    max_concurrent: int = 8


class Upload(NamedTuple):
    """A file that was received, and what the client calls it: any text, "" where it says nothing."""

    path: Path
    name: str


class Uploads:
    """Clients' files, in a folder of this process alone.

    Parameters
    ----------
    parent : Path
        Folder of all processes' folders. Those of ended processes are deleted.
    limits : UploadLimits, optional
        Limits.

    Attributes
    ----------
    folder : Path
        This process's folder, locked until `close`.
    """

    def __init__(self, parent: Path, limits: UploadLimits | None = None) -> None:
        self.limits = limits or UploadLimits()
        self._under_way = 0
        self._arriving: dict[asyncio.Timeout, Body] = {}
        self._stopped = False
        self._own = OwnFolder(parent)
        self.folder = self._own.path

    def stop(self) -> None:
        """End waiting uploads, and accept no more. Called in the server's event loop."""
        self._stopped = True
        for waiting in self._arriving:
            _end(waiting)

    def close(self) -> None:
        """Delete the folder."""
        self._own.close()

    @property
    def under_way(self) -> int:
        """Number of files being received, queued or read."""
        return self._under_way

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncGenerator[Upload]:
        """Receive the file of a request and delete it at the end of the block, unless it was moved away.

        The body is the file itself, with a media type, or a form; then its first file is taken. Its name is no part of
        any path.

        Parameters
        ----------
        request : Request
            The request.

        Yields
        ------
        Upload
            The file.

        Raises
        ------
        HTTPException
            408: too slow. 413: too large. 415: no media type. 422: empty. 503: too many at once. 507: disk full.
        """
        if self._under_way >= self.limits.max_concurrent and not self._displaces_a_slow_one():
            raise HTTPException(503, "Too many files at once. Try again later.", headers={"Retry-After": str(_RETRY_S)})
        self._under_way += 1
        path: Path | None = None
        try:
            kind = self._checked_type(request)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=_PREFIX)
            path = Path(name)
            with open(handle, "wb") as file:  # noqa: PTH123 - a file descriptor
                sent_name = await self._fill(file, request, kind)
            yield Upload(path, sent_name)
        finally:
            self._under_way -= 1
            if path is not None:
                path.unlink(missing_ok=True)

    def _checked_type(self, request: Request) -> str:
        kind = request.headers.get("content-type", "")
        plain = kind.partition(";")[0].strip().lower()
        if not plain.startswith(("audio/", "video/")) and plain not in (*_PLAIN_TYPES, "multipart/form-data"):
            raise HTTPException(415, "Unsupported media type. Send audio/*, video/* or application/octet-stream.")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limits.max_bytes:
            raise too_large(self.limits.max_bytes)
        return kind

    def _displaces_a_slow_one(self) -> bool:
        slow = [waiting for waiting, body in self._arriving.items() if body.is_slow]
        if not slow:
            return False
        slowest = min(slow, key=lambda waiting: self._arriving[waiting].bytes_per_s)
        del self._arriving[slowest]
        _end(slowest)
        return True

    async def _fill(self, file: BinaryIO, request: Request, kind: str) -> str:
        """Write the request's file, refuse the body as soon as it is too large, and return what the file is called."""
        size = 0
        part = FilePart(kind) if kind.lower().startswith("multipart/form-data") else None
        body = body_of(request)
        body.max_bytes = self.limits.max_bytes
        try:
            async with self._in_time(body), contextlib.aclosing(request.stream()) as stream:
                async for piece in _file_in(stream, part):
                    size += len(piece)
                    file.write(piece)
                file.flush()
        except TimeoutError:
            if self._stopped:
                raise StoppedError("The uploads were stopped.") from None
            raise HTTPException(408, "The upload took too long.") from None
        except ClientDisconnect:
            raise HTTPException(400, "The upload was incomplete.") from None
        except OSError:
            raise HTTPException(507, "Not enough disk space for this file.") from None
        if not size:
            is_there = part is None or part.file_name
            raise HTTPException(422, "The file is empty (0 bytes)." if is_there else "No file was chosen.")
        return "" if part is None else part.file_name.decode(errors="replace")

    @asynccontextmanager
    async def _in_time(self, body: Body) -> AsyncGenerator[None]:
        async with asyncio.timeout(0 if self._stopped else self.limits.receive_s) as waiting:
            self._arriving[waiting] = body
            try:
                yield
            finally:
                self._arriving.pop(waiting, None)


def _end(waiting: asyncio.Timeout) -> None:
    with contextlib.suppress(RuntimeError):  # Already timed out.
        waiting.reschedule(0)


async def _file_in(body: AsyncIterator[bytes], part: FilePart | None) -> AsyncIterator[bytes]:
    """Yield the file in a body: all of it, or the first file of a form."""
    async for piece in body:
        yield piece if part is None else part.feed(piece)
        if part is not None and part.done:
            return
