"""What stands where a name is not known: no artist, no genre and no label has such a name."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from antiphon.spelling import visible

# Letters and digits alone, so that "N/A", "n.a." and "<NA>" are one.
_WORDS = frozenset(
    {"unknown", "nan", "null", "none", "na", "unspecified", "notspecified", "notavailable", "notapplicable"}
    | {"va", "vvaa", "aavv", "various", "variousartist", "variousartists", "noartist", "unknownartist"}
    | {"unknownartists", "unknownperformer", "nogenre", "unknowngenre", "nolabel", "notag"}
    | {"unbekannt", "unbekannterinterpret", "unbekannterkünstler", "verschiedene", "verschiedeneinterpreten"}
    | {"verschiedenekünstler", "diverseinterpreten", "diversekünstler", "inconnu", "artisteinconnu", "artistesdivers"}
    | {"desconocido", "artistadesconocido", "variosartistas", "variosintérpretes", "sconosciuto", "artistasconosciuto"}
    | {"artistivari", "desconhecido", "váriosartistas", "onbekend", "onbekendeartiest", "diverseartiesten"}
    | {"okänd", "ukendt", "ukjent", "nieznany", "неизвестно", "неизвестныйисполнитель", "разныеисполнители"}
    | {"不明", "不明なアーティスト", "アーティスト不明", "未知", "未知艺术家", "群星"}
)
# MusicBrainz's artists for special purposes.
_BRACKETED = frozenset({"[anonymous]", "[traditional]", "[data]", "[dialogue]", "[nature sounds]"})
_NO_TITLES = frozenset({"[unknown]", "<unknown>", "[untitled]", "nan", "<na>"})
_ERRORS_OF_EXCEL = frozenset({"#n/a", "#name?", "#ref!", "#value!", "#div/0!", "#null!", "#num!"})
_STROKES = re.compile(r"[-‐‑‒–—―−_.?/\\~\s]*")


def is_missing(value: Any) -> bool:
    """Return whether there is no value: None, not a number, not a time, or text that shows nothing.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), " \\u200b", "nan", 0)]
    [True, True, True, False, False]
    """
    if isinstance(value, str):
        return not visible(value)
    try:
        return value is None or bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True  # The missing value of pandas, which is neither equal nor unequal to itself.
    except ValueError:
        return False  # An array.


def is_unknown(name: Any) -> bool:
    """Return whether a value says that an artist, a genre or a label is not known.

    Parameters
    ----------
    name : object
        A value as people and programmes write it.

    Returns
    -------
    bool
        Whether it names nothing.

    Examples
    --------
    >>> [is_unknown(name) for name in ("[unknown]", "N/A", "V.A.", "-", "Unknown Mortal Orchestra", "!!!")]
    [True, True, True, True, False, False]
    """
    return _says_unknown(name) if isinstance(name, str) else is_missing(name) or _says_unknown(str(name))


@lru_cache(maxsize=4096)
def _says_unknown(name: str) -> bool:
    text = unicodedata.normalize("NFKC", visible(name)).casefold()
    if text in _BRACKETED | _ERRORS_OF_EXCEL or _STROKES.fullmatch(text):
        return True
    return "".join(letter for letter in text if letter.isalnum()) in _WORDS and not _is_decorated(text)


def is_no_title(name: Any) -> bool:
    """Return whether a value says that a title is not known; a song may be called "Unknown".

    Examples
    --------
    >>> [is_no_title(name) for name in ("Unknown", "[unknown]", "", "#N/A")]
    [False, True, True, True]
    """
    if is_missing(name):
        return True
    return unicodedata.normalize("NFKC", visible(str(name))).casefold() in _NO_TITLES | _ERRORS_OF_EXCEL


def _is_decorated(text: str) -> bool:
    """Return whether signs other than brackets, strokes and full stops belong to the name: "Va!", "$NULL$"."""
    return bool(re.search(r"[^\w\s\[\](){}<>\"'*#.,:;/\\&|~‐-―−-]", text))
