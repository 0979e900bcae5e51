"""Text from bytes whose encoding nobody states: what is certain is decoded, what was assumed is said."""

import codecs
import re
from collections.abc import Iterator
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
    (b"ARROW1", "an Arrow file"),
    (b"<?xml", "XML"),
)
# Text, as it starts below white space; a header may begin with a bracket too, but names columns then.
_OTHER_TEXT = (
    (re.compile(rb"<[!a-zA-Z]"), "a web page"),
    (re.compile(rb"\[\s*(?:[{\[]|$)|\{\s*(?:[\"}]|$)"), "JSON"),
)
_START = 4096
_MAX_WORDS = 6
# Bytes of one letter in UTF-8 (Latin, Greek, Cyrillic, or of three bytes), each read as one of Windows-1252: Ã¶ for ö.
_LATER = "[€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u0080-¿]"
_TWICE = re.compile(f"[ÂÃÄÅÎÏÐÑ]{_LATER}|[à-ï]{_LATER}{{2}}")
_BYTES = {byte.decode("cp1252", errors="replace"): byte[0] for byte in map(bytes, zip(range(0x80, 0xA0), strict=True))}
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
    kind = _other_kind(data[:_START].removeprefix(codecs.BOM_UTF8).lstrip())
    if kind is not None:
        raise CatalogueError(f"{path}: cannot be read as CSV, since it is {kind}. {_SAVE}")
    marked = next(((encoding, name) for mark, encoding, name in _MARKS if data.startswith(mark)), None)
    if marked is not None:
        return Decoded(_strictly(data, *marked, path))
    if data.count(0) > len(data) / 4:
        return _by_its_zeros(data, path)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return _of_western_europe(data, error, path)
    return Decoded(text, _spoilt(text))


def _other_kind(start: bytes) -> str | None:
    """Return what the start of a file is, if it is no table."""
    by_mark = (kind for mark, kind in _OTHER_FILES if start.startswith(mark))
    by_form = (kind for form, kind in _OTHER_TEXT if form.match(start))
    return next(by_mark, None) or next(by_form, None)


def _spoilt(text: str) -> str:
    """Say which word a programme spoilt before, by decoding text wrongly and saving that; "" if none."""
    if _TWICE.search(text):
        for word in filter(_TWICE.search, _words(text)):
            try:
                meant = bytes(_BYTES.get(letter, ord(letter)) for letter in word).decode()
            except ValueError:
                continue
            return (
                f"It seems to have been encoded twice: '{word}' may be '{meant}'. Save it anew from where it came from."
            )
    lost = next((word for word in _words(text) if "\ufffd" in word), None) if "\ufffd" in text else None
    return f"It has lost letters: '{lost}'. Save it anew from where it came from." if lost else ""


def _words(text: str) -> Iterator[str]:
    """Yield words with letters beyond ASCII, which alone separates them: a no-break space may be such a letter."""
    return (word for word in re.split(r"[\s,;|\"]+", text, flags=re.ASCII) if not word.isascii())


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
    first, *others = _telling_words(text)
    more = f", and further lines {', '.join(repr(word) for word in others)}" if others else ""
    return Decoded(
        text,
        f"It is not UTF-8, and was read as Latin-1 (Windows-1252), so that line {line} has '{first}'{more}. If that is "
        "wrong, save it as UTF-8.",
    )


def _telling_words(text: str) -> list[str]:
    """Return the first word with letters beyond ASCII, and a few that have others, by which a wrong guess shows."""
    seen: set[str] = set()
    found: list[str] = []
    for word in _words(text):
        letters = {letter for letter in word if not letter.isascii()}
        if letters - seen:
            found.append(word)
            seen |= letters
    return found[:_MAX_WORDS]


def _line(data: bytes, place: int) -> bytes:
    start = data.rfind(b"\n", 0, place) + 1
    return data[start:].split(b"\n", 1)[0].strip()[:60]


def _makes_words(text: str) -> bool:
    """Return whether letters of the upper half stand alone among plain ones, as in words of Latin letters."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    plain = sum(letter.isascii() for word in words for letter in word)
    special = sum(len(word) for word in words) - plain
    return bool(text) and special <= plain and not _OUT_OF_PLACE.search(text)
