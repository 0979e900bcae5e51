"""Links that lead out of a folder: who may write to a watched folder could have any file of its reader served."""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from antiphon.catalogue.validation import CatalogueRow
from antiphon.media.names import local_path


def leads_out(path: str, root: str) -> bool:
    """Return whether a path is that of a file elsewhere, by links.

    Parameters
    ----------
    path : str
        A path within a folder.
    root : str
        That folder, without links.
    """
    return not Path(os.path.realpath(path)).is_relative_to(root)


def led_out(rows: Iterable[CatalogueRow], folder: Path) -> list[str]:
    """Find the rows whose files in a folder have become links out of it, or lie in a folder that has.

    Parameters
    ----------
    rows : iterable of CatalogueRow
        Rows of a catalogue.
    folder : Path
        The folder.

    Returns
    -------
    list of str
        Their ids. Rows of files that were catalogued elsewhere are not among them.
    """
    root = os.path.realpath(folder)
    place_leads_out = cache(lambda place: leads_out(place, root))  # many files have the same one
    found: list[str] = []
    for row in rows:
        path = local_path(row["path"]) if row.get("path") else None
        if path is None or not any(Path(path).is_relative_to(one) for one in (root, folder.absolute())):
            continue
        if place_leads_out(str(Path(path).parent)) or (Path(path).is_symlink() and leads_out(path, root)):
            found.append(row["id"])
    return found
