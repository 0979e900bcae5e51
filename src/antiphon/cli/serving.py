"""What `antiphon serve` and `antiphon up` share: options of a service, and running it until it is stopped."""

import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from antiphon.cli.session import Session
from antiphon.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from antiphon.app.admission import Access
    from antiphon.app.telemetry import Telemetry

PORT = 8000
TOKEN = "ANTIPHON_TOKEN_FILE"  # noqa: S105 - a name
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - means all addresses
_BACKLOG = 128


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Where a service listens, and who may use it for what.

    Attributes
    ----------
    port
        Port to listen on; 0 takes any free one.
    host
        Address to listen on. By default only this machine has access; with another address, anyone who can reach it can
        search, watch and hear the catalogue, and upload files.
    allow_host
        Additional host name under which browsers may reach the service, such as that of a proxy; may be repeated. The
        address listened on is always allowed, and on all addresses (0.0.0.0 or ::) this machine's own name too. Other
        names are refused, so that other sites cannot reach the catalogue through a browser.
    root_path
        Path under which a proxy shows the service, such as /music.
    token_file
        File with a token that clients need: a page asks people for it, programs send `Authorization: Bearer TOKEN`.
        Default: the file that ANTIPHON_TOKEN_FILE names, else no token.
    read_only
        Refuse uploads, judgements and changes of lists.
    access_log
        Write a line of JSON to stderr for each request.
    media_root
        Folder below which clients may add files to the catalogue, and remove them from it, by `POST /api/videos` and
        `DELETE /api/videos/ID`; may be repeated. The files themselves are never written or deleted.
    """

    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = PORT
    host: str = "127.0.0.1"
    allow_host: Annotated[tuple[str, ...], Parameter(negative_iterable=())] = ()
    root_path: str = ""
    token_file: Path | None = None
    read_only: Annotated[bool, Parameter(negative="")] = False
    access_log: Annotated[bool, Parameter(negative="")] = False
    media_root: Annotated[tuple[Path, ...], Parameter(negative_iterable=())] = ()

    def access(self, *watched: Path) -> "Access":
        """Return who reaches the service, where, and for what.

        Parameters
        ----------
        *watched : Path
            Further folders below which clients may add and remove music videos, where not anyone can be a client: on
            this machine alone, or with a token.

        Raises
        ------
        ConfigError
            The root path is none, the token cannot be read, or a folder is not there.
        """
        from antiphon.app.admission import Access, read_token
        from antiphon.app.root import root_path

        named = self.token_file or (Path(os.environ[TOKEN]) if os.environ.get(TOKEN) else None)
        token = read_token(named) if named else ""
        is_known = bool(token) or self.host in _LOOPBACK
        return Access(
            hosts={*own_names(self.host), *self.allow_host},
            root=root_path(self.root_path),
            token=token,
            read_only=self.read_only,
            folders=tuple(_folder(one) for one in (*(watched if is_known else ()), *self.media_root)),
        )

    def telemetry(self) -> "Telemetry":
        """Return what counts and logs requests."""
        from antiphon.app.telemetry import Telemetry

        return Telemetry(sys.stderr if self.access_log else None)


def _folder(path: Path) -> Path:
    """Return the absolute path of a folder that is there."""
    if not path.is_dir():
        raise ConfigError(f"--media-root {path}: no such folder.")
    return path.resolve()


USUAL_SERVICE = ServeOptions()


def run_service(session: Session, app: "FastAPI", options: ServeOptions, access: "Access", line: socket.socket) -> None:
    """Serve an application until it is stopped, and say where.

    Parameters
    ----------
    session : Session
        Session of the command line.
    app : FastAPI
        The application.
    options : ServeOptions
        Where to listen.
    access : Access
        Who may use it.
    line : socket
        Socket that it listens on, opened before all that takes long, so that a port that is taken is said at once.
    """
    from antiphon.app.server import Server

    begin_warming_up(app)
    said_address(session, line, options, access)
    with suppress(KeyboardInterrupt):
        Server(app).run(sockets=[line])


def begin_warming_up(app: "FastAPI") -> None:
    """Load the networks meanwhile, so that the first file that somebody drops does not wait for them.

    Parameters
    ----------
    app : FastAPI
        The application.
    """
    Thread(target=app.state.antiphon.warm_up, daemon=True).start()


def said_address(session: Session, line: socket.socket, options: ServeOptions, access: "Access") -> None:
    """Say where a service is reached, and warn where anyone can use it.

    Parameters
    ----------
    session : Session
        Session of the command line.
    line : socket
        Socket that it listens on.
    options : ServeOptions
        Where it listens.
    access : Access
        Who may use it.
    """
    shown = _LOOPBACK_OF.get(options.host, options.host)
    place = f"{f'[{shown}]' if ':' in shown else shown}:{line.getsockname()[1]}"
    url = f"http://{place}{access.root}/"
    if options.host not in _LOOPBACK and not access.token:
        files = "" if access.read_only else ", and upload files"
        files += ", and add, change and remove music videos" if access.folders and not access.read_only else ""
        session.warn(f"Anyone who can reach {options.host} can search, watch and hear this catalogue{files}.")
    session.result({"url": url}, lambda out: out.print(f"Open {url} in a browser. Stop with Ctrl-C.", soft_wrap=True))
    sys.stdout.flush()


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
