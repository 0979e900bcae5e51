"""Folders of clip-retrieval: `img_emb/img_emb_0.npy`, … beside `metadata/metadata_0.parquet`, …

Source: github.com/rom1504/clip-retrieval, "clip inference", output format numpy. Rows of a part of metadata are those
of the parts of vectors of the same number.
"""

import re
from pathlib import Path
from typing import Any

from antiphon.documents import refuse_no_file
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.importers.npy import read_npy
from antiphon.features.importers.tracks import Item, features_of
from antiphon.tables import polars_frame

_PART = re.compile(r"metadata_(\d{1,9})\.parquet")
_NAMES = ("id", "key", "image_path", "video_path", "url")
"""Columns that name an item, the first that is there counts."""
_MAX_BYTES = 1 << 34


def is_clip_retrieval(folder: Path) -> bool:
    """Whether a folder has the parts that clip-retrieval writes."""
    return (folder / "metadata").is_dir() and any(folder.glob("*_emb"))


def from_clip_retrieval(folder: Path, audio: str | None = None, video: str | None = "img") -> Features:
    """Read features from a folder of clip-retrieval.

    Parameters
    ----------
    folder : Path
        The output folder.
    audio, video : str or None
        Name before `_emb`: "img", "text", or that of vectors put beside them. One of them may be None.

    Returns
    -------
    Features
        One row per item, named by the first of the columns id, key, image_path, video_path and url.

    Raises
    ------
    FeatureStoreError
        A part is missing or damaged, or its vectors are not as many as its rows of metadata.
    """
    named: dict[Modality, str] = {
        side: name for side, name in zip(MODALITIES, (audio, video), strict=True) if name is not None
    }
    if not named:
        raise FeatureStoreError(f"{folder}: name its vectors by --audio or --video, as --video img for img_emb.")
    for name in named.values():
        if not re.fullmatch(r"\w+", name):
            raise FeatureStoreError(f"{name}: is no name of vectors, such as img.")
    parts = sorted(int(match[1]) for path in (folder / "metadata").iterdir() if (match := _PART.fullmatch(path.name)))
    items = [item for part in parts for item in _items(folder, part, named)]
    if len({item.name for item in items}) < len(items):
        raise FeatureStoreError(f"{folder}: several rows have one name. Give its metadata a column id.")
    return features_of(items, {side: f"{named.get(side, side)}_emb" for side in MODALITIES})


def _items(folder: Path, part: int, named: dict[Modality, str]) -> list[Item]:
    rows = _metadata(folder / "metadata" / f"metadata_{part}.parquet")
    column = next((name for name in _NAMES if rows and name in rows[0]), None)
    where = f"{folder}: part {part}"
    if column is None:
        raise FeatureStoreError(f"{where}: its metadata names no item. Give it a column {' or '.join(_NAMES)}.")
    items = [Item(str(row[column]), f"{where}, row {number}", about=row) for number, row in enumerate(rows)]
    for side, name in named.items():
        path = folder / f"{name}_emb" / f"{name}_emb_{part}.npy"
        try:
            refuse_no_file(path)
            if path.stat().st_size > _MAX_BYTES:
                raise OSError(f"it has more than {_MAX_BYTES:,} bytes")
            vectors = read_npy(path.read_bytes(), str(path))
        except OSError as error:
            raise FeatureStoreError(f"{path}: cannot be read ({error.strerror or error}).") from error
        if vectors.ndim != 2 or len(vectors) != len(items):
            raise FeatureStoreError(f"{path}: has the shape {vectors.shape}, and its metadata {len(items)} rows.")
        for item, vector in zip(items, vectors, strict=True):
            item.sides[side] = vector
    return items


def _metadata(path: Path) -> list[dict[str, Any]]:
    return polars_frame(path).to_dicts()
