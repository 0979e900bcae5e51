"""One writer at a time: locks that end with the process that holds them, however it ends."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from antiphon.disk import writing

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def exclusive(path: Path, busy: Exception, wait_s: float = 0.0) -> Generator[None]:
    """Hold the lock file `path` while the block lasts.

    Parameters
    ----------
    path : Path
        Lock file; its folder is created where it is missing.
    busy : Exception
        What to raise where another holder does not let go.
    wait_s : float
        How long to wait for another holder, in seconds.
    """
    lock = FileLock(path)
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=wait_s, blocking=wait_s > 0)
    except Timeout:
        raise busy from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold the lock file `path`, waiting for it; without a lock where the file system has none."""
    lock = FileLock(path)
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock file `path`; False where that cannot be told."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    lock.release()
    return True


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock file `path`; False where that cannot be told."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
