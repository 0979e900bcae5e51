"""What every answer carries and every request must pass: known hosts, our own pages alone, nothing from elsewhere."""

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
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Middleware that refuses foreign hosts and foreign pages' requests, and adds security headers.

    A page of another site could otherwise post files to a service on this machine, or, by a name that resolves to it,
    read the catalogue (DNS rebinding).

    Parameters
    ----------
    hosts : names under which the service may be asked for, beside this machine's own; numeric addresses too. "*" lets
        any name in.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = _LOCAL | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (refusal or self.app)(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if "*" not in self.hosts and host_name(host) not in self.hosts:
            return PlainTextResponse("This service is not known under that name.\n", status_code=421)
        if method not in _READING and not _same_origin(headers, host):
            return PlainTextResponse("Only this service's own pages may send anything.\n", status_code=403)
        return None


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, in small letters; "" where there is none.

    Examples
    --------
    >>> host_name("[::1]:8000"), host_name("Localhost:80"), host_name("a:b:c")
    ('::1', 'localhost', '')
    """
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    name = parts.hostname or ""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _same_origin(headers: Headers, host: str) -> bool:
    """Whether a request comes from our page, or from no page at all (curl, a script)."""
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()
