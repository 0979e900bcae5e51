"""Artists, genres and labels as arrays hold them, with what is not known left out."""

import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.unknown import is_unknown, names_nothing
from antiphon.catalogue.validation import native
from antiphon.spelling import visible

_MAX_SHOWN = 40


def known_name(value: Any) -> str:
    """Return an artist or a genre as text.

    Parameters
    ----------
    value : object
        A name, a number of one, or a list or set of artists, also as an element of an array of numpy, pandas, polars or
        Arrow; None, NaN or a word such as "N/A" where it is not known.

    Returns
    -------
    str
        The name, several separated by semicolons; "" where it is not known.

    Raises
    ------
    ValueError
        The value is no name.

    Examples
    --------
    >>> known_name("Ann"), known_name(7.0), known_name(["Ann", "Bea", None]), known_name(float("nan"))
    ('Ann', '7', 'Ann; Bea', '')
    """
    value = native(value)
    several = _several(value)
    if several is not None:
        return "; ".join(dict.fromkeys(filter(None, map(_one_name, several))))
    return _one_name(value)


def _one_name(value: Any) -> str:
    value = native(value)
    if isinstance(value, bytes):
        value = _text_of(value)
    if is_unknown(value):
        return ""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal):
        raise ValueError(f"is {str(value)[:_MAX_SHOWN]!r}, of type {type(value).__name__}, which is no name")
    # Programmes make numbers with gaps floating ones.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _several(value: Any) -> list[Any] | None:
    """Return the members of a list or set; None for a single value."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else None


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"is {value[:_MAX_SHOWN]!r}, bytes that are not text in UTF-8") from None


def label_lists(values: Sequence[Any] | npt.NDArray[Any]) -> tuple[tuple[str, ...], ...]:
    """Return the labels of each row; NaN and words such as "unknown" are no labels.

    Parameters
    ----------
    values : sequence of object or ndarray
        For each row a label or a list of labels; or a matrix of 0 and 1, shape (n, labels).

    Returns
    -------
    tuple of tuple of str
        Labels of each row; in a matrix they are the numbers of the columns.

    Raises
    ------
    ValueError
        A value is no name, or one of a matrix neither 0 nor 1; the message begins with the number of the row.

    Examples
    --------
    >>> label_lists([["live", "N/A"], "solo", float("nan"), None])
    (('live',), ('solo',), (), ())
    """
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind in "biuf":
        marks = np.nan_to_num(np.ma.filled(values.astype(np.float64), 0.0), nan=0.0)
        odd = np.argwhere((marks != 0) & (marks != 1))
        if len(odd):
            row, column = odd[0]
            raise ValueError(f"row {row} has {marks[row, column]:g} in column {column}, neither 0 nor 1")
        return tuple(tuple(str(column) for column in np.flatnonzero(row)) for row in marks)
    found: list[tuple[str, ...]] = []
    for row, value in enumerate(values):
        try:
            found.append(_labels(native(value)))
        except ValueError as error:
            raise ValueError(f"row {row} {error}") from error
    return tuple(found)


def _labels(value: Any) -> tuple[str, ...]:
    several = _several(value)
    return tuple(filter(None, map(_one_name, [value] if several is None else several)))


def unknown_group(values: Sequence[Any] | npt.NDArray[Any]) -> int | None:
    """Return the first row whose video is not known, though it has a name for that: NaN as text would be one video.

    Examples
    --------
    >>> unknown_group(["a", "nan"]), unknown_group(["a", "b"])
    (1, None)
    """
    return next((row for row, value in enumerate(values) if names_nothing(str(value))), None)
