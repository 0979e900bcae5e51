"""Text from bytes whose encoding nobody states: what is certain is decoded, what was assumed is said."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import CatalogueError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook, or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a formatted text (RTF)"),
    (b"SQLite format 3", "a database"),
    (b"<!", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "XML"),
    (b"[{", "JSON"),
    (b'{"', "JSON"),
)
_SAVE = "Save it as CSV in UTF-8 (in Excel: CSV UTF-8), or as Parquet."
# A capital of the upper half among small letters (but for the Irish nÓg), or a sign of it inside a word: no language of
# Latin-1 writes so.
_CAPITAL, _SIGN = "[À-ÖØ-ÞŠŽŒŸ]", "[¡-©«-´¶-¹»-¿×÷‚ƒ„…†‡ˆ‰‹˜›]"
_OUT_OF_PLACE = re.compile(rf"[a-zß-öø-ÿ]{{2}}{_CAPITAL}|[A-Z]{_CAPITAL}[a-zß-öø-ÿ]|[^\W\d_]{_SIGN}[^\W\d_]")


@dataclass(frozen=True)
class Decoded:
    """Text, and a sentence about what had to be assumed; "" if nothing."""

    text: str
    assumed: str = ""


def decode(data: bytes, path: Path) -> Decoded:
    """Decode the text of a table.

    A byte order mark decides, else UTF-8 if the bytes are that, else UTF-16 by the place of its zeros. What is left is
    read as Windows-1252, of which Latin-1 is a part, if it makes words.

    Parameters
    ----------
    data : bytes
        Content of the file.
    path : Path
        The file, for messages.

    Returns
    -------
    Decoded
        The text.

    Raises
    ------
    CatalogueError
        The file is no text, is damaged, or its encoding cannot be told.
    """
    for start, kind in _OTHER_FILES:
        if data.startswith(start):
            raise CatalogueError(f"{path}: cannot be read as CSV, since it is {kind}. {_SAVE}")
    marked = next(((encoding, name) for mark, encoding, name in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        return Decoded(_strictly(data, *marked, path))
    if data.count(0) > len(data) / 4:
        return _by_its_zeros(data, path)
    try:
        return Decoded(data.decode())
    except UnicodeDecodeError as error:
        return _of_western_europe(data, error, path)


def _strictly(data: bytes, encoding: str, name: str, path: Path) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CatalogueError(
            f"{path}: cannot be read as CSV in {name}: it starts as that, and byte {error.start} is damaged or "
            f"missing. {_SAVE}"
        ) from error


def _by_its_zeros(data: bytes, path: Path) -> Decoded:
    """Decode UTF-16 without a mark: every other byte of Latin text is zero."""
    for encoding, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if len(data) % 2 == 0 and zeros.count(0) > len(zeros) / 2:
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\0" not in text:
                return Decoded(text, "It does not state its encoding, and was read as UTF-16.")
    raise CatalogueError(f"{path}: cannot be read as CSV: it is full of zero bytes, as no text is. {_SAVE}")


def _of_western_europe(data: bytes, error: UnicodeDecodeError, path: Path) -> Decoded:
    """Decode Windows-1252, of which Latin-1 is a part, unless it is damaged UTF-8 or makes no words."""
    line = data[: error.start].count(b"\n") + 1
    lenient = [letter for letter in data.decode(errors="surrogateescape") if letter > "\x7f"]
    strange = sum("\ud800" <= letter <= "\udfff" for letter in lenient)
    if 2 * strange <= len(lenient):
        raise CatalogueError(
            f"{path}: cannot be read as CSV in UTF-8: line {line} has bytes of another encoding, though other "
            f"characters are UTF-8: {_line(data, error.start)!r}. Mend that line, and save the table as UTF-8."
        )
    try:
        text = data.decode("cp1252") if strange == len(lenient) else ""
    except UnicodeDecodeError:
        text = ""
    if not _makes_words(text):
        raise CatalogueError(
            f"{path}: cannot be read as CSV in UTF-8, nor as Latin-1, and which encoding it has cannot be told: line "
            f"{line} is {_line(data, error.start)!r}. {_SAVE}"
        )
    # ASCII alone separates words: a no-break space may be all that is not UTF-8.
    word = next(word for word in re.split(r"[\s,;|\"]+", text, flags=re.ASCII) if not word.isascii())
    return Decoded(
        text,
        f"It is not UTF-8, and was read as Latin-1 (Windows-1252), so that line {line} has '{word}'. If that is wrong, "
        "save it as UTF-8.",
    )


def _line(data: bytes, place: int) -> bytes:
    start = data.rfind(b"\n", 0, place) + 1
    return data[start:].split(b"\n", 1)[0].strip()[:60]


def _makes_words(text: str) -> bool:
    """Return whether letters of the upper half stand alone among plain ones, as in words of Latin letters."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    plain = sum(letter.isascii() for word in words for letter in word)
    special = sum(len(word) for word in words) - plain
    return bool(text) and special <= plain and not _OUT_OF_PLACE.search(text)
