"""`antiphon pull`: the tables of a workspace in a store, brought to this one."""

from antiphon.cli.session import Here, Session
from antiphon.places import place
from antiphon.plurals import counted
from antiphon.workspace import Workspace


def pull(source: str, *, session: Here) -> None:
    """Bring the catalogue and the features of a workspace in a store to this one, to train, evaluate and index here.

    Called again, it brings what is new. Runs, the index and whatever was computed here stay.

    Parameters
    ----------
    source
        Address of the workspace, such as s3://bucket/work.
    """
    found = run_pull(session, source)
    videos, parts = counted(found["videos"], "video"), counted(found["parts"], "part")
    session.result(
        found | {"workspace": str(session.workspace.root)},
        lambda out: out.print(f"{videos} in {session.workspace.root}; {parts} of features brought.", soft_wrap=True),
    )


def run_pull(session: Session, source: str) -> dict[str, int]:
    """Bring the tables, with a progress bar; see `antiphon.features.pulling.pull`."""
    from antiphon.features.pulling import pull as pull_tables

    with session.progress("Bringing features") as report:
        return pull_tables(Workspace(place(source)), session.workspace, lambda done, total: report(done, total, ""))
