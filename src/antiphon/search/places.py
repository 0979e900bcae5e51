"""Where an index lies, and one writer at a time."""

import fcntl
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from antiphon.errors import SearchError
from antiphon.search.exact import ExactStore
from antiphon.search.record import REBUILD, FolderShelf, Kind, Origin, Record
from antiphon.search.store import Store
from antiphon.tables import sweep_partials

_LOCK = ".lock"


class Place:
    """A folder that holds an index: `index.toml`, which names the folder with the rows, and that folder.

    Parameters
    ----------
    path : the folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self._folder = Path(path)
        self._shelf = FolderShelf(self._folder)

    def record(self) -> Record:
        """What the index here is.

        Raises
        ------
        SearchError
            There is none, or its record is damaged.
        """
        record = self._shelf.read()
        if record is None:
            raise SearchError(f"{self.name}: no index here. {REBUILD}")
        return record

    def store(self, record: Record) -> Store:
        """The store with the rows of an index."""
        return ExactStore(self._folder / record.entries, record.dim)

    def create(self, kind: Kind, rows: pa.Table, origin: Origin) -> Record:
        """Write a new index and let it take the place of the one before, in one step."""
        with self.lock():
            record = Record(kind, rows.schema.field("vector").type.list_size, f"entries-{secrets.token_hex(4)}", origin)
            ExactStore.create(self._folder / record.entries, rows)
            self._shelf.write(record)
            self._sweep(record)
        return record

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the index for writing; the lock goes with the process, however it ends.

        Raises
        ------
        SearchError
            Another writer holds it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOCK).open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SearchError(f"{self.name}: another process is writing to this index. Wait for it.") from None
            yield

    def _sweep(self, record: Record) -> None:
        """Remove the rows of earlier builds, whole or killed."""
        sweep_partials(self._folder)
        for folder in self._folder.glob("entries-*"):
            if folder.name.removesuffix(".lance") != record.entries:
                shutil.rmtree(folder, ignore_errors=True)
