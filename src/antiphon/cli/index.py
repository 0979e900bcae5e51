"""`antiphon index`: the search index of a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.cli.opening import indexed, run_folder
from antiphon.cli.session import Here, Session
from antiphon.errors import FeatureStoreError, SearchError, StaleIndexError
from antiphon.search import Index
from antiphon.workspace import Workspace

if TYPE_CHECKING:
    pass

app = App(name="index", help="Build the search index of the workspace's music videos, and keep it up to date.")


@app.command
def build(
    *,
    run: str | None = None,
    kind: Literal["auto", "exact", "lancedb"] = "auto",
    path: str | None = None,
    session: Here,
) -> None:
    """Embed all music videos that have features, segments and tracks, and write the index.

    An index that is there stays usable until the new one takes its place. When it is written, tempo, brightness, motion
    and cuts are measured where they are not known yet: they explain what answers share. The index is whole without.

    Parameters
    ----------
    run
        Name of the run whose model embeds. Default: the one trained last.
    kind
        exact compares with every row; lancedb is approximate and fast for large catalogues; auto chooses by size.
    path
        Folder or object-store URI (s3://, gs://) of the index. Default: index in the workspace.
    """
    index = run_build(session, run, kind, path)
    run_facts(session)
    _show_stats(session, index.stats())


def run_build(
    session: Session,
    run: str | None = None,
    kind: Literal["auto", "exact", "lancedb"] = "auto",
    path: str | None = None,
) -> Index:
    """Build and write the index, with a progress bar."""
    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    with session.progress("Indexing") as report:
        report(0, 3, "reading the model and features")
        model, features, about = indexed(workspace, workspace.run_name(folder))
        report(1, 3, "embedding")
        index = Index.build(
            model, features, path or workspace.index, kind=kind, run=workspace.run_name(folder), **about
        )
        report(3, 3, "")
    return index


def run_facts(session: Session, videos: Sequence[str] | None = None) -> None:
    """Measure what explains answers, of some videos or all whose files are at hand, with a progress bar."""
    from antiphon.features.attributes import measure_attributes

    workspace = session.existing_workspace()
    catalogue = Catalogue.load(workspace.catalogue)
    if workspace.segments.exists() and any(row["path"] for row in catalogue.records()):
        with session.progress("Measuring tempo, brightness, cuts") as report:
            measure_attributes(workspace, catalogue, videos, progress=report)
            report(1, 1, "")


def ready_index(session: Session, folder: Path | None) -> Index:
    """The workspace's index of a run: built first where there is none, or one of another run or other features.

    What came without a run, from `Index.from_vectors` or from Python, cannot be made again and is never replaced.
    Videos that are missing in the index are told of, not added: they may have been removed from it.

    Raises
    ------
    SearchError
        The index is damaged and there is no run; or it came without one and is not of this model and features.
    """
    workspace = session.workspace
    if folder is None:
        return Index.open(workspace.index)
    run = workspace.run_name(folder)
    try:
        model, features, about = indexed(workspace, run)
    except FeatureStoreError:  # An index can do without the features that it is of.
        from antiphon.dual_encoder import DualEncoder

        return Index.open(workspace.index, DualEncoder.load(folder))
    try:
        index = Index.open(workspace.index, model, features, about["made_by"])
    except SearchError as error:
        if _came_without_a_run(workspace):
            raise SearchError(
                f"{workspace.index}: came without a run and is not of {run}, so it is left as it is. Move it away, or "
                f"put another in its place: antiphon index build --run {run}"
            ) from error
        if isinstance(error, StaleIndexError):
            session.say(str(error))
        session.say("Building the index first.")
        return run_build(session, run)
    if missing := set(features.groups.tolist()) - set(index.ids):
        session.say(f"{len(missing)} music videos have features and are not in the index. Add them: antiphon index add")
    return index


def _came_without_a_run(workspace: Workspace) -> bool:
    try:
        return not Index.open(workspace.index).origin.run
    except SearchError:
        return False


@app.command
def add(*, path: str | None = None, session: Here) -> None:
    """Add the music videos that have features and are not in the index yet.

    The add is there as a whole or not at all: after it was stopped, call it again. Then tempo, brightness, motion and
    cuts of what was added are measured, as `antiphon index build` does of all.

    Parameters
    ----------
    path
        Folder or URI of the index. Default: index in the workspace.
    """
    workspace = session.existing_workspace()
    index = Index.open(path or workspace.index)
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
    """Remove music videos from the index; exit code 1 where none of them was there.

    Parameters
    ----------
    ids
        Of the music videos, as in the catalogue.
    path
        Folder or URI of the index. Default: index in the workspace.
    """
    if not ids:
        raise SearchError("Name at least one music video to remove.")
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
    """What the index holds: music videos, rows by side and level, size, and which model and features it is of.

    Parameters
    ----------
    path
        Folder or URI of the index. Default: index in the workspace.
    """
    _show_stats(session, Index.open(path or session.workspace.index).stats())


@app.command
def compact(*, path: str | None = None, session: Here) -> None:
    """Gather what many adds and removals have left in many parts; it also happens by itself, after enough adds.

    Parameters
    ----------
    path
        Folder or URI of the index. Default: index in the workspace.
    """
    index = Index.open(path or session.workspace.index)
    with session.progress("Compacting") as report:
        report(0, 1, "")
        index.compact()
        report(1, 1, "")
    _show_stats(session, index.stats())


def _show_stats(session: Session, found: dict[str, Any]) -> None:
    def show(out: Console) -> None:
        origin = found["origin"]
        out.print(
            f"{found['path']}: {_counted(found['videos'])}, {found['kind']}, {found['dim']} values a row.",
            soft_wrap=True,
        )
        for row in found["rows"]:
            side = {"audio": "sound", "video": "pictures"}.get(row["side"], "vectors")
            out.print(f"  {row['count']:>9,} {side}, {row['level']}s")
        size = "" if found["bytes"] is None else f"{found['bytes'] / 1e6:.1f} MB on disk; "
        parts = f"{found['parts']} part{'s' * (found['parts'] != 1)}; "
        out.print(f"  {size}{parts}{found['unindexed']:,} rows searched one by one.")
        if origin["model"]:
            features = " and ".join(filter(None, (origin["audio"], origin["video"]))) or "features without a name"
            out.print(f"  Model: run {origin['run'] or 'without a name'} ({origin['model'][:12]}), on {features}.")

    session.result(found, show)


def _counted(videos: int) -> str:
    return f"{videos:,} music video{'s' * (videos != 1)}"
