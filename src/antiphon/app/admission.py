"""Who may use a service: those who know its token, or for one list its link; and for what, where it is read-only."""

import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.app.forms import form_fields
from antiphon.app.root import inner_path, rooted
from antiphon.app.state import Here
from antiphon.errors import ConfigError
from antiphon.shortlists import Shortlists

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(max_length=10_000)]

_PLACE = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")
"""A path within the service."""
_COOKIE = "antiphon"
_REMEMBERED_S = 30 * 24 * 3600
_MIN_CHARACTERS, _MAX_CHARACTERS = 16, 1000
_OPEN = ("/healthz", "/readyz", "/sign-in", "/static/")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_A_LIST = re.compile(r"/shared/([A-Za-z0-9_-]{1,100})(/(media|thumbnail)/.+)?", re.DOTALL)
"""The page of a read-only link, and what it plays and shows."""
_ASKING = frozenset({"/api/recommend", "/sign-in"})
"""Sent by POST, and only read from."""
_EXPORT = "/export/"
_READ_ONLY = "This service is read-only: it takes no files, no judgements and no changes of lists or catalogue."


@dataclass(frozen=True)
class Access:
    """Who reaches a service, where, and for what.

    Attributes
    ----------
    hosts : collection of str
        Additional host names under which it may be reached.
    root : str
        Path under which a proxy shows it, as `antiphon.app.root.root_path` returns it.
    token : str
        Token that clients need; "" for none.
    read_only : bool
        Whether files and judgements of clients are refused.
    folders : sequence of Path
        Folders below which clients may add and remove music videos; none: they may not.
    """

    hosts: Collection[str] = ()
    root: str = ""
    token: str = ""
    read_only: bool = False
    folders: Sequence[Path] = ()


THIS_MACHINE = Access()


class Admission:
    """Middleware that asks for a token, and refuses what is sent to a service for reading only.

    A program sends `Authorization: Bearer TOKEN`. A browser is sent to a page that asks for the token once and then has
    a cookie, of which the token cannot be told.

    Parameters
    ----------
    app : ASGIApp
        The application.
    token : str
        The token; "" for none.
    read_only : bool
        Whether files and judgements are refused.
    lists : Shortlists, optional
        Lists whose read-only links need no token. None: all links need it.
    """

    def __init__(self, app: ASGIApp, token: str = "", read_only: bool = False, lists: Shortlists | None = None) -> None:
        self.app, self.token, self.read_only, self.lists = app, token, read_only, lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        answer = await self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (answer or self.app)(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        path = inner_path(request)
        is_open = not self.token or path.startswith(_OPEN) or is_known(request, self.token)
        if not is_open and not await self._reads_a_list(request.method, path):
            wants_page = request.method in _READING and "text/html" in request.headers.get("accept", "")
            if wants_page and not path.startswith("/api/"):
                asked = quote(f"{path}?{request.scope['query_string'].decode('ascii', 'replace')}".rstrip("?"), safe="")
                return RedirectResponse(rooted(f"/sign-in?next={asked}"), 303)
            headers = {"www-authenticate": "Bearer"}
            return JSONResponse({"detail": "A token is needed: Authorization: Bearer TOKEN."}, 401, headers)
        asks = path in _ASKING or path.startswith(_EXPORT)
        if self.read_only and request.method not in _READING and not asks:
            return JSONResponse({"detail": _READ_ONLY}, 403)
        return None

    async def _reads_a_list(self, method: str, path: str) -> bool:
        """Return whether a request reads a list of which it has the link; what is not on it, the route refuses."""
        found = _OF_A_LIST.fullmatch(path)
        if found is None or self.lists is None or method not in ("GET", "HEAD"):
            return False
        try:
            await run_sync(self.lists.shared, found[1])
        except ConfigError:
            return False
        return True


def may_use_all(request: Request) -> bool:
    """Return whether a request may go to the whole service, not just to the list whose read-only link it has."""
    token: str = request.app.state.token
    return not token or is_known(request, token)


def is_known(request: Request, token: str) -> bool:
    """Return whether a request carries the token, or the cookie that stands for it.

    Parameters
    ----------
    request : Request
        The request.
    token : str
        The token.

    Returns
    -------
    bool
        Whether it does.
    """
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return True
    return hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), _mark(token).encode())


def _mark(token: str) -> str:
    return hashlib.sha256(b"antiphon:" + token.encode()).hexdigest()


def read_token(path: Path) -> str:
    """Read a token from a file.

    Parameters
    ----------
    path : Path
        File of one line.

    Returns
    -------
    str
        The token.

    Raises
    ------
    ConfigError
        The file cannot be read, or what it holds is too short to be a secret, or no plain text.
    """
    try:
        token = path.read_bytes()[: _MAX_CHARACTERS + 100].decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not plain text"
        raise ConfigError(f"--token-file {path}: {reason}.") from None
    if not _MIN_CHARACTERS <= len(token) <= _MAX_CHARACTERS or not token.isprintable() or " " in token:
        raise ConfigError(
            f"--token-file {path}: a token is one word of {_MIN_CHARACTERS} to {_MAX_CHARACTERS} characters. To make "
            f'one: python -c "import secrets; print(secrets.token_urlsafe())" > {path}'
        )
    return token


@router.get("/sign-in")
def ask(request: Request, here: Here, next: Next = "/") -> Response:
    """Ask for the token, where there is one."""
    if not request.app.state.token:
        return RedirectResponse(rooted("/"), 303)
    return here.pages.render(request, "sign_in.html", wrong=False, next=next)


@router.post("/sign-in")
async def sign_in(request: Request, here: Here) -> Response:
    """Take the token, and remember that it was right."""
    token: str = request.app.state.token
    given = await form_fields(request, "token", "next")
    place = given["next"] if _PLACE.fullmatch(given["next"]) else "/"
    if not token:
        return RedirectResponse(rooted("/"), 303)
    if not hmac.compare_digest(given["token"].strip().encode(), token.encode()):
        return here.pages.render(request, "sign_in.html", status=403, wrong=True, next=place)
    answer = RedirectResponse(rooted(place), 303)
    is_https = request.url.scheme == "https"
    answer.set_cookie(
        _COOKIE,
        _mark(token),
        max_age=_REMEMBERED_S,
        path=rooted("/"),
        secure=is_https,
        httponly=True,
        samesite="lax",  # A link in a mail leads to what it names; other sites' POST is refused by the guard.
    )
    return answer
