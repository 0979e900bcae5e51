"""The pages on which people compare music videos."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, unquote

from anyio.to_thread import run_sync
from fastapi import APIRouter, Cookie, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from antiphon.app.library import Video
from antiphon.app.state import Here, State
from antiphon.errors import ConfigError
from antiphon.judging import Judgements, judging_report
from antiphon.judging.names import MOST_CHARACTERS, judge_name
from antiphon.judging.questions import ASPECTS
from antiphon.judging.records import NotJoinedError, Round
from antiphon.judging.report import own_consistency
from antiphon.presentation.judging_sentences import (
    ASPECT_WORDS,
    BY_WORDS,
    KIND_WORDS,
    alpha_sentence,
    gap,
    judging_sentences,
    spread,
)

router = APIRouter(prefix="/judge", include_in_schema=False, default_response_class=HTMLResponse)

_REMEMBERED_S = 90 * 24 * 3600
_NO_ROUND = "Nothing has been prepared to judge. Start with antiphon judge prepare."
ASKED = {
    "overall": "Which is more like the first?",
    "sound": "Which sounds more like the first?",
    "pictures": "Which looks more like the first?",
}

# The name that was chosen, remembered by the browser; every form says whose answer it carries.
Remembered = Annotated[str, Cookie(alias="judge", max_length=400)]


@router.get("")
def start(request: Request, here: Here, judge: Remembered = "") -> HTMLResponse:
    """Where a name is chosen."""
    return _start(request, here, unquote(judge))


@router.post("")
async def join(request: Request, here: Here) -> Response:
    """Take a name, and go to its next question."""
    name = (await form_fields(request, "name"))["name"]
    try:
        judge_name(name)
    except ConfigError as error:
        return await run_sync(_start, request, here, name, str(error), 422)
    kept = await run_sync(_judgements(here).join, name)
    answer = RedirectResponse("/judge/question", 303)
    answer.set_cookie("judge", quote(kept), max_age=_REMEMBERED_S, path="/judge", httponly=True, samesite="strict")
    return answer


@router.get("/question")
def question(request: Request, here: Here, judge: Remembered = "") -> Response:
    """The next question of a judge."""
    name = unquote(judge)
    try:
        task = _judgements(here).next_task(name, here.searcher.library.videos)
    except NotJoinedError:  # nobody, or a round that this judge has not joined
        return RedirectResponse("/judge", 303)
    if task is None:
        return RedirectResponse("/judge/thanks", 303)
    videos = {place: here.searcher.video(id) for place, id in vars(task).items() if place in {"seed", "left", "right"}}
    starts = {place: _starts_s(video) for place, video in videos.items()}
    return here.pages.render(
        request, "judge_question.html", name=name, task=task, videos=videos, starts=starts, asked=ASKED[task.aspect]
    )


@router.post("/question")
async def answer(request: Request, here: Here) -> Response:
    """Keep an answer. The same one sent again changes nothing; another one is refused."""
    given = await form_fields(request, "judge", "item", "answer")
    if not given["item"].isdecimal() or len(given["item"]) > 15:
        raise HTTPException(422, "That is no question of this service.")
    done = await run_sync(_judgements(here).answer, given["judge"], int(given["item"]), given["answer"])
    if done == "other":
        raise HTTPException(409, "You have answered this question already. Your first answer stays.")
    return RedirectResponse("/judge/question", 303)


@router.get("/thanks")
def thanks(request: Request, here: Here, judge: Remembered = "") -> Response:
    """What a judge has done so far, and how consistently."""
    name, judgements = unquote(judge), _judgements(here)
    try:
        done, total = judgements.progress(name)
    except NotJoinedError:
        return RedirectResponse("/judge", 303)
    alike, pairs = own_consistency(judgements, _round(here), name)
    return here.pages.render(request, "judge_thanks.html", name=name, done=done, total=total, alike=alike, pairs=pairs)


@router.get("/report")
def report(request: Request, here: Here, simulated: Annotated[bool, Query()] = False) -> HTMLResponse:
    """How far each similarity agrees with the judges."""
    asked = _round(here)
    judgements = _judgements(here)
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
        spread=spread,
        gap=gap,
        alpha_sentence=alpha_sentence,
    )


def _start(request: Request, here: State, name: str, fault: str = "", status: int = 200) -> HTMLResponse:
    asked = _judgements(here).round()
    return here.pages.render(
        request,
        "judge.html",
        status,
        name=name,
        fault=fault,
        round=asked,
        no_round=_NO_ROUND,
        most_characters=MOST_CHARACTERS,
    )


def _judgements(here: State) -> Judgements:
    return Judgements(here.workspace.judgements)


def _round(here: State) -> Round:
    found = _judgements(here).round()
    if found is None:
        raise HTTPException(404, _NO_ROUND)
    return found


@lru_cache(maxsize=4)
def _measured(path: Path, asked: Round, simulated: bool, known: tuple[int, int]) -> dict[str, Any]:
    """The report, made anew only when there is something new (`known`)."""
    return judging_report(Judgements(path), asked, simulated=simulated)


def _starts_s(video: Video) -> float:
    """Where playing starts: with the middle segment, or a third into the track, past silent and black beginnings."""
    if video.segments:
        return video.segments[len(video.segments) // 2].start_s
    return video.start_s + (video.duration_s or 0.0) / 3


_MOST_BYTES = 4096


async def form_fields(request: Request, *names: str) -> dict[str, str]:
    """The fields of a form that was sent as `application/x-www-form-urlencoded`; a missing one is empty.

    Raises
    ------
    HTTPException
        413: it is longer than a small form can be. 422: it is no such form.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, "That form is too long.")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=20, errors="strict")
    except ValueError as error:
        raise HTTPException(422, "That is no form of this service.") from error
    return {name: found.get(name, [""])[0] for name in names}
