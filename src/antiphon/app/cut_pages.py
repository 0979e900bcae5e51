"""The cut room: pictures on a time line with songs that suit them, or the reverse, and what is made of a choice."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, cast

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from antiphon.app.api import refuse_repeated
from antiphon.app.asking import page_of_file, without_rejected
from antiphon.app.attachments import attachment
from antiphon.app.cue_sheets import cue_table, edit_list
from antiphon.app.edits import Asked, Edit, Row, Side, asked_edit, shift_of, start_of
from antiphon.app.exports import Film
from antiphon.app.found import Found
from antiphon.app.library import Video
from antiphon.app.media import outlined
from antiphon.app.narrowing import AskedPage, Narrowed
from antiphon.app.searching import UnknownVideoError
from antiphon.app.sources import LocalFile
from antiphon.app.spans import SpanResponse
from antiphon.app.state import Here, State
from antiphon.app.trouble import uses_of
from antiphon.errors import DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.presentation.splicing import Splice
from antiphon.workers.limits import LimitError

router = APIRouter(include_in_schema=False, dependencies=[Depends(refuse_repeated)])

ROWS = 5
_STILLS = 12
AskedEdit = Annotated[Asked, Depends(asked_edit)]


@router.get("/cut/{id:path}", response_class=HTMLResponse)
def cut_room(
    id: str, request: Request, here: Here, conditions: AskedPage, asked: AskedEdit, target: Side = "audio"
) -> Response:
    """Show a music video's pictures with the five best songs under them, or its song with the five best pictures."""
    searcher = here.searcher
    item = here.video(id)
    sent = here.sent.by_id(id)
    if sent is not None and (here.served is None or sent.origin != here.served.origin):
        return RedirectResponse(page_of_file(id), 303)  # where it is embedded anew
    uses = uses_of(item, bool(item.sent_name) or id in searcher.indexed)
    has = item.has_video if target == "audio" else item.has_audio
    # What was kept long ago may be gone: the room opens without it.
    kept = [one for one in asked.kept if _goes(searcher.library.videos.get(one[0]), target)]
    asked = replace(asked, kept=kept)
    rows = list(_rows(here, item, conditions, asked, target)) if uses.plays and has else []
    chosen = next((row for row in rows if row.video.id == asked.other), rows[0] if rows else None)
    return here.pages.render(
        request,
        "cut.html",
        item=item,
        uses=uses,
        has=has,
        target=target,
        rows=rows,
        chosen=chosen,
        edit=chosen and Edit.within(item, chosen.video, target, chosen.shift_s, asked.from_s, asked.to_s),
        asked=replace(asked, other=chosen.video.id, shift_s=chosen.shift_s) if chosen else asked,
        stills_s=[item.length_s * (number + 0.5) / _STILLS for number in range(_STILLS)],
        library=searcher.library,
    )


def _best(here: State, item: Video, conditions: Narrowed, target: Side) -> list[Found]:
    sent = here.sent.by_id(item.id)
    best = without_rejected(here, replace(conditions, k=ROWS), item.id, target)
    if sent is not None:
        return here.searcher.by_file(sent.encodings, best, target, file=item)
    return here.searcher.by_id(item.id, best, target=target) if item.id in here.searcher.indexed else []


def _rows(here: State, item: Video, conditions: Narrowed, asked: Asked, target: Side) -> Iterator[Row]:
    """Yield what can go with an item: the best, and those that were chosen or kept before."""
    kept, searcher = dict(asked.kept), here.searcher
    found = _best(here, item, conditions, target)
    hits = {one.video.id: one for one in found if one.video.file is not None}
    wanted: list[str] = [*hits, *filter(None, [asked.other]), *kept]
    for other in dict.fromkeys(wanted):
        video = searcher.video(other)
        if not _goes(video, target):
            raise _no_file(video, target)
        hit = hits.get(other)
        shift_s = shift_of(hit.hit.moments, item.length_s, video.length_s) if hit else 0.0
        shift_s = kept.get(other, shift_s)
        if other == asked.other and asked.shift_s is not None:
            shift_s = asked.shift_s
        start_s = start_of(hit.hit.moments if hit else (), item.length_s, video.length_s, shift_s)
        yield Row(video, shift_s, start_s, hit, other in kept)


@router.get("/export/edl/{id:path}")
async def export_edl(id: str, here: Here, asked: AskedEdit, target: Side = "audio") -> Response:
    """Export an edit as an edit decision list."""
    edit = await run_sync(_asked_edit, here, id, asked, target)
    rate = json.loads(await outlined(here, edit.pictures.video, "video"))["frames_per_s"]
    return _attached(edit_list(edit, rate), "text/plain; charset=us-ascii", edit, "edl")


@router.get("/export/csv/{id:path}")
async def export_csv(id: str, here: Here, asked: AskedEdit, target: Side = "audio") -> Response:
    """Export an edit, and those that were kept, as a table."""
    edits = await run_sync(_chosen_and_kept, here, id, asked, target)
    seen = {edit.pictures.video.id: edit.pictures.video for _, edit in edits}
    rates = {name: await _rate(here, video) for name, video in seen.items()}
    table = cue_table((choice, edit, rates[edit.pictures.video.id]) for choice, edit in edits)
    return _attached(table, "text/csv; charset=utf-8", edits[0][1], "csv")


def _chosen_and_kept(here: State, id: str, asked: Asked, target: Side) -> list[tuple[str, Edit]]:
    edit = _asked_edit(here, id, asked, target)
    rows = [("chosen", edit)]
    for other, shift_s in asked.kept:
        if (other, shift_s) != (asked.other, asked.shift_s or 0.0):
            # Left out: what is gone, and what does not play in this stretch.
            with suppress(UnknownVideoError, HTTPException):
                rows.append(("kept", _edit(here, edit.item, Asked(other, shift_s, asked.from_s, asked.to_s), target)))
    return rows


async def _rate(here: State, video: Video) -> float | None:
    """Return the rate of pictures, in frames per second; None where they cannot be read now."""
    try:
        found = json.loads(await outlined(here, video, "video"))
    except HTTPException:
        return None
    return found["frames_per_s"] if found["length_s"] > 0 else None


@router.post("/export/mp4/{id:path}")
async def export_mp4(id: str, here: Here, asked: AskedEdit, target: Side = "audio") -> Response:
    """Export an edit as a film."""
    edit = (await run_sync(_asked_edit, here, id, asked, target)).filmed(asked.from_s, asked.to_s)
    limits = here.exports.limits
    if edit.to_s - edit.from_s > limits.max_s:
        raise HTTPException(422, f"At most {limits.max_s / 60:.0f} minutes are exported at once: set from and to.")
    pictures, song = edit.pictures, edit.song
    splice = Splice(
        cast(CataloguedFile, pictures.video.file),
        pictures.from_s,
        cast(CataloguedFile, song.video.file),
        song.from_s,
        pictures.length_s,
    )
    # Closed when the answer ends, also where the client leaves.
    answer = SpanResponse(LocalFile(await _film(here, splice)), None, "video/mp4", here.file_line)
    answer.headers["content-disposition"] = _disposition(edit, "mp4")
    return answer


async def _film(here: State, splice: Splice) -> Film:
    """Make a film; its place is left when it is closed, or here where none is made."""
    place = here.exports.enter()
    if place is None:
        raise HTTPException(503, "Too many exports at once. Try again later.", headers={"Retry-After": "30"})
    try:
        return await run_sync(here.exports.make, splice, place, limiter=here.export_line)
    except BaseException as error:
        here.exports.leave(place)
        if isinstance(error, LimitError):
            raise HTTPException(422, f"Making the film {error}. Choose a shorter stretch.") from error
        if isinstance(error, DecodeError):
            raise HTTPException(422, "A file cannot be read there; it is missing or damaged.") from error
        raise


def _asked_edit(here: State, id: str, asked: Asked, target: Side) -> Edit:
    """Return the edit that an export asks for.

    Raises
    ------
    HTTPException
        422: nothing was chosen, or there is no such side, or the two never play together.
    """
    item = here.video(id)
    if not asked.other:
        raise HTTPException(422, "Choose what goes with it: parameter with.")
    return _edit(here, item, asked, target)


def _goes(video: Video | None, target: Side) -> bool:
    """Tell whether a music video has a file with the side that is taken from it."""
    return video is not None and video.file is not None and (video.has_audio if target == "audio" else video.has_video)


def _no_file(video: Video, side: Side) -> UnknownVideoError:
    return UnknownVideoError(f"'{video.title}' has no file with {'sound' if side == 'audio' else 'pictures'}.")


def _edit(here: State, item: Video, asked: Asked, target: Side) -> Edit:
    other = here.searcher.video(asked.other)
    edit = Edit.within(item, other, target, asked.shift_s or 0.0, asked.from_s, asked.to_s)
    sides: tuple[tuple[Video, Side], ...] = ((edit.pictures.video, "video"), (edit.song.video, "audio"))
    for video, side in sides:
        if not _goes(video, side):
            raise _no_file(video, side)
    if edit.to_s <= edit.from_s:
        raise HTTPException(422, "Song and pictures never play together there. Shift the one, or change from and to.")
    return edit


def _attached(content: str, kind: str, edit: Edit, ending: str) -> Response:
    return Response(content, media_type=kind, headers={"content-disposition": _disposition(edit, ending)})


def _disposition(edit: Edit, ending: str) -> str:
    """Name a file after what is seen and what is heard."""
    return attachment(f"{edit.pictures.video.title} with {edit.song.video.title}", ending)
