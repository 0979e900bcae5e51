"""Addresses for what runs the service: whether it lives, whether it can answer, and its numbers."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from antiphon.app.state import Here
from antiphon.app.telemetry import Telemetry
from antiphon.errors import AntiphonError

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> PlainTextResponse:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(here: Here) -> PlainTextResponse:
    """Say whether the index can be searched; 503 if not, with the reason."""
    try:
        count = len(here.searcher.index)
    except AntiphonError as error:
        return PlainTextResponse(f"{here.without_paths(str(error))}\n", status_code=503)
    return PlainTextResponse(f"ok: {count} music videos\n")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Return counts and times in Prometheus' text format."""
    telemetry: Telemetry = request.app.state.telemetry
    return Response(telemetry.document(), media_type=CONTENT_TYPE_LATEST)
