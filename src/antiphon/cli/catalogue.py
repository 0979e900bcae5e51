"""`antiphon catalogue`: which music videos there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table

from antiphon.catalogue import Catalogue
from antiphon.catalogue.catalogue import FRACTIONS
from antiphon.catalogue.description import describe as describe_catalogue
from antiphon.catalogue.reading import left_out, read_folder
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError
from antiphon.runs import RUN_FILE
from antiphon.spelling import did_you_mean

app = App(name="catalogue", help="Add music videos to the workspace's catalogue, and describe it.")

_TABLES = {".csv", ".parquet"}
_BAR = 30


@app.command
def add(
    source: Path,
    *,
    metadata: Path | None = None,
    by: Literal["artist", "video"] = "artist",
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    session: Here,
) -> None:
    """Add a folder of media files, or the rows of a table, and put every video into a split.

    What --metadata does not say of a folder's files (artist, title, genre, year) is taken from their own tags.

    Videos of one artist never stand in two splits. A split, once given, stays: later calls look only at videos that
    have none, and only `antiphon catalogue split` draws all anew. Splits given in a column `split` are kept.

    Parameters
    ----------
    source
        A folder (every media file in it and below; links to files are followed, hidden files are not taken), or a .csv
        or .parquet with the columns id and/or path and any of artist, title, genre, tags, year, split.
    metadata
        For a folder: a .csv or .parquet that says more about its files. A column id, path or filename holds the path in
        the folder, the absolute path, or the bare name where only one file has it.
    by
        Keep all videos of an artist together, or look at each video alone.
    fractions
        Shares of train, validation and test, such as --fractions 0.8 0.1 0.1.
    seed
        Draws another assignment.
    """
    catalogue, unreadable = add_to_workspace(session, source, metadata, by, fractions, seed)
    data: dict[str, Any] = {
        "workspace": str(session.workspace.root),
        "videos": len(catalogue),
        "splits": catalogue.split_counts(),
        "unreadable": unreadable,
        "left_out": left_out(source) if source.is_dir() else [],
    }

    def show(out: Console) -> None:
        out.print(f"{len(catalogue)} videos in {session.workspace.root}: {_counts(catalogue.split_counts())}.")
        for sentence in data["left_out"]:
            out.print(f"Left out: {sentence}", markup=False, soft_wrap=True)
        for reason in list(unreadable.values())[:10]:
            out.print(f"  not readable: {reason}", markup=False)
        if unreadable:
            out.print(f"{len(unreadable)} files could not be read; they stay in the catalogue and are tried again.")

    session.result(data, show)


def add_to_workspace(
    session: Session,
    source: Path,
    metadata: Path | None,
    by: Literal["artist", "video"],
    fractions: tuple[float, float, float],
    seed: int,
) -> tuple[Catalogue, dict[str, str]]:
    """Read `source`, split it, join it to the workspace's catalogue and look into its files."""
    found = _read(source, metadata)
    workspace = session.workspace
    with workspace.lock():
        joined = Catalogue.load(workspace.catalogue).extended(found) if workspace.catalogue.exists() else found
        if not _is_table(source):
            with session.progress("Reading the files' tags") as progress:
                joined = joined.with_file_tags(progress=lambda done, total: progress(done, total, ""))
        joined = joined.split_missing(by=by, fractions=fractions, seed=seed)
        with session.progress("Reading headers") as progress:
            joined, unreadable = joined.probe(progress=lambda done, total: progress(done, total, ""))
        joined.save(workspace.catalogue)
    shared = joined.artists_in_two_splits()
    if shared:
        session.warn(f"{len(shared)} artists stand in two splits, the first is '{shared[0]}'.")
    return joined, unreadable


def _read(source: Path, metadata: Path | None) -> Catalogue:
    if not _is_table(source):
        return Catalogue(read_folder(source, metadata))  # Tags are read once it is known what the workspace has.
    if metadata is not None:
        raise ConfigError("--metadata goes with a folder; a table brings its own columns.")
    return Catalogue.from_csv(source) if source.suffix.lower() == ".csv" else Catalogue.from_parquet(source)


def _is_table(source: Path) -> bool:
    return source.suffix.lower() in _TABLES


@app.command
def split(
    *,
    by: Literal["artist", "video"] = "artist",
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    session: Here,
) -> None:
    """Draw the splits of all videos anew, as long as no run has been trained with those that they have.

    Parameters
    ----------
    by
        Keep all videos of an artist together, or look at each video alone.
    fractions
        Shares of train, validation and test, such as --fractions 0.8 0.1 0.1. They hold on average.
    seed
        Draws another assignment.
    """
    workspace = session.existing_workspace()
    trained = sorted(workspace.runs.glob(f"*/{RUN_FILE}"))
    if trained:
        raise ConfigError(
            f"{trained[0].parent}: was trained with the splits as they are; drawn anew, it would be tested on what it "
            "has seen. Use another workspace, or remove its runs first."
        )
    with workspace.lock():
        catalogue = Catalogue.load(workspace.catalogue).split(by=by, fractions=fractions, seed=seed)
        catalogue.save(workspace.catalogue)
    splits = catalogue.split_counts()
    data = {"workspace": str(workspace.root), "videos": len(catalogue), "splits": splits}
    session.result(data, lambda out: out.print(f"{len(catalogue)} videos: {_counts(splits)}."))


@app.command
def remove(*ids: str, session: Here) -> None:
    """Take music videos out of the catalogue: nothing trains on them, finds them or plays them from then on.

    Their files, features and rows in the index stay where they are. Adding their folder again brings them back.

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


@app.command
def describe(*, session: Here) -> None:
    """Print what the catalogue holds: splits, durations, years, genres, tags and missing values."""
    found = describe_catalogue(Catalogue.load(session.existing_workspace().catalogue))
    session.result(found, lambda out: _show(found, out))


def _show(found: dict[str, Any], out: Console) -> None:
    hours = found["duration_s"]["total"] / 3600
    out.print(f"[bold]{found['videos']} videos[/] of {found['artists']} artists, {hours:.1f} h")
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
    most = max(histogram.values())
    for label, count in histogram.items():
        table.add_row(label, str(count), "█" * max(1, round(_BAR * count / most)))
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
