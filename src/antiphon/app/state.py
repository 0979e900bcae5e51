"""What the routes work with."""

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
    """Everything behind the pages and the programming interface, made once when the service starts.

    Attributes
    ----------
    snapshot : Snapshot
        Answers and map of the catalogue as it stands.
    run : str
        Name of the run whose index is asked; "" where the vectors were brought.
    encoder : Encoder or None
        None where there is no model to embed clients' files with.
    encoding_line, still_line : CapacityLimiter
        Who waits for the worker processes.
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
        """What is asked of the index."""
        return self.snapshot.searcher

    @property
    def atlas(self) -> Atlas:
        """The map."""
        return self.snapshot.atlas

    def stop(self) -> None:
        """Take no more files and end the worker processes; who waits is told."""
        self.uploads.stop()
        self.stills.close()
        if self.encoder is not None:
            self.encoder.close()

    def close(self) -> None:
        """End the worker processes, and remove clients' files."""
        self.stop()
        self.uploads.close()


def state(request: Request) -> State:
    """Those of the application that answers a request."""
    return cast(State, request.app.state.antiphon)


Here = Annotated[State, Depends(state)]


async def embedded(request: Request, here: State, modalities: tuple[Modality, ...]) -> Encodings:
    """Receive the file, embed the wanted sides that it has, and remove it.

    Raises
    ------
    HTTPException
        As `Uploads.receive`; 415 where the file cannot be read; 503 where there is no model.
    """
    if here.encoder is None:
        raise HTTPException(503, "This service has vectors but no model, so it cannot embed files.")
    async with here.uploads.receive(request) as path:
        job = EncodingJob(str(path), modalities)
        try:
            return await run_sync(here.encoder.run, job, limiter=here.encoding_line)
        except DecodeError as error:
            raise HTTPException(415, str(error)) from error
