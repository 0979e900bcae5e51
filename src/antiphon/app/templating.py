"""Rendering of the HTML pages."""

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import pass_context
from jinja2.runtime import Context

from antiphon.app.narrowing import SORTS, changed, chips
from antiphon.app.root import inner_path, rooted
from antiphon.presentation.page_frame import page_environment
from antiphon.words.interpretation import INSTEAD

NAVIGATION = (
    ("/", "Search"),
    ("/map", "Map"),
    ("/gallery", "Gallery"),
    ("/recommend", "Recommend"),
    ("/evaluation", "Evaluation"),
    ("/lists", "Lists"),
    ("/judge", "Judge"),
)

_ALONE = "/shared/"
"""Pages that lead nowhere else: who sees them may know one list, and nothing of the service."""


class Pages:
    """Renderer of the templates of `antiphon.app`; all values are escaped.

    Parameters
    ----------
    navigation : sequence of tuple of (str, str)
        (path, label) of the links in the header.
    keeps : bool
        Whether music videos can be put on lists.
    """

    def __init__(self, navigation: Sequence[tuple[str, str]] = NAVIGATION, keeps: bool = True) -> None:
        self.environment = page_environment("antiphon.app")
        cast(dict[str, Any], self.environment.filters).update(
            address=address,
            search=search,
            rooted=_rooted,
            quoted=quoted,
            changed=changed,
            chips=chips,
        )
        self.share(navigation=tuple(navigation), instead=INSTEAD, keeps=keeps, sorts=SORTS, max_sent_bytes=lambda: 0)

    def share(self, **names: Any) -> None:
        """Let all templates know names."""
        cast(dict[str, Any], self.environment.globals).update(names)

    def render(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a page.

        Parameters
        ----------
        request : Request
            The request; the template gets its `path`.
        template : str
            Name of the template.
        status : int
            Status code; the template gets it too.
        **context : object
            Variables of the template.

        Returns
        -------
        HTMLResponse
            The page.
        """
        return HTMLResponse(self.text(request, template, status, **context), status_code=status)

    def text(self, request: Request, template: str, status: int = 200, **context: Any) -> str:
        """Render the text of a page; see `render`."""
        return self.environment.get_template(template).render(
            path=inner_path(request),
            place=_place(request),
            query=request.url.query,
            status=status,
            is_alone=inner_path(request).startswith(_ALONE),
            **context,
        )


def _place(request: Request) -> str:
    """Return the path of a request as it was sent: an id with slashes has them escaped."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode("ascii", "replace")


def is_part(request: Request) -> bool:
    """Return whether the pages' script requests a fragment of a page, by htmx's header.

    Parameters
    ----------
    request : Request
        The request.

    Returns
    -------
    bool
        Whether a fragment is requested.
    """
    return request.headers.get("hx-request") == "true"


def address(id: str, place: str = "video") -> str:
    """Return the address of a music video's page ("video"), file ("media") or still ("thumbnail").

    Slashes are escaped too, since a browser resolves an id such as "a/../b" before requesting it.

    Parameters
    ----------
    id : str
        Id of the video.
    place : str
        First part of the path.

    Returns
    -------
    str
        Path.

    Examples
    --------
    >>> address("live/../Ä 1.mp4")
    '/video/live%2F..%2F%C3%84%201.mp4'
    """
    return rooted(f"/{place}/{quote(id, safe='')}")


def search(text: str) -> str:
    """Return the address of the results for a text.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str
        Path with query.

    Examples
    --------
    >>> search("R&B")
    '/?q=R%26B'
    """
    return rooted(f"/?q={quote(text, safe='')}")


def quoted(text: str) -> str:
    """Return a text as a value of an address.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str
        The text, escaped.

    Examples
    --------
    >>> quoted("calm & slow")
    'calm%20%26%20slow'
    """
    return quote(text, safe="")


@pass_context
def _rooted(_: Context, path: str) -> str:
    """As `rooted`, looked up for every page: jinja would compute a filter of a constant once."""
    return rooted(path)
