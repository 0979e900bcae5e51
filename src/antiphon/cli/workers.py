"""Several processes that serve one workspace on one socket, and are replaced when they end."""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

from antiphon.app.own_folder import OwnFolder
from antiphon.cli.serving import ServeOptions, listening, said_address
from antiphon.cli.session import Session
from antiphon.errors import AntiphonError
from antiphon.workspace import Workspace

_READY_S, _STOP_S = 300.0, 15.0
_CALM_S, _MAX_FALLS = 10.0, 5


class WorkersError(AntiphonError):
    """The processes of a service do not start."""


@dataclass(frozen=True)
class Service:
    """What each process serves.

    Attributes
    ----------
    root : Path
        Folder of the workspace.
    run : str
        Name of the run of the index; "" without a model.
    options : ServeOptions
        Options of the service.
    sent : Path
        Folder of clients' files, which all processes share.
    """

    root: Path
    run: str
    options: ServeOptions
    sent: Path


@dataclass
class _Worker:
    process: BaseProcess
    alive: Connection
    """Kept open for as long as this process lives: it ends with this one, however that ends."""
    ready: Connection
    begun_s: float


def run_workers(session: Session, workspace: Workspace, run: str, options: ServeOptions, count: int) -> None:
    """Serve a workspace with several processes until the service is stopped.

    They take connections from the same socket, which this process opens, so that a process that ends takes no waiting
    connection with it; another one is started in its place. Clients' files lie in a folder that this process makes, so
    that each of them answers for all files, and is deleted with it.

    Parameters
    ----------
    session : Session
        Session of the command line.
    workspace : Workspace
        What is served.
    run : str
        Name of the run of the index; "" without a model.
    options : ServeOptions
        Options of the service.
    count : int
        Number of processes.

    Raises
    ------
    WorkersError
        A process does not start, or ends soon again and again.
    """
    access = options.access()
    files = OwnFolder(workspace.page / "files")
    stopped = signal.signal(signal.SIGTERM, _interrupted)
    workers: list[_Worker] = []
    service = Service(workspace.folder, run, options, files.path)
    try:
        with listening(options.host, options.port) as line:
            workers += [_started(service, number, line) for number in range(count)]
            for worker in workers:
                _await(worker)
            said_address(session, line, options, access)
            _watch(service, workers, line)
    except KeyboardInterrupt:
        pass
    finally:
        _stop(workers)
        files.close()
        signal.signal(signal.SIGTERM, stopped)


def _interrupted(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _started(service: Service, number: int, line: socket.socket) -> _Worker:
    context = get_context("spawn")
    theirs, alive = context.Pipe(duplex=False)
    ready, telling = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(service, number, line, theirs, telling), name=f"worker-{number}")
    process.start()
    theirs.close()
    telling.close()
    return _Worker(process, alive, ready, time.monotonic())


def _await(worker: _Worker) -> None:
    """Wait until a process answers requests."""
    try:
        if worker.ready.poll(_READY_S):
            worker.ready.recv()
            return
    except EOFError:
        pass
    raise WorkersError("A process of the service does not start; see above. Try it alone: antiphon serve --workers 1")


def _watch(service: Service, workers: list[_Worker], line: socket.socket) -> None:
    """Replace processes that end, for as long as they do not end again and again."""
    falls = 0
    while True:
        ended = connection.wait([one.process.sentinel for one in workers])
        for number, worker in enumerate(workers):
            if worker.process.sentinel not in ended:
                continue
            falls = falls + 1 if time.monotonic() - worker.begun_s < _CALM_S else 0
            if falls > _MAX_FALLS:
                raise WorkersError("The processes of the service end again and again; see above.")
            sys.stderr.write(f"A process of the service ended with code {worker.process.exitcode}; starting another.\n")
            worker.alive.close()
            workers[number] = _started(service, number, line)


def _stop(workers: list[_Worker]) -> None:
    """Ask all processes to end, and end those that do not."""
    for worker in workers:
        worker.process.terminate()
    end_s = time.monotonic() + _STOP_S
    for worker in workers:
        worker.process.join(max(0.0, end_s - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.alive.close()


def _serve(service: Service, number: int, line: socket.socket, alive: Connection, telling: Connection) -> None:
    """Serve in a process of its own, until this or the first process is stopped."""
    from antiphon.app.application import create_app
    from antiphon.app.server import Server
    from antiphon.search import Index

    workspace, options = Workspace(service.root), service.options
    app = create_app(
        workspace,
        Index.open(workspace.index),
        service.run,
        access=options.access(),
        telemetry=options.telemetry(),
        worker=number,
        sent=service.sent,
    )
    server = Server(app)
    threading.Thread(target=_tell, args=(server, telling), daemon=True).start()
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run(sockets=[line])


def _tell(server: Any, telling: Connection) -> None:
    while not server.started:
        time.sleep(0.02)
    telling.send(True)
    telling.close()


def _end_with(alive: Connection) -> None:
    try:
        alive.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
