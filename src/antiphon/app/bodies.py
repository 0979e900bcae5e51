"""Bodies of requests: bounded in size, and in the time that they are waited for."""

import asyncio
import time
from dataclasses import dataclass
from typing import cast

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEY = "antiphon.body"
_SLOW_AFTER_S = 3.0


@dataclass(frozen=True)
class BodyLimits:
    """Limits of a body.

    Attributes
    ----------
    max_bytes : int
        Maximum size, unless the route takes files.
    min_bytes_per_s : float
        Minimum rate of the whole body, once `grace_s` have passed.
    grace_s : float
        Seconds that a client may keep the service waiting at any rate.
    """

    max_bytes: int = 1 << 20
    min_bytes_per_s: float = 16 << 10
    grace_s: float = 10.0


class Body:
    """Body of a request, which must not be too large, nor come too slowly.

    Only the time is counted in which the service waits for its client.

    Parameters
    ----------
    receive : callable
        What the server gives to receive a request.
    limits : BodyLimits, optional
        Limits.

    Attributes
    ----------
    max_bytes : int
        Maximum size; a route that takes files raises it.
    """

    def __init__(self, receive: Receive, limits: BodyLimits | None = None) -> None:
        self._receive, self._limits = receive, limits or BodyLimits()
        self.max_bytes = self._limits.max_bytes
        self._bytes, self._waited_s = 0, 0.0
        self._waiting_since_s: float | None = None
        self._complete = False

    async def receive(self) -> Message:
        """Receive the next part, or that the client has gone.

        Returns
        -------
        Message
            As the server gives it.

        Raises
        ------
        HTTPException
            408: too slow. 413: too large.
        """
        if self._complete:
            return await self._receive()
        self._waiting_since_s = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The request came too slowly.") from None
        finally:
            self._waited_s += time.monotonic() - self._waiting_since_s
            self._waiting_since_s = None
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._bytes > self.max_bytes:
            raise too_large(self.max_bytes)
        return message

    @property
    def is_slow(self) -> bool:
        """Whether it has come at less than the minimum rate for some seconds."""
        now_s = time.monotonic()
        waited_s = self._waited_s + (0.0 if self._waiting_since_s is None else now_s - self._waiting_since_s)
        return not self._complete and waited_s > _SLOW_AFTER_S and self._bytes < waited_s * self._limits.min_bytes_per_s

    @property
    def _patience_s(self) -> float:
        allowed_s = self._limits.grace_s + self._bytes / self._limits.min_bytes_per_s
        return max(0.0, allowed_s - self._waited_s)

    @property
    def bytes_per_s(self) -> float:
        """Rate at which it has come so far."""
        return self._bytes / max(self._waited_s, 1e-3)


class Bodies:
    """Middleware that bounds the bodies of all requests.

    Parameters
    ----------
    app : ASGIApp
        The application.
    limits : BodyLimits, optional
        Limits.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits | None = None) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a bounded body."""
        if scope["type"] == "http":
            scope, receive = bounded(scope, receive, self.limits)
        await self.app(scope, receive, send)


def bounded(scope: Scope, receive: Receive, limits: BodyLimits | None = None) -> tuple[Scope, Receive]:
    """Bound the body of a request.

    Parameters
    ----------
    scope : Scope
        Scope of the request.
    receive : callable
        What the server gives to receive it.
    limits : BodyLimits, optional
        Limits.

    Returns
    -------
    scope : Scope
        Scope in which `body_of` finds the body.
    receive : callable
        What receives within the limits.
    """
    body = Body(receive, limits)
    scope[_KEY] = body  # In place: what the router leaves there is counted by middleware outside.
    return scope, body.receive


def body_of(request: Request) -> Body:
    """Return the bounded body of a request.

    Parameters
    ----------
    request : Request
        Request that has passed `Bodies`.

    Returns
    -------
    Body
        Its body.
    """
    return cast(Body, request.scope[_KEY])


def too_large(max_bytes: int) -> HTTPException:
    """Make the refusal of a body that is too large.

    Parameters
    ----------
    max_bytes : int
        Maximum size.

    Returns
    -------
    HTTPException
        413.
    """
    return HTTPException(413, f"The request is larger than {max_bytes >> 20} MiB.")
