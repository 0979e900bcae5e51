"""`antiphon features`: precomputed vectors, and the workspace's features."""

from dataclasses import dataclass
from pathlib import Path

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from antiphon.catalogue.catalogue import FRACTIONS
from antiphon.cli.catalogue import warn_of_artists
from antiphon.cli.session import Here
from antiphon.errors import ConfigError
from antiphon.features import Features
from antiphon.features.importers import from_foreign, is_foreign
from antiphon.features.importing import from_yt8m, import_features, with_label_names, with_only
from antiphon.features.named_stores import store_folder, store_names
from antiphon.features.store import FeatureStore
from antiphon.features.tfrecord import is_shard

app = App(name="features", help="Import features computed elsewhere, and list the workspace's features.")


@Parameter(name="*")
@dataclass(frozen=True)
class Columns:
    """Columns of Parquet tables.

    Attributes
    ----------
    audio
        Parquet: column of the audio vectors. Either audio or video may be omitted.
    video
        Parquet: column of the video vectors.
    ids
        Parquet: column of row ids.
    groups
        Parquet: column of the video that each row belongs to. Default: each row is a video.
    labels
        Parquet: column of labels.
    splits
        Parquet: column of train, validation and test. Default: split by video.
    genres
        Parquet: column of genres.
    artists
        Parquet: column of artists.
    starts_s
        Parquet: column of the seconds at which rows start in their track.
    """

    audio: str | None = None
    video: str | None = None
    ids: str = "id"
    groups: str | None = None
    labels: str | None = None
    splits: str | None = None
    genres: str | None = None
    artists: str | None = None
    starts_s: str | None = None


@app.command(name="import")
def import_(
    *files: Path,
    columns: Columns = Columns(),
    label_names: Path | None = None,
    only: Path | None = None,
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    session: Here,
) -> None:
    """Import vectors computed elsewhere, ready for training and evaluation.

    They come from Parquet tables, YouTube-8M shards (.tfrecord), shards of webdataset or video2dataset (.tar), a folder
    of clip-retrieval, or one that Hugging Face's save_to_disk wrote (columns as in Parquet). In a shard, --audio and
    --video are endings of members (clap.npy); in a folder of clip-retrieval, what stands before _emb (img).

    Parameters
    ----------
    files
        Files of one kind, or one folder.
    only
        Table with a column id: import no other videos, such as those of HIMV-200K from YouTube-8M's shards.
    label_names
        CSV with the columns index and name, such as YouTube-8M's vocabulary.csv, if labels are indices.
    fractions
        Fractions of train, validation and test, if no column gives the splits.
    seed
        Seed of the splits.
    """
    if not files:
        raise ConfigError("No files: name at least one to import.")
    found = with_only(_read(files, columns, label_names), only)
    catalogue = import_features(found, session.workspace, fractions, seed)
    warn_of_artists(session, catalogue)
    data = {"rows": len(found), "videos": len(catalogue), "splits": catalogue.split_counts()}
    data |= {"audio": found.audio_name, "video": found.video_name}
    session.result(data, lambda out: out.print(f"Imported {found!r}\nWorkspace: {catalogue!r}", markup=False))


def _read(files: tuple[Path, ...], columns: Columns, label_names: Path | None) -> Features:
    shards = [file for file in files if is_shard(file)]
    if shards and len(shards) < len(files):
        other = next(file for file in files if file not in shards)
        raise ConfigError(f"{shards[0]} is a shard and {other} is none. Import Parquet tables and shards one by one.")
    if shards:
        return from_yt8m(files, label_names)
    arrays = [file for file in files if file.suffix.lower() in (".npy", ".npz")]
    if arrays and not any(is_foreign(file) for file in files):
        raise ConfigError(
            f"{arrays[0]}: arrays do not say whose they are. In Python: Features.from_arrays(audio=…, video=…, ids=…); "
            "or write a Parquet table with the columns id, audio and video."
        )
    if any(is_foreign(file) for file in files):
        found = from_foreign(list(files), **vars(columns))
    elif columns.audio is None and columns.video is None:
        raise ConfigError(
            "Parquet tables need --audio COLUMN or --video COLUMN: the columns of the vectors. Shards are named "
            ".tfrecord, .tfrecords, -00000-of-00010 or .gz, or else .tar."
        )
    else:
        found = Features.from_parquet(files, **vars(columns))
    return found if label_names is None else with_label_names(found, label_names)


@app.command(name="list")
def list_(*, session: Here) -> None:
    """List the features in the workspace."""
    workspace = session.existing_workspace()
    rows: list[dict[str, object]] = []
    for name in store_names(workspace.features):
        stored = FeatureStore.existing(store_folder(workspace.features, name)).read()
        rows.append(
            {
                "name": name,
                "videos": len(set(stored.video_ids)),
                "segments": len(stored.segment_ids),
                "dim": stored.vectors.shape[1],
            }
        )

    def show(out: Console) -> None:
        table = Table(box=None)
        for column in ("name", "videos", "segments", "values"):
            table.add_column(column, no_wrap=True)
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        out.print(table if rows else "No features yet: run antiphon extract, or antiphon features import.")

    session.result({"features": rows}, show)
