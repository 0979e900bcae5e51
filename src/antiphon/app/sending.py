"""From a request that carries a file to the file's embeddings."""

from anyio.to_thread import run_sync
from fastapi import HTTPException, Request

from antiphon.app.encoding import EncodingJob, Encodings, Side
from antiphon.app.state import Services
from antiphon.errors import DecodeError


async def embedded(request: Request, here: Services, sides: tuple[Side, ...]) -> Encodings:
    """Receive the file, embed the wanted sides that it has, and remove it.

    Raises
    ------
    HTTPException
        As `Uploads.receive`; 415 where the file cannot be read; 503 where there is no model.
    """
    if here.encoder is None:
        raise HTTPException(503, "This service has vectors but no model, so it cannot embed files.")
    async with here.uploads.receive(request) as path:
        job = EncodingJob(str(path), sides)
        try:
            return await run_sync(here.encoder.run, job, limiter=here.encoding_line)
        except DecodeError as error:
            raise HTTPException(415, str(error)) from error
