"""What a service counts of its requests for Prometheus, and its access log."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.app.sent_records import PREFIX

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SECRET = ("/shared/", "/lists/", "/file/")
"""What follows opens a list or a client's file."""
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})


class Telemetry:
    """Counts, times and the log of the requests of one service.

    Addresses are counted by their routes, such as `/video/{id}`: what clients make up adds no series.

    Parameters
    ----------
    log : text stream, optional
        Where a line of JSON goes for each request. None: nowhere.
    """

    def __init__(self, log: TextIO | None = None) -> None:
        self._log = log
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "antiphon_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "antiphon_request_seconds",
            "Time from a request's header to the end of its answer.",
            ["route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._under_way = Gauge("antiphon_requests_under_way", "Requests not yet answered.", registry=self._registry)

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Add a number that is looked up when it is asked for.

        Parameters
        ----------
        name : str
            Its name in Prometheus.
        about : str
            What it is, in a sentence.
        value : callable
            Looks it up.
        """
        Gauge(name, about, registry=self._registry).set_function(value)

    def document(self) -> bytes:
        """Return all numbers in Prometheus' text format."""
        return generate_latest(self._registry)

    def begin(self) -> None:
        """Count a request that has come."""
        self._under_way.inc()

    def end(self, scope: Scope, method: str, status: int, sent_bytes: int, took_s: float) -> None:
        """Count and log a request that is over.

        Parameters
        ----------
        scope : Scope
            The request.
        method : str
            Its method, as the client sent it.
        status : int
            Status of its answer; 499 where the client left before there was one.
        sent_bytes : int
            Size of the body sent.
        took_s : float
            Time it took.
        """
        self._under_way.dec()
        route = _route(scope)
        self._requests.labels(method if method in _METHODS else "other", route, status).inc()
        self._seconds.labels(route).observe(took_s)
        if self._log is None:
            return
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "client": (scope.get("client") or ("",))[0],
            "method": method,
            "path": _shown_path(scope, route),
            "route": route,
            "status": status,
            "bytes": sent_bytes,
            "seconds": round(took_s, 4),
        }
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()


class Measured:
    """Middleware that tells a `Telemetry` of every request.

    Parameters
    ----------
    app : ASGIApp
        The application.
    telemetry : Telemetry
        What counts.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app, self.telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, begun_s, status, size = scope["method"], time.perf_counter(), 0, 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        self.telemetry.begin()
        try:
            await self.app(scope, receive, counted)
        except Exception:
            status = status or 500
            raise
        finally:
            self.telemetry.end(scope, method, status or 499, size, time.perf_counter() - begun_s)


def _shown_path(scope: Scope, route: str) -> str:
    """Return the path of a request without what gives access: also where it was answered before it reached a route."""
    path = scope["path"]
    if f"/{PREFIX}" in path:
        return route
    secret = next((folder for folder in _SECRET if folder in path), None)
    if secret is None:
        return path
    return route if route.startswith(_SECRET) else f"{path[: path.index(secret)]}{secret}…"


def _route(scope: Scope) -> str:
    """Name the route of a request, or the folder of static files, which the router has left in its scope."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return path.replace(":path}", "}")
    return "/static" if scope.get("root_path", "").endswith("/static") else "none"
