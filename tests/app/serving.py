"""The service behind a real socket, for one test."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from antiphon.app.server import Server


@contextmanager
def serving(app: FastAPI) -> Iterator[tuple[Server, tuple[str, int]]]:
    """A server, and where it listens."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen(512)
        server = Server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [line]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        yield server, line.getsockname()
        server.should_exit = True
        thread.join(30)


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)
