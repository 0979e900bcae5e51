"""What a workspace holds of files that were replaced: found, and removed before it passes for the new content's."""

import shutil
from collections.abc import Callable, Collection

import pyarrow as pa

from antiphon.catalogue import Catalogue
from antiphon.catalogue.identity import Examination
from antiphon.catalogue.sources import from_file
from antiphon.features.keeping import kept_folder
from antiphon.features.named_stores import store_folder, store_names
from antiphon.features.store import FeatureStore, is_of_others
from antiphon.places import Place
from antiphon.tables import read_table, write_table
from antiphon.workers.limits import WorkerLimits
from antiphon.workspace import Workspace


def bring_up_to_date(
    workspace: Workspace,
    catalogue: Catalogue,
    prepare: Callable[[Catalogue], Catalogue] | None = None,
    *,
    read_all: bool = False,
    progress: Callable[[int, int], None] | None = None,
    limits: WorkerLimits | None = None,
    stored: Catalogue | None = None,
) -> tuple[Catalogue, Examination, dict[str, str]]:
    """Look at the files of a catalogue, forget what was made of replaced ones, and save the catalogue if it changed.

    The catalogue is saved last: killed before, it is done again.

    Parameters
    ----------
    workspace : Workspace
        Workspace whose lock is held.
    catalogue : Catalogue
        Its catalogue.
    prepare : callable, optional
        What to do with the catalogue before files are probed, such as giving splits.
    read_all : bool, default False
        Read files too whose size and modification time are as they were.
    progress : callable, optional
        Called with files probed and their total.
    limits : WorkerLimits, optional
        Limits of each file. Default: 60 s and 2 GB.
    stored : Catalogue, optional
        The workspace's catalogue, if it has been read already.

    Returns
    -------
    catalogue : Catalogue
        The catalogue with the files as they are now, probed.
    found : Examination
        What became of the files.
    reasons : dict of str to str
        Reason for each file that could not be probed, by id.
    """
    current, found = catalogue.examined(read_all=read_all)
    current = current.with_file_tags(_with_tags(catalogue, found.replaced), limits=limits)
    probed, reasons = (prepare(current) if prepare else current).probe(progress, limits)
    forget(workspace, found.replaced)
    # Written only where it changed: whatever follows the file would read it again.
    if stored is None and workspace.catalogue.exists():
        stored = Catalogue.load(workspace.catalogue)
    if stored is None or not stored.table.equals(probed.table):
        probed.save(workspace.catalogue)
    return probed, found, reasons


def _with_tags(catalogue: Catalogue, videos: Collection[str]) -> set[str]:
    """Return those of the videos that took values from their files' tags."""
    replaced = set(videos)
    return {row["id"] for row in catalogue.records() if row["id"] in replaced and from_file(row)}


def forget(workspace: Workspace, videos: Collection[str]) -> None:
    """Remove all that a workspace computed of some videos: features, attributes, segments, and segments kept.

    Imported features stay, since they cannot be computed again here. Repeated after it was killed, it removes the rest.

    Parameters
    ----------
    workspace : Workspace
        Workspace whose lock is held.
    videos : collection of str
        Ids of the videos.
    """
    if not videos:
        return
    for name in store_names(workspace.features):
        forget_features(workspace, name, videos)
    for video in videos if workspace.is_local else ():
        shutil.rmtree(kept_folder(workspace, video), ignore_errors=True)
    _drop_rows(workspace.attributes, videos)
    _drop_rows(workspace.segments, videos)
    tried = set(videos)
    workspace.write_failures(item for item in workspace.read_failures() if item.video_id not in tried)


def forget_features(workspace: Workspace, name: str, videos: Collection[str]) -> None:
    """Remove the features of some videos from one store, unless they were imported.

    Parameters
    ----------
    workspace : Workspace
        Workspace whose lock is held.
    name : str
        Name of the store.
    videos : collection of str
        Ids of the videos.
    """
    if name in store_names(workspace.features):
        store = FeatureStore.existing(store_folder(workspace.features, name))
        if store.made_by.get("source") != "import":
            store.drop(videos)


def _drop_rows(path: Place, videos: Collection[str]) -> None:
    if path.exists():
        table = read_table(path)
        kept = is_of_others(table, videos)
        if not kept.all():
            write_table(table.filter(pa.array(kept)), path)
