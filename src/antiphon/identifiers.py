"""What can name a music video or a row: text that tables, folders, addresses and pages can hold."""

import re
import unicodedata
from collections.abc import Iterable

MAX_CHARACTERS = 4096
"""Length of the longest path on Linux, and of the longest id."""

_CONTROL = re.compile("[\0-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def fault_of_id(value: object) -> str | None:
    """Say why a value cannot be an id.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str or None
        What is wrong with it; None for an id.

    Examples
    --------
    >>> fault_of_id("a/b.mp4"), fault_of_id(" "), fault_of_id("a\\0b")
    (None, 'is empty', 'has control characters')
    """
    if value is None or _differs_from_itself(value):
        return "is missing"
    if isinstance(value, bytes):
        return "is bytes, not text"
    try:
        return _fault_of_text(str(value))
    except ValueError as error:  # An integer of thousands of digits.
        return f"cannot be text ({error})"


def first_fault(values: Iterable[object]) -> tuple[int, str] | None:
    """Find the first value that cannot be an id.

    Parameters
    ----------
    values : iterable of object
        The values.

    Returns
    -------
    (int, str) or None
        Its position and what is wrong with it; None if all are ids.
    """
    return next(((row, fault) for row, value in enumerate(values) if (fault := fault_of_id(value))), None)


def fault_of_text(text: str) -> str | None:
    """Say why text, such as an artist's name, cannot be stored: NUL, half a surrogate pair, or its length.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str or None
        What is wrong with it; None for usable text.
    """
    if "\0" in text:
        return "has a NUL character"
    if _SURROGATE.search(text):
        return "is not valid Unicode"
    return f"has {len(text):,} characters, more than {MAX_CHARACTERS:,}" if len(text) > MAX_CHARACTERS else None


def _differs_from_itself(value: object) -> bool:
    """Whether a value is NaN, or a missing value of another library."""
    try:
        return bool(value != value)  # noqa: PLR0124
    except (TypeError, ValueError):
        return True


def _fault_of_text(text: str) -> str | None:
    if all(letter.isspace() or unicodedata.category(letter) == "Cf" for letter in text):
        return "is empty"
    return "has control characters" if _CONTROL.search(text) else fault_of_text(text)
