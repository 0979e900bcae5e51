"""`antiphon serve`: the web pages and the REST API of a workspace."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from antiphon.cli.index import ready_index
from antiphon.cli.opening import run_folder
from antiphon.cli.serving import USUAL_SERVICE, ServeOptions, listening, run_service
from antiphon.cli.session import Here, Session
from antiphon.cli.workers import run_workers
from antiphon.errors import ConfigError, ModelError, SearchError
from antiphon.search import Index
from antiphon.workspace import Workspace


def serve(
    *,
    run: str | None = None,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=64))] = 1,
    options: ServeOptions = USUAL_SERVICE,
    session: Here,
) -> None:
    """Serve the search pages, and the same results as JSON under /api.

    If the workspace has no index, or its run was trained anew or its features computed anew since, it is built first.
    An index of another run that is built meanwhile is served as soon as it is there. Files dropped on the page are
    embedded on this machine, and deleted after an hour. Stop with Ctrl-C.

    Parameters
    ----------
    run
        Name of the run whose embeddings are searched; an index of another run is replaced. Default: the run of the
        index, and where there is no index, or its run is gone, the one trained last.
    workers
        Number of processes that answer requests. Each has the index and the networks in memory; an index that is built
        anew, and files that are dropped, are served by all.
    """
    from antiphon.app.application import create_app

    access = options.access()
    workspace = session.existing_workspace()
    with listening(options.host, options.port) as line:
        session.say(f"Loading {workspace.folder}…")
        folder = served_run(session, run)
        index = ready_index(session, folder)
        name = workspace.run_name(folder) if folder else ""
        if workers > 1:
            run_workers(session, workspace, name, options, workers, line)
        else:
            app = create_app(workspace, index, name, access=access, telemetry=options.telemetry())
            run_service(session, app, options, access, line)


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
