"""What pages that ask with a music video or a file have in common."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from fastapi import Request

from antiphon.app.found import Found
from antiphon.app.library import Video
from antiphon.app.narrowing import Narrowed
from antiphon.app.rejected import rejected
from antiphon.app.root import rooted
from antiphon.app.searching import Target
from antiphon.app.sent_records import PREFIX
from antiphon.app.state import State
from antiphon.app.trouble import Uses, uses_of
from antiphon.errors import AntiphonError

HEADINGS: Mapping[Target, str] = {
    "audio": "Songs for these pictures",
    "video": "Pictures for this song",
    "both": "More like this",
}


def with_uses(here: State, id: str) -> tuple[Video, Uses]:
    """Return a music video of the catalogue with what can be done with it."""
    shown = here.searcher.video(id)
    return shown, uses_of(shown, id in here.searcher.indexed)


def listing(request: Request, conditions: Narrowed, k: int) -> Narrowed:
    """Return the conditions with the page's number of hits, unless the address gives one."""
    return conditions if "k" in request.query_params else replace(conditions, k=k)


def without_rejected(here: State, conditions: Narrowed, asking: str, target: Target) -> Narrowed:
    """Return the conditions, without what was said not to fit this question."""
    return replace(conditions, rejected=rejected(here, asking, target))


def or_reason(here: State, ask: Callable[[], list[Found]]) -> list[Found] | str:
    """Return the list, or the reason why there is none: a video may lack the modality."""
    try:
        return ask()
    except AntiphonError as error:
        return here.without_paths(str(error))


def page_of_file(id: str, query: str = "") -> str:
    """Return the address of the page of a client's file.

    Parameters
    ----------
    id : str
        Its id.
    query : str
        Query string; "" for none.

    Returns
    -------
    str
        Path with query.

    Examples
    --------
    >>> page_of_file("file:x", "target=video")
    '/file/x?target=video'
    """
    return rooted(f"/file/{id.removeprefix(PREFIX)}{f'?{query}' if query else ''}")
