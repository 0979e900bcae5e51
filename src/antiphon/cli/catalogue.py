"""`antiphon catalogue`: the music videos of a workspace."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.catalogue.artists import dominance
from antiphon.catalogue.catalogue import FRACTIONS
from antiphon.catalogue.comparison import compare_catalogues
from antiphon.catalogue.description import describe as describe_catalogue
from antiphon.catalogue.file_names import with_nearest_files
from antiphon.catalogue.joining import join
from antiphon.catalogue.outward_links import led_out
from antiphon.catalogue.reading import left_out, read_folder
from antiphon.catalogue.rows import unread_columns
from antiphon.cli.catalogue_comparison import other_catalogue, show_comparison
from antiphon.cli.file_changes import FileChanges
from antiphon.cli.limits import USUAL_LIMITS, FileLimits
from antiphon.cli.opening import take_out_of_index
from antiphon.cli.session import Here, Session
from antiphon.cli.splitting import warn_of_few
from antiphon.errors import ConfigError
from antiphon.media.names import local_path
from antiphon.places import Place, place
from antiphon.plurals import counted
from antiphon.spelling import did_you_mean
from antiphon.spreadsheets import is_spreadsheet
from antiphon.workers.limits import WorkerLimits

app = App(name="catalogue", help="Add music videos to the workspace's catalogue, and describe it.")

_BAR = 30
_MAX_SHOWN = 10


@app.command
def add(
    source: str,
    *,
    metadata: Path | None = None,
    by: Literal["artist", "video"] = "artist",
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    follow: bool = True,
    each: FileLimits = USUAL_LIMITS,
    session: Here,
) -> None:
    """Add a folder of media files, or the rows of a table, and assign every video to a split.

    Artist, title, genre and year that --metadata does not give are read from the files' own tags.

    All videos of an artist are in one split, and so are byte-identical copies. An assigned split never changes: later
    calls only assign videos that have none, and `antiphon catalogue split` alone reassigns all. Splits given in a
    column `split` are kept.

    Called again, it adds what is new, finds renamed and moved files by their content, and notices replaced ones. A file
    whose id is that of another file gets its folder's name before it. Values of a table replace earlier ones, and those
    of files' tags; empty cells change nothing.

    Parameters
    ----------
    source
        A folder (searched recursively; links to files are followed, hidden files are skipped), also in a store, such as
        s3://bucket/videos; or a table (.csv, .tsv,
        .txt or .parquet) with the columns id and/or path and any of artist, title, genre, tags, year, split.
    metadata
        For a folder: a table with more about its files. A column id, path or filename holds the path within the folder,
        the absolute path, the path from the table's folder, or the bare file name if it is unique.
    by
        artist: keep all videos of an artist in one split. video: assign each video on its own.
    fractions
        Fractions of train, validation and test, such as --fractions 0.8 0.1 0.1.
    seed
        Seed of the assignment.
    follow
        Follow links to files out of the folder. With --no-follow, which antiphon up uses, they are left out, and files
        of the folder that have become such links leave the catalogue.
    """
    where = place(local_path(source) or source)
    catalogue, changes = add_to_workspace(session, where, metadata, by, fractions, seed, each.limits, follow=follow)
    data: dict[str, Any] = {
        "workspace": str(session.workspace.root),
        "videos": len(catalogue),
        "splits": catalogue.split_counts(),
        "left_out": left_out(where, follow=follow) if isinstance(where, Path) and where.is_dir() else [],
    } | changes.to_dict()

    def show(out: Console) -> None:
        out.print(
            f"{counted(len(catalogue), 'video')} in {session.workspace.root}: {_counts(catalogue.split_counts())}."
        )
        for sentence in data["left_out"]:
            out.print(f"Left out: {sentence}", markup=False, soft_wrap=True)
        show_changes(changes, out)

    session.result(data, show)


def show_changes(changes: FileChanges, out: Console) -> None:
    """Print what became of files, and which cannot be read."""
    for sentence in changes.sentences():
        out.print(sentence, markup=False, soft_wrap=True)
    for reason in list(changes.unreadable.values())[:_MAX_SHOWN]:
        out.print(f"  unreadable: {reason}", markup=False, soft_wrap=True)
    if changes.unreadable:
        files = counted(len(changes.unreadable), "file")
        out.print(f"{files} could not be read; what stays in the catalogue is tried again later.")


def add_to_workspace(
    session: Session,
    source: Place,
    metadata: Path | None,
    by: Literal["artist", "video"],
    fractions: tuple[float, float, float],
    seed: int,
    limits: WorkerLimits | None = None,
    *,
    follow: bool = True,
) -> tuple[Catalogue, FileChanges]:
    """Read `source`, split it, merge it into the workspace's catalogue and probe its files.

    Parameters
    ----------
    session : Session
        Session of the command line.
    source : Path or Address
        Folder, or table.
    metadata : Path or None
        Table with more about the files of a folder.
    by : {"artist", "video"}
        Unit that is assigned to a split.
    fractions : tuple of (float, float, float)
        Fractions of train, validation and test.
    seed : int
        Seed of the assignment.
    limits : WorkerLimits, optional
        Limits of each file.
    follow : bool, default True
        Follow links to files out of a folder.

    Returns
    -------
    catalogue : Catalogue
        The merged catalogue.
    changes : FileChanges
        What became of its files.
    """
    from antiphon.features.forgetting import bring_up_to_date, forget

    found, workspace = _read(source, metadata, follow=follow), session.workspace
    unread = unread_columns(found.table.column_names)
    if unread:
        session.warn(f"{metadata or source}: nothing reads the columns {', '.join(unread)}; they are kept as they are.")

    def prepare(joined: Catalogue) -> Catalogue:
        if not _is_table(source):
            with session.progress("Reading the files' tags") as progress:
                joined = joined.with_file_tags(progress=lambda done, total: progress(done, total, ""), limits=limits)
        return joined.split_missing(by=by, fractions=fractions, seed=seed)

    with workspace.lock():
        before = Catalogue.load(workspace.catalogue).records() if workspace.catalogue.exists() else []
        dropped = led_out(before, source) if isinstance(source, Path) and not follow else []
        forget(workspace, dropped)
        before = [row for row in before if row["id"] not in dropped]
        with session.progress("Looking at files") as progress:
            joined = join(before, found.records(), progress=lambda done, total: progress(done, total, ""))
        with session.progress("Reading headers") as progress:
            catalogue, examined, unreadable = bring_up_to_date(
                workspace,
                Catalogue(joined.rows),
                prepare,
                progress=lambda done, total: progress(done, total, ""),
                limits=limits,
            )
    paths = {row["id"]: row["path"] for row in catalogue.records()}
    shown = list(unreadable)[:_MAX_SHOWN]
    fuller = with_nearest_files({paths[name]: unreadable[name] for name in shown})
    unreadable |= dict(zip(shown, fuller, strict=True))
    changes = FileChanges.of(catalogue.records(), {row["id"] for row in before}, joined, examined, unreadable)
    take_out_of_index(session, [*examined.replaced, *dropped])
    if dropped:
        are = counted(len(dropped), "file has become a link", "files have become links")
        session.warn(f"{are} out of the folder, and left the catalogue: {dropped[0]}{', …' * (len(dropped) > 1)}.")
    warn_of_artists(session, catalogue, by)
    warn_of_few(session, catalogue)
    for sentence in changes.warnings():
        session.warn(sentence)
    return catalogue, changes


def warn_of_artists(session: Session, catalogue: Catalogue, by: Literal["artist", "video"] = "artist") -> None:
    """Warn of artists in more than one split, and of one whose split is more than half of the catalogue.

    Parameters
    ----------
    session : Session
        Session of the command line.
    catalogue : Catalogue
        Catalogue with splits.
    by : {"artist", "video"}
        Unit that was assigned to a split.
    """
    shared = catalogue.artists_in_two_splits()
    if shared:
        artists = counted(len(shared), "artist is", "artists are")
        session.warn(f"{artists} in more than one split, such as '{shared[0]}'.")
    largest = dominance(catalogue.artists) if by == "artist" else None
    if largest is not None:
        session.warn(str(largest))


def _read(source: Place, metadata: Path | None, *, follow: bool) -> Catalogue:
    if not _is_table(source):
        return Catalogue(
            read_folder(source, metadata, follow=follow)
        )  # The caller reads tags, once it knows what the workspace has.
    if metadata is not None:
        raise ConfigError("--metadata needs a folder; a table has its own columns.")
    return Catalogue.from_csv(str(source))


def _is_table(source: Place) -> bool:
    return isinstance(source, Path) and is_spreadsheet(source) and not source.is_dir()


@app.command
def split(
    *,
    by: Literal["artist", "video"] = "artist",
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    session: Here,
) -> None:
    """Reassign all videos to splits. Refused once a run has been trained on the current ones.

    Parameters
    ----------
    by
        artist: keep all videos of an artist in one split. video: assign each video on its own.
    fractions
        Fractions of train, validation and test, such as --fractions 0.8 0.1 0.1. They hold on average.
    seed
        Seed of the assignment.
    """
    workspace = session.existing_workspace()
    trained = workspace.trained()
    if trained:
        raise ConfigError(
            f"{trained[0].parent}: trained on the current splits, so new ones would test it on videos that it was "
            f"trained on. Use another workspace, or delete the folders of its runs first: {_listed(trained)}."
        )
    with workspace.lock():
        catalogue = Catalogue.load(workspace.catalogue).split(by=by, fractions=fractions, seed=seed)
        catalogue.save(workspace.catalogue)
    warn_of_artists(session, catalogue, by)
    warn_of_few(session, catalogue)
    splits = catalogue.split_counts()
    data = {"workspace": str(workspace.root), "videos": len(catalogue), "splits": splits}
    session.result(data, lambda out: out.print(f"{counted(len(catalogue), 'video')}: {_counts(splits)}."))


def _listed(trained: list[Path]) -> str:
    folders = [str(path.parent) for path in trained]
    return ", ".join(folders[:_MAX_SHOWN]) + ", …" * (len(folders) > _MAX_SHOWN)


@app.command
def remove(*ids: str, session: Here) -> None:
    """Remove music videos from the catalogue, so that they are no longer trained on, found or played.

    Their files, features and index rows are not deleted. Adding their folder again restores them.

    Parameters
    ----------
    ids
        Ids of the videos.
    """
    workspace = session.existing_workspace()
    with workspace.lock():
        catalogue = Catalogue.load(workspace.catalogue)
        for name in ids:
            if name not in catalogue.ids:
                hint = did_you_mean(name, catalogue.ids)
                raise ConfigError(f"'{name}': no such video in the catalogue; nothing was removed.{hint}")
        kept = [row for row in catalogue.records() if row["id"] not in ids]
        Catalogue(kept).save(workspace.catalogue)
    data = {"removed": list(ids), "videos": len(kept)}
    session.result(data, lambda out: out.print(f"{len(catalogue) - len(kept)} removed, {len(kept)} left."))


app.command("antiphon.cli.catalogue_files:move", name="move", help="Say that files lie elsewhere now.")
app.command("antiphon.cli.catalogue_files:refresh", name="refresh", help="Look at all files and their tags again.")


@app.command
def describe(*, against: Path | None = None, seed: int = 0, session: Here) -> None:
    """Describe the catalogue: splits, durations, years, genres, tags and missing values.

    Parameters
    ----------
    against
        Another workspace, or a table: both are described side by side, with their distances.
    seed
        Seed of the intervals and nulls of distances.
    """
    catalogue = Catalogue.load(session.existing_workspace().catalogue)
    if against is None:
        found = describe_catalogue(catalogue)
        session.result(found, lambda out: _show(found, out))
        return
    compared = compare_catalogues(catalogue, other_catalogue(against), seed)
    session.result(compared, lambda out: show_comparison(compared, against.name, out))


def _show(found: dict[str, Any], out: Console) -> None:
    hours = found["duration_s"]["total"] / 3600
    of_artists = f"{counted(found['videos'], 'video')}[/] of {counted(found['artists'], 'artist')}"
    out.print(f"[bold]{of_artists}, {hours:.1f} h")
    out.print(f"Splits: {_counts(found['splits'])}")
    out.print(f"Media: {_counts({name: count for name, count in found['media'].items() if count})}")
    for title, histogram in (("Duration", found["duration_s"]["histogram"]), ("Year", found["year"])):
        _show_bars(title, histogram, out)
    for title in ("genres", "tags"):
        _show_frequencies(title, found[title], out)
    missing = {name: count for name, count in found["missing"].items() if count}
    out.print(f"Missing: {_counts(missing) if missing else 'nothing'}")


def _show_bars(title: str, histogram: Mapping[str, int], out: Console) -> None:
    if not histogram:
        return
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    highest = max(histogram.values())
    for label, count in histogram.items():
        table.add_row(label, str(count), "█" * max(1, round(_BAR * count / highest)))
    out.print(table)


def _show_frequencies(title: str, frequencies: Mapping[str, Mapping[str, int]], out: Console) -> None:
    if not frequencies:
        return
    table = Table(title=f"Most frequent {title}", title_justify="left", box=None)
    for column in ("", "total", "train", "validation", "test"):
        table.add_column(column, justify="left" if not column else "right")
    for name, counts in frequencies.items():
        table.add_row(name, *(str(counts[column]) for column in ("total", "train", "validation", "test")))
    out.print(table, markup=False)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
