"""Weights that users download themselves, because they are published in a repository without a checksum."""

from dataclasses import dataclass
from pathlib import Path

from antiphon.errors import WeightsError


@dataclass(frozen=True)
class ByHand:
    """File of a public repository.

    Attributes
    ----------
    repository : str
        Address of the repository.
    path : str
        Path of the file in the repository.
    filename : str
        Name of the copy in the cache.
    """

    repository: str
    path: str
    filename: str

    @property
    def description(self) -> str:
        """Where the file is published."""
        return f"{self.repository}, file {self.path} (manual download)"

    def obtain(self, folder: Path) -> Path:
        """Find the copy in a folder.

        Parameters
        ----------
        folder : Path
            Cache.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        WeightsError
            It is missing; the message says what to download, and where to put it.
        """
        path = folder / self.filename
        if not path.exists():
            raise WeightsError(
                f"{self.filename} is not cached, and cannot be downloaded automatically. Download {self.path} from "
                f"{self.repository}, put it at {path}, and try again."
            )
        return path
