"""Changes of a shortlist, each from one that stands to one that follows."""

import unicodedata
from dataclasses import replace

from antiphon.errors import ConfigError
from antiphon.shortlists.records import MAX_ENTRIES, MAX_NAME, MAX_NOTE, Entry, Shortlist


def added(shortlist: Shortlist, id: str) -> Shortlist:
    """Add a music video at the end, unless it is there.

    Raises
    ------
    ConfigError
        The list is full.
    """
    if id in shortlist:
        return shortlist
    if len(shortlist.entries) >= MAX_ENTRIES:
        raise ConfigError(f"A list holds at most {MAX_ENTRIES:,} music videos. Begin another one.")
    return replace(shortlist, entries=(*shortlist.entries, Entry(id)))


def removed(shortlist: Shortlist, id: str) -> Shortlist:
    """Take a music video off the list."""
    return replace(shortlist, entries=tuple(entry for entry in shortlist.entries if entry.id != id))


def noted(shortlist: Shortlist, id: str, note: str) -> Shortlist:
    """Write what somebody thinks of a music video; "" removes the note.

    Raises
    ------
    ConfigError
        The note is too long.
    """
    text = _plain(note)
    if len(text) > MAX_NOTE:
        raise ConfigError(f"A note has at most {MAX_NOTE:,} characters, not {len(text):,}.")
    return replace(shortlist, entries=tuple(replace(e, note=text) if e.id == id else e for e in shortlist.entries))


def moved(shortlist: Shortlist, id: str, step: int) -> Shortlist:
    """Move a music video up (−1) or down (1) by so many places, as far as there are."""
    entries = list(shortlist.entries)
    place = next((place for place, entry in enumerate(entries) if entry.id == id), None)
    if place is None:
        return shortlist
    entry = entries.pop(place)
    entries.insert(min(max(place + step, 0), len(entries)), entry)
    return replace(shortlist, entries=tuple(entries))


def renamed(shortlist: Shortlist, name: str) -> Shortlist:
    """Give the list another name; see `list_name`."""
    return replace(shortlist, name=list_name(name))


def list_name(text: str) -> str:
    """Check the name of a list.

    Raises
    ------
    ConfigError
        It is empty or too long.

    Examples
    --------
    >>> list_name("  Opening   titles ")
    'Opening titles'
    """
    name = " ".join(_plain(text).split())
    if not name or len(name) > MAX_NAME:
        raise ConfigError(f"A list needs a name of at most {MAX_NAME} characters.")
    return name


def _plain(text: str) -> str:
    """Return text without characters that control a terminal or turn the direction of writing."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if c == "\n" or unicodedata.category(c)[0] != "C")
    return kept.strip()
