"""TOML and JSON that may be damaged, absurd or of another program: read within bounds, or refused with a ValueError.

The standard library's readers answer 3,000 nested brackets with a RecursionError, take minutes for a key of thousands
of dotted names, and wait for ever on a pipe.
"""

import json
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

_MAX_BYTES = 1 << 28
_MAX_TOML_BYTES = 1 << 20
_MAX_DEPTH = 64
_MAX_REASON = 200
# More names in one key than there may be levels. Quoted names count too; no possessive group ever backtracks.
_DOTTED = re.compile(r"""(?<![\w-])(?:(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){65}""")
_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def read_document(path: Path, max_bytes: int = _MAX_BYTES) -> str:
    """Read a text file in UTF-8.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int, default 1 << 28
        Largest size that is read.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    OSError
        It is missing, cannot be read, or is a folder, a pipe or a device.
    ValueError
        It is too large, or not text in UTF-8.
    """
    refuse_no_file(path)
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"has {size:,} bytes, more than {max_bytes:,}")
    return path.read_text(encoding="utf-8")


def refuse_no_file(path: Path) -> None:
    """Refuse what is no file: a pipe would be waited for, and a folder read as something else.

    Parameters
    ----------
    path : Path
        What is to be read.

    Raises
    ------
    OSError
        It is missing, or is a folder, a pipe or a device.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OSError(0, "is a folder, not a file" if stat.S_ISDIR(mode) else "is not a file")


def parsed_toml(text: str) -> dict[str, Any]:
    """Read TOML.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    dict of str to object
        Tables and values.

    Raises
    ------
    ValueError
        It is not TOML, has more than 1 MiB or 64 levels, or a number of thousands of digits.

    Examples
    --------
    >>> parsed_toml("[a]\\nb = 1")
    {'a': {'b': 1}}
    >>> parsed_toml("a = " + 3000 * "[")
    Traceback (most recent call last):
    ...
    ValueError: is nested too deeply
    """
    if len(text) > _MAX_TOML_BYTES:
        raise ValueError(f"has {len(text):,} characters, more than {_MAX_TOML_BYTES:,}")
    if _DOTTED.search(text):
        raise ValueError("is nested too deeply")
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    _refuse_depth(found)
    return found


def parsed_json(text: str) -> Any:
    """Read JSON.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    object
        Its value.

    Raises
    ------
    ValueError
        It is not JSON, has more than 64 levels, a number of thousands of digits, or text that is not Unicode.

    Examples
    --------
    >>> parsed_json('{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    _refuse_depth(found)
    if _SURROGATE.search(text):  # Half of a pair is refused here.
        json.dumps(found, ensure_ascii=False).encode()
    return found


def parsed_object(text: str) -> dict[str, Any]:
    """Read a JSON object; see `parsed_json`.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    dict of str to object
        Its values by key.

    Raises
    ------
    ValueError
        It is something else.
    """
    found = parsed_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"is a {type(found).__name__}, not an object")
    return found


def reason(error: Exception) -> str:
    """Say in a few words why a document could not be read.

    Parameters
    ----------
    error : Exception
        What a function of this module, or a library, raised.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> reason(IsADirectoryError(21, "Is a directory", "run.toml"))
    'Is a directory'
    """
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = " ".join(said.split()) or type(error).__name__
    return line if len(line) <= _MAX_REASON else f"{line[:_MAX_REASON]}…"


def _refuse_depth(found: Any) -> None:
    """Refuse more than 64 levels, which whatever prints or validates the value could not follow either."""
    level = [found]
    for _ in range(_MAX_DEPTH):
        level = [
            below
            for value in level
            if isinstance(value, dict | list)
            for below in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise ValueError("is nested too deeply")
