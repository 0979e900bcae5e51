"""The application: routes, guard, errors, and what they work with."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHttpError

from antiphon.app import api, judge, media, pages
from antiphon.app.atlas import MapError
from antiphon.app.encoding import encoder
from antiphon.app.middleware import Guard
from antiphon.app.searching import UnknownVideoError
from antiphon.app.snapshot import Snapshot
from antiphon.app.state import State
from antiphon.app.stills import Stills
from antiphon.app.templating import NAVIGATION, Pages, is_part
from antiphon.app.uploads import UploadLimits, Uploads
from antiphon.app.worker import JobError, StoppedError, WorkerLimits
from antiphon.errors import AntiphonError, NotIndexedError, SearchError, StaleIndexError
from antiphon.presentation.page_frame import page_style
from antiphon.search import Index
from antiphon.workspace import Workspace

_TITLES = {404: "Not here", 413: "Too large", 415: "This file does not fit", 500: "The service failed", 503: "Busy"}

_RESTART = "The run or its index is another than when this service was started. Start antiphon serve again."


def create_app(
    workspace: Workspace,
    index: Index,
    run: str = "",
    *,
    hosts: Collection[str] = (),
    uploads: UploadLimits | None = None,
    encoding: WorkerLimits | None = None,
) -> FastAPI:
    """The service over one workspace and one index.

    Parameters
    ----------
    workspace : Workspace
        With a catalogue; the service writes to its `page` folder alone.
    index : Index
        Open for reading.
    run : str
        Name of the run that made the index. Without one clients' files cannot be embedded.
    hosts : collection of str
        Names other than this machine's own under which it may be asked for.
    uploads : UploadLimits, optional
        What clients may send.
    encoding : WorkerLimits, optional
        What reading a client's file may take.

    Raises
    ------
    CatalogueError
        The workspace has no catalogue.
    """
    here = State(
        workspace=workspace,
        run=run,
        snapshot=Snapshot(workspace, index),
        pages=Pages(NAVIGATION),
        stills=Stills(workspace.page / "stills"),
        uploads=Uploads(workspace.page / "uploads", uploads),
        encoder=encoder(workspace.run(run), index.origin.model, encoding) if run else None,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        here.close()

    app = FastAPI(
        title="Antiphon",
        version=version("antiphon"),
        description="Search a catalogue of music videos by sound and pictures. Files are sent as the body of a POST.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.antiphon = here
    app.add_middleware(Guard, hosts=hosts)
    _add_errors(app)
    _add_static(app)
    for router in (api.router, media.router, judge.router, pages.router):
        app.include_router(router)
    return app


def _add_static(app: FastAPI) -> None:
    @app.get("/static/page.css", include_in_schema=False)
    def style() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(page_style(), media_type="text/css")

    app.mount("/static", StaticFiles(packages=[("antiphon.app", "static")]))


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(AnyHttpError)
    async def http(request: Request, error: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction]
        detail = "There is no page at this address." if error.detail == "Not Found" else str(error.detail)
        return _refusal(request, error.status_code, detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:  # pyright: ignore[reportUnusedFunction]
        return _refusal(request, 422, "; ".join(map(_wrong, error.errors())) + ".")

    @app.exception_handler(AntiphonError)
    async def own(request: Request, error: AntiphonError) -> Response:  # pyright: ignore[reportUnusedFunction]
        stale = isinstance(error, StaleIndexError)
        return _refusal(request, _status(error), _RESTART if stale else str(error))


def _wrong(found: Mapping[str, Any]) -> str:
    """What is wrong with a request, and where: the body, a field of it, or a parameter."""
    if found["type"] == "json_invalid":  # its place is a number of characters
        return f"The body is no JSON: {found['ctx']['error']}"
    kind, *inner = found["loc"]
    place = ".".join(map(str, inner))
    if kind == "body":
        return f"Body{f', field {place}' if place else ''}: {found['msg']}"
    return f"Parameter {place}: {found['msg']}"


def _status(error: AntiphonError) -> int:
    if isinstance(error, UnknownVideoError | NotIndexedError):
        return 404
    if isinstance(error, JobError | MapError):
        return 500
    return 503 if isinstance(error, SearchError | StoppedError) else 422


def _refusal(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """As JSON for programs, as a page for people, as a line for the pages' own script."""
    path = request.url.path
    if path.startswith(("/api/", "/media/", "/thumbnail/", "/map.json")):
        return JSONResponse({"detail": detail}, status_code=status, headers=headers)
    here: State = request.app.state.antiphon
    template = "refused.html" if is_part(request) else "error.html"
    title = _TITLES.get(status, "That did not work")
    page: HTMLResponse = here.pages.render(request, template, status=status, title=title, detail=detail)
    page.headers.update(headers or {})
    return page
