"""Validation of metadata, with file, row and column in every message."""

import datetime
import html
import json
import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any

from antiphon.catalogue.dates import year_of
from antiphon.catalogue.splits import SPLITS
from antiphon.catalogue.unknown import is_missing, is_no_title, is_unknown, names_nothing
from antiphon.errors import CatalogueError
from antiphon.identifiers import fault_of_id, fault_of_text
from antiphon.spelling import visible

CatalogueRow = dict[str, Any]

_NUMBER = re.compile(r"[-+]?\d[\d.,]*")
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]\d(?:[.,]\d+)?)")
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,9}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
_CONVERSIONS = ("as_py", "to_list", "tolist")
_MAX_SHOWN = 100
_MAX_S = 1e9
_YES, _NO = frozenset({"true", "yes", "y", "t", "1", "1.0"}), frozenset({"false", "no", "n", "f", "0", "0.0"})


def clean_record(record: Mapping[str, Any], where: str, text: str = "") -> CatalogueRow:
    """Convert every known column of a row to its type; further columns are kept as they are.

    Parameters
    ----------
    record : mapping of str to object
        Values by column, as read from CSV (text) or Parquet (typed).
    where : str
        File and row, for messages.
    text : str
        The row as it stands in the file, for messages.

    Returns
    -------
    dict of str to object
        The converted row.

    Raises
    ------
    CatalogueError
        A value does not fit its column.
    """
    cleaned = {column: _visible_or_none(native(value)) for column, value in record.items()}
    further = {column: _MEASURED.get(column, _further) for column in record if column not in _CLEANERS}
    for column, clean in (_CLEANERS | further).items():
        if cleaned.get(column) is None:
            cleaned[column] = None
            continue
        try:
            cleaned[column] = clean(cleaned[column])
        except ValueError as error:
            row = f" The row: {text}" if text else ""
            raise CatalogueError(f"{where}, column '{column}': {error}{row}") from error
    return cleaned


def typed(records: Sequence[Mapping[str, Any]]) -> list[CatalogueRow]:
    """Convert the values of known columns that are not of their column's type, and leave the others as they are.

    Parameters
    ----------
    records : sequence of mapping of str to object
        Rows, as a program may give them: with numbers of numpy, lists in text, paths.

    Returns
    -------
    list of dict of str to object
        The rows.

    Raises
    ------
    CatalogueError
        A value does not fit its column.

    Examples
    --------
    >>> typed([{"id": 7, "tags": "live; solo", "split": "Train"}])
    [{'id': '7', 'tags': ['live', 'solo'], 'split': 'train'}]
    """
    rows = [dict(record) for record in records]
    for column, kinds in _STORED.items():
        values = [row.get(column) for row in rows]
        if _fit(values, column, kinds):
            continue
        for number, (row, value) in enumerate(zip(rows, values, strict=True), start=1):
            if is_missing(value):
                row[column] = None
            elif not _fit([value], column, kinds):
                row[column] = clean_record({column: value}, f"row {number}")[column]
    return rows


def _fit(values: Sequence[Any], column: str, kinds: frozenset[type]) -> bool:
    """Return whether values are of a column's types, which is told of many at once."""
    if not set(map(type, values)) <= kinds:
        return False
    if column == "split":
        return set(values) <= {*SPLITS, None}
    return column != "tags" or set(map(type, chain.from_iterable(filter(None, values)))) <= {str}


def without_unknown(row: CatalogueRow) -> CatalogueRow:
    """Replace by None what says that a value is missing, and artists, genres and tags that say they are unknown.

    Parameters
    ----------
    row : CatalogueRow
        Row of a catalogue, with values of any origin.

    Returns
    -------
    CatalogueRow
        The row with what is known.

    Examples
    --------
    >>> without_unknown({"id": "x", "artist": "N/A", "title": "Unknown", "tags": ["live", "nan"], "year": float("nan")})
    {'id': 'x', 'artist': None, 'title': 'Unknown', 'tags': ['live'], 'year': None}
    """
    known = {column: None if is_missing(value) else value for column, value in row.items()}
    for column in ("artist", "genre"):
        if column in known and is_unknown(known[column]):
            known[column] = None
    tags = known.get("tags")
    if isinstance(tags, list):
        known["tags"] = [tag for tag in tags if not is_unknown(tag)]
    return known


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


def native(value: Any) -> Any:
    """Return what an element of an array of numpy, pandas, polars or Arrow, or a part of one, is in Python."""
    if isinstance(value, str):
        return value
    convert = next((found for name in _CONVERSIONS if (found := getattr(value, name, None)) is not None), None)
    return value if convert is None else convert()


def _visible_or_none(value: Any) -> Any:
    if is_missing(value):
        return None
    return visible(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # Programmes make numbers with gaps floating ones.
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:
            raise ValueError(f"must be text, not {shown(value)}.") from None
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {shown(value)}.")
    if fault := fault_of_text(value):
        raise ValueError(f"{shown(value)} {fault}. Correct it.")
    return value


def _line(value: Any) -> str | None:
    """Return text in one line, its letters composed, with those that entities of HTML stand for."""
    text = "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in unescaped(_text(value)))
    return " ".join(unicodedata.normalize("NFC", text).split()) or None


def unescaped(text: str) -> str:
    """Return text with the letters that entities of HTML stand for, as texts of web pages have them.

    Examples
    --------
    >>> unescaped("Simon &amp; Garfunkel"), unescaped("Guns N&#39; Roses"), unescaped("AT&T; R&B;")
    ('Simon & Garfunkel', "Guns N' Roses", 'AT&T; R&B;')
    """
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def _identifier(value: Any) -> str | None:
    text = _text(os.fspath(value) if isinstance(value, os.PathLike) else value)
    if names_nothing(text):
        return None
    if fault := fault_of_id(text):
        raise ValueError(f"{shown(text)} {fault}. Correct it.")
    return text


def _artist(value: Any) -> str | None:
    value = unescaped(value) if isinstance(value, str) else value
    if is_unknown(value):
        return None
    listed = _listed(value) if isinstance(value, str) and value.startswith(("['", '["')) else value
    names = listed if isinstance(listed, list) else [value]
    known = [name for each in names if not is_unknown(each) and (name := _line(each))]
    return "; ".join(dict.fromkeys(known)) or None


def _title(value: Any) -> str | None:
    return None if is_no_title(value) else _line(value)


def _genre(value: Any) -> str | None:
    if isinstance(value, list) and len(value) < 2:
        value = value[0] if value else None
    if is_unknown(value):
        return None
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        what = "a number" if isinstance(value, str | int | float) and not isinstance(value, bool) else "no name"
        raise ValueError(f"{shown(value)} is {what}. Give the name of the genre, or leave it empty.")
    return _line(value)


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        value = [] if is_unknown(value) else _tags_from_text(unescaped(value))
    if isinstance(value, tuple | set | frozenset):
        value = sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    if isinstance(value, list):
        value = [tag for tag in value if not is_missing(tag)]
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise ValueError(f"{shown(value)} is not a list of names. Separate them by semicolons.")
    return list(dict.fromkeys(tag for each in value if not is_unknown(each) and (tag := _line(visible(each)))))


def _tags_from_text(text: str) -> Any:
    if text.startswith("["):
        found = _listed(text)
        if found is None:
            raise ValueError(f"{shown(text)} is not a valid JSON list. Separate the names by semicolons.")
        return found
    separator = next((mark for mark in (";", "|", "\n") if mark in text), ",")
    return text.split(separator)


def _listed(text: str) -> list[Any] | None:
    """Read a list in brackets: JSON, as Python prints it, or of bare words; None for other text."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = None
    except (ValueError, RecursionError):  # A number of thousands of digits; thousands of brackets.
        return None
    if isinstance(found, list):
        return found
    inner = text.strip()[1:-1]
    if not text.rstrip().endswith("]") or "[" in inner or "]" in inner:
        return None
    if not _QUOTED.sub("", inner).strip(", \n"):
        return [first or second for first, second in _QUOTED.findall(inner)]
    return None if "'" in inner or '"' in inner else inner.split(",")


def _split(value: Any) -> str | None:
    if isinstance(value, str) and is_unknown(value):
        return None
    name = value.casefold() if isinstance(value, str) else ""
    if name not in SPLITS:
        hint = " Did you mean validation?" if name in {"val", "valid", "validate"} else ""
        raise ValueError(f"must be one of {', '.join(SPLITS)}, not {shown(value)}.{hint}")
    return name


def _duration(value: Any) -> float | None:
    if isinstance(value, str):
        if is_unknown(value):
            return None
        clock = _CLOCK.fullmatch(value)
        if clock is not None:
            hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in clock.groups())
            return hours * 3600 + minutes * 60 + seconds
    if isinstance(value, datetime.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    seconds = _number(value)
    if seconds is None or not 0 <= seconds <= _MAX_S:
        raise ValueError(f"{shown(value)} is not a duration in seconds.")
    return seconds


def _number(value: Any) -> float | None:
    """Return a number that is written with a point or a comma before its decimals; None for other values."""
    if isinstance(value, str):
        if re.fullmatch(r"[-+]?\d{1,3},\d{3}", value):
            raise ValueError(
                f"{shown(value)} may be a thousand or a decimal; write it with a point, or without a comma."
            )
        if re.fullmatch(r"[-+]?\d+,\d+", value):
            value = value.replace(",", ".")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _position(value: Any) -> float | None:
    number = None if is_unknown(value) else _number(value)
    if not is_unknown(value) and (number is None or not abs(number) <= _MAX_S):
        raise ValueError(f"{shown(value)} is not a time in seconds.")
    return number


def _whole(value: Any) -> int | None:
    try:
        return None if is_unknown(value) else int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{shown(value)} is not a whole number.") from None


def _flag(value: Any) -> bool | None:
    text = str(value).casefold()
    if text not in _YES | _NO:
        if is_unknown(value):
            return None
        raise ValueError(f"must be true or false, not {shown(value)}.")
    return text in _YES


def _further(value: Any) -> Any:
    """Keep a value as it is; text must be storable."""
    return _text(value) if isinstance(value, str) else value


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "id": _identifier,
    "path": _identifier,
    "artist": _artist,
    "title": _title,
    "genre": _genre,
    "tags": _tags,
    "year": year_of,
    "split": _split,
    "start_s": _duration,
    "duration_s": _duration,
    "has_audio": _flag,
    "has_video": _flag,
}
_STORED: dict[str, frozenset[type]] = {
    **dict.fromkeys(("id", "path", "artist", "title", "genre", "split"), frozenset({str, NoneType})),
    "tags": frozenset({list, NoneType}),
    "year": frozenset({int, NoneType}),
}
"""Types that values of a catalogue have."""
_MEASURED: dict[str, Callable[[Any], Any]] = {
    "filename": _identifier,
    "audio_start_s": _position,
    "audio_end_s": _position,
    "video_start_s": _position,
    "video_end_s": _position,
    "size_bytes": _whole,
    "modified_ns": _whole,
}
