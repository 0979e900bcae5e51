"""Opening of catalogued files: no other file that took the place of one is opened."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from antiphon.credentials import shown_address
from antiphon.errors import DecodeError
from antiphon.media.identity import is_identified, is_same
from antiphon.media.names import local_path
from antiphon.media.regular_files import open_regular


@dataclass(frozen=True)
class CataloguedFile:
    """File of a row of the catalogue. A link or another file put in its place later is not opened.

    As text it is its path, so that it takes the place of a path in messages, without what gives access to an address.

    Attributes
    ----------
    path : str
        Path or address; a link to a file is legitimate.
    size_bytes, modified_ns : int, optional
        Size and modification time when it was catalogued; None in catalogues of earlier versions.
    content_hash : str, optional
        Hash of its content then; see `antiphon.media.identity`.
    """

    path: str
    size_bytes: int | None = None
    modified_ns: int | None = None
    content_hash: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "CataloguedFile":
        """Take path and identity from a row of the catalogue that has a path.

        Parameters
        ----------
        row : mapping of str to object
            Row of the catalogue.

        Returns
        -------
        CataloguedFile
            Its file.
        """
        return cls(row["path"], row.get("size_bytes"), row.get("modified_ns"), row.get("content_hash"))

    def __str__(self) -> str:
        return shown_address(self.path)

    @property
    def local(self) -> str | None:
        """Path on this machine; None for an address of another one."""
        return local_path(self.path)

    @property
    def is_identified(self) -> bool:
        """Whether the catalogue says which file it was."""
        return is_identified(asdict(self))

    def open(self) -> FileIO:
        """Open the file on this machine.

        Returns
        -------
        FileIO
            The file.

        Raises
        ------
        DecodeError
            It is not the file that was catalogued.
        OSError
            It cannot be opened, or is no regular file.
        """
        file = open_regular(Path(self.local or self.path))
        try:
            if is_same(file.fileno(), asdict(self)):
                return file
        except BaseException:
            file.close()
            raise
        file.close()
        raise DecodeError(f"{self.path}: is not the file that was catalogued. {REFRESH}")


REFRESH = "Run antiphon catalogue refresh to take it up as it is now."
