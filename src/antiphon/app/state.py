"""The state that the routes share, and the view of catalogue and index that is refreshed when either changes."""

import threading
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, HTTPException, Request

from antiphon.app.atlas import Atlas
from antiphon.app.encoding import Encoder, EncodingJob, Encodings
from antiphon.app.library import Library
from antiphon.app.outlines import Outlines
from antiphon.app.searching import Searcher
from antiphon.app.stills import Stills
from antiphon.app.templating import Pages
from antiphon.app.uploads import Uploads
from antiphon.app.wording import Wording
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import DecodeError, StaleIndexError
from antiphon.search import Index
from antiphon.search.explaining import workspace_facts
from antiphon.search.query import TextSide
from antiphon.workers.limits import CrashError, LimitError
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
        self._current = self._read()

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
            self._current = self._read()
            self._state = state

    def _read(self) -> tuple[Searcher, Atlas]:
        library = Library.of(self._workspace)
        atlas = Atlas(self._index, library, self._workspace.page)
        atlas.start()
        return Searcher(library, self._index, workspace_facts(self._workspace), self._wording), atlas

    def _signature(self) -> Hashable:
        space = self._workspace
        tables = (space.catalogue, space.segments, space.attributes, space.failures)
        stats = [path.stat() if isinstance(path, Path) and path.exists() else None for path in tables]
        return self._index.version, *(stat and (stat.st_mtime_ns, stat.st_ino) for stat in stats)


@dataclass(frozen=True)
class State:
    """Everything behind the pages and the REST API, created once at startup.

    Attributes
    ----------
    workspace : Workspace
        The workspace.
    run : str
        Name of the run of the index; "" for an index made from vectors.
    snapshot : Snapshot
        Current searcher and map.
    pages : Pages
        The templates.
    stills : Stills
        Cache of stills.
    outlines : Outlines
        Waveforms, beats and cuts.
    uploads : Uploads
        Clients' files.
    encoder : Encoder, optional
        Embeds clients' files; None without a model.
    wording : Wording, optional
        Embeds words; None where no backbone of the model may know them.
    encoding_line, still_line, outline_lines : CapacityLimiter
        Queues of the worker processes.
    file_line : CapacityLimiter
        Bounds how many blocks of files are read at once, so that a store that hangs holds up nothing else.
    """

    workspace: Workspace
    run: str
    snapshot: Snapshot
    pages: Pages
    stills: Stills
    outlines: Outlines
    uploads: Uploads
    encoder: Encoder | None
    wording: Wording | None = None
    encoding_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    still_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    outline_lines: Mapping[Modality, CapacityLimiter] = field(
        default_factory=lambda: {side: CapacityLimiter(1) for side in MODALITIES}
    )
    file_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))

    @property
    def searcher(self) -> Searcher:
        """The current searcher."""
        return self.snapshot.searcher

    @property
    def atlas(self) -> Atlas:
        """The current map."""
        return self.snapshot.atlas

    def without_paths(self, text: str) -> str:
        """Remove from a message where the workspace lies, which is nobody's business.

        Parameters
        ----------
        text : str
            The message.

        Returns
        -------
        str
            The message with paths inside the workspace.
        """
        for folder in {str(self.workspace.folder.absolute()), str(self.workspace.root)}:
            text = text.replace(f"{folder}/", "").replace(folder, "The workspace")
        return text

    def stop(self) -> None:
        """Accept no more files, and end the worker processes; waiting clients get a response."""
        self.uploads.stop()
        self.stills.close()
        self.outlines.close()
        if self.encoder is not None:
            self.encoder.close()
        if self.wording is not None:
            self.wording.close()

    def close(self) -> None:
        """End the worker processes, and delete clients' files."""
        self.stop()
        self.uploads.close()


async def state(request: Request) -> State:
    """Return the state of the application that handles a request.

    Parameters
    ----------
    request : Request
        The request.

    Returns
    -------
    State
        The state.
    """
    return cast(State, request.app.state.antiphon)


Here = Annotated[State, Depends(state)]


async def embedded(request: Request, here: State, modalities: tuple[Modality, ...]) -> Encodings:
    """Receive a file, embed those of the modalities that it has, and delete it.

    Parameters
    ----------
    request : Request
        The upload.
    here : State
        State of the application.
    modalities : tuple of str
        Modalities to embed.

    Returns
    -------
    dict of str to ModalityEmbeddings
        Embeddings by modality.

    Raises
    ------
    HTTPException
        As in `Uploads.receive`; 415: the file cannot be read; 503: there is no model.
    """
    if here.encoder is None:
        raise HTTPException(503, "This index was made from vectors without a model, so files cannot be embedded.")
    async with here.uploads.receive(request) as path:
        job = EncodingJob(str(path), modalities)
        try:
            return await run_sync(here.encoder.run, job, limiter=here.encoding_line)
        except DecodeError as error:
            nameless = isinstance(error, LimitError | CrashError)
            raise HTTPException(415, f"The file {error}." if nameless else str(error)) from error
