"""What stands where a name is not known: no artist, no genre and no label has such a name."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from antiphon.spelling import plain, visible

# Letters and digits alone, so that "N/A", "n.a." and "<NA>" are one.
_WORDS = frozenset(
    {"nan", "null", "none", "na", "undefined", "unspecified", "notspecified", "notavailable", "notapplicable"}
    | {"va", "vvaa", "aavv", "群星", "佚名"}
)
# What is said of a person, a genre or a label that is not known, or not one; the second line only beside such a word.
_NOBODY = (
    *("unknown", "various", "unbekannt(?:e[rns]?)?", "verschiedene[rn]?", "inconnue?s?", "desconocid[oa]s?", "varios"),
    *("vários", "sconosciut[oaie]", "desconhecid[oa]s?", "onbekende?", "okända?", "ukendte?", "ukjente?", "tuntematon"),
    *("nieznan[yai]", "neznám[ýá]", "ismeretlen", "bilinmeyen", "çeşitli", "неизвест(?:ный|ная|ные|но|ен)", "разные"),
    *("невідом(?:ий|а|о)", "різні", "непознат", "άγνωστο[ςι]?", "διάφοροι", "不明な?", "未知", "알수없(?:는|음)"),
    *("غيرمعروف", "לאידוע"),
)
_ONLY_BESIDE = (
    *("no", "not", "divers(?:e[rn]?)?", "variados", "vari", "różni", "různí", "rôzni", "különböző", "eri", "blandade"),
    *("kein(?:e[rn]?)?", "ヴァリアス", "여러"),
)
_PERSONS = (
    *("artist(?:e[nrs]?|as?|i|s|in)?", "artiest(?:en)?", "interpret(?:e[ns]?|i|en)?", "interprètes?", "intérpretes?"),
    *("künstler(?:in)?", "kunstnere?", "performers?", "singers?", "musicians?", "bands?", "composers?", "auteurs?"),
    *("esittäjä", "esittäjiä", "wykonawc[ay]", "umělec", "umělci", "előadók?", "sanatçı(?:lar)?"),
    *("исполнител[ьи]", "артисты?"),
    *("виконав(?:ець|ці)", "καλλιτέχν(?:ης|ες)", "アーティスト", "艺术家", "藝術家", "歌手", "아티스트", "فنان", "אמן"),
    *("genres?", "labels?", "tags?"),
)
# Signs of MusicBrainz for special purposes.
_BRACKETED = frozenset(
    {"[anonymous]", "[traditional]", "[data]", "[dialogue]", "[nature sounds]", "[language instruction]", "[theatre]"}
    | {"[church chimes]", "[news report]", "[christmas music]", "[disney]", "[soundtrack]", "[musical theater]"}
)
_NULL = "\\n"  # As databases write it.
_NO_TITLES = frozenset({"[unknown]", "<unknown>", "[untitled]", "nan", "<na>", "(null)", _NULL})
_NO_NAMES = frozenset({"nan", "none", "null", "(null)", "<na>", "nat", "n/a", "n.a.", _NULL})
_ERRORS_OF_EXCEL = frozenset({"#n/a", "#name?", "#ref!", "#value!", "#div/0!", "#null!", "#num!"})
# Those of its other languages, in capitals: #WERT!, #¡REF!, #NOM?, #NV, #N/D, #Н/Д.
_ERROR_OF_EXCEL = re.compile(r"#[¡¿]?[^\W\d_]+(?:/0|/[^\W\d_]+)?[!?]|#(?:N|N/|Н/)[^\W\d_]{1,4}|#YOK")
_STROKES = re.compile(r"[(\[{<\"'“‘]?[-‐‑‒–—―−_.?¿/\\~·•*\s]*[)\]}>\"'”’]?")


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, plain(text)))


def _any_of(patterns: tuple[str, ...]) -> str:
    """Return a pattern for one of several, each without accents, as letters are compared."""
    return f"(?:{'|'.join(plain(each) for each in patterns)})"


_SAID, _PERSON = _any_of((*_NOBODY, *_ONLY_BESIDE)), _any_of(_PERSONS)
_PHRASE = re.compile(rf"{_any_of(_NOBODY)}|(?:{_SAID}{_PERSON}|{_PERSON}{_SAID})\d*")


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
    except TypeError:  # The missing value of pandas is neither equal nor unequal to itself, and has no length.
        return not hasattr(value, "__len__")
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
    if text in _BRACKETED or text == _NULL or _STROKES.fullmatch(text) or _is_error_of_excel(name):
        return True
    letters = "".join(letter for letter in text if letter.isalnum())
    return (letters in _WORDS or bool(_PHRASE.fullmatch(_letters(text)))) and not _is_decorated(text)


def _is_error_of_excel(name: str) -> bool:
    text = unicodedata.normalize("NFKC", visible(name))
    in_capitals = text == text.upper() and _ERROR_OF_EXCEL.fullmatch(text) is not None
    return in_capitals or text.casefold() in _ERRORS_OF_EXCEL


def is_no_title(name: Any) -> bool:
    """Return whether a value says that a title is not known; a song may be called "Unknown".

    Examples
    --------
    >>> [is_no_title(name) for name in ("Unknown", "[unknown]", "", "#N/A")]
    [False, True, True, True]
    """
    if is_missing(name):
        return True
    text = str(name)
    return unicodedata.normalize("NFKC", visible(text)).casefold() in _NO_TITLES or _is_error_of_excel(text)


def names_nothing(text: str) -> bool:
    """Return whether text in the place of an id or a path says that there is none; a file may be called "Unknown".

    Examples
    --------
    >>> [names_nothing(text) for text in ("nan", "N/A", "-", "#REF!", "unknown", "n.mp4")]
    [True, True, True, True, False, False]
    """
    plainly = visible(text).casefold()
    return plainly in _NO_NAMES or bool(_STROKES.fullmatch(plainly)) or _is_error_of_excel(text)


def _is_decorated(text: str) -> bool:
    """Return whether signs other than brackets, strokes and full stops belong to the name: "Va!", "$NULL$"."""
    return bool(re.search(r"[^\w\s\[\](){}<>\"'*#.,:;?¿/\\&|~·・‐-―−\u0307-]", text))
