"""How a service and its workspace stand: what is done, what is missing, and why."""

import platform
import shutil
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from antiphon.app.api import refuse_unknown
from antiphon.app.root import rooted
from antiphon.app.schemas import Problem, Status, UpkeepStatus, VideoFailure
from antiphon.app.state import Here, State
from antiphon.app.templating import is_part
from antiphon.catalogue import Catalogue
from antiphon.errors import AntiphonError
from antiphon.places import Place
from antiphon.search.current import state_of

router = APIRouter(tags=["REST API"])

_BEGUN_S = time.monotonic()
_PARTS = ("antiphon", "av", "openvino", "torch", "polars")
_MAX_FAILURES, _JOBS = 1000, 10


@router.get("/api/status", dependencies=[Depends(refuse_unknown)])
def status(here: Here) -> Status:
    """Report how far the workspace is: videos known, searchable and failed, and what is being done."""
    return stand(here)


@router.post(
    "/api/refresh",
    status_code=202,
    responses={409: {"model": Problem, "description": "No folder is watched."}},
    dependencies=[Depends(refuse_unknown)],
)
def refresh(here: Here) -> Status:
    """Look at the watched folder at once, and report how things stand; follow it at /api/status."""
    if here.upkeep is None:
        raise HTTPException(409, "No folder is watched. To watch one: antiphon up FOLDER.")
    here.upkeep.look_now()
    return stand(here)


@router.get("/status", include_in_schema=False, response_class=HTMLResponse)
async def page(request: Request, here: Here) -> HTMLResponse:
    """Show how things stand."""
    found, jobs = await run_sync(lambda: (stand(here), here.jobs.newest(_JOBS)))
    template = "status_part.html" if is_part(request) else "status.html"
    return here.pages.render(
        request, template, now=found, jobs=jobs, upkeep=here.upkeep, run=here.run, may_look=not here.read_only
    )


@router.post("/status", include_in_schema=False)
def look(here: Here) -> Response:
    """Look at the watched folder at once, for a page."""
    refresh(here)
    return RedirectResponse(rooted("/status"), 303)


def stand(here: State) -> Status:
    """Gather how a service and its workspace stand.

    Parameters
    ----------
    here : State
        State of the application.

    Returns
    -------
    Status
        How they stand.
    """
    fault, videos = "", 0
    try:
        videos = _counted(here)
        if here.served is not None:
            here.searcher.index.version  # noqa: B018 - raises where it cannot be read
    except AntiphonError as error:
        fault = here.without_paths(str(error))
    failures = _failures(here)
    upkeep = here.upkeep
    return Status(
        run=here.run,
        videos=videos,
        searchable=here.searchable,
        failed=len(failures),
        failures=failures[:_MAX_FAILURES],
        fault=fault,
        free_bytes=shutil.disk_usage(here.workspace.folder).free if here.workspace.folder.exists() else None,
        up_s=time.monotonic() - _BEGUN_S,
        worker=here.worker,
        versions={name: found for name in _PARTS if (found := _version(name))} | {"python": platform.python_version()},
        upkeep=None
        if upkeep is None
        else UpkeepStatus(
            doing=upkeep.progress.doing,
            step=upkeep.progress.step,
            line=here.plain(upkeep.progress.line),
            fault=here.plain(upkeep.progress.fault),
        ),
    )


def _counted(here: State) -> int:
    """Count the music videos of the catalogue; a page asks every few seconds, so only a changed file is read."""
    catalogue = here.workspace.catalogue
    if not catalogue.exists():
        return 0
    return here.counts.get(_state(catalogue), lambda: (len(Catalogue.load(catalogue)), True))


def _state(place: Place) -> object:
    return state_of(place) if isinstance(place, Path) else object()


def _failures(here: State) -> list[VideoFailure]:
    try:
        found = here.failures.get(_state(here.workspace.failures), lambda: (here.workspace.read_failures(), True))
    except AntiphonError:  # Damaged, or being replaced.
        return []
    return [VideoFailure(id=one.video_id, stage=one.stage, message=here.plain(one.message)) for one in found]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
