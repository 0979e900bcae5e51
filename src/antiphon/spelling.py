"""Comparison of names as people write them."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable

_MAX_SUGGESTIONS = 3
_MAX_COMPARED = 2_000
_TYPED = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "’": "'",
        "‘": "'",
    }
)

PLAIN_SIGNS = str.maketrans(
    dict.fromkeys("’‘‛ʼʹʻʽ′`´＇ꞌ", "'")
    | dict.fromkeys("“”„‟«»″＂", '"')
    | dict.fromkeys("‐‑‒–—―−﹘﹣－⁃", "-")
    | dict.fromkeys("⁄∕", "/")
)
"""Signs of typographers, by those that keyboards have."""
TURKISH_I = str.maketrans({"İ": "i", "ı": "i"})
"""Turkish letters, which are lowered to others than I and i."""


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Suggest known names that an unknown one may stand for.

    These are names that contain it, ignoring case, the shortest first; else up to three with a similar spelling.
    Spelling is compared with at most 2,000 names, since it is slow.

    Parameters
    ----------
    name : str
        Unknown name.
    known : sequence of str
        Known names.

    Returns
    -------
    str
        “ Did you mean a or b?”, or an empty string.

    Examples
    --------
    >>> did_you_mean("frog", ["video/frog.mp4", "pig.mp4"])
    ' Did you mean video/frog.mp4?'
    >>> did_you_mean("musicn", ["musicnn", "resnet50"])
    ' Did you mean musicnn?'
    >>> did_you_mean("zebra", ["musicnn"])
    ''
    """
    small = name.casefold()
    near = sorted((each for each in known if small and small in each.casefold()), key=lambda each: (len(each), each))
    if not near and len(known) <= _MAX_COMPARED:
        near = difflib.get_close_matches(name, known, _MAX_SUGGESTIONS, cutoff=0.5)
    return f" Did you mean {' or '.join(near[:_MAX_SUGGESTIONS])}?" if near else ""


def plain(text: str) -> str:
    """Return text without case, accents and doubled spaces, and letters that ASCII lacks as people type them.

    Examples
    --------
    >>> plain("  Björk  Ágætis "), plain("Røza Łódź")
    ('bjork agaetis', 'roza lodz')
    """
    letters = unicodedata.normalize("NFKD", text.casefold()).translate(_TYPED)
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Choose one spelling for names that differ by case alone: the most frequent one, else the first.

    Parameters
    ----------
    names : iterable of str
        Names as they were written, each as often as it was.

    Returns
    -------
    dict of str to str
        The spelling to use, by name.

    Examples
    --------
    >>> one_spelling(["Folk", "folk", "Rock", "folk"])
    {'Folk': 'folk', 'folk': 'folk', 'Rock': 'Rock'}
    """
    counts = Counter(names)
    chosen: dict[str, str] = {}
    for name in sorted(counts, key=lambda each: -counts[each]):
        chosen.setdefault(name.casefold(), name)
    return {name: chosen[name.casefold()] for name in counts}


def visible(text: str) -> str:
    """Return text without white space at its ends, and without what takes no room there: marks, joiners, zero widths.

    Examples
    --------
    >>> visible("\\ufeff Bea\\u200b "), visible("\\u200b\\u2060")
    ('Bea', '')
    """
    text = text.strip()
    if text.isascii() and text.isprintable():
        return text
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while start < end and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_blank(character: str) -> bool:
    # Besides formats: fillers and the empty braille pattern, letters that show nothing.
    return (
        character.isspace() or unicodedata.category(character) == "Cf" or character in "\u115f\u1160\u3164\uffa0\u2800"
    )


def edits(one: str, other: str) -> int:
    """Count the letters to insert, leave out, replace, or swap with their neighbour to make one word the other.

    Examples
    --------
    >>> edits("titel", "title"), edits("artits", "artist"), edits("pth", "path")
    (1, 1, 1)
    """
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            row.append(min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != wanted)))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                row[j] = min(row[j], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
