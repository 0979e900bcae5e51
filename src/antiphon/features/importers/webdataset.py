"""Shards of webdataset and video2dataset: tar files in which members of one name and different endings are one item.

Source: github.com/webdataset/webdataset. `KEY.clap.npy` and `KEY.json` belong to the item KEY. Members are read in
memory, in order; nothing is extracted to the disk, and nothing is unpickled: .pth, .pt, .pkl and .pyd are left alone.
"""

import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from antiphon.documents import parsed_object, refuse_no_file
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features
from antiphon.features.importers.npy import read_npy
from antiphon.features.importers.tracks import Item, features_of

_MAX_BYTES = 1 << 26
"""Size of the largest member that is read: 16 million numbers."""
_MAX_JSON = 1 << 20
_END_BYTES = 1024
_PICKLED = (".pth", ".pt", ".pkl", ".pickle", ".pyd")


def is_tar(path: Path) -> bool:
    """Whether a file is named as shards are: .tar."""
    return path.suffix.lower() == ".tar"


def from_shards(paths: Iterable[str | Path], audio: str | None, video: str | None) -> Features:
    """Read features from shards.

    Parameters
    ----------
    paths : iterable of str or Path
        Shards.
    audio, video : str or None
        Endings of the members with the vectors, such as "clap.npy" or "npy"; (dim,) for an item, or (segments, dim).
        One of them may be None. They become `audio_name` and `video_name`.

    Returns
    -------
    Features
        One group per item, its artist, genre and tags from `KEY.json`.

    Raises
    ------
    FeatureStoreError
        A shard cannot be read or is damaged, a member is too large or no .npy, two items have one name, or no item has
        vectors.
    """
    endings: dict[Modality, str] = {}
    for side, given in zip(MODALITIES, (audio, video), strict=True):
        if given is not None:
            ending = given.lstrip(".").lower()
            if ending.endswith(_PICKLED) or not ending.endswith("npy"):
                raise FeatureStoreError(
                    f"{given}: vectors are read from .npy members alone. Write them as NumPy files."
                )
            endings[side] = ending
    if not endings:
        raise FeatureStoreError(
            "Shards need --audio ENDING or --video ENDING: of the members with vectors, as clap.npy."
        )
    items: dict[str, Item] = {}
    for path in paths:
        for item in _items(Path(path), endings):
            if item.name in items:
                raise FeatureStoreError(f"{item.where}: another item has this name ({items[item.name].where}).")
            items[item.name] = item
    return features_of(
        items.values(), {side: endings.get(side, "").removesuffix(".npy") or side for side in MODALITIES}
    )


def _items(path: Path, endings: dict[Modality, str]) -> Iterator[Item]:
    try:
        refuse_no_file(path)
        with tarfile.open(path, "r:") as tar:
            _refuse_half(path)
            found: dict[str, Item] = {}
            for member in tar:
                if member.issparse():
                    raise FeatureStoreError(f"{path}: {member.name[:80]} has holes, which no shard needs.")
                if member.isreg():
                    _take(tar, member, path, endings, found)
    except (OSError, EOFError, ValueError, ArithmeticError, RecursionError, zlib.error, tarfile.TarError) as error:
        if isinstance(error, FeatureStoreError):
            raise
        raise FeatureStoreError(f"{path}: cannot be read as a tar file ({str(error)[:200]}).") from error
    yield from found.values()


def _refuse_half(path: Path) -> None:
    """Refuse a file without the empty blocks at its end: tarfile takes a half for a whole."""
    with path.open("rb") as file:
        file.seek(-min(_END_BYTES, path.stat().st_size), os.SEEK_END)
        if any(file.read()):
            raise FeatureStoreError(f"{path}: is cut short, or was not closed when it was written. Write it again.")


def _take(
    tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, endings: dict[Modality, str], found: dict[str, Item]
) -> None:
    folder, _, file = member.name.rpartition("/")
    stem, _, ending = file.partition(".")
    name, where = (f"{folder}/{stem}" if folder else stem), f"{path}: {member.name}"
    wanted: list[Modality] = [side for side, known in endings.items() if known == ending.lower()]
    if not wanted and ending.lower() != "json":
        return
    limit = _MAX_BYTES if wanted else _MAX_JSON
    if member.size > limit:
        raise FeatureStoreError(f"{where}: has {member.size:,} bytes, more than {limit:,}.")
    content = _content(tar.extractfile(member), member.size, where)
    item = found.setdefault(name, Item(name, f"{path}: {name}"))
    for side in wanted:
        item.sides[side] = read_npy(content, where)
    if not wanted:
        try:
            item.about = parsed_object(content.decode())
        except ValueError as error:
            raise FeatureStoreError(f"{where}: is no JSON object ({error}).") from error


def _content(file: IO[bytes] | None, size: int, where: str) -> bytes:
    content = b"" if file is None else file.read()
    if len(content) != size:
        raise FeatureStoreError(f"{where}: is cut short.")
    return content
