"""The path under which a proxy shows the service, such as /music."""

import re
from contextvars import ContextVar

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.errors import ConfigError

_root: ContextVar[str] = ContextVar("root", default="")
_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+")


class UnderRoot:
    """Middleware that takes requests under a path, whether the proxy before it has removed that path or not.

    Parameters
    ----------
    app : ASGIApp
        The application.
    root : str
        The path, as `root_path` returns it.
    """

    def __init__(self, app: ASGIApp, root: str = "") -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the root in its path, as ASGI has it."""
        if scope["type"] == "http" and self.root:
            path, raw = scope["path"], scope.get("raw_path") or scope["path"].encode()
            if path != self.root and not path.startswith(f"{self.root}/"):
                path, raw = f"{self.root}{path}", self.root.encode() + raw
            scope.update({"path": path, "raw_path": raw, "root_path": self.root})
        _root.set(self.root)  # For this request, which has a context of its own, and for what is said when it fails.
        await self.app(scope, receive, send)


def root_path(text: str) -> str:
    """Check the path that the service is to be reached under.

    Parameters
    ----------
    text : str
        What was given; "" or "/" for none.

    Returns
    -------
    str
        The path, without a slash at its end; "" for none.

    Raises
    ------
    ConfigError
        It does not start with a slash, or has other characters than letters, digits, hyphens and underscores.

    Examples
    --------
    >>> root_path("/tools/music/"), root_path("/")
    ('/tools/music', '')
    """
    path = text.rstrip("/")
    if path and not _PATH.fullmatch(path):
        raise ConfigError(f"--root-path {text}: not a path such as /music. Use letters, digits and hyphens.")
    return path


def rooted(path: str) -> str:
    """Return the address of a path of the service, for a page or an answer of the current request.

    Parameters
    ----------
    path : str
        Path within the service, with a slash at its start.

    Returns
    -------
    str
        Path on the host.
    """
    return f"{_root.get()}{path}"


def inner_path(request: Request) -> str:
    """Return the path of a request within the service.

    Parameters
    ----------
    request : Request
        The request.

    Returns
    -------
    str
        Its path without the root.
    """
    # Not from request.url, which some versions of Starlette build from the Host header.
    return request.scope["path"].removeprefix(request.scope.get("root_path", ""))
