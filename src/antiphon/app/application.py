"""The web application: routes, guard, error pages, and the state behind them."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHttpError
from starlette.routing import Match, Mount

from antiphon.app import (
    admission,
    api,
    changes,
    cut_pages,
    feedback,
    health,
    judge,
    list_files,
    list_pages,
    map_pages,
    match_pages,
    media,
    pages,
    recommend_page,
    shared_media,
    status,
)
from antiphon.app.admission import THIS_MACHINE, Access, Admission
from antiphon.app.atlas import MapError
from antiphon.app.bodies import Bodies
from antiphon.app.colouring import UnknownColouringError
from antiphon.app.exports import Exports
from antiphon.app.faults import TitledError, fault_in_words
from antiphon.app.match_pages import swept
from antiphon.app.middleware import Guard, HeadAsGet, add_security_headers
from antiphon.app.outlines import Outlines
from antiphon.app.renewal import renewed
from antiphon.app.root import UnderRoot, inner_path
from antiphon.app.searching import UnknownVideoError
from antiphon.app.sent_files import SentFiles
from antiphon.app.served import Served
from antiphon.app.state import State
from antiphon.app.stills import Stills
from antiphon.app.telemetry import Measured, Telemetry
from antiphon.app.templating import NAVIGATION, Pages, is_part
from antiphon.app.upkeep import Upkeep
from antiphon.app.uploads import UploadLimits, Uploads
from antiphon.errors import AntiphonError, NotIndexedError, SearchError, StaleIndexError
from antiphon.presentation.page_frame import copying, page_style
from antiphon.search import Index
from antiphon.shortlists import Shortlists
from antiphon.workers.limits import JobError, StoppedError, WorkerLimits
from antiphon.workspace import Workspace

_TITLES = {
    404: "Not found",
    408: "Too slow",
    413: "Too large",
    415: "Unsupported file",
    422: "Cannot be used",
    500: "Internal error",
    503: "Unavailable",
}

_PARTS = (
    health,
    admission,
    api,
    changes,
    media,
    judge,
    list_files,
    list_pages,
    map_pages,
    recommend_page,
    shared_media,
    status,
    cut_pages,
    feedback,
    match_pages,
    pages,
)
_CHANGING = "The index was built anew and is being opened; try again in a few seconds."


def create_app(
    workspace: Workspace,
    index: Index | None,
    run: str = "",
    *,
    access: Access = THIS_MACHINE,
    telemetry: Telemetry | None = None,
    upkeep: Upkeep | None = None,
    uploads: UploadLimits | None = None,
    encoding: WorkerLimits | None = None,
    worker: int = 0,
    sent: Path | None = None,
) -> FastAPI:
    """Create the web application for a workspace and an index.

    Parameters
    ----------
    workspace : Workspace
        Workspace with a catalogue; only its `page` folder, judgements and lists are written to.
    index : Index, optional
        Index to search. None while there is none: until one is built, there is a page that says how far things are.
    run : str
        Name of the run that made the index. Without one, clients' files cannot be embedded.
    access : Access
        Who reaches the service, where, and for what.
    telemetry : Telemetry, optional
        What counts and logs requests.
    upkeep : Upkeep, optional
        What keeps the workspace up to date meanwhile.
    uploads : UploadLimits, optional
        Limits of uploads.
    encoding : WorkerLimits, optional
        Limits of the process that embeds uploads.
    worker : int
        Number of this process among those of the service.
    sent : Path, optional
        Folder of clients' files that all processes of the service share. Default: one of this process alone.

    Returns
    -------
    FastAPI
        The application.

    Raises
    ------
    CatalogueError
        The workspace has no catalogue.
    """
    telemetry = telemetry or Telemetry()
    here = State(
        workspace=workspace,
        pages=Pages(NAVIGATION, keeps=not access.read_only),
        stills=Stills(workspace.page / "stills"),
        outlines=Outlines(workspace.page / "outlines"),
        uploads=Uploads(workspace.page / "uploads", uploads),
        sent=SentFiles(workspace.page / "files", shared=sent),
        exports=Exports(workspace.page / "exports"),
        served=None if index is None else Served.of(workspace, index, run, encoding),
        upkeep=upkeep,
        read_only=access.read_only,
        folders=[folder.resolve() for folder in access.folders],
        worker=worker,
    )

    here.pages.share(max_sent_bytes=lambda: here.max_sent_bytes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        tasks = [asyncio.create_task(renewed(here, encoding)), asyncio.create_task(swept(here))]
        if upkeep is not None:
            upkeep.start()
        yield
        for task in tasks:
            task.cancel()
        here.close()

    app = FastAPI(
        title="Antiphon",
        version=version("antiphon"),
        description="Search a catalogue of music videos by sound and pictures. Upload files as the body of a POST.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.antiphon, app.state.telemetry, app.state.token = here, telemetry, access.token
    telemetry.watch("antiphon_index_videos", "Music videos that can be searched.", lambda: here.searchable)
    telemetry.watch("antiphon_files_under_way", "Files of clients being read.", lambda: here.files_under_way)
    _add_middleware(app, access, telemetry, Shortlists(workspace.shortlists))
    _add_errors(app)
    _add_static(app)
    for part in _PARTS:
        app.include_router(part.router)
    return app


def _add_middleware(app: FastAPI, access: Access, telemetry: Telemetry, lists: Shortlists) -> None:
    """Add what a request passes, the innermost first."""
    app.add_middleware(Bodies)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Admission, token=access.token, read_only=access.read_only, lists=lists)
    app.add_middleware(Guard, hosts=access.hosts)
    app.add_middleware(Measured, telemetry=telemetry)
    app.add_middleware(UnderRoot, root=access.root)


def _add_static(app: FastAPI) -> None:
    @app.get("/static/page.css", include_in_schema=False)
    def style() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(page_style(), media_type="text/css")

    @app.get("/static/copying.js", include_in_schema=False)
    def script() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(copying(), media_type="text/javascript")

    app.mount("/static", StaticFiles(packages=[("antiphon.app", "static")]))


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(AnyHttpError)
    async def http(request: Request, error: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction]
        detail = "There is no page at this address." if error.detail == "Not Found" else str(error.detail)
        title = error.title if isinstance(error, TitledError) else ""
        return _refusal(request, error.status_code, detail, error.headers, title)

    @app.exception_handler(405)
    async def method(request: Request, error: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction]
        headers = {"allow": _allowed(app, request)}
        return _refusal(request, 405, "This address does not take that method.", headers)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:  # pyright: ignore[reportUnusedFunction]
        answer = _refusal(request, 500, "The service failed on this request; see its log.")
        add_security_headers(answer.headers)  # It has not passed the guard.
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _refusal(request, 422, "; ".join(map(_wrong, error.errors())) + ".")

    @app.exception_handler(AntiphonError)
    async def own(request: Request, error: AntiphonError) -> Response:  # pyright: ignore[reportUnusedFunction]
        if isinstance(error, JobError):
            sys.stderr.write(f"{error.traceback}\n")
        return _refusal(request, _status(error), _told(error))


def _allowed(app: FastAPI, request: Request) -> str:
    """List the methods of an address, which may be those of several routes."""
    routes = [route for route in app.routes if not isinstance(route, Mount)]
    found = [
        method
        for method in ("GET", "POST", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ", ".join(["GET", "HEAD", *found[1:]] if "GET" in found or not found else found)


def _wrong(found: Mapping[str, Any]) -> str:
    """Say what is wrong in the body, one of its fields, or a parameter."""
    if found["type"] == "json_invalid":  # Its location is an offset.
        return f"The body is not JSON: {found['ctx']['error']}"
    kind, *inner = found["loc"]
    place = ".".join(map(str, inner))
    if kind == "body":
        return f"Body{f', field {place}' if place else ''}: {fault_in_words(found)}"
    return f"Parameter {place}: {fault_in_words(found)}"


def _told(error: AntiphonError) -> str:
    """Return what a client is told of an error."""
    if isinstance(error, StaleIndexError):
        return _CHANGING
    if isinstance(error, StoppedError):
        return "The service is shutting down; try again later."
    return "The service failed on this file; see its log." if isinstance(error, JobError) else str(error)


def _status(error: AntiphonError) -> int:
    if isinstance(error, UnknownVideoError | NotIndexedError | UnknownColouringError):
        return 404
    if isinstance(error, JobError | MapError):
        return 500
    return 503 if isinstance(error, SearchError | StoppedError) else 422


def _refusal(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, title: str = ""
) -> Response:
    """Respond with JSON to programs, with a page to people, and with a line to the pages' script."""
    path = inner_path(request)
    here: State = request.app.state.antiphon
    # It may quote what cannot be sent: half a surrogate pair.
    detail = here.without_paths(detail).encode(errors="replace").decode()
    if path.startswith(("/api/", "/media/", "/thumbnail/", "/outline/", "/map.json", "/map/")):
        return JSONResponse({"detail": detail}, status_code=status, headers=headers)
    template = "refused.html" if is_part(request) else "error.html"
    title = title or _TITLES.get(status, "Request failed")
    page: HTMLResponse = here.pages.render(request, template, status=status, title=title, detail=detail)
    page.headers.update(headers or {})
    return page
