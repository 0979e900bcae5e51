"""The service's view of catalogue and index, refreshed when either changes."""

import threading
import time
from collections.abc import Hashable
from contextlib import suppress

from antiphon.app.atlas import Atlas
from antiphon.app.library import Library
from antiphon.app.searching import Searcher
from antiphon.errors import StaleIndexError
from antiphon.search import Index
from antiphon.search.explaining import workspace_facts
from antiphon.workspace import Workspace

_CHECK_EVERY_S = 1.0


class Snapshot:
    """Searcher and map of the current catalogue. Thread-safe.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    index : Index
        Its index.
    every_s : float
        Seconds between two checks of the files.

    Raises
    ------
    CatalogueError
        The workspace has no catalogue.
    """

    def __init__(self, workspace: Workspace, index: Index, every_s: float = _CHECK_EVERY_S) -> None:
        self._workspace, self._index, self._every_s = workspace, index, every_s
        self._lock = threading.Lock()
        self._checked_s, self._state = time.monotonic(), self._signature()
        self._searcher, self._atlas = self._read()

    @property
    def searcher(self) -> Searcher:
        """The current searcher."""
        return self._fresh()[0]

    @property
    def atlas(self) -> Atlas:
        """The current map."""
        return self._fresh()[1]

    def _fresh(self) -> tuple[Searcher, Atlas]:
        with self._lock:
            if time.monotonic() - self._checked_s >= self._every_s:
                # An index of another model is refused when searched; pages that do not search keep working.
                with suppress(StaleIndexError):
                    self._update(self._signature())
                self._checked_s = time.monotonic()
            return self._searcher, self._atlas

    def _update(self, state: Hashable) -> None:
        if state != self._state:
            self._searcher, self._atlas = self._read()
            self._state = state

    def _read(self) -> tuple[Searcher, Atlas]:
        library = Library.of(self._workspace)
        atlas = Atlas(self._index, library, self._workspace.page)
        atlas.start()
        return Searcher(library, self._index, workspace_facts(self._workspace)), atlas

    def _signature(self) -> Hashable:
        tables = (self._workspace.catalogue, self._workspace.segments, self._workspace.attributes)
        stats = [path.stat() if path.exists() else None for path in tables]
        return self._index.version, *(stat and (stat.st_mtime_ns, stat.st_ino) for stat in stats)
