"""The HTML pages: search, video, match, map, gallery, evaluation, help."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from antiphon.app.api import Nudge, Towards, refuse_repeated
from antiphon.app.atlas import legend_of
from antiphon.app.faults import TitledError
from antiphon.app.found import But, Found
from antiphon.app.library import Video
from antiphon.app.reference import routes
from antiphon.app.root import rooted
from antiphon.app.schemas import Asked
from antiphon.app.searching import Target, asking_modalities
from antiphon.app.state import Here, State, embedded
from antiphon.app.templating import is_part
from antiphon.app.trouble import Uses, uses_of
from antiphon.errors import AntiphonError, ModelError
from antiphon.presentation.rank_sentences import few_videos_sentence
from antiphon.runs import GALLERY_PAGE, METRICS_FILE, REPORT_FILE, read_metrics
from antiphon.search.filters import Conditions
from antiphon.seeding import generator
from antiphon.segments.reading import PICTURES_ONLY, SOUND_ONLY

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, dependencies=[Depends(refuse_repeated)]
)

HEADINGS: Mapping[Target, str] = {
    "audio": "Songs for these pictures",
    "video": "Pictures for this song",
    "both": "More like this",
}
SEEDS, NEIGHBOURS, SIMILAR, MATCHES, WORDED = 8, 4, 8, 12, 24
_OPPOSITES = {"brighter": "darker", "darker": "brighter"}
_LISTED, _BESIDE = 24, 3
"""Videos with all words in what is written of them: alone, and above what suits the words."""
# Permissions of a report: a single file with inline style and script, in an origin of its own.
REPORT_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src data: blob:"
)
_REPORTS = {"report": REPORT_FILE, "gallery": GALLERY_PAGE}

Wish = Annotated[str, Query(max_length=10_000)]
Seed = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("/")
def home(request: Request, here: Here, conditions: Asked, q: str = "") -> Response:
    """Show the search form and the upload form, and what suits the words that were searched for."""
    if here.served is None:
        return RedirectResponse(rooted("/status"), 303)
    searcher = here.searcher
    library = searcher.library
    asked = _listing(request, conditions, WORDED)
    worded = searcher.by_words(q, asked) if q.strip() else None
    shown = {one.video.id for one in worded.hits} if worded else set[str]()
    return here.pages.render(
        request,
        "home.html",
        q=q,
        found=[video for video in library.find(q, _LISTED) if video.id not in shown][: _BESIDE if shown else _LISTED],
        worded=worded,
        asked=asked,
        library=library,
        embedded=len(searcher.findable),
        examples=_drawn(searcher.findable or list(library.videos.values()), 6, 0),
        encodes=here.encoder is not None and not here.read_only,
        read_only=here.read_only,
        max_bytes=here.uploads.limits.max_bytes,
        run=here.run,
        headings=HEADINGS,
        conditions=Conditions(),
        genres=library.genres,
    )


@router.get("/find")
def find(request: Request, here: Here, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Suggest videos while the user types."""
    return here.pages.render(request, "suggestions.html", q=q, found=here.searcher.library.find(q), worded=None)


@router.post("/find/file")
async def find_for_file(request: Request, here: Here, conditions: Asked, target: Target = "audio") -> HTMLResponse:
    """Show matches of an uploaded file: a whole page, or the fragment that the pages' script inserts."""
    try:
        encodings = await embedded(request, here, asking_modalities(target))
    except HTTPException as error:
        raise _advised(error) from error
    asked = _listing(request, conditions, MATCHES)
    found = await run_sync(lambda: here.searcher.by_file(encodings, asked, target))
    template = "file_part.html" if is_part(request) else "file_page.html"
    library = here.searcher.library
    return here.pages.render(
        request, template, found=found, target=target, headings=HEADINGS, conditions=asked, library=library
    )


@router.get("/video/{id:path}")
def video(
    id: str,
    request: Request,
    here: Here,
    conditions: Asked,
    q: Wish = "",
    nudge: Nudge = [],  # noqa: B006 - never changed
    towards: Towards = [],  # noqa: B006
) -> HTMLResponse:
    """Show a video with its neighbours by sound, by pictures and by both, or those of them that suit words too."""
    shown, uses = _with_uses(here, id)
    asked = _listing(request, conditions, SIMILAR)
    ways = ("audio", "video", "both") if uses.searches else ()
    return here.pages.render(
        request,
        "video.html",
        video=shown,
        uses=uses,
        lists={
            by: _or_reason(here, lambda by=by: here.searcher.by_id(id, asked, by=by, but=But(q, nudge, towards)))
            for by in ways
        },
        q=q,
        nudge=nudge,
        towards=towards,
        nudges=here.searcher.nudges if uses.searches else [],
        opposites=_OPPOSITES,
        worded=here.searcher.understood(q) if q.strip() and uses.searches else None,
        conditions=asked,
        library=here.searcher.library,
        genres=here.searcher.library.genres,
    )


@router.get("/match/{id:path}")
def match(
    id: str, request: Request, here: Here, conditions: Asked, target: Literal["audio", "video"] = "audio"
) -> HTMLResponse:
    """Show songs for a video's pictures, or pictures for its song, to be played together."""
    shown, uses = _with_uses(here, id)
    asked = _listing(request, conditions, MATCHES)
    return here.pages.render(
        request,
        "match.html",
        video=shown,
        uses=uses,
        found=_or_reason(here, lambda: here.searcher.by_id(id, asked, target=target)) if uses.searches else [],
        target=target,
        conditions=asked,
        library=here.searcher.library,
        genres=here.searcher.library.genres,
    )


@router.get("/map")
def map_page(request: Request, here: Here) -> HTMLResponse:
    """Show the map of the catalogue."""
    searcher, coloured = here.searcher, here.atlas.genres()

    def made() -> tuple[str, bool]:
        numbers = Counter(map(searcher.library.genre_of, searcher.findable))
        legend = legend_of(numbers, coloured)
        total = len(searcher.findable)
        return here.pages.text(request, "map.html", legend=legend, total=total, library=searcher.library), True

    return HTMLResponse(searcher.pages.get("map", made))


@router.get("/map.json")
def points(here: Here) -> Response:
    """Return the points of the map; 202 while it is being computed."""
    found = here.atlas.document()
    if found is None:
        return JSONResponse({"detail": "The map is being computed."}, status_code=202, headers={"Retry-After": "1"})
    return Response(found, media_type="application/json")


@router.get("/gallery")
def gallery(request: Request, here: Here, seed: Seed = 0) -> HTMLResponse:
    """Show random videos with their nearest neighbours."""
    searcher = here.searcher

    def made() -> tuple[str, bool]:
        conditions = Conditions(k=NEIGHBOURS)
        drawn = _drawn(searcher.findable, SEEDS, seed)
        seeds = [(one, _or_reason(here, lambda one=one: searcher.by_id(one.id, conditions))) for one in drawn]
        is_whole = not any(isinstance(found, str) for _, found in seeds)
        return here.pages.text(request, "gallery.html", seeds=seeds, seed=seed, library=searcher.library), is_whole

    return HTMLResponse(searcher.pages.get(("gallery", seed), made))


@router.get("/evaluation")
def evaluation(request: Request, here: Here) -> HTMLResponse:
    """Show the run's evaluation."""
    folder = _run_folder(here)
    there = {name: folder is not None and (folder / file).exists() for name, file in _REPORTS.items()}
    metrics, fault = None, ""
    try:
        metrics = None if folder is None else read_metrics(folder)
    except ModelError as error:
        fault = str(error)
    written, report_is_old = _written(folder) if folder is not None and metrics else (None, False)
    return here.pages.render(
        request,
        "evaluation.html",
        run=here.run,
        there=there,
        metrics=metrics,
        few=few_videos_sentence(metrics) if metrics else "",
        fault=fault,
        written=written,
        report_is_old=report_is_old,
        library=here.searcher.library,
    )


def _written(folder: Path) -> tuple[datetime, bool]:
    """Say when a run was evaluated, and whether its report was written before."""
    report, evaluated_s = folder / REPORT_FILE, (folder / METRICS_FILE).stat().st_mtime
    return datetime.fromtimestamp(evaluated_s).astimezone(), report.exists() and report.stat().st_mtime < evaluated_s


@router.get("/evaluation/{name}")
def report(name: Literal["report", "gallery"], here: Here) -> FileResponse:
    """Serve a report of the run from the workspace."""
    folder = _run_folder(here)
    path = None if folder is None else folder / _REPORTS[name]
    if path is None or not path.exists():
        raise HTTPException(404, f"This run has no such page. Create it with antiphon {name}.")
    return FileResponse(path, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


@router.get("/help")
def help_page(request: Request, here: Here) -> HTMLResponse:
    """Show the keyboard shortcuts and the glossary."""
    return here.pages.render(request, "help.html")


@router.get("/api")
def interface(request: Request, here: Here) -> HTMLResponse:
    """Show the reference of the REST API."""
    described = routes(request.app.openapi())
    return here.pages.render(request, "api.html", routes=described, base=str(request.base_url))


@router.get("/docs")
def documentation() -> RedirectResponse:
    """Redirect /docs to /api."""
    return RedirectResponse(rooted("/api"), 308)


def _advised(error: HTTPException) -> HTTPException:
    """Say in a refusal of a file what it lacks and what to choose instead, where that would do."""
    instead: dict[str, tuple[str, Target]] = {SOUND_ONLY: ("pictures", "video"), PICTURES_ONLY: ("sound", "audio")}
    for has, (lacks, target) in instead.items():
        if error.detail == f"The file {has}.":
            detail = f"This file {has}. Choose “{HEADINGS[target]}”."
            return TitledError(error.status_code, f"No {lacks} in this file", detail)
    return error


def _with_uses(here: State, id: str) -> tuple[Video, Uses]:
    """Return a video with what can be done with it."""
    shown = here.searcher.video(id)
    return shown, uses_of(shown, id in here.searcher.indexed)


def _listing(request: Request, conditions: Conditions, k: int) -> Conditions:
    """Return the conditions with the page's number of hits, unless the URL gives one."""
    return conditions if "k" in request.query_params else replace(conditions, k=k)


def _run_folder(here: Here) -> Path | None:
    return here.workspace.run(here.run) if here.run else None


def _drawn(videos: list[Video], count: int, seed: int) -> list[Video]:
    order = generator(seed, "page", "gallery").permutation(len(videos))[:count]
    return [videos[place] for place in order]


def _or_reason(here: State, ask: Callable[[], list[Found]]) -> list[Found] | str:
    """Return the list, or the reason why there is none: a video may lack the modality."""
    try:
        return ask()
    except AntiphonError as error:
        return here.without_paths(str(error))
