"""What became of the files of a catalogue, for people and as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.catalogue.copies import copies, copies_in_two_splits
from antiphon.catalogue.identity import Examination
from antiphon.catalogue.joining import Joined
from antiphon.catalogue.validation import CatalogueRow
from antiphon.plurals import counted


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
            "moved": {name: list(paths) for name, paths in (self.joined.moved | self.found.moved).items()},
            "prefixed": self.joined.prefixed,
            "known_as": self.joined.again,
            "unfound": self.joined.unfound,
            "copies": self.copies,
            "replaced": self.found.replaced,
            "resplit": {name: list(splits) for name, splits in self.found.resplit.items()},
            "gone": self.found.gone,
            "unreadable": self.unreadable,
        }

    def sentences(self) -> list[str]:
        """Say what happened, one sentence for each kind, with the first example."""
        moved = [f"{old or name} is {new}" for name, (old, new) in (self.joined.moved | self.found.moved).items()]
        known = [f"{came} is {name}" for came, name in self.joined.again.items()]
        copied = [f"{name} of {one}" for name, one in self.copies.items()]
        changes: list[tuple[Sequence[str], str, str, str]] = [
            (moved, "file has", "files have", "another path now; ids stay"),
            (self.joined.prefixed, "file has", "files have", "the id of another file, so its folder was put before it"),
            (known, "file is", "files are", "known under another id"),
            (copied, "file is", "files are", "an exact copy of another, and shares its split"),
            (self.joined.unfound, "path has", "paths have", "no file; the video keeps the file that it has"),
            (self.found.replaced, "file was", "files were", "replaced; antiphon extract computes its features anew"),
            (self._resplit(), "video", "videos", "changed its split with its file, so runs have to be evaluated again"),
            (self.found.gone, "file is", "files are", "gone; what was computed of it stays"),
        ]
        return [
            f"{counted(len(names), one, many)} {what}: {names[0]}{', …' * (len(names) > 1)}"
            for names, one, many, what in changes
            if names
        ]

    def _resplit(self) -> list[str]:
        return [f"{name} from {old} to {new}" for name, (old, new) in self.found.resplit.items()]

    def warnings(self) -> list[str]:
        """Say what may spoil an evaluation."""
        if not self.apart:
            return []
        copies_are = counted(len(self.apart), "copy is", "copies are")
        return [f"{copies_are} in another split than the original, such as '{self.apart[0]}'."]
