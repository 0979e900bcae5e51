"""Files that the service sends: of this machine, or of a store."""

import os
import sys
import traceback
from io import FileIO
from typing import Any, Protocol

from fastapi import HTTPException
from fsspec.implementations.local import LocalFileSystem

from antiphon.addresses import file_system
from antiphon.credentials import without_credentials
from antiphon.errors import ConfigError, DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.media.signatures import HEAD_BYTES, begins_like_media

_GONE = "The file of this video is not where the catalogue says."
_OTHER = "The file of this video is not the one that was catalogued."


class Source(Protocol):
    """An open file.

    Attributes
    ----------
    size_bytes : int
        Its length.
    version : str
        Entity tag, which changes with the file; "" where nothing tells.
    """

    size_bytes: int
    version: str

    def read(self, first: int, count: int) -> bytes:
        """Read bytes from a position."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class LocalFile:
    """Open file of this machine; what becomes of its path does not matter any more.

    Parameters
    ----------
    file : FileIO
        The file.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        about = os.fstat(file.fileno())
        self.size_bytes = about.st_size
        self.version = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'

    def read(self, first: int, count: int) -> bytes:
        """Read bytes from a position."""
        return os.pread(self._file.fileno(), count, first)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class StoredFile:
    """File of a store that fsspec knows; opened when it is first read.

    Parameters
    ----------
    system : AbstractFileSystem
        The store.
    path : str
        Path in the store.
    size_bytes : int
        Length of the file.
    """

    def __init__(self, system: Any, path: str, size_bytes: int) -> None:
        self._system, self._path, self._file = system, path, None
        self.size_bytes, self.version = size_bytes, ""

    def read(self, first: int, count: int) -> bytes:
        """Read bytes from a position."""
        if self._file is None:
            self._file = self._system.open(self._path, "rb")
        if self._file.tell() != first:
            self._file.seek(first)
        return self._file.read(count)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def open_source(file: CataloguedFile) -> Source:
    """Open the file of a video.

    Parameters
    ----------
    file : CataloguedFile
        The file.

    Returns
    -------
    Source
        The open file.

    Raises
    ------
    HTTPException
        404: the file is gone, or is not the one that was catalogued. 502: the store fails, or reports no size.
    """
    return _stored(file) if file.local is None else _local(file)


def _local(file: CataloguedFile) -> Source:
    try:
        found = file.open()
    except DecodeError:
        raise HTTPException(404, _OTHER) from None
    except (OSError, ValueError):
        raise HTTPException(404, _GONE) from None
    # A catalogue of an earlier version does not say which file it was.
    if not file.is_identified and not begins_like_media(os.pread(found.fileno(), HEAD_BYTES, 0)):
        found.close()
        raise HTTPException(404, _OTHER)
    return LocalFile(found)


def _stored(file: CataloguedFile) -> Source:
    try:
        system, path = file_system(file.path)
        if isinstance(system, LocalFileSystem):
            return _local(CataloguedFile(path, file.size_bytes, file.modified_ns, file.content_hash))
        size = system.size(path)
    except HTTPException:
        raise
    except ConfigError as error:  # a package is missing
        sys.stderr.write(f"{error}\n")
        raise HTTPException(502, "The store of this video's file cannot be reached from here.") from None
    except (FileNotFoundError, PermissionError, ValueError, ImportError):
        raise HTTPException(404, _GONE) from None
    except Exception:  # noqa: BLE001 - every store raises errors of its own
        sys.stderr.write(without_credentials(traceback.format_exc()))
        raise HTTPException(502, "The store of this video's file failed.") from None
    if size is None:
        raise HTTPException(502, "The store of this video's file reports no size.")
    return StoredFile(system, path, int(size))
