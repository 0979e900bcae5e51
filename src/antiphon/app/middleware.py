"""Middleware that restricts hosts and origins, and adds security headers."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_NOT_OURS = (
    "This service does not accept requests under that host name. To allow it: antiphon serve --allow-host NAME.\n"
)
_HEADERS_ONLY = "antiphon.headers_only"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Middleware that refuses unknown hosts and cross-site requests, and adds security headers.

    Another site's page could otherwise post files to a service on this machine, or read the catalogue through a name
    that resolves to it (DNS rebinding). The numeric address of the connection is always accepted: no site can have it
    as a name.

    Parameters
    ----------
    app : ASGIApp
        The application.
    hosts : collection of str
        Allowed host names and addresses, besides those of the loopback.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = _LOCAL | {plain_host(host) for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        reached = plain_host((scope.get("server") or ("",))[0])
        refusal = self._refusal(scope["method"], Headers(scope=scope), reached if _is_address(reached) else None)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message))
            await send(message)

        await (refusal or self.app)(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers, reached: str | None) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if (name := host_name(host)) not in self.hosts and name != reached:
            return PlainTextResponse(_NOT_OURS, status_code=421)
        if method not in _READING and not _same_origin(headers, host):
            return PlainTextResponse("Cross-site requests are not allowed.\n", status_code=403)
        return None


def add_security_headers(headers: MutableHeaders) -> None:
    """Add the headers that restrict what a page may do, where the answer has none of its own.

    Parameters
    ----------
    headers : MutableHeaders
        Headers of an answer.
    """
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


class HeadAsGet:
    """Middleware that answers HEAD as GET, without the body.

    Parameters
    ----------
    app : ASGIApp
        The application. Where making the body is costly, it looks at `wants_body`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as GET, and drop the body of the answer."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        complete = False

        async def without_body(message: Message) -> None:
            nonlocal complete
            if message["type"] == "http.response.body":
                if complete:
                    return
                complete, message = True, {"type": "http.response.body"}
            await send(message)

        scope.update({"method": "GET", _HEADERS_ONLY: True})
        await self.app(scope, receive, without_body)


def wants_body(scope: Scope) -> bool:
    """Return whether the body of an answer is sent: not to HEAD.

    Parameters
    ----------
    scope : Scope
        Scope of the request.

    Returns
    -------
    bool
        Whether it is sent.
    """
    return not scope.get(_HEADERS_ONLY, False)


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case, without port and brackets.

    Parameters
    ----------
    host : str
        The header.

    Returns
    -------
    str
        The name; "" if the header is malformed.

    Examples
    --------
    >>> host_name("[::1]:8000"), host_name("Localhost:80"), host_name("a:b:c"), host_name("localhost/healthz?")
    ('::1', 'localhost', '', '')
    """
    if any(sign in host for sign in "/?#@\\"):
        return ""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return plain_host(parts.hostname or "")


def plain_host(name: str) -> str:
    """Normalise a host name to lower case, or an address to its shortest form, without IPv6 mapping.

    Parameters
    ----------
    name : str
        Name or address.

    Returns
    -------
    str
        The normalised form.

    Examples
    --------
    >>> plain_host("Studio.Local"), plain_host("0:0:0:0:0:0:0:1"), plain_host("::ffff:192.0.2.1")
    ('studio.local', '::1', '192.0.2.1')
    """
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return name.lower()
    return str(getattr(found, "ipv4_mapped", None) or found)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _same_origin(headers: Headers, host: str) -> bool:
    """Return whether a request comes from our own page, or from no page (curl, a script)."""
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # No address.
        return False
