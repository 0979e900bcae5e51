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
from antiphon.cli.serving import ServeOptions, begin_warming_up, said_address
from antiphon.cli.session import Session
from antiphon.errors import AntiphonError
from antiphon.workspace import Workspace

_READY_S, _STOP_S = 300.0, 15.0
_CALM_S, _MAX_FALLS = 10.0, 5
_NOT_STARTED = "A process of the service does not start; see above. Try it alone: antiphon serve --workers 1"


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
    is_ready: bool = False
    """Whether it has answered requests."""


def run_workers(
    session: Session, workspace: Workspace, run: str, options: ServeOptions, count: int, line: socket.socket
) -> None:
    """Serve a workspace with several processes until the service is stopped.

    They take connections from the same socket, so that a process that ends takes no waiting
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
    line : socket
        Socket that they listen on.

    Raises
    ------
    WorkersError
        A process does not start, or ends soon again and again.
    """
    access = options.access()
    files = OwnFolder(workspace.page / "files")
    # A process that a script starts in the background ignores SIGINT, unless it asks for it.
    stopped = {number: signal.signal(number, _interrupted) for number in (signal.SIGTERM, signal.SIGINT)}
    workers: list[_Worker] = []
    service = Service(workspace.folder, run, options, files.path)
    try:
        for number in range(count):
            workers.append(_started(service, number, line))
        for worker in workers:
            if not _becomes_ready(worker, _READY_S):
                raise WorkersError(_NOT_STARTED)
        said_address(session, line, options, access)
        _watch(service, workers, line)
    except KeyboardInterrupt:
        pass
    finally:
        _stop(workers)
        files.close()
        for number, handler in stopped.items():
            signal.signal(number, handler)


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


def _becomes_ready(worker: _Worker, wait_s: float) -> bool:
    """Return whether a process has answered requests, or does so in time."""
    with suppress(EOFError):
        if not worker.is_ready and worker.ready.poll(wait_s):
            worker.is_ready = worker.ready.recv()
    return worker.is_ready


def _watch(service: Service, workers: list[_Worker], line: socket.socket) -> None:
    """Replace processes that end, for as long as they do not end again and again, or before they answer at all."""
    falls = 0
    while True:
        ended = connection.wait([one.process.sentinel for one in workers])
        for number, worker in enumerate(workers):
            if worker.process.sentinel not in ended:
                continue
            is_calm = time.monotonic() - worker.begun_s >= _CALM_S and _becomes_ready(worker, 0)
            falls = 0 if is_calm else falls + 1
            if falls > _MAX_FALLS:
                raise WorkersError("The processes of the service end again and again; see above.")
            sys.stderr.write(f"A process of the service ended with code {worker.process.exitcode}; starting another.\n")
            worker.alive.close()
            worker.ready.close()
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

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes, and the first one ends the others.
    workspace, options = Workspace(service.root), service.options
    try:
        app = create_app(
            workspace,
            Index.open(workspace.index),
            service.run,
            access=options.access(),
            telemetry=options.telemetry(),
            worker=number,
            sent=service.sent,
        )
    except AntiphonError as error:
        sys.exit(str(error))
    begin_warming_up(app)
    server = Server(app)
    threading.Thread(target=_tell, args=(server, telling), daemon=True).start()
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
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
