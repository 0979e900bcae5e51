"""Connections that end when their client keeps them waiting, so that no client keeps others out."""

import asyncio
import resource
import time
from collections import Counter
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEADER_S = 10.0
"""Time in which a request's header must have come."""
STALL_S = 60.0
"""Time in which a client must take what was sent; at most 256 KiB are sent at once."""
_MAX_CONNECTIONS = 512
_FILES_PER_CONNECTION = 3


def max_connections() -> int:
    """Return how many connections are held at once: fewer where the process may open few files.

    Returns
    -------
    int
        The number.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if files < 0 else max(16, min(_MAX_CONNECTIONS, files // _FILES_PER_CONNECTION))


class Connection(H11Protocol):
    """HTTP/1.1 over a connection whose client is waited for, but not long.

    A header that does not come within `HEADER_S` of its first byte, and an answer that is not taken within `STALL_S`,
    end the connection; what is left of a body when its request was answered counts as a header. (How fast bodies must
    come is said in `antiphon.app.bodies`.) When `max_connections` are open, a further one takes the place of the one
    that has waited longest for its client, among those of the clients that have most. Requests that wait for us keep
    theirs; only when all places are theirs, further requests are refused by uvicorn (503).
    """

    _timer: asyncio.TimerHandle | None = None
    _since_s: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Accept a connection, if need be in place of another one."""
        super().connection_made(transport)
        self._wait(HEADER_S)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._take_a_place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and end the wait for a header that is complete."""
        super().data_received(data)
        if self.flow.write_paused:  # What it sends does not excuse what it does not take.
            return
        if self.is_answering:
            self._stop_waiting()
            if self.cycle.more_body:
                self._since_s = time.monotonic()
        elif self._timer is None:
            self._wait(HEADER_S)

    def on_response_complete(self) -> None:
        """Wait for the next request, for as long as connections are kept alive."""
        super().on_response_complete()
        if self._since_s is None and not self.is_answering:
            self._since_s = time.monotonic()

    def pause_writing(self) -> None:
        """Wait for the client to take what was sent."""
        super().pause_writing()
        self._wait(STALL_S)

    def resume_writing(self) -> None:
        """Go on sending, or wait for the next request."""
        super().resume_writing()
        self._stop_waiting()
        if not self.is_answering:
            self._since_s = time.monotonic()

    @property
    def is_answering(self) -> bool:
        """Whether a request has come, and its answer is not complete."""
        cycle = cast(RequestResponseCycle | None, self.cycle)
        return cycle is not None and not cycle.response_complete

    @property
    def waiting_since_s(self) -> float | None:
        """Since when the client is waited for, on the monotonic clock; None while it waits for us."""
        return self._since_s

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._since_s = time.monotonic()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        self._since_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take_a_place(self) -> None:
        others = [one for one in self.connections if isinstance(one, Connection) and one is not self]
        held = Counter(one._host for one in others)
        waiting = [(held[one._host], -one._since_s, one) for one in others if one._since_s is not None]
        if waiting:
            victim = max(waiting, key=lambda found: found[:2])[2]
            self.connections.discard(victim)
            victim.transport.abort()

    @property
    def _host(self) -> str:
        return self.client[0] if self.client else ""
