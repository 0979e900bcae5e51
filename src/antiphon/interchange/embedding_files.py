"""Exported embeddings as the files of other tools: LanceDB, embedding-atlas, FiftyOne, TensorBoard's projector."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import MODALITIES
from antiphon.errors import ConfigError
from antiphon.interchange.embedding_table import plain_vectors
from antiphon.presentation.csv_text import csv_text
from antiphon.tables import atomic_path, write_table, write_text

Format = Literal["parquet", "lancedb", "embedding-atlas", "fiftyone", "tensorboard"]
LANCE_TABLE = "embeddings"
_DESCRIBED = ("id", "segment_id", "start_s", "modality", "artist", "title", "genre", "tags", "year", "split")


def write_parquet(table: pa.Table, place: Path) -> list[Path]:
    """Write the table as it is; see `embedding_schema`.

    Parameters
    ----------
    table : pyarrow.Table
        What `embedding_table` returned.
    place : Path
        File to write, ending in .parquet.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConfigError
        The name of the file ends otherwise.
    """
    if place.suffix.lower() != ".parquet":
        raise ConfigError(f"{place}: the embeddings are a Parquet table; choose a name that ends in .parquet.")
    write_table(table, place)
    return [place]


def write_atlas(table: pa.Table, place: Path) -> list[Path]:
    """Write Parquet for embedding-atlas, with a column `name` to show and search, and vectors as plain lists.

    Source: the options of `embedding-atlas FILE --text name --vector vector`.

    Parameters
    ----------
    table : pyarrow.Table
        What `embedding_table` returned.
    place : Path
        File to write, ending in .parquet.

    Returns
    -------
    list of Path
        What was written.
    """
    tags = pa.array([", ".join(row or ()) for row in table["tags"].to_pylist()], pa.string())
    plain = table.set_column(table.schema.get_field_index("tags"), "tags", tags)
    vectors = pa.array(list(plain_vectors(table)), pa.list_(pa.float32()))
    plain = plain.set_column(plain.schema.get_field_index("vector"), "vector", vectors)
    return write_parquet(plain.append_column("name", pa.array(_names(table), pa.string())), place)


def write_lance(table: pa.Table, place: Path) -> list[Path]:
    """Write the table `embeddings` of a LanceDB database; the package lancedb must be installed.

    Parameters
    ----------
    table : pyarrow.Table
        What `embedding_table` returned.
    place : Path
        Folder of the database.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConfigError
        lancedb is not installed, or the database has such a table.
    """
    try:
        import lancedb  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ConfigError("LanceDB is not installed. Run: pip install 'antiphon[lance]'") from error
    written = place / f"{LANCE_TABLE}.lance"
    if written.exists():
        raise ConfigError(f"{written}: there is such a table. Remove it, or name another folder.")
    lancedb.connect(str(place)).create_table(LANCE_TABLE, table)
    return [written]


def write_projector(table: pa.Table, place: Path) -> list[Path]:
    """Write vectors.tsv, metadata.tsv and projector_config.pbtxt for TensorBoard's embedding projector.

    Source: tensorboard/plugins/projector/projector_config.proto of github.com/tensorflow/tensorboard.

    Parameters
    ----------
    table : pyarrow.Table
        What `embedding_table` returned.
    place : Path
        Folder to write to: TensorBoard's --logdir.

    Returns
    -------
    list of Path
        What was written.
    """
    lines = ("\t".join(f"{value:.7g}" for value in row) for row in plain_vectors(table).tolist())
    described = table.select(list(_DESCRIBED)).to_pylist()
    rows = zip(_names(table), described, strict=True)
    about = ["\t".join(("name", *_DESCRIBED))]
    about += ["\t".join((_cell(name), *(_cell(row[column]) for column in _DESCRIBED))) for name, row in rows]
    config = (
        'embeddings {\n  tensor_name: "antiphon"\n  tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"\n}\n'
    )
    texts = {"vectors.tsv": "\n".join(lines) + "\n", "metadata.tsv": "\n".join(about) + "\n"}
    return _write_texts(texts | {"projector_config.pbtxt": config}, place)


def write_fiftyone(table: pa.Table, place: Path, paths: Mapping[str, str]) -> list[Path]:
    """Write labels.csv (FiftyOne's CSVDataset) and a .npy of vectors for each modality, whose rows are the CSV's.

    FiftyOne sorts by file, so rows are; it wants a folder data, has fields of its own called id and tags, and takes
    the vectors as `embeddings` of `compute_visualization`. A track without a side has a row of NaN.

    Source: fiftyone.utils.csv of FiftyOne 1.22.

    Parameters
    ----------
    table : pyarrow.Table
        What `embedding_table` returned, of tracks.
    place : Path
        Folder to write to.
    paths : mapping of str to str
        Media file of each music video; those without one are left out.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConfigError
        The rows are segments, or no music video has a file.
    """
    rows = table.drop_columns(["vector"]).to_pylist()
    if any(row["segment_id"] for row in rows):
        raise ConfigError("FiftyOne has one sample per media file: export tracks, not segments.")
    found = {row["id"]: row for row in rows if paths.get(row["id"])}
    samples = {name: found[name] for name in sorted(found, key=lambda name: paths[name])}
    if not samples:
        raise ConfigError("No music video has a media file here, and FiftyOne shows files. Choose another format.")
    columns = ("filepath", "video_id", "artist", "title", "genre", "labels", "year", "split")
    listed = [
        row | {"filepath": paths[name], "video_id": name, "labels": ";".join(row["tags"] or ())}
        for name, row in samples.items()
    ]
    (place / "data").mkdir(parents=True, exist_ok=True)
    written = _write_texts({"labels.csv": csv_text(columns, listed)}, place)
    numbers = {name: number for number, name in enumerate(samples)}
    vectors = plain_vectors(table)
    for side in MODALITIES:
        of_side = np.full((len(samples), vectors.shape[1]), np.nan, dtype=np.float32)
        for row, vector in zip(rows, vectors, strict=True):
            if row["modality"] == side and row["id"] in numbers:
                of_side[numbers[row["id"]]] = vector
        written.append(_write_array(of_side, place / f"embeddings-{side}.npy"))
    return written


WRITERS: dict[Format, Callable[[pa.Table, Path], list[Path]]] = {
    "parquet": write_parquet,
    "lancedb": write_lance,
    "embedding-atlas": write_atlas,
    "tensorboard": write_projector,
}
"""Writers by format, except FiftyOne's, which needs to know the media files."""


def _names(table: pa.Table) -> list[str]:
    """Name each row for people: artist and title where they are known, else the id."""
    rows = table.select(["id", "artist", "title"]).to_pylist()
    return [" – ".join(part for part in (row["artist"], row["title"]) if part) or row["id"] for row in rows]


def _cell(value: Any) -> str:
    text = "" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
    return " ".join(text.split())


def _write_texts(texts: Mapping[str, str], place: Path) -> list[Path]:
    for name, text in texts.items():
        write_text(text, place / name)
    return [place / name for name in texts]


def _write_array(values: npt.NDArray[np.float32], path: Path) -> Path:
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    return path
