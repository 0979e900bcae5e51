"""Byte-identical files of a catalogue, and rows that must stand in one split."""

from collections.abc import Callable, Iterable, Sequence

from antiphon.catalogue.validation import CatalogueRow


def copies(rows: Sequence[CatalogueRow]) -> dict[str, str]:
    """Return the id of the first video with the same content, by the id of each later one."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for row in rows:
        if row.get("content_hash"):
            original = first.setdefault(row["content_hash"], row["id"])
            if original != row["id"]:
                found[row["id"]] = original
    return found


def copies_in_two_splits(rows: Sequence[CatalogueRow]) -> list[str]:
    """List the copies whose original stands in another split, as splits given from outside may have it."""
    splits = {row["id"]: row.get("split") for row in rows}
    return [name for name, original in copies(rows).items() if splits[name] != splits[original]]


def linked(rows: Sequence[CatalogueRow], keys: Callable[[CatalogueRow], Iterable[str]]) -> list[list[CatalogueRow]]:
    """Group rows that share a key, directly or through other rows.

    Parameters
    ----------
    rows : sequence of CatalogueRow
        Rows.
    keys : callable
        Returns the keys of a row.

    Returns
    -------
    list of list of CatalogueRow
        Groups, in the order of their first rows; a row without keys stands alone.
    """
    leader: dict[str, str] = {}

    def of(key: str) -> str:
        while leader.setdefault(key, key) != key:
            leader[key] = key = leader[leader[key]]
        return key

    own = [[f"row:{number}", *keys(row)] for number, row in enumerate(rows)]
    for first, *others in own:
        for key in others:
            leader[of(key)] = of(first)
    groups: dict[str, list[CatalogueRow]] = {}
    for row, (first, *_) in zip(rows, own, strict=True):
        groups.setdefault(of(first), []).append(row)
    return list(groups.values())
