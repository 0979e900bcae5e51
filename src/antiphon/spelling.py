"""Comparing names as people write them."""

import difflib
import unicodedata
from collections.abc import Collection

_MAX_HINTS = 3
_MAX_COMPARED = 2_000


def did_you_mean(name: str, known: Collection[str]) -> str:
    """“ Did you mean a or b?”, or nothing where nothing known is near.

    Near are names that hold `name`, whatever the case, the shortest first; else up to three that are spelt alike.
    Spelling is compared with 2,000 names at the most, since it takes long.

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
        near = difflib.get_close_matches(name, known, _MAX_HINTS, cutoff=0.5)
    return f" Did you mean {' or '.join(near[:_MAX_HINTS])}?" if near else ""


def plain(text: str) -> str:
    """Text without case, accents and doubled spaces.

    Examples
    --------
    >>> plain("  Björk  Ágætis ")
    'bjork agætis'
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
