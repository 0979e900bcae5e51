"""`antiphon serve`: the web pages and the REST API of a workspace."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from antiphon.cli.index import ready_index
from antiphon.cli.opening import run_folder
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError, ModelError, SearchError
from antiphon.search import Index
from antiphon.workspace import Workspace

PORT = 8000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - means all addresses
_BACKLOG = 128


def serve(
    *,
    run: str | None = None,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = PORT,
    host: str = "127.0.0.1",
    allow_host: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = (),
    session: Here,
) -> None:
    """Serve the search pages, and the same results as JSON under /api.

    If the workspace has no index, or its run was trained anew or its features computed anew since, it is built first.
    Files dropped on the page are embedded on this machine and deleted at once. Stop with Ctrl-C.

    Parameters
    ----------
    run
        Name of the run whose embeddings are searched; an index of another run is replaced. Default: the run of the
        index, and where there is no index, or its run is gone, the one trained last.
    port
        Port to listen on; 0 takes any free one.
    host
        Address to listen on. By default only this machine has access; with another address, anyone who can reach it can
        search, watch and hear the catalogue, and upload files.
    allow_host
        Additional host name under which browsers may reach the service, such as that of a proxy; may be repeated. The
        address listened on is always allowed, and on all addresses (0.0.0.0 or ::) this machine's own name too. Other
        names are refused, so that other sites cannot reach the catalogue through a browser.
    """
    from antiphon.app.application import create_app
    from antiphon.app.server import Server

    workspace = session.existing_workspace()
    folder = served_run(session, run)
    index = ready_index(session, folder)
    hosts = {*own_names(host), *allow_host}
    app = create_app(workspace, index, workspace.run_name(folder) if folder else "", hosts=hosts)
    with listening(host, port) as line:
        shown = _LOOPBACK_OF.get(host, host)
        url = f"http://{f'[{shown}]' if ':' in shown else shown}:{line.getsockname()[1]}/"
        if host not in _LOOPBACK:
            session.warn(f"Anyone who can reach {host} can search, watch and hear this catalogue, and upload files.")
        session.result(
            {"url": url}, lambda out: out.print(f"Open {url} in a browser. Stop with Ctrl-C.", soft_wrap=True)
        )
        with suppress(KeyboardInterrupt):
            Server(app).run(sockets=[line])


def served_run(session: Session, run: str | None) -> Path | None:
    """Return the folder of the run to serve, or None if there is no run but an index without one.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str or None
        Name of the run; None: that of the index, if it is there and whole, else the one trained last.

    Returns
    -------
    Path or None
        Folder `runs/<run>`.

    Raises
    ------
    ModelError
        There is neither a run nor an index.
    """
    workspace = session.workspace
    own = _run_of_index(workspace) if run is None else None
    try:
        folder = run_folder(workspace, run)
    except ModelError:
        if run is None and workspace.index.exists():
            return None
        raise
    if own is None or own == folder:
        return folder
    served, latest = workspace.run_name(own), workspace.run_name(folder)
    session.say(
        f"Serving run {served}, of which the index is. Run {latest} was trained later; to serve that one instead: "
        f"antiphon serve --run {latest}"
    )
    return own


def _run_of_index(workspace: Workspace) -> Path | None:
    """Return the folder of the run that the index was built with; None if there is none, or it is not whole."""
    try:
        run = Index.open(workspace.index).origin.run
        folder = workspace.run(run) if run else None
        if folder is not None:
            from antiphon.dual_encoder import DualEncoder

            DualEncoder.load(folder)
    except (SearchError, ModelError, ConfigError):
        return None
    return folder


def own_names(host: str) -> set[str]:
    """Return the host names of this machine under which a service on `host` may be reached.

    Numeric addresses that a connection reaches are always allowed and not listed.

    Parameters
    ----------
    host : str
        Address to listen on.

    Returns
    -------
    set of str
        `host` itself, or this machine's names where `host` means all addresses.
    """
    return {socket.gethostname(), socket.getfqdn()} if host in _LOOPBACK_OF else {host}


def listening(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Parameters
    ----------
    host : str
        Address.
    port : int
        Port; 0 takes any free one.

    Returns
    -------
    socket
        The socket.

    Raises
    ------
    ConfigError
        The port is taken, or the address is not one of this machine's.
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
            f"{host}:{port}: cannot listen there: {error.strerror or error}. Choose another --port or --host."
        ) from None
    return line
