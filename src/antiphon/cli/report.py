"""`antiphon report`: a run's results as one HTML file."""

from pathlib import Path

from antiphon.cli.opening import run_folder
from antiphon.cli.session import BRIEFLY_S, Here, Session


def report(*, run: str | None = None, session: Here) -> None:
    """Write runs/RUN/report.html: ranks, curves, playable examples, failures. One file, usable offline.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    """
    path = run_report(session, run)
    session.result({"report": str(path)}, lambda out: out.print(f"Report: {path.resolve().as_uri()}", soft_wrap=True))


def run_report(session: Session, run: str | None) -> Path:
    """Build a run's report.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str or None
        Name of the run; None: the one trained last.

    Returns
    -------
    Path
        The report.
    """
    from antiphon.report import build_report

    workspace = session.existing_workspace()
    with workspace.lock(BRIEFLY_S), session.progress("Writing the report") as progress:
        return build_report(workspace, workspace.run_name(run_folder(workspace, run)), progress=progress)
