"""`antiphon features`: bring ready-made vectors, and see what the workspace has."""

from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from antiphon.catalogue.catalogue import FRACTIONS
from antiphon.cli.session import Here
from antiphon.errors import ConfigError
from antiphon.features import Features
from antiphon.features.importing import from_yt8m, import_features, with_label_names
from antiphon.features.store import FeatureStore, store_names

app = App(name="features", help="Import features computed elsewhere, and list those of the workspace.")


@app.command(name="import")
def import_(
    *files: Path,
    audio: str | None = None,
    video: str | None = None,
    ids: str = "id",
    groups: str | None = None,
    labels: str | None = None,
    splits: str | None = None,
    genres: str | None = None,
    artists: str | None = None,
    label_names: Path | None = None,
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    session: Here,
) -> None:
    """Import vectors from Parquet tables, or from YouTube-8M shards (.tfrecord), ready to train and evaluate.

    Parameters
    ----------
    files
        Parquet tables of one layout, or video-level YouTube-8M shards.
    audio
        Parquet: the column with the vectors of the sound. It or video may be left out.
    video
        Parquet: the column with the vectors of the pictures.
    ids
        Parquet: the column that names the rows.
    groups
        Parquet: the column that names the video of each row. Default: each row is a video.
    labels
        Parquet: a column of labels.
    splits
        Parquet: a column of train, validation and test. Default: split by video.
    genres
        Parquet: a column with the genre of each row.
    artists
        Parquet: a column with the artist of each row.
    label_names
        A CSV with the columns index and name, such as YouTube-8M's vocabulary.csv, where labels are indices.
    fractions
        Shares of train, validation and test where no column gives them.
    seed
        Draws another assignment to splits.
    """
    if not files:
        raise ConfigError("Name at least one file to import.")
    if all(file.suffix == ".tfrecord" for file in files):
        found = from_yt8m(files, label_names)
    elif audio is None and video is None:
        raise ConfigError("Parquet tables need --audio COLUMN or --video COLUMN, the columns that hold the vectors.")
    else:
        found = Features.from_parquet(files, audio, video, ids, groups, labels, splits, genres, artists)
        found = found if label_names is None else with_label_names(found, label_names)
    catalogue = import_features(found, session.workspace, fractions, seed)
    data = {"rows": len(found), "videos": len(catalogue), "splits": catalogue.split_counts()}
    data |= {"audio": found.audio_name, "video": found.video_name}
    session.result(data, lambda out: out.print(f"Imported {found!r}\nWorkspace: {catalogue!r}", markup=False))


@app.command(name="list")
def list_(*, session: Here) -> None:
    """List the features in the workspace."""
    workspace = session.existing_workspace()
    rows: list[dict[str, object]] = []
    for name in store_names(workspace.features):
        segment_ids, video_ids, vectors = FeatureStore.existing(workspace.features / name).read()
        rows.append(
            {"name": name, "videos": len(set(video_ids)), "segments": len(segment_ids), "dim": vectors.shape[1]}
        )

    def show(out: Console) -> None:
        table = Table("name", "videos", "segments", "values", box=None)
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        out.print(table if rows else "No features yet: run antiphon extract, or antiphon features import.")

    session.result({"features": rows}, show)
