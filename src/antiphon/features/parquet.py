"""Columns of Parquet tables written by others: vectors and metadata."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from antiphon.errors import FeatureStoreError
from antiphon.tables import polars_frame, read_schema

FloatArray = npt.NDArray[np.float32]


def read_columns(paths: Sequence[str | Path], columns: Sequence[str]) -> pl.DataFrame:
    """Read columns of several tables into one.

    Parameters
    ----------
    paths : sequence of str or Path
        Tables with the same columns.
    columns : sequence of str
        Names of the columns to read.

    Returns
    -------
    polars.DataFrame
        Rows of all tables in order.

    Raises
    ------
    FeatureStoreError
        There is no table, or one cannot be read, lacks a column, or has it in another type than the others.
    """
    if not paths:
        raise FeatureStoreError("paths: is empty. Name at least one table.")
    frames = [_read(Path(path), list(dict.fromkeys(columns))) for path in paths]
    try:
        return pl.concat(frames, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise FeatureStoreError(f"{', '.join(map(str, paths))}: the tables have different columns: {error}") from error


def vector_column(frame: pl.DataFrame, name: str) -> FloatArray:
    """Convert a column of lists to a matrix.

    Parameters
    ----------
    frame : polars.DataFrame
        Table.
    name : str
        Column of lists of one length.

    Returns
    -------
    ndarray of float32, shape (n, dim)
        Vectors; NaN in the rows of nulls.

    Raises
    ------
    FeatureStoreError
        The column has no vectors of numbers, or vectors of different lengths.
    """
    column = frame[name]
    try:
        lists = column.cast(pl.List(pl.Float32))
    except pl.exceptions.PolarsError as error:
        raise FeatureStoreError(f"column '{name}': must be vectors of numbers, not {column.dtype}.") from error
    lengths = lists.list.len().drop_nulls().unique().to_list()
    if not len(frame):
        raise FeatureStoreError(f"column '{name}': the table has no rows. Write a row for each music video.")
    if len(lengths) != 1 or not lengths[0]:
        raise FeatureStoreError(f"column '{name}': all vectors must have one length above 0{_odd_row(lists)}.")
    result = np.full((len(frame), lengths[0]), np.nan, dtype=np.float32)
    present = lists.is_not_null().to_numpy()
    result[present] = lists.drop_nulls().explode().to_numpy().reshape(-1, lengths[0])
    return result


def _odd_row(lists: pl.Series) -> str:
    """Name the first row whose length is not that of most, to be mended."""
    sizes = lists.list.len()
    counts = sizes.drop_nulls().value_counts(sort=True)
    if counts.is_empty():
        return ", and all rows are empty"
    usual = counts[sizes.name][0]
    odd = (sizes != usual).fill_null(value=False).arg_true() if usual else sizes.is_not_null().arg_true()
    return f"; row {odd[0]} has {sizes[odd[0]]} values" + (f", most have {usual}" if usual else "")


def name_column(frame: pl.DataFrame, name: str) -> list[Any]:
    """Read a column that must have a value in every row.

    Parameters
    ----------
    frame : polars.DataFrame
        Table.
    name : str
        Column to read.

    Returns
    -------
    list of object
        Its values.

    Raises
    ------
    FeatureStoreError
        A row has no value.
    """
    column = frame[name]
    if column.null_count():
        first = column.is_null().arg_true()[0]
        raise FeatureStoreError(f"column '{name}': {column.null_count()} rows are empty (row {first} is the first).")
    return column.to_list()


def _read(path: Path, columns: list[str]) -> pl.DataFrame:
    if not path.is_file():
        raise FeatureStoreError(f"{path}: no such file.")
    try:
        there = read_schema(path).names
        missing = [name for name in columns if name not in there]
        if missing:
            raise FeatureStoreError(f"{path}: has no column {', '.join(missing)}; its columns are {', '.join(there)}.")
        return polars_frame(path, columns)
    except FeatureStoreError as error:
        if error.__cause__ is None:
            raise
        raise FeatureStoreError(f"{path}: cannot be read as Parquet: {error.__cause__}") from error
