"""Features computed elsewhere: Parquet tables and YouTube-8M shards, into memory or into a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from antiphon.catalogue import Catalogue
from antiphon.catalogue.catalogue import FRACTIONS
from antiphon.errors import CatalogueError, FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.store import FeatureRows, FeatureStore
from antiphon.features.tfrecord import read_examples
from antiphon.runs import fingerprint
from antiphon.workspace import Workspace, safe_name

YT8M_AUDIO, YT8M_VIDEO = "mean_audio", "mean_rgb"


def from_parquet(
    paths: Sequence[str | Path],
    audio: str,
    video: str,
    ids: str = "id",
    groups: str | None = None,
    labels: str | None = None,
    splits: str | None = None,
) -> Features:
    """Features from Parquet tables with a row a segment (or a video).

    Parameters
    ----------
    audio, video : names of the columns that hold the vectors (lists of one length). A null is a missing side.
    ids, groups, labels, splits : names of further columns, as in `Features.from_arrays`.

    Raises
    ------
    FeatureStoreError
        A file cannot be read, lacks a column, or holds vectors of different lengths.
    """
    wanted = [name for name in (ids, audio, video, groups, labels, splits) if name]
    frame = pl.concat([_read(Path(path), wanted) for path in paths])
    return Features.from_arrays(
        audio=_matrix(frame, audio),
        video=_matrix(frame, video),
        ids=frame[ids].to_list(),
        groups=frame[groups].to_list() if groups else None,
        labels=frame[labels].to_list() if labels else None,
        splits=frame[splits].to_list() if splits else None,
        audio_name=audio,
        video_name=video,
    )


def from_yt8m(paths: Sequence[str | Path]) -> Features:
    """Features from video-level YouTube-8M shards (.tfrecord): 128 values of sound and 1024 of pictures a video.

    Labels are the data set's indices, as text.

    Raises
    ------
    FeatureStoreError
        A shard cannot be read, or a record lacks a feature.
    """
    examples = [(path, example) for path in paths for example in read_examples(Path(path))]
    if not examples:
        raise FeatureStoreError(f"{', '.join(map(str, paths))}: no records.")
    for number, (path, example) in enumerate(examples, start=1):
        missing = {"id", YT8M_AUDIO, YT8M_VIDEO} - example.keys()
        if missing:
            raise FeatureStoreError(f"{path}: record {number} lacks {', '.join(sorted(missing))}; is it video-level?")
    return Features.from_arrays(
        audio=np.stack([np.asarray(example[YT8M_AUDIO]) for _, example in examples]),
        video=np.stack([np.asarray(example[YT8M_VIDEO]) for _, example in examples]),
        ids=[_text(example["id"]) for _, example in examples],
        labels=[np.asarray(example.get("labels", [])) for _, example in examples],
        audio_name=YT8M_AUDIO,
        video_name=YT8M_VIDEO,
    )


def import_features(
    features: Features, workspace: Workspace, fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> Catalogue:
    """Write `features` into the stores and the catalogue of a workspace, so that it can train and evaluate.

    Rows without a split are split by video. Importing the same features again changes nothing.

    Returns
    -------
    The workspace's catalogue, without paths: there is no media to play.

    Raises
    ------
    CatalogueError
        The workspace holds a catalogue of media files.
    FeatureStoreError
        The features have no names, or the stores hold others of the same name.
    """
    named = features if (features.splits != "").any() else features.split(fractions, seed)
    with workspace.lock():
        rows: dict[str, dict[str, Any]] = {}
        for group, split, labels in zip(named.groups, named.splits, named.labels, strict=True):
            rows.setdefault(str(group), {"id": str(group), "split": str(split) or None, "tags": list(labels)})
        catalogue = _joined(workspace, list(rows.values()))
        digest = fingerprint(features.audio, features.video)
        for modality in ("audio", "video"):
            _store(workspace, named, modality, digest)
        catalogue.save(workspace.catalogue)
    return catalogue


def _joined(workspace: Workspace, rows: list[dict[str, Any]]) -> Catalogue:
    catalogue = Catalogue(rows)
    if not workspace.catalogue.exists():
        return catalogue
    stored = Catalogue.load(workspace.catalogue)
    if any(row["path"] is not None for row in stored.records()):
        raise CatalogueError(f"{workspace.root}: holds a catalogue of media files; import into another workspace.")
    return stored.extended(catalogue)


def _store(workspace: Workspace, features: Features, modality: str, digest: str) -> None:
    present = getattr(features, f"has_{modality}")
    if not present.any():
        return
    rows, name = features.take(present), getattr(features, f"{modality}_name")
    vectors: np.ndarray = getattr(rows, modality)
    made_by = {"backbone": name, "modality": modality, "imported": digest}
    store = FeatureStore(workspace.features / safe_name(name, "backbone"), made_by)
    if store.done():
        return
    order = np.argsort(rows.groups, kind="stable")
    edges = np.flatnonzero(rows.groups[order][1:] != rows.groups[order][:-1]) + 1
    store.append(
        FeatureRows(str(rows.groups[part[0]]), [str(rows.ids[row]) for row in part], vectors[part])
        for part in np.split(order, edges)
    )


def _read(path: Path, columns: list[str]) -> pl.DataFrame:
    if not path.is_file():
        raise FeatureStoreError(f"{path}: no such file.")
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FeatureStoreError(f"{path}: cannot be read as Parquet: {error}") from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise FeatureStoreError(
            f"{path}: has no column {', '.join(missing)}; its columns are {', '.join(frame.columns)}."
        )
    return frame.select(columns)


def _matrix(frame: pl.DataFrame, name: str) -> np.ndarray:
    column = frame[name]
    try:
        lists = column.cast(pl.List(pl.Float32))
    except pl.exceptions.PolarsError as error:
        raise FeatureStoreError(f"column '{name}': holds {column.dtype}, not vectors of numbers.") from error
    lengths = lists.list.len().drop_nulls().unique().to_list()
    if len(lengths) != 1 or not lengths[0]:
        raise FeatureStoreError(f"column '{name}': holds vectors of {sorted(lengths)} values; they must be alike.")
    result = np.full((len(frame), lengths[0]), np.nan, dtype=np.float32)
    present = lists.is_not_null().to_numpy()
    result[present] = lists.drop_nulls().explode().to_numpy().reshape(-1, lengths[0])
    return result


def _text(value: Any) -> str:
    return value[0].decode(errors="replace") if isinstance(value, list) else str(value)
