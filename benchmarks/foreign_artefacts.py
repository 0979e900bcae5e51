"""Features in the layouts of other tools, small and real, for `artefacts.py`."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from antiphon.catalogue.importers import read_audioset
from antiphon.features.importers import from_arrow_folder, from_clip_retrieval, from_shards

Read = Callable[[Path], object]


def foreign(root: Path) -> list[tuple[str, Read]]:
    """Write them, and say what reads each.

    Parameters
    ----------
    root : Path
        Folder to write to.

    Returns
    -------
    list of (str, callable)
        Path below the folder, and what reads it; takes that folder.
    """
    vectors = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    shard(root / "00000.tar", vectors)
    clip_retrieval(root / "retrieval", vectors)
    arrow(root / "saved", vectors)
    (root / "segments.csv").write_text(
        '# YTID, start, end, labels\na1, 30.000, 40.000, "/m/1,/m/2"\nb2, 0.0, 10.0, "/m/1"\n'
    )
    (root / "classes.csv").write_text('index,mid,display_name\n0,/m/1,"Music, live"\n1,/m/2,Speech\n')

    def tar(folder: Path) -> object:
        return from_shards([folder / "00000.tar"], "clap.npy", "clip.npy").fingerprint()

    def retrieval(folder: Path) -> object:
        return from_clip_retrieval(folder / "retrieval", None, "img").fingerprint()

    def saved(folder: Path) -> object:
        return from_arrow_folder(folder / "saved", "sound", "pictures").fingerprint()

    def listed(folder: Path) -> object:
        return read_audioset(folder / "segments.csv", folder / "classes.csv").catalogue.records()

    return [
        ("00000.tar", tar),
        ("retrieval/img_emb/img_emb_0.npy", retrieval),
        ("retrieval/metadata/metadata_0.parquet", retrieval),
        ("saved/state.json", saved),
        ("saved/data-00000-of-00001.arrow", saved),
        ("segments.csv", listed),
        ("classes.csv", listed),
    ]


def npy(values: np.ndarray) -> bytes:
    """Return the content of a .npy file."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def shard(path: Path, vectors: np.ndarray, **more: bytes) -> None:
    """Write a tar file of items with two vectors and metadata, and further members."""
    members = dict(more)
    for number, vector in enumerate(vectors):
        about = {"genre": "rock", "artist": f"Artist {number}", "tags": ["loud", "live"]}
        members |= {f"{number:05d}.clap.npy": npy(vector), f"{number:05d}.clip.npy": npy(vector[::-1])}
        members[f"{number:05d}.json"] = json.dumps(about).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def clip_retrieval(folder: Path, vectors: np.ndarray) -> None:
    """Write a folder as `clip inference` does."""
    for name in ("img_emb", "metadata"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "img_emb" / "img_emb_0.npy").write_bytes(npy(vectors))
    names = {"key": [f"k{number}" for number in range(len(vectors))], "genre": ["jazz"] * len(vectors)}
    pl.DataFrame(names).write_parquet(folder / "metadata" / "metadata_0.parquet")


def arrow(folder: Path, vectors: np.ndarray) -> None:
    """Write a folder as `save_to_disk` of `datasets` does."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"id": [f"r{number}" for number in range(len(vectors))]}
    sides = {name: pa.array(vectors.tolist(), pa.list_(pa.float32())) for name in ("sound", "pictures")}
    table = pa.table(columns | sides)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
