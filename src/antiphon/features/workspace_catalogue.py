"""The catalogue of a workspace, brought up to date with the one that is to be extracted."""

import warnings

from antiphon.catalogue import Catalogue
from antiphon.catalogue.joining import join
from antiphon.errors import CatalogueError
from antiphon.features.forgetting import bring_up_to_date
from antiphon.plurals import counted
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Workspace


def join_workspace(
    workspace: Workspace, catalogue: Catalogue, limits: WorkerLimits | None, *, stacklevel: int
) -> tuple[Catalogue, Catalogue, dict[str, str]]:
    """Bring the workspace's catalogue up to date with another one.

    Parameters
    ----------
    workspace : Workspace
        Workspace whose lock is held.
    catalogue : Catalogue
        Videos to extract.
    limits : WorkerLimits or None
        Limits of each file that is probed.
    stacklevel : int
        Of warnings, as in `warnings.warn`, counted from the caller.

    Returns
    -------
    current : Catalogue
        The workspace's catalogue.
    own : Catalogue
        The rows of `catalogue`, under the ids there.
    unreadable : dict of str to str
        Why files are unreadable, by video.

    Raises
    ------
    CatalogueError
        The workspace has another catalogue.
    """
    stored = Catalogue.load(workspace.catalogue) if workspace.catalogue.exists() else None
    joined = join([] if stored is None else stored.records(), catalogue.records())
    known = set(joined.names.values()) | set(catalogue.ids)
    if stored is not None and not known & set(stored.ids):
        raise CatalogueError(
            f"{workspace.root}: has another catalogue ({len(stored)} videos from '{stored.ids[0]}' on) that shares "
            f"no video with this one ({len(catalogue)} from '{catalogue.ids[0]}' on). Use another workspace."
        )
    probed = {row["id"] for row in joined.rows if row.get("has_audio") is not None}
    current, found, unreadable = bring_up_to_date(workspace, Catalogue(joined.rows), limits=limits, stored=stored)
    for videos, *words in (
        (
            found.replaced,
            "file was replaced since; what was computed of it is computed again",
            "files were replaced since; what was computed of them is computed again",
        ),
        (
            found.gone,
            "file is gone; what was computed of it stays",
            "files are gone; what was computed of them stays",
        ),
    ):
        changed = [name for name in videos if name in probed]
        if changed:
            told = f"{counted(len(changed), *words)}: '{changed[0]}' is the first."
            warnings.warn(told, stacklevel=stacklevel + 1)
    own = {joined.names[row["id"]]: row | {"id": joined.names[row["id"]]} for row in catalogue.records()}
    return current, Catalogue(list(own.values())), unreadable
