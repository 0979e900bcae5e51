"""Artists, genres and labels as arrays hold them, with what is not known left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue.unknown import is_unknown


def known_name(value: Any) -> str:
    """Return an artist or a genre as text.

    Parameters
    ----------
    value : object
        A name, a number of one, or a list of artists; None, NaN or a word such as "N/A" where it is not known.

    Returns
    -------
    str
        The name, several separated by semicolons; "" where it is not known.

    Examples
    --------
    >>> known_name("Ann"), known_name(7.0), known_name(["Ann", "Bea", None]), known_name(float("nan"))
    ('Ann', '7', 'Ann; Bea', '')
    """
    if isinstance(value, str):
        return "" if is_unknown(value) else value
    if isinstance(value, Sequence | np.ndarray) and np.ndim(value) == 1:
        return "; ".join(dict.fromkeys(filter(None, map(known_name, value))))
    if is_unknown(value):
        return ""
    # Programmes make numbers with gaps floating ones.
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)


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

    Examples
    --------
    >>> label_lists([["live", "N/A"], "solo", float("nan"), None])
    (('live',), ('solo',), (), ())
    """
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind in "biuf":
        marked = values.astype(bool) & (values == values)  # noqa: PLR0124
        return tuple(tuple(str(column) for column in np.flatnonzero(row)) for row in marked)
    return tuple(_labels(value) for value in values)


def _labels(value: Any) -> tuple[str, ...]:
    several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and np.ndim(value) == 1
    return tuple(name for each in (value if several else [value]) if (name := known_name(each)))


def unknown_group(values: Sequence[Any] | npt.NDArray[Any]) -> int | None:
    """Return the first row whose video is not known, though it has a name for that: NaN as text would be one video.

    Examples
    --------
    >>> unknown_group(["a", "nan"]), unknown_group(["a", "b"])
    (1, None)
    """
    words = {"nan", "none", "null", "<na>", "nat", "#n/a"}
    return next((row for row, value in enumerate(values) if str(value).strip().casefold() in words), None)
