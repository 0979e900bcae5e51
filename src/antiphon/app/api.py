"""The REST API: JSON in, JSON out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any, Literal, get_origin

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from pydantic import AfterValidator

from antiphon.app.found import But
from antiphon.app.rejected import rejections
from antiphon.app.schemas import (
    Asked,
    AskedMatch,
    EmbeddedSide,
    Embedding,
    Health,
    History,
    Item,
    Items,
    Meant,
    NudgeEffect,
    Nudges,
    Problem,
    Recommendations,
    SearchResponse,
    WordsResponse,
    found_items,
)
from antiphon.app.searching import asking_modalities
from antiphon.app.state import Here, embedded
from antiphon.search.query import refuse_for_words_alone

_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such video."}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    408: {"model": Problem, "description": "The upload took too long."},
    413: {"model": Problem, "description": "The file is too large."},
    415: {"model": Problem, "description": "Not a media type, or an unreadable file."},
    422: {"model": Problem, "description": "No file, an empty file, or an invalid parameter."},
    500: {"model": Problem, "description": "The service failed on this file; see its log."},
    503: {"model": Problem, "description": "Too many files at once (see Retry-After), no model, or shutting down."},
    507: {"model": Problem, "description": "Not enough disk space for the file."},
}
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary", "minLength": 1}}
            for kind in ("application/octet-stream", "video/*", "audio/*")
        },
    }
}


async def refuse_unknown(request: Request) -> None:
    """Refuse unknown query parameters, so that a misspelt condition is not ignored.

    Parameters
    ----------
    request : Request
        The request.

    Raises
    ------
    HTTPException
        422: names the unknown parameters.
    """
    route = request.scope["route"]
    if isinstance(route, APIRoute) and request.query_params:
        known = _parameters(route)
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise HTTPException(422, f"Unknown parameter: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        refuse_repeated(request)


def refuse_repeated(request: Request) -> None:
    """Refuse several values of a query parameter that takes one, so that none is ignored.

    Parameters
    ----------
    request : Request
        The request.

    Raises
    ------
    HTTPException
        422: names the parameters.
    """
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    lists = _parameters(route, lists=True)
    given = Counter(name for name, _ in request.query_params.multi_items())
    repeated = sorted(name for name, times in given.items() if times > 1 and name not in lists)
    if repeated:
        raise HTTPException(422, f"Parameter given more than once: {', '.join(repeated)}. Give one value.")


_KNOWN: dict[object, Mapping[str, bool]] = {}


def _parameters(route: APIRoute, *, lists: bool = False) -> frozenset[str]:
    """Return the names of a route's query parameters, or of those that take several values; collected once."""
    if route.endpoint not in _KNOWN:
        known = get_flat_params(route.dependant)
        _KNOWN[route.endpoint] = {one.alias: get_origin(one.field_info.annotation) is list for one in known}
    return frozenset(name for name, is_list in _KNOWN[route.endpoint].items() if is_list or not lists)


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


_VERSION = version("antiphon")

router = APIRouter(
    prefix="/api",
    tags=["REST API"],
    dependencies=[Depends(refuse_unknown)],
    responses={
        400: {"model": Problem, "description": "The request cannot be read."},
        422: {"model": Problem, "description": "A parameter is missing, unknown or out of range."},
    },
)

Id = Annotated[str, Query(description="Id of a music video in the catalogue.")]
Words = Annotated[str, Query(max_length=200, description="Words from titles, artists, ids, genres, tags or years.")]
Asking = Annotated[str, Query(max_length=10_000, description="What to find, in words.")]
Nudge = Annotated[
    list[Literal["calmer", "faster", "brighter", "darker", "more live"]],
    Query(max_length=5, description="Move the query this way; see /api/nudges for what it does."),
    AfterValidator(_once),
]
Towards = Annotated[
    list[Annotated[str, Query(max_length=4096)]],
    Query(max_length=5, description="Move the query towards this music video, such as one of the hits: its id."),
    AfterValidator(_once),
]
By = Annotated[Literal["both", "audio", "video"], Query(description="What to compare: audio, video, or both.")]
Count = Annotated[int, Query(ge=1, le=100, description="Maximum number of results.")]
Target = Annotated[
    Literal["audio", "video"], Query(description="audio: songs for its video; video: videos for its song.")
]


@router.get("/health")
def health(here: Here) -> Health:
    """Report the service's status, and what it serves."""
    return Health(
        status="ok",
        version=_VERSION,
        run=here.run,
        videos=len(here.searcher.library),
        encodes_files=here.encoder is not None,
        files_under_way=here.files_under_way,
    )


@router.get("/items")
def items(q: Words, here: Here, k: Count = 10) -> Items:
    """Find videos by words from their title, artist, id, genre, tags and year. All words must match."""
    return Items(items=[Item.of(video) for video in here.searcher.library.find(q, k)])


@router.get("/search", responses=_UNKNOWN)
def search(
    q: Asking,
    here: Here,
    conditions: Asked,
    id: Annotated[str | None, Query(description="Id of a music video that hits should be like, too.")] = None,
    nudge: Nudge = [],  # noqa: B006 - never changed
    towards: Towards = [],  # noqa: B006
) -> WordsResponse:
    """Find music videos that suit words, such as “calm acoustic guitar, no drums, 90s”; with an id, of those like it.

    A score is 0.5 for the catalogue's mean, and at most 1. With an id it is the mean of that and of the similarity.
    """
    if id is None:
        refuse_for_words_alone([name for name, given in (("nudge", nudge), ("towards", towards)) if given])
        found = here.searcher.by_words(q, conditions)
        return WordsResponse(query=None, meant=Meant.of(found), hits=found_items(found.hits))
    hits = here.searcher.by_id(id, conditions, but=But(q, nudge, towards))
    return WordsResponse(query=id, meant=Meant.of(here.searcher.understood(q)), hits=found_items(hits))


@router.get("/similar", responses=_UNKNOWN)
def similar(
    id: Id,
    here: Here,
    conditions: Asked,
    by: By = "both",
    nudge: Nudge = [],  # noqa: B006 - never changed
    towards: Towards = [],  # noqa: B006
) -> SearchResponse:
    """Find music videos similar to one of the catalogue, or similar to it but, say, calmer, or more like another."""
    found = here.searcher.by_id(id, conditions, by=by, but=But("", nudge, towards))
    return SearchResponse(query=id, by=by, hits=found_items(found))


@router.get("/nudges")
def nudges(here: Here) -> Nudges:
    """List the nudges that go somewhere in this catalogue, with what each does among the ten nearest."""
    return Nudges(nudges=[NudgeEffect(**asdict(effect), works=effect.works) for effect in here.searcher.nudges])


@router.get("/match", responses=_UNKNOWN)
def match(id: Id, target: Target, here: Here, conditions: AskedMatch) -> SearchResponse:
    """Find songs for a music video's pictures, or pictures for its song. Its own are excluded."""
    return SearchResponse(query=id, target=target, hits=found_items(here.searcher.by_id(id, conditions, target=target)))


@router.post(
    "/recommend",
    responses={
        404: {"model": Problem, "description": "Unknown ids in the history."},
        422: {"model": Problem, "description": "No history, or an invalid parameter."},
    },
)
def recommend(asked: History, here: Here) -> Recommendations:
    """Recommend videos similar in sound and pictures to those that a user liked, and not to those they disliked.

    What people said on the pages does not fit one of these is left out.
    """
    out = rejections(here).of_any(asked.history)
    found = here.searcher.recommend(asked.history, asked.k, asked.disliked, rejected=out)
    return Recommendations(hits=found_items(found))


@router.post("/similar", responses=_REFUSED, openapi_extra=_FILE)
async def similar_to_file(
    request: Request,
    here: Here,
    conditions: Asked,
    nudge: Nudge = [],  # noqa: B006 - never changed
    towards: Towards = [],  # noqa: B006
) -> SearchResponse:
    """Find music videos similar to an uploaded file, by the modalities that it has; or so but, say, calmer."""
    encodings = await embedded(request, here, asking_modalities("both"))
    found = await run_sync(lambda: here.searcher.by_file(encodings, conditions, but=But("", nudge, towards)))
    return SearchResponse(query=None, by="both", hits=found_items(found))


@router.post("/search", responses=_REFUSED, openapi_extra=_FILE)
async def search_with_file(
    request: Request,
    q: Asking,
    here: Here,
    conditions: Asked,
    nudge: Nudge = [],  # noqa: B006 - never changed
    towards: Towards = [],  # noqa: B006
) -> WordsResponse:
    """Find music videos that suit words and are like an uploaded file, by the modalities that it has."""
    encodings = await embedded(request, here, asking_modalities("both"))
    but = But(q, nudge, towards)
    found = await run_sync(lambda: here.searcher.by_file(encodings, conditions, but=but))
    meant = await run_sync(lambda: Meant.of(here.searcher.understood(q)))
    return WordsResponse(query=None, meant=meant, hits=found_items(found))


@router.post("/match", responses=_REFUSED, openapi_extra=_FILE)
async def match_file(request: Request, target: Target, here: Here, conditions: AskedMatch) -> SearchResponse:
    """Find songs for the pictures of an uploaded file, or pictures for its sound."""
    encodings = await embedded(request, here, asking_modalities(target))
    found = await run_sync(lambda: here.searcher.by_file(encodings, conditions, target))
    return SearchResponse(query=None, target=target, hits=found_items(found))


@router.post("/embed", responses=_REFUSED, openapi_extra=_FILE)
async def embed(request: Request, here: Here) -> Embedding:
    """Embed an uploaded file: one unit vector for each window of its audio and of its video."""
    encodings = await embedded(request, here, ("audio", "video"))
    embedded_sides = {
        side: EmbeddedSide(windows=found.windows, vectors=found.segments.tolist()) for side, found in encodings.items()
    }
    return Embedding(
        run=here.run,
        correction_dim=here.searcher.index.correction_dim,
        audio=embedded_sides.get("audio"),
        video=embedded_sides.get("video"),
    )
