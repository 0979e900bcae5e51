"""Validation of metadata, with file, row and column in every message."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.catalogue.splits import SPLITS
from antiphon.errors import CatalogueError
from antiphon.identifiers import fault_of_id, fault_of_text

CatalogueRow = dict[str, Any]

_MAX_SHOWN = 100
_MAX_S = 1e9


def clean_record(record: Mapping[str, Any], where: str) -> CatalogueRow:
    """Convert every known column of a row to its type; further columns are kept as they are.

    Parameters
    ----------
    record : mapping of str to object
        Values by column, as read from CSV (text) or Parquet (typed).
    where : str
        File and row, for messages.

    Returns
    -------
    dict of str to object
        The converted row.

    Raises
    ------
    CatalogueError
        A value does not fit its column.
    """
    cleaned = {column: _blank_to_none(value) for column, value in record.items()}
    for column, clean in _CLEANERS.items():
        if cleaned.get(column) is None:
            cleaned[column] = None
            continue
        try:
            cleaned[column] = clean(cleaned[column])
        except ValueError as error:
            raise CatalogueError(f"{where}, column '{column}': {error}") from error
    return cleaned


def shown(value: Any) -> str:
    """Return a value for a message, cut where it is long.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        At most about a hundred characters.
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # An integer of thousands of digits.
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _blank_to_none(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {shown(value)}.")
    if fault := fault_of_text(value):
        raise ValueError(f"{shown(value)} {fault}. Correct it.")
    return value


def _identifier(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    if fault := fault_of_id(text):
        raise ValueError(f"{shown(text)} {fault}. Correct it.")
    return text


def _genre(value: Any) -> str:
    text = value if isinstance(value, str) else None
    if text is None or _is_number(text):
        raise ValueError(f"{shown(value)} is a number. Give the name of the genre, or leave it empty.")
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        value = _tags_from_text(value)
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise ValueError(f"{shown(value)} is not a list of names. Separate them by semicolons.")
    for tag in value:
        _text(tag)
    return list(dict.fromkeys(tag.strip() for tag in value if tag.strip()))


def _tags_from_text(text: str) -> Any:
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{shown(text)} is not a valid JSON list ({error}).") from error
    separator = next((mark for mark in (";", "|") if mark in text), ",")
    return text.split(separator)


def _year(value: Any) -> int:
    try:
        year = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{shown(value)} is not a year. Give four digits, or leave it empty.") from None
    if not year.is_integer() or not 1000 <= year <= 9999:
        raise ValueError(f"{shown(value)} is not a year. Give four digits, or leave it empty.")
    return int(year)


def _split(value: Any) -> str:
    if value not in SPLITS:
        raise ValueError(f"must be one of {', '.join(SPLITS)}, not {shown(value)}.")
    return value


def _duration(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{shown(value)} is not a duration in seconds.") from None
    if not 0 <= seconds <= _MAX_S:
        raise ValueError(f"{shown(value)} is not a duration in seconds.")
    return seconds


def _flag(value: Any) -> bool:
    known = {"true": True, "false": False, "1": True, "0": False}
    answer = known.get(str(value).lower())
    if answer is None:
        raise ValueError(f"must be true or false, not {shown(value)}.")
    return answer


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "id": _identifier,
    "path": _text,
    "artist": _text,
    "title": _text,
    "genre": _genre,
    "tags": _tags,
    "year": _year,
    "split": _split,
    "start_s": _duration,
    "duration_s": _duration,
    "has_audio": _flag,
    "has_video": _flag,
}
