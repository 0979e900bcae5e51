"""The state that the routes share."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, HTTPException, Request

from antiphon.app.atlas import Atlas
from antiphon.app.encoding import Encoder, EncodingJob, Encodings
from antiphon.app.searching import Searcher
from antiphon.app.snapshot import Snapshot
from antiphon.app.stills import Stills
from antiphon.app.templating import Pages
from antiphon.app.uploads import Uploads
from antiphon.embeddings import Modality
from antiphon.errors import DecodeError
from antiphon.workspace import Workspace


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
    uploads : Uploads
        Clients' files.
    encoder : Encoder, optional
        Embeds clients' files; None without a model.
    encoding_line, still_line : CapacityLimiter
        Queues of the worker processes.
    """

    workspace: Workspace
    run: str
    snapshot: Snapshot
    pages: Pages
    stills: Stills
    uploads: Uploads
    encoder: Encoder | None
    encoding_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    still_line: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    @property
    def searcher(self) -> Searcher:
        """The current searcher."""
        return self.snapshot.searcher

    @property
    def atlas(self) -> Atlas:
        """The current map."""
        return self.snapshot.atlas

    def stop(self) -> None:
        """Accept no more files, and end the worker processes; waiting clients get a response."""
        self.uploads.stop()
        self.stills.close()
        if self.encoder is not None:
            self.encoder.close()

    def close(self) -> None:
        """End the worker processes, and delete clients' files."""
        self.stop()
        self.uploads.close()


def state(request: Request) -> State:
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
            raise HTTPException(415, str(error)) from error
