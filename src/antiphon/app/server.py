"""The web server, which ends running worker jobs on shutdown."""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI

from antiphon.app.connections import Connection, max_connections
from antiphon.app.state import State

_SHUTDOWN_S = 2


class Server(uvicorn.Server):
    """Server that ends the worker processes first when it stops.

    Clients waiting for a worker get a response while their connections are still open.

    Parameters
    ----------
    app : FastAPI
        Application from `antiphon.app.application.create_app`.
    """

    def __init__(self, app: FastAPI) -> None:
        self._state: State = app.state.antiphon
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                server_header=False,
                http=Connection,
                ws="none",
                limit_concurrency=max_connections(),
                timeout_graceful_shutdown=_SHUTDOWN_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the worker processes, then shut down."""
        self._state.stop()
        await asyncio.to_thread(self._state.wait_for_verbs)
        await super().shutdown(sockets)
