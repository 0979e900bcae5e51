"""What became of the files of a catalogue, for people and as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.catalogue.copies import copies, copies_in_two_splits
from antiphon.catalogue.identity import Examination
from antiphon.catalogue.joining import Joined
from antiphon.catalogue.validation import CatalogueRow
from antiphon.credentials import shown_address
from antiphon.plurals import counted

GONE = ("file is gone; what was computed of it stays", "files are gone; what was computed of them stays")
"""Words after the number of files that are not there."""
_PREFIXED = (
    "file has the id of another one, and got a folder before it",
    "files have ids of other ones, and got folders before them",
)
_UNFOUND = (
    "path has no file; its video keeps the file that it has",
    "paths have no file; their videos keep the files that they have",
)
_REPLACED = (
    "file was replaced; antiphon extract computes its features anew",
    "files were replaced; antiphon extract computes their features anew",
)
_RESPLIT = (
    "video changed its split with its file, so runs have to be evaluated again",
    "videos changed their splits with their files, so runs have to be evaluated again",
)


@dataclass(frozen=True)
class FileChanges:
    """What became of the files of a catalogue.

    Attributes
    ----------
    joined : Joined
        What was found when rows were joined to it.
    found : Examination
        What was found when its files were looked at.
    unreadable : dict of str to str
        Reason for each file that could not be read, by id.
    copies : dict of str to str
        Id of the first video with the same content, by the id of each new one that is its copy.
    apart : list of str
        Ids of copies that stand in another split than their original.
    """

    joined: Joined
    found: Examination
    unreadable: dict[str, str]
    copies: dict[str, str]
    apart: list[str]

    @classmethod
    def of(
        cls,
        rows: Sequence[CatalogueRow],
        before: set[str],
        joined: Joined,
        found: Examination,
        unreadable: dict[str, str],
    ) -> "FileChanges":
        """Compare a catalogue's rows with the ids that it had before."""
        new = {name: original for name, original in copies(rows).items() if name not in before}
        return cls(joined, found, unreadable, new, copies_in_two_splits(rows))

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as data."""
        return {
            "moved": self._moved(),
            "prefixed": self.joined.prefixed,
            "known_as": self.joined.again,
            "unfound": [shown_address(path) for path in self.joined.unfound],
            "copies": self.copies,
            "replaced": self.found.replaced,
            "resplit": {name: list(splits) for name, splits in self.found.resplit.items()},
            "gone": self.found.gone,
            "unreadable": self.unreadable,
        }

    def sentences(self) -> list[str]:
        """Say what happened, one sentence for each kind, with the first example."""
        moved = [f"{old or name} is {new}" for name, (old, new) in self._moved().items()]
        known = [f"{came} is {name}" for came, name in self.joined.again.items()]
        copied = [f"{name} of {one}" for name, one in self.copies.items()]
        changes: list[tuple[Sequence[str], tuple[str, str]]] = [
            (moved, ("file has another path now; its id stays", "files have another path now; their ids stay")),
            (self.joined.prefixed, _PREFIXED),
            (known, ("file is known under another id", "files are known under other ids")),
            (copied, ("file is an exact copy, and shares a split", "files are exact copies, and share a split")),
            ([shown_address(path) for path in self.joined.unfound], _UNFOUND),
            (self.found.replaced, _REPLACED),
            (self._resplit(), _RESPLIT),
            (self.found.gone, GONE),
        ]
        return [
            f"{counted(len(names), *words)}: {names[0]}{', …' * (len(names) > 1)}" for names, words in changes if names
        ]

    def _moved(self) -> dict[str, list[str]]:
        """Return former and new path as they may be shown, by id."""
        moved = self.joined.moved | self.found.moved
        return {name: [shown_address(path) for path in paths] for name, paths in moved.items()}

    def _resplit(self) -> list[str]:
        return [f"{name} from {old} to {new}" for name, (old, new) in self.found.resplit.items()]

    def warnings(self) -> list[str]:
        """Say what may spoil an evaluation."""
        if not self.apart:
            return []
        copies_are = counted(len(self.apart), "copy is", "copies are")
        return [f"{copies_are} in another split than the original, such as '{self.apart[0]}'."]
