"""The index that is served, and the view of it and of the catalogue that is refreshed when either changes."""

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from antiphon.app.atlas import Atlas
from antiphon.app.encoding import Encoder, encoder
from antiphon.app.library import Library
from antiphon.app.searching import Searcher
from antiphon.app.wording import Wording
from antiphon.errors import StaleIndexError
from antiphon.search import Index
from antiphon.search.explaining import workspace_facts
from antiphon.search.query import TextSide
from antiphon.search.record import Origin
from antiphon.workers.limits import WorkerLimits
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
    wording : TextSide, optional
        Embeds words, where the model of the index knows them.

    Raises
    ------
    CatalogueError
        The workspace has no catalogue.
    """

    def __init__(
        self, workspace: Workspace, index: Index, every_s: float = _CHECK_EVERY_S, wording: TextSide | None = None
    ) -> None:
        self._workspace, self._index, self._every_s, self._wording = workspace, index, every_s, wording
        self._updating = threading.Lock()
        self._checked_s, self._state = time.monotonic(), self._signature()
        self._current = self._read(None)

    @property
    def searcher(self) -> Searcher:
        """The current searcher."""
        return self._fresh()[0]

    @property
    def atlas(self) -> Atlas:
        """The current map."""
        return self._fresh()[1]

    def _fresh(self) -> tuple[Searcher, Atlas]:
        # Other requests are answered from the former state while one of them reads.
        if time.monotonic() - self._checked_s >= self._every_s and self._updating.acquire(blocking=False):
            try:
                self._update(self._signature())
            except StaleIndexError:
                # It is refused when searched; pages that do not search keep working.
                self._current[0].pages.clear()
            finally:
                self._checked_s = time.monotonic()
                self._updating.release()
        return self._current

    def _update(self, state: Hashable) -> None:
        if state != self._state:
            self._current = self._read(self._current[1])
            self._state = state

    def _read(self, former: Atlas | None) -> tuple[Searcher, Atlas]:
        library = Library.of(self._workspace)
        facts = workspace_facts(self._workspace)
        atlas = Atlas(self._index, library, self._workspace.page, facts.tracks, former)
        atlas.start()
        return Searcher(library, self._index, facts, self._wording), atlas

    def _signature(self) -> Hashable:
        space = self._workspace
        tables = (space.catalogue, space.segments, space.attributes, space.failures)
        stats = [path.stat() if isinstance(path, Path) and path.exists() else None for path in tables]
        return self._index.version, *(stat and (stat.st_mtime_ns, stat.st_ino) for stat in stats)


@dataclass(frozen=True)
class Served:
    """One index, and what embeds files and words for it.

    Attributes
    ----------
    origin : Origin
        What made the index's embeddings.
    run : str
        Name of its run; "" for an index made from vectors.
    snapshot : Snapshot
        Current searcher and map.
    encoder : Encoder, optional
        Embeds clients' files; None without a model.
    wording : Wording, optional
        Embeds words; None where no backbone of the model may know them.
    """

    origin: Origin
    run: str
    snapshot: Snapshot
    encoder: Encoder | None
    wording: Wording | None

    @classmethod
    def of(cls, workspace: Workspace, index: Index, run: str, encoding: WorkerLimits | None = None) -> Self:
        """Prepare an index to be served.

        Parameters
        ----------
        workspace : Workspace
            Its workspace.
        index : Index
            The index.
        run : str
            Name of its run; "" without a model.
        encoding : WorkerLimits, optional
            Limits of the process that embeds clients' files.

        Returns
        -------
        Served
            The index with its searcher; processes start when they are needed.
        """
        wording = Wording.of(workspace.run(run), index.origin) if run else None
        return cls(
            origin=index.origin,
            run=run,
            snapshot=Snapshot(workspace, index, wording=wording),
            encoder=encoder(workspace.run(run), index.origin.model, encoding) if run else None,
            wording=wording,
        )

    def stop(self) -> None:
        """End the worker processes; waiting clients get a response."""
        for worker in (self.encoder, self.wording):
            if worker is not None:
                worker.close()
