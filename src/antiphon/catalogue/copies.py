"""Byte-identical files of a catalogue."""

from collections.abc import Sequence

from antiphon.catalogue.validation import CatalogueRow


def content_of(row: CatalogueRow) -> str | None:
    """Return the content hash of a row's file; None where it is unknown, and for empty files, which share nothing."""
    return row.get("content_hash") if row.get("size_bytes") != 0 else None


def copies(rows: Sequence[CatalogueRow]) -> dict[str, str]:
    """Return the id of the first video with the same content, by the id of each later one."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for row in rows:
        content = content_of(row)
        if content:
            original = first.setdefault(content, row["id"])
            if original != row["id"]:
                found[row["id"]] = original
    return found


def copies_in_two_splits(rows: Sequence[CatalogueRow]) -> list[str]:
    """List the copies whose original stands in another split, as splits given from outside may have it."""
    splits = {row["id"]: row.get("split") for row in rows}
    return [name for name, original in copies(rows).items() if splits[name] != splits[original]]
