"""Which answers to a question were said not to fit."""

from antiphon.app.state import State
from antiphon.shortlists import Rejections

MOST = 1000
"""Left out of the answers to one question; a client's file keeps no more."""


def rejections(here: State) -> Rejections:
    """Return what people said of the workspace's music videos."""
    return Rejections(here.workspace.rejections)


def rejected(here: State, asking: str, target: str) -> tuple[str, ...]:
    """Return which answers to a question were said not to fit.

    Parameters
    ----------
    here : State
        State of the application.
    asking : str
        Id of the music video or file that asks.
    target : {"both", "audio", "video"}
        What it asks for.

    Returns
    -------
    tuple of str
        Ids in order of time.
    """
    file = here.sent.by_id(asking)
    found = rejections(here).of(asking, target) if file is None else file.rejected.get(target, ())
    return found[-MOST:]
