"""“Not this”: an answer that does not fit is left out of the next answers to its question, until that is undone."""

from typing import get_args

from anyio.to_thread import run_sync
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from antiphon.app.asking import page_of_file
from antiphon.app.forms import form_fields
from antiphon.app.narrowing import changed
from antiphon.app.rejected import MOST, rejections
from antiphon.app.searching import Target
from antiphon.app.state import Here, State
from antiphon.app.templating import address

router = APIRouter(include_in_schema=False)


@router.post("/not-this")
async def say(request: Request, here: Here) -> Response:
    """Note that an answer does not fit, or take that back, and show the answers without it."""
    given = await form_fields(request, "asking", "target", "id", "query", "do")
    asking, id, target = given["asking"], given["id"], given["target"]
    if target not in get_args(Target) or given["do"] not in ("", "undo"):
        raise HTTPException(422, "This is no answer to a question.")
    await run_sync(here.video, asking)
    await run_sync(here.searcher.video, id)
    await run_sync(_note, here, asking, target, id, given["do"] == "undo")
    return RedirectResponse(_page(here, asking, target, given["query"]), 303)


def _note(here: State, asking: str, target: str, id: str, undo: bool) -> None:
    file = here.sent.by_id(asking)
    if file is not None:
        here.sent.reject(file, target, id, undo=undo, most=MOST)
    elif undo:
        rejections(here).remove(asking, target, id)
    else:
        rejections(here).add(asking, target, id)


def _page(here: State, asking: str, target: str, query: str) -> str:
    """Return the address of the answers; nothing of it comes from the client but the conditions."""
    kept = changed(query, "target", new=target if target != "both" or here.sent.by_id(asking) else "")
    if here.sent.by_id(asking) is not None:
        return page_of_file(asking, kept.removeprefix("?"))
    return f"{address(asking, 'video' if target == 'both' else 'match')}{kept.rstrip('?')}"
