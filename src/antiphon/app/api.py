"""The programming interface: JSON in, JSON out."""

from importlib.metadata import version
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from antiphon.app.schemas import (
    Answer,
    Asked,
    EmbeddedSide,
    Embedding,
    Health,
    History,
    Item,
    Items,
    Problem,
    Recommendations,
    found_items,
)
from antiphon.app.searching import asking_modalities
from antiphon.app.state import Here, embedded

_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such video."}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    408: {"model": Problem, "description": "The file took too long to arrive."},
    413: {"model": Problem, "description": "The file is too large."},
    415: {"model": Problem, "description": "Not a media type, or a file that cannot be read."},
    422: {"model": Problem, "description": "No file, or an empty one, or a parameter out of its range."},
    500: {"model": Problem, "description": "The service failed on this file; its log says why."},
    503: {"model": Problem, "description": "Too many files at once (see Retry-After), no model, or the service stops."},
    507: {"model": Problem, "description": "No room for the file."},
}
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/octet-stream", "video/*", "audio/*")
        },
    }
}


def refuse_unknown(request: Request) -> None:
    """Refuse parameters that the route does not have: a condition that is misspelt must not pass for none.

    Raises
    ------
    HTTPException
        422, naming them.
    """
    route = request.scope["route"]
    if isinstance(route, APIRoute):
        known = {one.alias for one in get_flat_params(route.dependant)}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise HTTPException(422, f"No such parameter: {', '.join(unknown)}. There are {', '.join(sorted(known))}.")


router = APIRouter(
    prefix="/api",
    tags=["Programming interface"],
    dependencies=[Depends(refuse_unknown)],
    responses={422: {"model": Problem, "description": "A parameter is missing, unknown or out of its range."}},
)

Id = Annotated[str, Query(description="Id of a music video of the catalogue.")]
Words = Annotated[str, Query(max_length=200, description="Words of titles, artists, ids, genres, tags or years.")]
By = Annotated[Literal["both", "audio", "video"], Query(description="What is compared: sound, pictures, or both.")]
Count = Annotated[int, Query(ge=1, le=100, description="Maximum number of results.")]
Target = Annotated[
    Literal["audio", "video"], Query(description="audio: songs for its pictures; video: pictures for its song.")
]


@router.get("/health")
def health(here: Here) -> Health:
    """Whether the service works, and on what."""
    return Health(
        status="ok",
        version=version("antiphon"),
        run=here.run,
        videos=len(here.searcher.library),
        encodes_files=here.encoder is not None,
        files_under_way=here.uploads.under_way,
    )


@router.get("/items")
def items(q: Words, here: Here, k: Count = 10) -> Items:
    """Videos whose title, artist, id, genre, tags and year hold all words of a text."""
    return Items(items=[Item.of(video) for video in here.searcher.library.find(q, k)])


@router.get("/similar", responses=_UNKNOWN)
def similar(id: Id, here: Here, conditions: Asked, by: By = "both") -> Answer:
    """Find music videos like one of the catalogue."""
    return Answer(query=id, by=by, hits=found_items(here.searcher.by_id(id, conditions, by=by)))


@router.get("/match", responses=_UNKNOWN)
def match(id: Id, target: Target, here: Here, conditions: Asked) -> Answer:
    """Find songs for a video's pictures, or pictures for its song. Its own are left out."""
    return Answer(query=id, target=target, hits=found_items(here.searcher.by_id(id, conditions, target=target)))


@router.post(
    "/recommend",
    responses={
        404: {"model": Problem, "description": "Videos of the history that are not known, by their ids."},
        422: {"model": Problem, "description": "No history, or a parameter out of its range."},
    },
)
def recommend(asked: History, here: Here) -> Recommendations:
    """Videos for somebody who liked some, by what they sound and look like; none of those liked."""
    return Recommendations(hits=found_items(here.searcher.recommend(asked.history, asked.k)))


@router.post("/similar", responses=_REFUSED, openapi_extra=_FILE)
async def similar_to_file(request: Request, here: Here, conditions: Asked) -> Answer:
    """Find music videos like a file that is sent as the body, by the sides that it has."""
    encodings = await embedded(request, here, asking_modalities("both"))
    found = await run_sync(lambda: here.searcher.by_file(encodings, conditions))
    return Answer(query=None, by="both", hits=found_items(found))


@router.post("/match", responses=_REFUSED, openapi_extra=_FILE)
async def match_file(request: Request, target: Target, here: Here, conditions: Asked) -> Answer:
    """Find songs for the pictures of a file that is sent as the body, or pictures for its sound."""
    encodings = await embedded(request, here, asking_modalities(target))
    found = await run_sync(lambda: here.searcher.by_file(encodings, conditions, target))
    return Answer(query=None, target=target, hits=found_items(found))


@router.post("/embed", responses=_REFUSED, openapi_extra=_FILE)
async def embed(request: Request, here: Here) -> Embedding:
    """Embeddings of a file that is sent as the body: a unit vector for each window of its sound and its pictures."""
    encodings = await embedded(request, here, ("audio", "video"))
    sides = {
        side: EmbeddedSide(windows=found.windows, vectors=found.segments.tolist()) for side, found in encodings.items()
    }
    return Embedding(run=here.run, audio=sides.get("audio"), video=sides.get("video"))
