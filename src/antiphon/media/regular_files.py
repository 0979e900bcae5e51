"""Opening of regular files, whatever is put in their place: a pipe is not waited for."""

import os
import stat
from io import FileIO
from pathlib import Path


def open_regular(path: Path) -> FileIO:
    """Open a regular file for reading; others, such as pipes, sockets and devices, are neither opened nor waited for.

    Parameters
    ----------
    path : Path
        Path of the file.

    Returns
    -------
    FileIO
        The file.

    Raises
    ------
    OSError
        It cannot be opened, or is no regular file.
    """
    _refuse_special(path.stat())
    # Should it become a pipe or a terminal at this very moment, opening it must not wait for the other end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _refuse_special(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb", buffering=0)


def _refuse_special(about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise OSError("it is not a file")
