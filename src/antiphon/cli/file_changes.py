"""What became of the files of a catalogue, for people and as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.catalogue.copies import copies, copies_in_two_splits
from antiphon.catalogue.identity import Examination
from antiphon.catalogue.joining import Joined
from antiphon.catalogue.validation import CatalogueRow


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
            "gone": self.found.gone,
            "unreadable": self.unreadable,
        }

    def sentences(self) -> list[str]:
        """Say what happened, one sentence for each kind, with the first example."""
        moved = [f"{old or name} is {new}" for name, (old, new) in (self.joined.moved | self.found.moved).items()]
        counted: list[tuple[Sequence[str], str]] = [
            (moved, "files have another path now, and keep their ids"),
            (self.joined.prefixed, "files have ids of other files, and got folders before them"),
            ([f"{came} is {name}" for came, name in self.joined.again.items()], "files are known under other ids"),
            ([f"{name} of {one}" for name, one in self.copies.items()], "files are exact copies, and share a split"),
            (self.joined.unfound, "paths have no file; their videos keep the files that they have"),
            (self.found.replaced, "files were replaced; antiphon extract computes their features anew"),
            (self.found.gone, "files are gone; what was computed of them stays"),
        ]
        return [f"{len(names)} {what}: {names[0]}{', …' * (len(names) > 1)}" for names, what in counted if names]

    def warnings(self) -> list[str]:
        """Say what may spoil an evaluation."""
        if not self.apart:
            return []
        return [f"{len(self.apart)} copies are in other splits than their originals, such as '{self.apart[0]}'."]
