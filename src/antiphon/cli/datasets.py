"""`antiphon datasets`: known data sets, and their import into the catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import Literal

from cyclopts import App
from rich.console import Console

from antiphon.catalogue import Catalogue
from antiphon.catalogue.datasets import DATA_SETS
from antiphon.catalogue.importers import Imported, read_audioset, read_jamendo, read_msd
from antiphon.cli.catalogue import warn_of_artists
from antiphon.cli.session import Here, Session
from antiphon.errors import ConfigError

app = App(name="datasets", help="List known data sets and import them into the catalogue.")


@app.command(name="list")
def list_(*, session: Here) -> None:
    """List known data sets with licence, size, source, requirements, and the command that imports each."""

    def show(out: Console) -> None:
        for item in DATA_SETS:
            out.print(f"[bold]{item.name}[/]: {item.holds}", soft_wrap=True)
            for label in ("licence", "size", "where", "needs", "command"):
                out.print(f"  {label:8} {getattr(item, label)}", markup=False, soft_wrap=True)

    session.result({"datasets": [asdict(item) for item in DATA_SETS]}, show)


@app.command
def msd(media: Path, *, lists: Path, wanted: Path | None = None, session: Here) -> None:
    """Import the songs of the Million Song Dataset that you have files of, with Choi's 50 tags and splits.

    Songs in none of Choi's lists get neither tags nor a split.

    Parameters
    ----------
    media
        CSV with the columns msd_id and path (relative to the CSV), and any of artist, title, genre, year.
    lists
        Folder with Choi's lists: train_x_msd_id.txt and train_y.npy, and likewise for valid and test.
    wanted
        Text file with one id per line, such as the paper's list; ids without a file are reported as missing.
    """
    _import(session, read_msd(media, lists, wanted))


@app.command
def jamendo(
    audio: Path,
    *,
    train: Path | None = None,
    validation: Path | None = None,
    test: Path | None = None,
    session: Here,
) -> None:
    """Import tracks of MTG-Jamendo with their tags, genres, artists and splits. They have audio only.

    Parameters
    ----------
    audio
        Folder of the audio, full or low quality: the one that contains the folders 00 to 99.
    train
        Table of the training split, such as autotagging_top50tags-train.tsv.
    validation
        Table of the validation split.
    test
        Table of the test split.
    """
    given = {"train": train, "validation": validation, "test": test}
    splits = {name: path for name, path in given.items() if path is not None}
    if not splits:
        raise ConfigError("Name at least one table of the data set: --train, --validation or --test.")
    _import(session, read_jamendo(splits, audio))


@app.command
def audioset(
    segments: Path,
    *,
    label_names: Path | None = None,
    split: Literal["train", "validation", "test"] | None = None,
    session: Here,
) -> None:
    """Import the videos of a list in AudioSet's layout, with their labels as tags. They have no media.

    Parameters
    ----------
    segments
        The list: YTID, start_seconds, end_seconds, labels.
    label_names
        class_labels_indices.csv: index, mid, display_name.
    split
        Split of all videos of the list.
    """
    _import(session, read_audioset(segments, label_names, split))


def _import(session: Session, found: Imported) -> None:
    """Merge the imported rows into the workspace's catalogue, probe their files, and report what is missing."""
    from antiphon.features.forgetting import bring_up_to_date

    workspace = session.workspace
    with workspace.lock():
        stored = Catalogue.load(workspace.catalogue) if workspace.catalogue.exists() else None
        joined = found.catalogue if stored is None else stored.extended(found.catalogue)
        with session.progress("Reading headers") as progress:
            joined, _, unreadable = bring_up_to_date(
                workspace, joined, progress=lambda done, total: progress(done, total, "")
            )
    warn_of_artists(session, joined)
    data = {
        "workspace": str(workspace.root),
        "imported": len(found.catalogue),
        "videos": len(joined),
        "splits": joined.split_counts(),
        "missing": list(found.missing),
        "unlisted": list(found.unlisted),
        "unreadable": unreadable,
    }

    def show(out: Console) -> None:
        counts = ", ".join(f"{count} {name}" for name, count in joined.split_counts().items())
        out.print(f"{len(found.catalogue)} imported; {len(joined)} in {workspace.root}: {counts}.", soft_wrap=True)
        for number, what in (
            (len(found.missing), "have no file and were skipped; --json lists them"),
            (len(found.unlisted), "are in no list, so they have neither tags nor a split"),
            (len(unreadable), "could not be read; they stay in the catalogue and will be retried"),
        ):
            if number:
                out.print(f"  {number} {what}.", soft_wrap=True)

    session.result(data, show)
