"""The web server, which does not wait for work that may take minutes when it is told to stop."""

import socket

import uvicorn
from fastapi import FastAPI

from antiphon.app.state import State

_MOST_CONNECTIONS, _GOODBYE_S = 256, 2


class Server(uvicorn.Server):
    """Serves the application, and ends the worker processes first when it stops.

    Those who wait for a worker are then told so, while their connections are still open.

    Parameters
    ----------
    app : FastAPI
        Made by `antiphon.app.application.create_app`.
    """

    def __init__(self, app: FastAPI) -> None:
        self._state: State = app.state.antiphon
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                server_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GOODBYE_S,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the workers, then what `uvicorn` ends."""
        self._state.stop()
        await super().shutdown(sockets)
