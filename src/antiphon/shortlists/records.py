"""What a shortlist is."""

from dataclasses import dataclass

MAX_NAME, MAX_NOTE, MAX_ENTRIES = 80, 1000, 1000


@dataclass(frozen=True)
class Entry:
    """A music video on a shortlist.

    Attributes
    ----------
    id : str
        Its id in the catalogue.
    note : str
        What somebody wrote about it.
    """

    id: str
    note: str = ""


@dataclass(frozen=True)
class Shortlist:
    """A shortlist as it stands.

    Attributes
    ----------
    key : str
        Who knows it may change the list.
    token : str
        Who knows it may read the list.
    name : str
        Its name.
    entries : tuple of Entry
        Music videos in order.
    changes : int
        Number of changes so far that can be undone.
    is_deleted : bool
        Whether it was deleted, which can be undone.
    """

    key: str
    token: str
    name: str
    entries: tuple[Entry, ...] = ()
    changes: int = 0
    is_deleted: bool = False

    def __contains__(self, id: object) -> bool:
        return any(entry.id == id for entry in self.entries)
