"""A file that people bring themselves: it is published in a repository, not where we could fetch and verify it."""

from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import WeightsError


@dataclass(frozen=True)
class ByHand:
    """A file of a public repository.

    Attributes
    ----------
    repository : its address.
    path : of the file inside the repository.
    filename : under which a copy is looked for in the cache.
    """

    repository: str
    path: str
    filename: str

    @property
    def description(self) -> str:
        """Where it is published, for people to read."""
        return f"{self.repository}, file {self.path} (to be brought by hand)"

    def obtain(self, folder: Path) -> Path:
        """The copy in `folder`.

        Raises
        ------
        WeightsError
            It is not there; the message says what to fetch, and where to put it.
        """
        path = folder / self.filename
        if not path.exists():
            raise WeightsError(
                f"{self.filename} is not in the cache, and is not fetched automatically. Fetch the file {self.path} of "
                f"{self.repository}, put it at {path}, and try again."
            )
        return path
