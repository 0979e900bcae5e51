"""Import of features computed elsewhere: from YouTube-8M shards, and into a workspace."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from antiphon.catalogue import Catalogue
from antiphon.catalogue.catalogue import FRACTIONS
from antiphon.embeddings import MAX_VALUE
from antiphon.errors import CatalogueError, FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.named_stores import store_folder
from antiphon.features.store import FeatureStore, VideoFeatures
from antiphon.features.tfrecord import Example, read_examples
from antiphon.spreadsheets import read_spreadsheet
from antiphon.spreadsheets.headers import Words
from antiphon.workspace import Workspace

YT8M_AUDIO, YT8M_VIDEO = _SIDES = "mean_audio", "mean_rgb"
_MAX_DIGITS = 18


def from_yt8m(paths: Sequence[str | Path], label_names: str | Path | None = None) -> Features:
    """Read video-level features of YouTube-8M: 128 audio and 1024 video values per video.

    Parameters
    ----------
    paths : sequence of str or Path
        Shards, also compressed with gzip or zlib, or Parquet tables (.parquet) with the columns id, mean_audio,
        mean_rgb and labels.
    label_names : str or Path, optional
        CSV with the columns index and name, such as the data set's vocabulary.csv. Labels without a name there, which
        the data set has, keep their index as text; without the CSV all do.

    Returns
    -------
    Features
        One row per video.

    Raises
    ------
    FeatureStoreError
        A shard or the names cannot be read or are damaged, or a record lacks a feature or has one of another length.
    """
    if all(Path(path).suffix.lower() == ".parquet" for path in paths):
        tables = Features.from_parquet(list(paths), YT8M_AUDIO, YT8M_VIDEO, labels="labels")
        return tables if label_names is None else with_label_names(tables, label_names)
    names = {} if label_names is None else _label_names(Path(label_names))
    videos: list[_Video] = []
    for path in paths:
        for number, example in enumerate(read_examples(Path(path)), start=1):
            video = _video(example, f"{path}: record {number}")
            _refuse_other_sizes(video, videos[0] if videos else video)
            videos.append(video)
    if not videos:
        raise FeatureStoreError(f"{', '.join(map(str, paths))}: no records.")
    for name, side in zip(_SIDES, ("audio", "video"), strict=True):
        broken = next((one for one in videos if not np.abs(getattr(one, side)).max() <= MAX_VALUE), None)
        if broken is not None:
            raise FeatureStoreError(
                f"{broken.where}: {name} has values that are not finite, or beyond {MAX_VALUE:g}. Leave it out."
            )
    return Features.from_arrays(
        audio=np.stack([video.audio for video in videos]),
        video=np.stack([video.video for video in videos]),
        ids=[video.id for video in videos],
        labels=[_named(video.labels, names) for video in videos],
        audio_name=YT8M_AUDIO,
        video_name=YT8M_VIDEO,
    )


class _Video(NamedTuple):
    """What a record of YouTube-8M says of a video, and where it is."""

    where: str
    id: str
    audio: np.ndarray
    video: np.ndarray
    labels: list[int]


def _video(example: Example, where: str) -> _Video:
    missing = {"id", YT8M_AUDIO, YT8M_VIDEO} - example.keys()
    if missing:
        raise FeatureStoreError(f"{where} lacks {', '.join(sorted(missing))}. Use video-level shards.")
    audio, video = (_values(example[name], "f", f"{where}: {name} must be float values.") for name in _SIDES)
    labels = _values(example.get("labels", []), "i", f"{where}: labels must be integers.")
    ids = example["id"]
    if not isinstance(ids, list) or len(ids) != 1:
        raise FeatureStoreError(f"{where}: id must be one text.")
    try:
        return _Video(where, ids[0].decode(), audio, video, labels.tolist())
    except UnicodeDecodeError as error:
        raise FeatureStoreError(f"{where}: id is not text in UTF-8 ({error}).") from error


def _values(found: list[bytes] | np.ndarray, kind: str, otherwise: str) -> np.ndarray:
    """Return the values of a feature; one without any has no type."""
    if isinstance(found, list) and not found:
        return np.zeros(0, dtype=kind)
    if isinstance(found, list) or found.dtype.kind != kind:
        raise FeatureStoreError(otherwise)
    return found


def _refuse_other_sizes(video: _Video, first: _Video) -> None:
    for name, given, wanted in zip(_SIDES, (video.audio, video.video), (first.audio, first.video), strict=True):
        if len(given) != len(wanted) or not len(given):
            raise FeatureStoreError(
                f"{video.where}: {name} has {len(given):,} values, expected {len(wanted) or 'some'}. All records must "
                "have vectors of one length; leave the others out."
            )


def with_label_names(features: Features, label_names: str | Path) -> Features:
    """Replace label indices by names; see `from_yt8m`.

    Parameters
    ----------
    features : Features
        Features with indices as labels.
    label_names : str or Path
        CSV with the columns index and name.

    Returns
    -------
    Features
        Features with named labels.

    Raises
    ------
    FeatureStoreError
        The names cannot be read, or a label is not an index.
    """
    names = _label_names(Path(label_names))
    for label in {label for row in features.labels for label in row}:
        if not label.isdecimal():
            raise FeatureStoreError(f"labels: '{label}' is not an index into {label_names}.")
    return replace(features, labels=tuple(tuple(_named(row, names)) for row in features.labels))


def with_only(features: Features, listed: Path | None) -> Features:
    """Keep the videos that a table lists, such as HIMV-200K's among YouTube-8M's.

    Parameters
    ----------
    features : Features
        Features of more videos.
    listed : Path or None
        Table (.csv, .tsv, .txt or .parquet) with a column id; None keeps all.

    Returns
    -------
    Features
        Rows of these videos.

    Raises
    ------
    FeatureStoreError
        The table cannot be read or has no ids, or none of its videos is there.
    """
    if listed is None:
        return features
    words = Words(("youtube_id", "video_id", "ytid", "vid"))
    try:
        rows = read_spreadsheet(listed, ("id",), {"id": words}).rows
    except CatalogueError as error:
        raise FeatureStoreError(str(error)) from error
    ids = {str(value) for row in rows if (value := row.values.get("id")) is not None}
    there = np.isin(features.groups, sorted(ids))
    if not there.any():
        raise FeatureStoreError(f"{listed}: none of its {len(ids):,} ids is among the videos to import.")
    return features.take(there)


def import_features(
    features: Features, workspace: Workspace, fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> Catalogue:
    """Write features into the stores and the catalogue of a workspace, so that it can train and evaluate.

    Videos that a store already has must come with the same rows and are not written again: importing the same features
    again changes nothing, importing more adds what is new. Videos without a split are split by a keyed hash of the
    artist, or of the video where the artist is unknown. Rows with neither audio nor video are left out.

    Parameters
    ----------
    features : Features
        Named features.
    workspace : Workspace
        Workspace to write to.
    fractions : sequence of float, default FRACTIONS
        Shares of train, validation and test, which sum to 1.
    seed : int, default 0
        Seed of the hash.

    Returns
    -------
    Catalogue
        The workspace's catalogue, without paths, since there is no media to play.

    Raises
    ------
    CatalogueError
        The workspace has a catalogue of media files.
    FeatureStoreError
        The features have no names, or the same name for both modalities; or the stores have features of the same name
        that were made otherwise, other rows of the same video, or the same ids for another video. Nothing is written
        then.
    """
    present = features.take(features.has_audio | features.has_video)
    with workspace.lock():
        rows: dict[str, dict[str, Any]] = {}
        for row, group in enumerate(present.groups):
            rows.setdefault(str(group), _about(present, row))
        catalogue = _joined(workspace, list(rows.values())).split_missing("artist", fractions, seed)
        waiting = [_new_rows(store, side) for store, side in _sides(present, workspace)]
        for store, new in waiting:
            store.append(new)
        catalogue.save(workspace.catalogue)
    return catalogue


def _about(features: Features, row: int) -> dict[str, Any]:
    return {
        "id": str(features.groups[row]),
        "split": str(features.splits[row]) or None,
        "tags": list(features.labels[row]),
        "genre": str(features.genres[row]) or None,
        "artist": str(features.artists[row]) or None,
    }


def _joined(workspace: Workspace, rows: list[dict[str, Any]]) -> Catalogue:
    catalogue = Catalogue(rows)
    if not workspace.catalogue.exists():
        return catalogue
    stored = Catalogue.load(workspace.catalogue)
    if any(row["path"] is not None for row in stored.records()):
        raise CatalogueError(f"{workspace.root}: has a catalogue of media files. Import into another workspace.")
    return stored.extended(catalogue)


def _sides(features: Features, workspace: Workspace) -> Iterator[tuple[FeatureStore, dict[str, VideoFeatures]]]:
    """Yield the store of each modality present, and its features by video."""
    if features.audio_name and features.audio_name == features.video_name:
        raise FeatureStoreError(
            f"audio_name and video_name are both '{features.audio_name}'. Give each modality a name of its own."
        )
    for modality in ("audio", "video"):
        there = getattr(features, f"has_{modality}")
        if not there.any():
            continue
        rows, name = features.take(there), getattr(features, f"{modality}_name")
        if not name:
            raise FeatureStoreError(
                f"{modality}_name: is empty. Name what computed these vectors, so that others are not mixed with them."
            )
        vectors: np.ndarray = getattr(rows, modality)
        made_by = {"backbone": name, "modality": modality, "source": "import", "dim": str(vectors.shape[1])}
        store = FeatureStore(store_folder(workspace.features, name), made_by)
        yield store, _by_video(rows.ids, rows.groups, vectors)


def _new_rows(store: FeatureStore, wanted: dict[str, VideoFeatures]) -> tuple[FeatureStore, list[VideoFeatures]]:
    """Return the features that a store lacks; raise an error if it has conflicting ones."""
    if not store.done():
        return store, list(wanted.values())
    rows = store.read()
    ids, groups = np.array(rows.segment_ids, dtype=np.str_), np.array(rows.video_ids, dtype=np.str_)
    stored = _by_video(ids, groups, rows.vectors)
    owners = dict(zip(rows.segment_ids, rows.video_ids, strict=True))
    for video, rows in wanted.items():
        known = stored.get(video)
        if known is not None and (
            known.segment_ids != rows.segment_ids or not np.array_equal(known.vectors, rows.vectors)
        ):
            what = f"video '{video}' is stored with other rows or vectors"
        elif taken := next((name for name in rows.segment_ids if owners.get(name, video) != video), None):
            what = f"row '{taken}' is stored as one of video '{owners[taken]}', not of '{video}'"
        else:
            continue
        raise FeatureStoreError(
            f"{store.folder}: {what}. Import into another workspace, or delete {store.folder} to import again."
        )
    return store, [rows for video, rows in wanted.items() if video not in stored]


def _by_video(ids: np.ndarray, groups: np.ndarray, vectors: np.ndarray) -> dict[str, VideoFeatures]:
    """Group rows by video, in order of their ids."""
    order = np.lexsort((ids, groups))
    edges = np.flatnonzero(groups[order][1:] != groups[order][:-1]) + 1
    found = (
        VideoFeatures(str(groups[part[0]]), [str(ids[row]) for row in part], vectors[part])
        for part in np.split(order, edges)
    )
    return {rows.video_id: rows for rows in found}


def _label_names(path: Path) -> dict[int, str]:
    try:
        rows = read_spreadsheet(path, ("index", "name"), {"index": Words(), "name": Words()}).rows
    except CatalogueError as error:
        raise FeatureStoreError(str(error)) from error
    names: dict[int, str] = {}
    for row in rows:
        index, name = str(row.values.get("index")), row.values.get("name")
        if not index.isdecimal() or len(index) > _MAX_DIGITS:
            raise FeatureStoreError(f"{row.where}: needs the columns index (a number) and name, but is {row.text}.")
        if name is not None:
            names[int(index)] = str(name)
    return names


def _named(labels: Any, names: dict[int, str]) -> list[str]:
    return [names.get(int(index)) or str(index) for index in labels]
