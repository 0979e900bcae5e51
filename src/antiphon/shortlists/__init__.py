"""Shortlists: music videos that people chose, in order, with notes."""

from antiphon.shortlists.edits import added, moved, noted, removed, renamed
from antiphon.shortlists.records import Entry, Shortlist
from antiphon.shortlists.rejections import Rejections
from antiphon.shortlists.store import Shortlists, UnknownShortlistError

__all__ = [
    "Entry",
    "Rejections",
    "Shortlist",
    "Shortlists",
    "UnknownShortlistError",
    "added",
    "moved",
    "noted",
    "removed",
    "renamed",
]
