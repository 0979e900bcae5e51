"""Writing to a disk that may be full, read-only or failing."""

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from antiphon.errors import AntiphonError, StorageError

_FREE = "Free some space and run the same command again; finished work is kept."
_CHOOSE = "Make the folder writable, or choose another one."
_REMEDIES = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EFBIG: _FREE,
    errno.EROFS: _CHOOSE,
    errno.EACCES: _CHOOSE,
    errno.EPERM: _CHOOSE,
    errno.EIO: "The disk may be failing. Choose another one.",
}
# Libraries that write have errors of their own, which quote the system's number or SQLite's words.
_QUOTED = re.compile(r"\b(?:os error|errno) (\d+)", re.IGNORECASE)
_SQLITE = {"disk is full": errno.ENOSPC, "readonly database": errno.EROFS, "unable to open database": errno.EACCES}


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Convert errors of the disk in the block to `StorageError`; others pass.

    Parameters
    ----------
    path : Path
        What is written, for the message.

    Yields
    ------
    None

    Raises
    ------
    StorageError
        The disk is full, failing or read-only.
    """
    try:
        yield
    except AntiphonError:
        raise
    except Exception as error:
        number = _error_number(error)
        if number not in _REMEDIES:
            raise
        reason = f"{path}: cannot be written ({os.strerror(number).lower()}). {_REMEDIES[number]}"
        raise StorageError(reason) from error


def _error_number(error: Exception) -> int | None:
    """Return the system's number of an error, if it has or quotes one."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    quoted = _QUOTED.search(text)
    if quoted is not None:
        return int(quoted[1])
    return next((number for words, number in _SQLITE.items() if words in text), None)
