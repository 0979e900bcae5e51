"""An index of another run is served as soon as it is built, and the former one until then."""

import asyncio
import sys
import time

from anyio.to_thread import run_sync

from antiphon.app.served import Served
from antiphon.app.state import State
from antiphon.errors import AntiphonError
from antiphon.search import Index
from antiphon.workers.limits import WorkerLimits

_EVERY_S = 1.0
_GRACE_S = 60.0


async def renewed(here: State, encoding: WorkerLimits | None = None) -> None:
    """Look now and then whether there is an index of another run, and serve it, for as long as the service runs.

    Requests that are under way are answered from the former index, whose processes end a minute later.

    Parameters
    ----------
    here : State
        State of the application.
    encoding : WorkerLimits, optional
        Limits of the process that embeds clients' files.
    """
    refused, former = "", list[tuple[float, Served]]()
    try:
        while True:
            await asyncio.sleep(_EVERY_S)
            while former and former[0][0] < time.monotonic() - _GRACE_S:
                former.pop(0)[1].stop()
            try:
                before = here.served
                if await run_sync(renew, here, encoding) and before is not None:
                    former.append((time.monotonic(), before))
                refused = ""
            except (AntiphonError, OSError) as error:
                if str(error) != refused:
                    sys.stderr.write(f"The index cannot be opened: {error}\n")
                refused = str(error)
    finally:
        for _, one in former:
            one.stop()


def renew(here: State, encoding: WorkerLimits | None = None) -> bool:
    """Serve the index that is there now, if it is the first, or its embeddings are of another model.

    Parameters
    ----------
    here : State
        State of the application.
    encoding : WorkerLimits, optional
        Limits of the process that embeds clients' files.

    Returns
    -------
    bool
        Whether another index is served now.

    Raises
    ------
    AntiphonError
        The index is damaged, or the catalogue is.
    """
    place = here.workspace.index
    if here.served is None and not place.exists():
        return False
    index = Index.open(place)
    if here.served is not None and index.origin == here.served.origin:
        return False
    run = index.origin.run if index.origin.run and here.workspace.run(index.origin.run).exists() else ""
    here.served = Served.of(here.workspace, index, run, encoding)
    if here.is_warm:
        here.warm_up()
    return True
