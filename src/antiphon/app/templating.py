"""How pages are written: one template engine for all of them."""

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse

from antiphon.presentation.page_frame import page_environment

NAVIGATION = (
    ("/", "Search"),
    ("/map", "Map"),
    ("/gallery", "Gallery"),
    ("/evaluation", "Evaluation"),
    ("/judge", "Judge"),
)


class Pages:
    """Renders the templates of `antiphon.app`; everything that is written into them is escaped.

    Parameters
    ----------
    navigation : sequence of tuple of (str, str)
        (path, label) of the links at the head of every page.
    """

    def __init__(self, navigation: Sequence[tuple[str, str]] = NAVIGATION) -> None:
        self.environment = page_environment("antiphon.app")
        cast(dict[str, Any], self.environment.filters).update(address=address, clock=clock, search=search)
        cast(dict[str, Any], self.environment.globals).update(navigation=tuple(navigation))

    def render(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """The page of `template`; it also knows the `path` that was asked for and the `status`."""
        text = self.environment.get_template(template).render(path=request.url.path, status=status, **context)
        return HTMLResponse(text, status_code=status)


def is_part(request: Request) -> bool:
    """Whether the pages' own scripts ask, for a part to set into a page, as htmx says it."""
    return request.headers.get("hx-request") == "true"


def address(id: str, place: str = "video") -> str:
    """Where the page ("video"), the file ("media") or the still ("thumbnail") of a music video is.

    Slashes are escaped too: a browser would resolve an id such as "a/../b" before it asks.

    Examples
    --------
    >>> address("live/../Ä 1.mp4")
    '/video/live%2F..%2F%C3%84%201.mp4'
    """
    return f"/{place}/{quote(id, safe='')}"


def search(text: str) -> str:
    """Where what holds `text` is listed.

    Examples
    --------
    >>> search("R&B")
    '/?q=R%26B'
    """
    return f"/?q={quote(text, safe='')}"


def clock(seconds: float) -> str:
    """A moment in a track.

    Examples
    --------
    >>> clock(75.4)
    '1:15'
    """
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
