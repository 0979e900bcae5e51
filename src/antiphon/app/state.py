"""The state that the routes share."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, HTTPException, Request

from antiphon.app.atlas import Atlas
from antiphon.app.encoding import Encoder, EncodingJob, Encodings, encoded
from antiphon.app.exports import Exports
from antiphon.app.jobs import Jobs
from antiphon.app.kept import Kept
from antiphon.app.library import Video
from antiphon.app.outlines import Outlines
from antiphon.app.previews import Previews
from antiphon.app.searching import Searcher
from antiphon.app.sent_files import SentFiles
from antiphon.app.served import Served
from antiphon.app.stills import Stills
from antiphon.app.templating import Pages
from antiphon.app.upkeep import Upkeep
from antiphon.app.uploads import Uploads
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import AntiphonError, DecodeError, SearchError
from antiphon.report.file_names import without_folders
from antiphon.workers.limits import CrashError, LimitError
from antiphon.workspace import Failure, Workspace


@dataclass
class State:
    """Everything behind the pages and the REST API, created once at startup.

    Attributes
    ----------
    workspace : Workspace
        The workspace.
    pages : Pages
        The templates.
    stills : Stills
        Cache of stills.
    outlines : Outlines
        Waveforms, beats and cuts.
    uploads : Uploads
        Clients' files.
    sent : SentFiles
        Clients' files that have a page of their own.
    exports : Exports
        Films that are exported.
    served : Served, optional
        The index; replaced when one of another run is built. None while there is none.
    previews : Previews
        Previews for files that are taken along.
    upkeep : Upkeep, optional
        What keeps the workspace up to date meanwhile.
    read_only : bool
        Whether files and judgements of clients are refused.
    folders : sequence of Path
        Folders below which clients may add and remove music videos.
    worker : int
        Number of this process among those of the service.
    is_warm : bool
        Whether what embeds clients' files is loaded before they come.
    encoding_line, still_line, outline_lines, export_line, preview_line : CapacityLimiter
        Queues of the worker processes.
    working : set of Task
        Work on clients' files that is under way.
    counts, failures : Kept
        Number of music videos and list of failures, by state of their files.
    file_line : CapacityLimiter
        Bounds how many blocks of files are read at once, so that a store that hangs holds up nothing else.
    """

    workspace: Workspace
    pages: Pages
    stills: Stills
    outlines: Outlines
    uploads: Uploads
    sent: SentFiles
    exports: Exports
    served: Served | None
    previews: Previews = field(default_factory=Previews)
    upkeep: Upkeep | None = None
    read_only: bool = False
    is_warm: bool = False
    folders: Sequence[Path] = ()
    worker: int = 0
    encoding_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    still_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    outline_lines: Mapping[Modality, CapacityLimiter] = field(
        default_factory=lambda: {side: CapacityLimiter(1) for side in MODALITIES}
    )
    export_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    preview_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    file_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(16))
    working: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    counts: Kept[int] = field(default_factory=lambda: Kept[int](1))
    failures: Kept[list[Failure]] = field(default_factory=lambda: Kept[list[Failure]](1))

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.workspace, self.plain)

    @property
    def run(self) -> str:
        """Name of the run of the index; "" for an index made from vectors, and without one."""
        return self.served.run if self.served else ""

    @property
    def encoder(self) -> Encoder | None:
        """What embeds clients' files; None without a model."""
        return self.served.encoder if self.served else None

    @property
    def searcher(self) -> Searcher:
        """The current searcher; raises SearchError while there is no index."""
        return self._ready.snapshot.searcher

    @property
    def atlas(self) -> Atlas:
        """The current map; raises SearchError while there is no index."""
        return self._ready.snapshot.atlas

    def needed_encoder(self) -> Encoder:
        """Return what embeds clients' files.

        Raises
        ------
        HTTPException
            503: there is no model.
        """
        if self.encoder is None:
            raise HTTPException(503, "This index was made from vectors without a model, so files cannot be embedded.")
        return self.encoder

    def warm_up(self) -> None:
        """Load what embeds clients' files before the first one comes, now and for every index that follows."""
        self.is_warm = True
        if self.max_sent_bytes and self.encoder is not None:
            with suppress(AntiphonError):  # It is said to whoever sends a file.
                self.encoder.start()

    @property
    def max_sent_bytes(self) -> int:
        """Largest file that clients may send; 0 where none is taken."""
        return 0 if self.encoder is None or self.read_only else self.uploads.limits.max_bytes

    @property
    def files_under_way(self) -> int:
        """Number of clients' files that this process receives, or that wait or are read in it."""
        return self.uploads.under_way + self.sent.waiting_here

    def video(self, id: str) -> Video:
        """Return a music video of the catalogue, or a client's file.

        Parameters
        ----------
        id : str
            Its id.

        Raises
        ------
        UnknownVideoError
            There is none with this id, or none any more.
        """
        sent = self.sent.by_id(id)
        found = sent.video if sent is not None else None
        return self.searcher.video(id) if found is None else found

    @property
    def searchable(self) -> int:
        """How many music videos can be searched."""
        try:
            return len(self.searcher.index)
        except AntiphonError:
            return 0

    @property
    def _ready(self) -> Served:
        if self.served is None:
            raise SearchError("There is no index yet: the music videos are being prepared.")
        return self.served

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

    def plain(self, message: str) -> str:
        """Return a message without where files lie on this machine.

        Parameters
        ----------
        message : str
            The message.

        Returns
        -------
        str
            The message with names of files alone.
        """
        for folder in ([self.upkeep.folder] if self.upkeep else []) + list(self.folders):
            message = message.replace(str(folder), folder.name)
        return self.without_paths(without_folders(message))

    def stop(self) -> None:
        """Accept no more files, and end the worker processes; waiting clients get a response."""
        self.uploads.stop()
        self.jobs.interrupt()
        if self.upkeep is not None:
            self.upkeep.interrupt()
        self.stills.close()
        self.outlines.close()
        self.previews.close()
        self.exports.stop()
        if self.served is not None:
            self.served.stop()

    def wait_for_verbs(self) -> None:
        """Wait until interrupted verbs have ended; they are killed after some seconds."""
        self.jobs.stop()
        if self.upkeep is not None:
            self.upkeep.stop()

    def close(self) -> None:
        """End the worker processes, and delete clients' files."""
        self.stop()
        self.wait_for_verbs()
        self.uploads.close()
        self.sent.close()
        self.exports.close()


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
    encoder = here.needed_encoder()
    async with here.uploads.receive(request) as (path, _):
        job = EncodingJob(str(path), modalities)
        try:
            return await run_sync(encoded, encoder, job, limiter=here.encoding_line)
        except DecodeError as error:
            raise HTTPException(415, why_unreadable(error)) from error


def why_unreadable(error: DecodeError) -> str:
    """Say of a client's file why it cannot be read."""
    nameless = isinstance(error, LimitError | CrashError)
    return f"The file {error}." if nameless else str(error)
