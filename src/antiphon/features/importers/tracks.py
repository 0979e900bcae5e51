"""Rows of features gathered from files: sides by item, and what is known of each item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import FeatureStoreError
from antiphon.features.features import Features

FloatArray = npt.NDArray[np.float32]

_GENRES, _ARTISTS, _LABELS = ("genre",), ("artist", "creator", "uploader"), ("tags", "labels", "keywords")
"""Words of metadata, the first that is there counts."""


@dataclass
class Item:
    """One item of a file.

    Attributes
    ----------
    name : str
        Its key.
    where : str
        What it is, for messages.
    sides : dict of {'audio', 'video'} to ndarray of float32
        A vector, or a matrix with a row per segment.
    about : dict
        Its metadata.
    """

    name: str
    where: str
    sides: dict[Modality, FloatArray] = field(default_factory=dict[Modality, FloatArray])
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])


def features_of(items: Iterable[Item], names: dict[Modality, str]) -> Features:
    """Join items to features, a row per segment.

    Parameters
    ----------
    items : iterable of Item
        Items with at least one side; an item without one side has rows of NaN there.
    names : dict of {'audio', 'video'} to str
        Names of what computed the vectors, "" for a side that no item has.

    Returns
    -------
    Features
        One group per item.

    Raises
    ------
    FeatureStoreError
        There is no item, or vectors differ in size, or the sides of an item in their rows.
    """
    known = [item for item in items if item.sides]
    if not known:
        raise FeatureStoreError("No item has vectors. Check the names given by --audio and --video.")
    dims = {side: _dim(known, side) for side in MODALITIES}
    rows: dict[Modality, list[FloatArray]] = {side: [] for side in MODALITIES}
    ids, groups, about = list[str](), list[str](), list[Mapping[str, Any]]()
    for item in known:
        counts = {len(np.atleast_2d(values)) for values in item.sides.values()}
        if len(counts) > 1:
            raise FeatureStoreError(
                f"{item.where}: its sound and its pictures have {min(counts)} and {max(counts)} rows."
            )
        (count,) = counts
        for side in MODALITIES:
            missing = np.full((count, dims[side]), np.nan, dtype=np.float32)
            rows[side].append(np.atleast_2d(item.sides[side]) if side in item.sides else missing)
        single = all(values.ndim == 1 for values in item.sides.values())
        ids += [item.name] if single else [f"{item.name}/{row}" for row in range(count)]
        groups += [item.name] * count
        about += [item.about] * count
    sides = {side: np.concatenate(parts) if dims[side] else None for side, parts in rows.items()}
    return Features.from_arrays(
        sides["audio"],
        sides["video"],
        ids=ids,
        groups=groups,
        genres=[_text(one, _GENRES) for one in about],
        artists=[_text(one, _ARTISTS) for one in about],
        labels=[_texts(one, _LABELS) for one in about],
        audio_name=names["audio"] if dims["audio"] else "",
        video_name=names["video"] if dims["video"] else "",
    )


def _dim(items: list[Item], side: Modality) -> int:
    found = 0
    for item in items:
        if side in item.sides:
            size = item.sides[side].shape[-1]
            if not size or (found and size != found):
                raise FeatureStoreError(
                    f"{item.where}: its {side} vectors have {size} values, expected {found or 'some'}, as others."
                )
            found = size
    return found


def _text(about: Mapping[str, Any], words: tuple[str, ...]) -> str | None:
    return next((value for word in words if isinstance(value := about.get(word), str)), None)


def _texts(about: Mapping[str, Any], words: tuple[str, ...]) -> list[str]:
    for word in words:
        value = about.get(word)
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, list):
            return [part for part in value if isinstance(part, str)]
    return []
