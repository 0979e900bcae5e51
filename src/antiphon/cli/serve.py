"""`antiphon serve`: the service and its pages, over a workspace."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from antiphon.cli.index import ready_index
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Here
from antiphon.errors import ConfigError, ModelError
from antiphon.workspace import Workspace

PORT = 8000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what stands for all addresses
_BACKLOG = 128


def serve(
    *,
    run: str | None = None,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = PORT,
    host: str = "127.0.0.1",
    allow_host: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = (),
    session: Here,
) -> None:
    """Search, listen and look in a browser; the same answers as JSON under /api.

    Where the workspace has no index yet, or one of another model or other features, it is built first, with a progress
    bar. Files that are dropped on the page are embedded on this machine and removed at once. Stop it with Ctrl-C.

    Parameters
    ----------
    run
        Name of the run whose embeddings are searched. Default: the one trained last.
    port
        Where to listen; 0 takes any free one.
    host
        Address to listen on. The default lets only this machine in; with another one, whoever reaches it can search,
        see and hear the catalogue, and send files.
    allow_host
        A further name under which browsers may ask for the service, such as the one that a proxy or the network gives
        it; may be given more than once. The address that is listened on is always let in, and on all addresses (0.0.0.0
        or ::) this machine's own name too; others are refused, so that no foreign page can reach the catalogue.
    """
    from antiphon.app.application import create_app
    from antiphon.app.server import Server

    workspace = session.existing_workspace()
    folder = trained_run(workspace, run)
    index = ready_index(session, folder)
    hosts = {*own_names(host), *allow_host}
    app = create_app(workspace, index, workspace.run_name(folder) if folder else "", hosts=hosts)
    with listening(host, port) as line:
        shown = _LOOPBACK_OF.get(host, host)
        url = f"http://{f'[{shown}]' if ':' in shown else shown}:{line.getsockname()[1]}/"
        if host not in _LOOPBACK:
            session.warn(f"Whoever reaches {host} can search, see and hear this catalogue, and send files.")
        session.result({"url": url}, lambda out: out.print(f"Open {url} in a browser. Ctrl-C stops.", soft_wrap=True))
        with suppress(KeyboardInterrupt):
            Server(app).run(sockets=[line])


def trained_run(workspace: Workspace, run: str | None) -> Path | None:
    """The folder of the run; None where none is named, none is trained, and the index came without one.

    Raises
    ------
    ModelError
        There is neither a run nor an index.
    """
    try:
        return run_folder(workspace, run)
    except ModelError:
        if run is None and workspace.index.exists():
            return None
        raise


def own_names(host: str) -> set[str]:
    """Names under which a service that listens on `host` is this machine's: itself, or where it is all addresses, ours.

    Numeric addresses that a connection reaches need no naming.
    """
    return {socket.gethostname(), socket.getfqdn()} if host in _LOOPBACK_OF else {host}


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises
    ------
    ConfigError
        The port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((host, port))
        line.listen(_BACKLOG)
    except OSError as error:
        line.close()
        raise ConfigError(
            f"{host}:{port}: cannot listen there: {error.strerror or error}. Choose another --port, or --host."
        ) from None
    return line
