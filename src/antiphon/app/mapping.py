"""The points of the map, for the page that draws them."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from antiphon.app.state import Here

router = APIRouter(include_in_schema=False)


@router.get("/map.json")
def points(here: Here) -> JSONResponse:
    """Where the videos lie, or 202 while that is being worked out, or why it cannot be."""
    found = here.atlas.points()
    if found is None:
        return JSONResponse({"detail": "The map is being drawn."}, status_code=202, headers={"Retry-After": "1"})
    return JSONResponse(found)
