"""A folder of one process alone, for files that must not outlive it."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from antiphon.locks import held, is_free

_PREFIX, _LOCK = "process-", ".lock"


class OwnFolder:
    """Folder of this process, locked until `close`; those of ended processes beside it are deleted.

    Parameters
    ----------
    parent : Path
        Folder of all processes' folders.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        with held(parent / _LOCK):  # Else another process may delete the folder before it is locked.
            _sweep(parent)
            self.path = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX))
            self._lock = contextlib.ExitStack()
            self._lock.enter_context(held(self.path / _LOCK))

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _sweep(parent: Path) -> None:
    """Delete the folders of ended processes; where the file system has no locks, keep all."""
    for left in parent.glob(f"{_PREFIX}*"):
        if is_free(left / _LOCK):
            shutil.rmtree(left, ignore_errors=True)
