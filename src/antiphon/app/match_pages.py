"""Answers to a music video or a client's file: songs for its pictures, pictures for its song, what is like it."""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from antiphon.app.api import refuse_repeated
from antiphon.app.asking import HEADINGS, listing, or_reason, page_of_file, with_uses, without_rejected
from antiphon.app.encoding import EncodingJob, encoded
from antiphon.app.faults import TitledError
from antiphon.app.found import Found
from antiphon.app.library import Video
from antiphon.app.narrowing import AskedPage, Narrowed
from antiphon.app.searching import Target
from antiphon.app.sent_records import SentFile
from antiphon.app.state import Here, State, why_unreadable
from antiphon.app.trouble import Uses
from antiphon.embeddings import MODALITIES
from antiphon.errors import AntiphonError, DecodeError
from antiphon.workers.limits import JobError, StoppedError

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, dependencies=[Depends(refuse_repeated)]
)

MATCHES = 12
_RETRY_S = 15
_SWEEP_S = 30.0
_KINDS = {(True, True): "sound and pictures", (True, False): "sound", (False, True): "pictures"}
_DOES = {
    (True, True): ("Listening and looking", "Listened and looked"),
    (True, False): ("Listening", "Listened"),
    (False, True): ("Looking", "Looked"),
}


class Step(NamedTuple):
    """A step of the work on a file: what it is called, and whether it is "done", done "now" or "later"."""

    words: str
    state: Literal["done", "now", "later"]


@router.get("/match/{id:path}")
def match(
    id: str, request: Request, here: Here, conditions: AskedPage, target: Literal["audio", "video"] = "audio"
) -> Response:
    """Show songs for a video's pictures, or pictures for its song, to be played together."""
    if here.sent.by_id(id) is not None:
        return RedirectResponse(page_of_file(id, request.url.query), 303)
    shown, uses = with_uses(here, id)
    asked = without_rejected(here, listing(request, conditions, MATCHES), id, target)
    found = or_reason(here, lambda: here.searcher.by_id(id, asked, target=target)) if uses.searches else []
    return _page(request, here, shown, uses, found, asked, target)


@router.post("/find/file")
async def send(request: Request, here: Here, conditions: AskedPage, target: Target | None = None) -> Response:
    """Take a file, and lead to its page; the address of that, to the pages' script."""
    here.needed_encoder()
    if here.sent.waiting >= here.sent.limits.max_waiting:
        raise HTTPException(503, "Too many files at once. Try again later.", headers={"Retry-After": str(_RETRY_S)})
    async with here.uploads.receive(request) as (path, name):
        try:
            file = here.sent.add(path, name)
            _begin(here, file)
        except OSError:
            raise HTTPException(507, "Not enough disk space for this file.") from None
    place = page_of_file(file.id, request.url.query)
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse({"page": place}, status_code=201)
    return RedirectResponse(place, 303)


@router.get("/file/{token}")
async def file_page(
    token: str, request: Request, here: Here, conditions: AskedPage, target: Target | None = None
) -> HTMLResponse:
    """Show a client's file with its answers, or how far it is."""
    file = _kept(here, token)
    if file.fault:
        raise TitledError(file.status, "This file cannot be used", file.fault)
    if _is_unfinished(here, file):
        return here.pages.render(request, "file.html", file=file, steps=_steps(file), library=here.searcher.library)
    return await run_sync(_answers, request, here, file, listing(request, conditions, MATCHES), target)


@router.get("/file/{token}/progress")
async def progress(token: str, request: Request, here: Here) -> Response:
    """Return how far a file is, for the pages' script; once there is more to see, the script is to ask for the page."""
    file = here.sent.get(token)
    if file is None or file.fault or not _is_unfinished(here, file):
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return here.pages.render(request, "file_steps.html", file=file, steps=_steps(file))


def _kept(here: State, token: str) -> SentFile:
    file = here.sent.get(token)
    if file is None:
        minutes = here.sent.minutes
        raise TitledError(
            404, "This file is gone", f"Files that are dropped here are kept for {minutes} minutes. Drop it again."
        )
    return file


def _is_unfinished(here: State, file: SentFile) -> bool:
    """Return whether a file is worked on; begins anew where the index has become one of another model."""
    if here.served is not None and file.origin == here.served.origin:
        return False
    if not file.reader:
        here.needed_encoder()
        _begin(here, file)
    return True


def _begin(here: State, file: SentFile) -> None:
    if not here.sent.begin(file):
        return
    task = asyncio.create_task(_work(here, file))
    here.working.add(task)  # A task that nobody holds may vanish.
    task.add_done_callback(here.working.discard)


async def _work(here: State, file: SentFile) -> None:
    """Read a file, and embed it."""
    served = here.served
    job = EncodingJob(str(file.path), MODALITIES, tells=True)
    try:
        if served is not None and served.encoder is not None:
            told = partial(here.sent.read, file)
            encodings = await run_sync(encoded, served.encoder, job, told, limiter=here.encoding_line)
            here.sent.embedded(file, encodings, served.origin)
        else:
            here.sent.leave(file)
    except DecodeError as error:
        here.sent.refuse(file, here.without_paths(why_unreadable(error)), 415)
    except JobError as error:
        sys.stderr.write(f"{error.traceback}\n")
        here.sent.refuse(file, "The service failed on this file; see its log.", 500)
    except StoppedError:
        if here.served is served:
            here.sent.refuse(file, "The service is shutting down; try again later.", 503)
        else:  # An index of another model is served since; asked for the next time, the file is embedded by that.
            here.sent.leave(file)
    except (AntiphonError, OSError) as error:
        sys.stderr.write(f"A client's file could not be embedded: {error}\n")
        here.sent.refuse(file, "The service cannot read files now; try again later.", 503)
    except Exception:
        here.sent.refuse(file, "The service failed on this file; see its log.", 500)
        raise


def _steps(file: SentFile) -> Sequence[Step]:
    """Say how far a file is."""
    received = Step(f"Received {file.name}, {max(file.size_bytes / 1e6, 0.1):,.1f} MB", "done")
    if file.video is None:
        return received, Step("Reading", "now"), Step("Listening and looking", "later"), Step("Matching", "later")
    sides = (file.video.has_audio, file.video.has_video)
    seconds = round(file.video.duration_s or 0)
    read = Step(f"Read {seconds // 60}:{seconds % 60:02d} of {_KINDS.get(sides, 'neither sound nor pictures')}", "done")
    return received, read, Step(_DOES.get(sides, _DOES[True, True])[0], "now"), Step("Matching", "later")


def _answers(
    request: Request, here: State, file: SentFile, conditions: Narrowed, target: Target | None
) -> HTMLResponse:
    """Show what answers a client's file."""
    video = file.video
    if video is None:  # It went while this waited.
        raise TitledError(404, "This file is gone", "Drop it again.")
    wanted: Target = target or ("audio" if video.has_video else "video")
    conditions = without_rejected(here, conditions, file.id, wanted)
    found = _advice(video, wanted) or or_reason(
        here, lambda: here.searcher.by_file(file.encodings, conditions, wanted, file=video)
    )
    return _page(request, here, video, Uses(True, True, None), found, conditions, wanted)


def _advice(video: Video, target: Target) -> str:
    """Say what to choose instead, where a file lacks the side that asks; "" where it has it."""
    if target == "audio" and not video.has_video:
        return f"This file has sound only. Choose “{HEADINGS['video']}”."
    if target == "video" and not video.has_audio:
        return f"This file has pictures only. Choose “{HEADINGS['audio']}”."
    return ""


def _page(
    request: Request,
    here: State,
    video: Video,
    uses: Uses,
    found: list[Found] | str,
    conditions: Narrowed,
    target: Target,
) -> HTMLResponse:
    return here.pages.render(
        request,
        "match.html",
        video=video,
        uses=uses,
        found=found if isinstance(found, str) else conditions.sorted(found, here.searcher.facts),
        meeting=len(here.searcher.meeting(conditions, target, video)),
        empty=len(here.searcher.empty(target)),
        target=target,
        headings=HEADINGS,
        conditions=conditions,
        minutes=here.sent.minutes,
        library=here.searcher.library,
        genres=here.searcher.library.genres,
    )


async def swept(here: State) -> None:
    """Remove clients' files whose time is over, for as long as the service runs.

    Parameters
    ----------
    here : State
        State of the application.
    """
    while True:
        await asyncio.sleep(_SWEEP_S)
        here.sent.sweep()
