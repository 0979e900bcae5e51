"""The pages on which people judge the similarity of music videos."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote

from anyio.to_thread import run_sync
from fastapi import APIRouter, Cookie, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from antiphon.app.forms import form_fields
from antiphon.app.library import Video
from antiphon.app.root import rooted
from antiphon.app.state import Here, State
from antiphon.errors import ConfigError
from antiphon.judging import Judgements, judging_report
from antiphon.judging.names import MAX_CHARACTERS, judge_name
from antiphon.judging.questions import ASPECTS, Aspect
from antiphon.judging.records import NotJoinedError, Round
from antiphon.judging.report import own_consistency
from antiphon.judging.sheets import sheet_length
from antiphon.presentation.judging_sentences import (
    ASPECT_WORDS,
    BY_WORDS,
    KIND_WORDS,
    alpha_sentence,
    judging_sentences,
    points_with_interval,
    share_with_interval,
)

router = APIRouter(prefix="/judge", include_in_schema=False, default_response_class=HTMLResponse)

_REMEMBERED_S = 90 * 24 * 3600
_NO_ROUND = "There are no questions yet. Prepare some with antiphon judge prepare."
ASKED = {
    "overall": "Which is more like the first?",
    "sound": "Which sounds more like the first?",
    "pictures": "Which looks more like the first?",
}

# The judge's name, as a cookie; every form repeats it.
Remembered = Annotated[str, Cookie(alias="judge", max_length=400)]


@router.get("")
def start(request: Request, here: Here, judge: Remembered = "") -> HTMLResponse:
    """Show the form for a judge's name."""
    return _start(request, here, unquote(judge))


@router.post("")
async def join(request: Request, here: Here) -> Response:
    """Register a judge's name, and redirect to the next question."""
    name = (await form_fields(request, "name"))["name"]
    try:
        judge_name(name)
    except ConfigError as error:
        return await run_sync(_start, request, here, name, str(error), 422)
    kept = await run_sync(_judgements(here).join, name)
    answer = RedirectResponse(rooted("/judge/question"), 303)
    answer.set_cookie(
        "judge", quote(kept), max_age=_REMEMBERED_S, path=rooted("/judge"), httponly=True, samesite="strict"
    )
    return answer


@router.get("/question")
def question(request: Request, here: Here, judge: Remembered = "") -> Response:
    """Show a judge's next question."""
    name = unquote(judge)
    try:
        task = _judgements(here).next_task(name, here.searcher.library.videos)
    except NotJoinedError:  # No name, or one that has not joined this round.
        return RedirectResponse(rooted("/judge"), 303)
    if task is None:
        return RedirectResponse(rooted("/judge/thanks"), 303)
    videos = {place: here.searcher.video(id) for place, id in vars(task).items() if place in {"seed", "left", "right"}}
    starts = {place: _starts_s(video) for place, video in videos.items()}
    return here.pages.render(
        request, "judge_question.html", name=name, task=task, videos=videos, starts=starts, asked=ASKED[task.aspect]
    )


@router.post("/question")
async def answer(request: Request, here: Here) -> Response:
    """Store an answer. Sending the same one again changes nothing; a different one is refused."""
    given = await form_fields(request, "judge", "item", "answer")
    if not given["item"].isdecimal() or len(given["item"]) > 15:
        raise HTTPException(422, "Unknown question.")
    done = await run_sync(_judgements(here).answer, given["judge"], int(given["item"]), given["answer"])
    if done == "other":
        raise HTTPException(409, "You have already answered this question. Your first answer is kept.")
    return RedirectResponse(rooted("/judge/question"), 303)


@router.get("/thanks")
def thanks(request: Request, here: Here, judge: Remembered = "") -> Response:
    """Show a judge's progress and consistency."""
    name, judgements = unquote(judge), _judgements(here)
    try:
        done, total = judgements.progress(name)
    except NotJoinedError:
        return RedirectResponse(rooted("/judge"), 303)
    alike, pairs = own_consistency(judgements, _round(here), name)
    return here.pages.render(request, "judge_thanks.html", name=name, done=done, total=total, alike=alike, pairs=pairs)


@router.get("/report")
def report(request: Request, here: Here, simulated: Annotated[bool, Query()] = False) -> HTMLResponse:
    """Show how often each similarity agrees with the judges."""
    judgements = _judgements(here)
    asked = judgements.round()
    if asked is None:
        return here.pages.render(request, "judge_report.html", 404, found=None)
    found = _measured(judgements.path, asked, simulated, judgements.known(asked))
    return here.pages.render(
        request,
        "judge_report.html",
        found=found,
        sentences=judging_sentences(found),
        aspects=ASPECTS,
        aspect_words=ASPECT_WORDS,
        by_words=BY_WORDS,
        kind_words=KIND_WORDS,
        share_with_interval=share_with_interval,
        points_with_interval=points_with_interval,
        alpha_sentence=alpha_sentence,
    )


def _start(request: Request, here: State, name: str, fault: str = "", status: int = 200) -> HTMLResponse:
    judgements = _judgements(here)
    asked = judgements.round()
    return here.pages.render(
        request,
        "judge.html",
        status,
        name=name,
        fault=fault,
        round=asked,
        lines=0 if asked is None else _sheet_length(judgements, asked),
        max_characters=MAX_CHARACTERS,
    )


def _sheet_length(judgements: Judgements, asked: Round) -> int:
    aspects: list[Aspect] = [question.aspect for question in judgements.questions(asked.number).values()]
    return sheet_length(aspects, asked.per_judge, asked.repeat_share)


def _judgements(here: State) -> Judgements:
    return Judgements(here.workspace.judgements)


def _round(here: State) -> Round:
    found = _judgements(here).round()
    if found is None:
        raise HTTPException(404, _NO_ROUND)
    return found


@lru_cache(maxsize=4)
def _measured(path: Path, asked: Round, simulated: bool, known: tuple[int, int]) -> dict[str, Any]:
    """Compute the report, cached until the counts in `known` change."""
    return judging_report(Judgements(path), asked, simulated=simulated)


def _starts_s(video: Video) -> float:
    """Choose where playback starts: at the middle segment, or a third into the track, past silence and black."""
    if video.segments:
        return video.segments[len(video.segments) // 2].start_s
    return video.start_s + (video.duration_s or 0.0) / 3
