"""Columns of features as callers give them, validated: each function raises `FeatureStoreError` with name and row."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.splits import SPLITS
from antiphon.embeddings import MAX_VALUE, float_array
from antiphon.errors import FeatureStoreError
from antiphon.features.names import known_name, label_lists, unknown_group
from antiphon.identifiers import fault_of_text, first_fault

FloatArray = npt.NDArray[np.float32]
NameArray = npt.NDArray[np.str_]


def matrix(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return the features of one side as a matrix, or refuse what is none."""
    try:
        side = float_array(values)
    except ValueError as error:
        raise FeatureStoreError(f"{name}: must be a matrix of numbers ({error}).") from error
    if side.ndim != 2 or not side.shape[1]:
        raise FeatureStoreError(f"{name}: must have shape (n, dim), not {side.shape}.")
    return side


def side_of(side: FloatArray | None, count: int, name: str) -> FloatArray:
    """Return one side for all rows, with no columns where it is missing; refuse values that no network computes."""
    if side is None:
        return np.empty((count, 0), dtype=np.float32)
    if len(side) != count:
        raise FeatureStoreError(
            f"{name}: has {len(side)} rows, expected {count}; row i of both modalities is one pair."
        )
    broken = np.flatnonzero(~np.isfinite(side).all(axis=1) & ~np.isnan(side).all(axis=1))
    if len(broken):
        raise FeatureStoreError(
            f"{name}: {len(broken)} rows have values that are not finite (row {broken[0]} is the first). "
            "Leave these rows out, or fill them with NaN to mark them as missing."
        )
    extreme = np.flatnonzero(np.maximum(side.max(axis=1), -side.min(axis=1)) > MAX_VALUE)
    if len(extreme):
        raise FeatureStoreError(
            f"{name}: {len(extreme)} rows have values beyond {MAX_VALUE:g}, as no network computes them (row "
            f"{extreme[0]} is the first). Leave these rows out, or compute them again."
        )
    return side


def row_names(values: Sequence[Any] | npt.NDArray[Any], count: int, name: str) -> NameArray:
    """Return values that must be ids."""
    given = _entries(values, count, name)
    fault = first_fault(given)
    if fault is not None:
        raise FeatureStoreError(f"{name}: row {fault[0]} {fault[1]}. Name every row and its video by plain text.")
    return np.asarray([str(value) for value in given], dtype=np.str_)


def group_names(values: Sequence[Any] | npt.NDArray[Any], count: int) -> NameArray:
    """Return the video of each row, which must be known."""
    groups = row_names(values, count, "groups")
    row = unknown_group(values)
    if row is not None:
        raise FeatureStoreError(
            f"groups: row {row} is '{groups[row]}', which names no video. Name the video of every row."
        )
    return groups


def known_names(values: Sequence[Any] | npt.NDArray[Any] | None, count: int, name: str) -> NameArray:
    """Return names, "" where a value means that it is unknown."""
    if values is None:
        return np.full(count, "")
    texts: list[str] = []
    for row, value in enumerate(_entries(values, count, name)):
        try:
            texts.append(known_name(value))
            fault = fault_of_text(texts[-1])
        except ValueError as error:
            fault = str(error)
        if fault:
            raise FeatureStoreError(f"{name}: row {row} {fault}. Shorten or correct it, or leave it empty.")
    return np.asarray(texts, dtype=np.str_)


def _entries(values: Sequence[Any] | npt.NDArray[Any], count: int, name: str) -> list[Any]:
    try:
        given = list(values)
    except TypeError as error:
        raise FeatureStoreError(f"{name}: must be a list with one entry for each of {count} rows.") from error
    if len(given) != count:
        raise FeatureStoreError(f"{name}: has {len(given)} entries, expected one for each of {count} rows.")
    return given


def seconds(values: Sequence[Any] | npt.NDArray[Any] | None, count: int) -> npt.NDArray[np.float64]:
    """Return times, NaN where unknown."""
    if values is None:
        return np.full(count, np.nan)
    try:
        seconds = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FeatureStoreError(f"starts_s: must be numbers of seconds ({error}).") from error
    if seconds.shape != (count,):
        raise FeatureStoreError(f"starts_s: must have shape ({count},), not {seconds.shape}.")
    if np.isinf(seconds).any():
        row = np.flatnonzero(np.isinf(seconds))[0]
        raise FeatureStoreError(f"starts_s: row {row} is infinite. Use None or NaN where the start is unknown.")
    return seconds


def split_names(values: Sequence[str] | npt.NDArray[Any], count: int) -> NameArray:
    """Return splits, "" where there is none."""
    splits = [name.casefold() for name in known_names(values, count, "splits").tolist()]
    row = next((row for row, name in enumerate(splits) if name not in {*SPLITS, ""}), None)
    if row is not None:
        raise FeatureStoreError(f"splits: must be one of {', '.join(SPLITS)}, not '{splits[row]}' (row {row}).")
    return np.asarray(splits, dtype=np.str_)


def text_lists(values: Sequence[Any] | npt.NDArray[Any] | None, count: int, name: str) -> tuple[tuple[str, ...], ...]:
    """Return the labels or flags of each row."""
    if values is None:
        return ((),) * count
    if len(values) != count:
        raise FeatureStoreError(f"{name}: has {len(values)} entries, expected one for each of {count} rows.")
    try:
        return label_lists(values)
    except ValueError as error:
        raise FeatureStoreError(f"{name}: {error}. Give each row a label or a list of labels.") from error
