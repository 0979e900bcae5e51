"""The HTML pages: search, video, match, gallery, evaluation, help."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from antiphon.app.api import Nudge, Towards, refuse_repeated
from antiphon.app.asking import HEADINGS, listing, or_reason, page_of_file, with_uses, without_rejected
from antiphon.app.course import Course, courses
from antiphon.app.found import But, Found
from antiphon.app.library import Video, drawn
from antiphon.app.narrowing import AskedPage, Narrowed
from antiphon.app.reference import routes
from antiphon.app.root import rooted
from antiphon.app.searching import Searcher
from antiphon.app.state import Here
from antiphon.errors import ModelError
from antiphon.evaluation_log import read_evaluations
from antiphon.presentation.rank_sentences import few_videos_sentence
from antiphon.presentation.ranked_pools import pool_sentences, ranked_pools, ranks_to_copy
from antiphon.runs import GALLERY_PAGE, METRICS_FILE, REPORT_FILE, read_metrics

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, dependencies=[Depends(refuse_repeated)]
)

SEEDS, NEIGHBOURS, SIMILAR, WORDED = 8, 4, 8, 24
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
def home(request: Request, here: Here, conditions: AskedPage, q: str = "") -> Response:
    """Show the search form and the upload form, and what suits the words that were searched for."""
    if here.served is None:
        return RedirectResponse(rooted("/status"), 303)
    searcher = here.searcher
    library = searcher.library
    asked = listing(request, conditions, WORDED)
    worded = searcher.by_words(q, asked) if q.strip() else None
    if worded is not None:
        worded = replace(worded, hits=asked.sorted(worded.hits, searcher.facts))
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
        examples=drawn(searcher.findable or list(library.videos.values()), 6, 0),
        read_only=here.read_only,
        run=here.run,
        headings=HEADINGS,
        meeting=len(searcher.meeting(asked)) if worded else 0,
        genres=library.genres,
    )


@router.get("/find")
def find(request: Request, here: Here, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Suggest videos while the user types."""
    return here.pages.render(request, "suggestions.html", q=q, found=here.searcher.library.find(q), worded=None)


@router.get("/video/{id:path}")
def video(
    id: str,
    request: Request,
    here: Here,
    conditions: AskedPage,
    q: Wish = "",
    nudge: Nudge = [],  # noqa: B006 - never changed
    towards: Towards = [],  # noqa: B006
) -> Response:
    """Show a video with its neighbours by sound, by pictures and by both, or those of them that suit words too."""
    if here.sent.by_id(id) is not None:
        return RedirectResponse(page_of_file(id, request.url.query), 303)
    shown, uses = with_uses(here, id)
    asked = without_rejected(here, listing(request, conditions, SIMILAR), id, "both")
    ways = ("audio", "video", "both") if uses.searches else ()
    but, facts = But(q, nudge, towards), here.searcher.facts
    return here.pages.render(
        request,
        "video.html",
        video=shown,
        uses=uses,
        lists={
            by: or_reason(here, lambda by=by: asked.sorted(here.searcher.by_id(id, asked, by=by, but=but), facts))
            for by in ways
        },
        empty={by: len(here.searcher.empty(by)) for by in ways},
        q=q,
        nudge=nudge,
        towards=towards,
        nudges=here.searcher.nudges if uses.searches else [],
        opposites=_OPPOSITES,
        worded=here.searcher.understood(q) if q.strip() and uses.searches else None,
        conditions=asked,
        kept_pairs=[*(("nudge", name) for name in nudge), *(("towards", one) for one in towards)],
        library=here.searcher.library,
        genres=here.searcher.library.genres,
    )


@router.get("/gallery")
def gallery(request: Request, here: Here, conditions: AskedPage, seed: Seed = 0) -> HTMLResponse:
    """Show random videos with their nearest neighbours, among those that meet the conditions."""
    searcher = here.searcher
    asked = listing(request, conditions, NEIGHBOURS)

    def made() -> tuple[str, bool]:
        meeting = frozenset(searcher.meeting(asked))
        among = [video for video in searcher.findable if video.id in meeting]
        seeds = [
            (one, or_reason(here, lambda one=one: _alike(searcher, one, asked))) for one in drawn(among, SEEDS, seed)
        ]
        is_whole = not any(isinstance(found, str) for _, found in seeds)
        text = here.pages.text(
            request,
            "gallery.html",
            seeds=seeds,
            seed=seed,
            conditions=asked,
            meeting=len(meeting),
            library=searcher.library,
            genres=searcher.library.genres,
        )
        return text, is_whole

    return HTMLResponse(searcher.pages.get(("gallery", request.url.query), made))


def _alike(searcher: Searcher, video: Video, asked: Narrowed) -> list[Found]:
    return asked.sorted(searcher.by_id(video.id, asked), searcher.facts)


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
        pools=ranked_pools(metrics) if metrics else {},
        sentences=pool_sentences(metrics) if metrics else [],
        copies=ranks_to_copy(f"Run {here.run}, {metrics.get('split', 'test')} split", metrics) if metrics else {},
        few=few_videos_sentence(metrics) if metrics else "",
        fault=fault,
        written=written,
        report_is_old=report_is_old,
        course=_course(folder),
        library=here.searcher.library,
    )


def _course(folder: Path | None) -> list[Course]:
    """Return the evaluations of a run by test set, where there are several of one."""
    return [] if folder is None else courses(read_evaluations(folder))


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


def _run_folder(here: Here) -> Path | None:
    return here.workspace.run(here.run) if here.run else None
