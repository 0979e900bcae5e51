"""Media files of other machines and stores, read by ranges: what is decoded is fetched, and not the whole file."""

import io
import time
from collections.abc import Callable
from typing import Any

from antiphon.addresses import file_system, is_passing, trouble
from antiphon.errors import ConfigError, DecodeError

BLOCK_BYTES = 1 << 19
"""What one request fetches; chosen by measurement, see `benchmarks/addresses.py`."""
KEPT_BLOCKS = 32
"""Blocks that are kept, those last used: 16 MiB a file."""
_TRIES, _PAUSE_S = 3, 0.5
_NO_RANGES = (
    "its server does not send parts of files (range requests), and whole files are not downloaded. Copy the file, or "
    "serve it by a server that does"
)


class TransferError(DecodeError):
    """A file whose store or server failed; that says nothing about the file."""


class RemoteFile:
    """Open file of another machine or store. Reading from a place fetches the blocks that are not kept.

    Parameters
    ----------
    address : str
        Address that fsspec knows.

    Attributes
    ----------
    size_bytes : int
        Its length.

    Raises
    ------
    DecodeError
        It cannot be opened (`TransferError`), or its server does not send parts of it.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            system, path = file_system(address)
            self._file: Any = self._tried(lambda: _opened(system, path))
            size: int | None = getattr(self._file, "size", None) or system.info(path).get("size")
            seekable = self._file.seekable() and _moves(self._file)
        except MemoryError:
            raise
        except ConfigError as error:  # no package for such addresses
            raise DecodeError(str(error)) from error
        except Exception as error:  # every store raises errors of its own
            raise TransferError(f"{address}: cannot be opened: {trouble(error)}.") from error
        if size is None or not seekable:
            self._file.close()
            raise DecodeError(f"{address}: {_NO_RANGES}.")
        self.size_bytes = size

    def read(self, size: int = -1) -> bytes:
        """Read bytes from the current position.

        Parameters
        ----------
        size : int
            Number of bytes, at least 0.

        Returns
        -------
        bytes
            They, or all there are.

        Raises
        ------
        TransferError
            The store fails.
        """
        try:
            return self._tried(lambda: self._file.read(size))
        except MemoryError:
            raise
        except Exception as error:
            words = _NO_RANGES if "range requests" in str(error) else f"reading failed: {trouble(error)}"
            raise TransferError(f"{self._address}: {words}.") from error

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> "RemoteFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tried(self, call: Callable[[], Any]) -> Any:
        """Call a function, and again where the error may pass."""
        for _ in range(_TRIES - 1):
            try:
                return call()
            except Exception as error:
                if not is_passing(error):
                    raise
                time.sleep(_PAUSE_S)
        return call()


def _opened(system: Any, path: str) -> Any:
    return system.open(
        path, "rb", block_size=BLOCK_BYTES, cache_type="blockcache", cache_options={"maxblocks": KEPT_BLOCKS}
    )


def _moves(file: Any) -> bool:
    """Return whether a file can be read from another place; fsspec's streams say so, and fail when asked to."""
    try:
        file.seek(1)
        file.seek(0)
    except ValueError:
        return False
    return True
