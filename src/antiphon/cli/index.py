"""`antiphon index`: the search index of a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import indexed, look_at_files, run_folder
from antiphon.cli.session import Here, Session
from antiphon.errors import FeatureStoreError, SearchError, StaleIndexError
from antiphon.plurals import counted
from antiphon.search import Index
from antiphon.search.record import REBUILD
from antiphon.workspace import Workspace

app = App(name="index", help="Build the search index of the workspace's music videos, and keep it up to date.")


@app.command
def build(
    *,
    run: str | None = None,
    path: str | None = None,
    session: Here,
) -> None:
    """Embed all music videos that have features, segments and tracks, and write the index.

    An existing index stays usable until the new one replaces it. Tempo, brightness, motion and cuts are then measured
    where they are missing: they explain what hits have in common. The index is complete without them.

    Parameters
    ----------
    run
        Name of the run whose model embeds. Default: the one trained last.
    path
        Folder of the index. Default: index in the workspace.
    """
    index = run_build(session, run, path)
    run_facts(session)
    _show_stats(session, index.stats())


def run_build(
    session: Session,
    run: str | None = None,
    path: str | None = None,
) -> Index:
    """Build and write the index, with a progress bar.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str, optional
        Name of the run. Default: the one trained last.
    path : str, optional
        Folder of the index. Default: index in the workspace.

    Returns
    -------
    Index
        The new index.
    """
    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    look_at_files(session)
    with session.progress("Indexing") as report:
        report(0, 3, "reading the model and features")
        model, features, about = indexed(workspace, workspace.run_name(folder))
        report(1, 3, "embedding")
        index = Index.build(model, features, path or workspace.index, run=workspace.run_name(folder), **about)
        report(3, 3, "")
    return index


def run_facts(session: Session, videos: Sequence[str] | None = None) -> None:
    """Measure the attributes that explain hits, with a progress bar. Does nothing in a workspace without media.

    Parameters
    ----------
    session : Session
        Session of the command line.
    videos : sequence of str, optional
        Ids of the videos to measure. Default: all.
    """
    from antiphon.features.attributes import measure_attributes

    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    if workspace.segments.exists() and any(row["path"] for row in catalogue.records()):
        with session.progress("Measuring tempo, brightness, cuts") as report:
            measure_attributes(workspace, catalogue, videos, progress=report)
            report(1, 1, "")


def ready_index(session: Session, folder: Path | None) -> Index:
    """Return the workspace's index of a run; build it if there is none, or one of another run or other features.

    An index without a run, from `Index.from_vectors` or from Python, cannot be rebuilt and is never replaced. Videos
    missing in the index are reported, not added: they may have been removed from it.

    Parameters
    ----------
    session : Session
        Session of the command line.
    folder : Path or None
        Folder of the run; None: take the index as it is.

    Returns
    -------
    Index
        The index.

    Raises
    ------
    SearchError
        The index is damaged and there is no run, or it has no run and is not of this model and these features.
    """
    workspace = session.workspace
    if folder is None:
        return Index.open(workspace.index)
    run = workspace.run_name(folder)
    try:
        model, features, about = indexed(workspace, run)
    except FeatureStoreError:  # The features may have been deleted since.
        from antiphon.dual_encoder import DualEncoder

        return Index.open(workspace.index, DualEncoder.load(folder))
    try:
        index = Index.open(workspace.index, model, features, about["made_by"])
    except SearchError as error:
        if _has_no_run(workspace):
            raise SearchError(
                f"{workspace.index}: not an index of run {run}, and it has no run from which to rebuild it. Move it "
                f"away, or replace it: antiphon index build --run {run}"
            ) from error
        if isinstance(error, StaleIndexError):
            session.say(str(error).removesuffix(REBUILD).rstrip())
        session.say(f"Building the index of run {run}.")
        return run_build(session, run)
    if missing := set(features.groups.tolist()) - set(index.ids):
        videos = counted(len(missing), "music video with features is", "music videos with features are")
        session.say(f"{videos} not in the index. To add what is missing: antiphon index add")
    return index


def _has_no_run(workspace: Workspace) -> bool:
    try:
        return not Index.open(workspace.index).origin.run
    except SearchError:
        return False


@app.command
def add(*, path: str | None = None, session: Here) -> None:
    """Add the music videos that have features and are not in the index yet, and those whose files were replaced.

    The addition is atomic: if it is interrupted, call it again. Tempo, brightness, motion and cuts of the added videos
    are then measured, as in `antiphon index build`.

    Parameters
    ----------
    path
        Folder of the index. Default: index in the workspace.
    """
    workspace = session.existing_workspace()
    index = Index.open(path or workspace.index)
    look_at_files(session)
    with session.progress("Indexing") as report:
        report(0, 2, "reading the model and features")
        model, features, about = indexed(workspace, index.origin.run or None)
        report(1, 2, "embedding")
        added = index.add(model, features, **about)
        report(2, 2, "")
    if added:
        run_facts(session, added)
    data = {"added": added, "videos": len(index)}
    session.result(data, lambda out: out.print(f"{_counted(len(added))} added; {data['videos']} in the index."))


@app.command
def remove(*ids: str, path: str | None = None, session: Here) -> int:
    """Remove music videos from the index. Exit code 1 if none of them was in it.

    Parameters
    ----------
    ids
        Ids of the music videos, as in the catalogue.
    path
        Folder of the index. Default: index in the workspace.
    """
    if not ids:
        raise SearchError("No ids: name at least one music video to remove.")
    index = Index.open(path or session.workspace.index)
    removed = index.remove(ids)
    missing = sorted(set(ids) - set(removed))
    for name in missing:
        session.warn(f"'{name}' is not in the index.")
    data = {"removed": removed, "missing": missing, "videos": len(index)}
    session.result(data, lambda out: out.print(f"{_counted(len(removed))} removed; {data['videos']} in the index."))
    return 0 if removed else 1


@app.command
def stats(*, path: str | None = None, session: Here) -> None:
    """Describe the index: music videos, rows by modality and level, size, model and features.

    Parameters
    ----------
    path
        Folder of the index. Default: index in the workspace.
    """
    _show_stats(session, Index.open(path or session.workspace.index).stats())


@app.command
def compact(*, path: str | None = None, session: Here) -> None:
    """Merge small parts, which additions and removals leave behind. Additions also do it from time to time.

    Parameters
    ----------
    path
        Folder of the index. Default: index in the workspace.
    """
    index = Index.open(path or session.workspace.index)
    with session.progress("Compacting") as report:
        report(0, 1, "")
        index.compact()
        report(1, 1, "")
    _show_stats(session, index.stats())


@app.command(name="map")
def lay_out(*, anew: Annotated[bool, Parameter(negative="")] = False, session: Here) -> None:
    """Place the music videos of the index on the map of the search pages; antiphon serve does it by itself.

    Those that are on it stay where they are, and new ones go among those that are near.

    Parameters
    ----------
    anew
        Lay out all of them anew, after which the map looks different.
    """
    from antiphon.app.atlas import Atlas
    from antiphon.app.library import Library
    from antiphon.search.explaining import workspace_facts

    workspace = session.existing_workspace()
    atlas = Atlas(Index.open(workspace.index), Library.of(workspace), workspace.page, workspace_facts(workspace).tracks)
    with session.progress("Laying out the map") as report:
        report(0, 1, "")
        drawn = atlas.compute(anew=anew)
        report(1, 1, "")
    groups = [{"name": one.name, "videos": one.count, "central": one.central.id} for one in drawn.groups]
    data = {"videos": len(drawn.videos), "placed_later": drawn.came_later, "made": drawn.made, "clusters": groups}

    def show(out: Console) -> None:
        later = f", {drawn.came_later:,} of them placed among the others since" if drawn.came_later else ""
        out.print(f"{_counted(len(drawn.videos))} on the map{later}; laid out {drawn.made}.")
        for one in drawn.groups:
            out.print(f"  {one.count:>9,} {one.name}", markup=False)

    session.result(data, show)


def _show_stats(session: Session, found: dict[str, Any]) -> None:
    def show(out: Console) -> None:
        origin = found["origin"]
        out.print(
            f"{found['path']}: {_counted(found['videos'])}, {found['dim']} values per row.",
            soft_wrap=True,
        )
        for row in found["rows"]:
            side = row["side"] or "vectors"
            out.print(f"  {row['count']:>9,} {side}, {row['level']}s")
        parts = f"{found['parts']} part{'s' * (found['parts'] != 1)}; "
        out.print(f"  {found['bytes'] / 1e6:.1f} MB on disk; {parts}{found['listed']:,} rows in lists.")
        if origin["model"]:
            features = " and ".join(filter(None, (origin["audio"], origin["video"]))) or "unnamed features"
            out.print(f"  Model: run {origin['run'] or 'unnamed'} ({origin['model'][:12]}), on {features}.")

    session.result(found, show)


def _counted(videos: int) -> str:
    return f"{videos:,} music video{'s' * (videos != 1)}"
