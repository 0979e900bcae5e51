"""Taking a file from a client: streamed to the workspace within limits, under a name of our own, and removed again."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from antiphon.app.multipart import FilePart
from antiphon.app.worker import STOPPING, StoppedError
from antiphon.locks import held, is_free

_PREFIX, _FOLDER_PREFIX = "upload-", "process-"
_LOCK = ".lock"
_RETRY_S = 15
_PLAIN_TYPES = ("application/octet-stream", "application/ogg", "application/x-matroska", "application/mp4")


@dataclass(frozen=True)
class UploadLimits:
    """What clients may send.

    Attributes
    ----------
    most_bytes : int
        Of a body: a file, or a form with all its fields.
    receive_s : float
        Seconds that a file may take to arrive.
    most_at_once : int
        Files that may be arriving, waiting or read at one time; more are told to come again.
    """

    most_bytes: int = 512 << 20
    receive_s: float = 600.0
    most_at_once: int = 8


class Uploads:
    """Where clients' files lie while they are read: in a folder of this process alone.

    Parameters
    ----------
    parent : Path
        Folder of the workspace for all processes' folders. Those whose process has ended are removed.

    Attributes
    ----------
    folder : object
        This process's own, held by a lock until `close`.
    """

    def __init__(self, parent: Path, limits: UploadLimits | None = None) -> None:
        self.limits = limits or UploadLimits()
        self._under_way = 0
        self._arriving: set[asyncio.Timeout] = set()
        self._stopped = False
        parent.mkdir(parents=True, exist_ok=True)
        with held(parent / _LOCK):  # so that nobody takes a folder that is not locked yet for one that was left
            _sweep(parent)
            self.folder = Path(tempfile.mkdtemp(dir=parent, prefix=_FOLDER_PREFIX))
            self._lock = contextlib.ExitStack()
            self._lock.enter_context(held(self.folder / _LOCK))

    def stop(self) -> None:
        """Wait for no file any longer; who sends one is told. Called in the server's event loop."""
        self._stopped = True
        for waiting in self._arriving:
            with contextlib.suppress(RuntimeError):  # its time is up already
                waiting.reschedule(0)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    @property
    def under_way(self) -> int:
        """Files that are arriving, waiting or being read."""
        return self._under_way

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncGenerator[Path]:
        """The file that a request carries, as long as the block lasts.

        The body is the file itself, of a media type, or a form whose first file it is. Its name is not looked at.

        Raises
        ------
        HTTPException
            408 too slow, 411 or 413 too large, 415 not a media type, 422 empty, 503 too many at once, 507 no room.
        """
        if self._under_way >= self.limits.most_at_once:
            raise HTTPException(
                503, "Too many files at once. Try again in a moment.", headers={"Retry-After": str(_RETRY_S)}
            )
        self._under_way += 1
        path: Path | None = None
        try:
            kind = self._checked_type(request)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=_PREFIX)
            path = Path(name)
            with open(handle, "wb") as file:  # noqa: PTH123 - the file is open already
                await self._fill(file, request, kind)
            yield path
        finally:
            self._under_way -= 1
            if path is not None:
                path.unlink(missing_ok=True)

    def _checked_type(self, request: Request) -> str:
        kind = request.headers.get("content-type", "")
        plain = kind.partition(";")[0].strip().lower()
        if not plain.startswith(("audio/", "video/")) and plain not in (*_PLAIN_TYPES, "multipart/form-data"):
            raise HTTPException(
                415, "Send a music video, a song or a film: audio/*, video/* or application/octet-stream."
            )
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limits.most_bytes:
            raise self._too_large()
        return kind

    async def _fill(self, file: BinaryIO, request: Request, kind: str) -> None:
        """Write the file that the body carries, and refuse the body as soon as it is too large."""
        size = 0
        try:
            async with self._in_time(), contextlib.aclosing(self._body(request)) as body:
                async for piece in _file_in(body, kind):
                    size += len(piece)
                    file.write(piece)
                file.flush()
        except TimeoutError:
            if self._stopped:
                raise StoppedError(STOPPING) from None
            raise HTTPException(408, "The file took too long to arrive.") from None
        except ClientDisconnect:
            raise HTTPException(400, "The file did not arrive whole.") from None
        except OSError:
            raise HTTPException(507, "There is no room for this file at the moment.") from None
        if not size:
            raise HTTPException(422, "The request carries no file, or an empty one.")

    @asynccontextmanager
    async def _in_time(self) -> AsyncGenerator[None]:
        async with asyncio.timeout(0 if self._stopped else self.limits.receive_s) as waiting:
            self._arriving.add(waiting)
            try:
                yield
            finally:
                self._arriving.discard(waiting)

    async def _body(self, request: Request) -> AsyncGenerator[bytes]:
        """What is sent, whatever it belongs to, until it is too large."""
        size = 0
        async with contextlib.aclosing(request.stream()) as stream:
            async for piece in stream:
                size += len(piece)
                if size > self.limits.most_bytes:
                    raise self._too_large()
                yield piece

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"The file is larger than {self.limits.most_bytes >> 20} MiB.")


async def _file_in(body: AsyncIterator[bytes], kind: str) -> AsyncIterator[bytes]:
    """The file in a body: all of it, or the first file of a form, whose rest is not waited for."""
    part = FilePart(kind) if kind.lower().startswith("multipart/form-data") else None
    async for piece in body:
        yield piece if part is None else part.feed(piece)
        if part is not None and part.done:
            return


def _sweep(parent: Path) -> None:
    """Remove what ended processes left; where the file system has no locks, nobody knows, and all stays."""
    for left in parent.glob(f"{_FOLDER_PREFIX}*"):
        if is_free(left / _LOCK):
            shutil.rmtree(left, ignore_errors=True)
