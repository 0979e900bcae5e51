"""Who an artist is: one key for the many ways of writing a name, and the several artists that a credit names.

"Nova Lux feat. Bea", "Nova Lux; Bea" and two tags of a file name two artists wherever they stand. "Nova Lux & Bea" may
be two or a duo's own name: they are two where each stands alone elsewhere in the same catalogue. So AC/DC, Simon &
Garfunkel, Earth, Wind & Fire and Tyler, The Creator stay what they are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from antiphon.catalogue.artist_names import loosely, named
from antiphon.catalogue.unknown import is_unknown

_SIGN = r"[&+,/|\\•·・∙]"
_WORD = (
    r"(?:and|und|et|y|e|i|och|og|en|ja|és|ve|и|και|dan|và|x|vs\.?|v\.|versus|with|w/|con|com|mit|med|avec|meets"
    r"|pres\.?|presents|introducing|starring|prod\.?(?: by)?|aka|a\.k\.a\.|f\.|f/)"
)
_JOINED = re.compile(rf"(?:\s*{_SIGN})+\s*(?:{_WORD}\s+)?|\s+{_WORD}\s+")
_MAX_JOINED = 12
_MAX_SHOWN = 3


def credited(artists: Iterable[str | None]) -> list[tuple[str, ...]]:
    """Return the keys of the artists that each name of a catalogue credits.

    Parameters
    ----------
    artists : iterable of str or None
        Names as they stand in the catalogue; None or a word for unknown where nobody is known.

    Returns
    -------
    list of tuple of str
        Keys by name, the artist named first at the head; none for an unknown artist.

    Examples
    --------
    >>> credited(["Ann & Bea", "Ann", "bea", "Simon & Garfunkel", "Various Artists"])
    [('ann', 'bea'), ('ann',), ('bea',), ('simon & garfunkel',), ()]
    """
    lists = [() if artist is None or is_unknown(artist) else named(artist) for artist in artists]
    alone: dict[str, str] = {}
    for key in sorted({key for keys in lists for key in keys}):
        alone.setdefault(loosely(key), key)
    parts = {key: _parts(key, alone) for keys in lists for key in keys}
    return [tuple(dict.fromkeys(part for key in keys for part in parts[key])) for keys in lists]


def _parts(name: str, alone: Mapping[str, str]) -> tuple[str, ...]:
    """Split a joint name into names that stand alone elsewhere; itself, as it is written first, if it cannot be."""
    joints = [match.span() for match in _JOINED.finditer(name)]
    found: tuple[str, ...] = ()
    if 0 < len(joints) <= _MAX_JOINED:
        starts, ends = [0, *(end for _, end in joints)], [*(start for start, _ in joints), len(name)]
        found = _chain(name, starts, ends, 0, alone)
    return found or (alone[loosely(name)],)


def _chain(
    name: str, starts: Sequence[int], ends: Sequence[int], first: int, alone: Mapping[str, str]
) -> tuple[str, ...]:
    """Return names that follow each other from a part on to the end, the longest first; none if there are none."""
    if first == len(starts):
        return ()
    for last in range(len(starts) - 1, first - 1, -1):
        part = name[starts[first] : ends[last]]
        known = alone.get(loosely(part)) if part and part != name else None
        if known is not None and loosely(known) != loosely(name):
            rest = _chain(name, starts, ends, last + 1, alone)
            if rest or last + 1 == len(starts):
                return (known, *rest)
    return ()


def connected(artists: Sequence[str | None]) -> list[str]:
    """Group names that share an artist, directly or through other names: each such group is in one split.

    Parameters
    ----------
    artists : sequence of str or None
        Names as they stand in the catalogue.

    Returns
    -------
    list of str
        For each name the key of its group: the first, in order of the alphabet, of the artists that are named first in
        its names; "" for an unknown artist.

    Examples
    --------
    >>> connected(["Cy", "Ann feat. Cy", "Ann", None, "Dee"])
    ['ann', 'ann', 'ann', '', 'dee']
    """
    credits = credited(artists)
    group_of = linked(credits)
    heads: dict[str, str] = {}
    for keys in filter(None, credits):
        heads[group_of[keys[0]]] = min(heads.get(group_of[keys[0]], keys[0]), keys[0])
    return [heads[group_of[keys[0]]] if keys else "" for keys in credits]


def share_artist(one: str | None, other: str | None) -> bool:
    """Return whether two names credit an artist in common.

    Examples
    --------
    >>> share_artist("Ann feat. Bea", "BEA"), share_artist("Various", "Various")
    (True, False)
    """
    first, second = credited([one, other])
    return not set(first).isdisjoint(second)


@dataclass(frozen=True)
class Dominance:
    """Artists that no split can tell apart, with how many of the catalogue's videos are theirs."""

    names: tuple[str, ...]
    videos: int
    of: int

    def __str__(self) -> str:
        more = f" and {len(self.names) - _MAX_SHOWN} more" if len(self.names) > _MAX_SHOWN else ""
        shown = ", ".join(f"'{name}'" for name in self.names[:_MAX_SHOWN]) + more
        who = f"One artist, {shown}, has" if len(self.names) == 1 else f"Artists with works in common ({shown}) have"
        return (
            f"{who} {self.videos} of {self.of} videos, which are all in one split: its share is larger than asked for, "
            "and others may be empty. Add videos of others, or split with --by video."
        )


def dominance(artists: Sequence[str | None]) -> Dominance | None:
    """Find an artist, or artists connected by joint works, with more than half of a catalogue.

    Parameters
    ----------
    artists : sequence of str or None
        Name of each video of the catalogue.

    Returns
    -------
    Dominance or None
        The artists; None if nobody has so much, or the catalogue has one video.
    """
    groups = connected(artists)
    ((group, videos),) = Counter(group for group in groups if group).most_common(1) or [("", 0)]
    if videos < 2 or 2 * videos <= len(artists):
        return None
    names = {key for keys, each in zip(credited(artists), groups, strict=True) if each == group for key in keys}
    return Dominance((group, *sorted(names - {group})), videos, len(artists))


def linked(rows: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Connect keys that stand in one row, directly or through other rows.

    Parameters
    ----------
    rows : sequence of tuple of str
        Keys of each row.

    Returns
    -------
    dict of str to str
        By key one of all that it is connected with, the same for each of them.

    Examples
    --------
    >>> len(set(linked([("a", "b"), ("b", "c"), ("d",)]).values()))
    2
    """
    above: dict[str, str] = {}

    def top(key: str) -> str:
        while above.setdefault(key, key) != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for keys in rows:
        for key in keys[1:]:
            above[top(key)] = top(keys[0])
    return {key: top(key) for keys in rows for key in keys}
