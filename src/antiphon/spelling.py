"""Comparison of names as people write them."""

import difflib
import unicodedata
from collections.abc import Collection

_MAX_SUGGESTIONS = 3
_MAX_COMPARED = 2_000


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
    """Return text without case, accents and doubled spaces.

    Examples
    --------
    >>> plain("  Björk  Ágætis ")
    'bjork agætis'
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
