"""Places of a workspace's tables: paths of this machine, or addresses of a store that fsspec knows.

A store has no locks and no renaming, but an object is there as a whole or not at all. So nothing is written twice under
one name: see `SharedTable`.
"""

import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from antiphon.addresses import file_system, is_address, trouble
from antiphon.credentials import shown_address
from antiphon.errors import AntiphonError, StorageError


class Address:
    """Place in a store, with that part of pathlib's interface that tables need.

    As text it is the address without what gives access to it.

    Parameters
    ----------
    text : str
        The address.

    Attributes
    ----------
    text : str
        The address, without a slash at its end.
    """

    def __init__(self, text: str) -> None:
        self.text = text.rstrip("/")

    def __truediv__(self, part: str) -> "Address":
        return Address(f"{self.text}/{part}")

    def __str__(self) -> str:
        return shown_address(self.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: "Address") -> bool:
        return self.text < other.text

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.text.rsplit("/", 1)[-1]

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.rpartition(".")[0] or self.name

    def exists(self) -> bool:
        """Return whether there is an object, or objects below."""
        with self._told("looked for") as (system, path):
            return bool(system.exists(path))

    def is_dir(self) -> bool:
        """Return whether there are objects below."""
        with self._told("looked for") as (system, path):
            return bool(system.isdir(path))

    def iterdir(self) -> "list[Address]":
        """List what lies directly below; nothing where there is nothing.

        Returns
        -------
        list of Address
            Sorted addresses.
        """
        with self._told("listed") as (system, path):
            try:
                found: list[str] = system.ls(path, detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        names = {name.rstrip("/").rsplit("/", 1)[-1] for name in found if name.rstrip("/") != path.rstrip("/")}
        return [self / name for name in sorted(names)]

    def below(self) -> list[str]:
        """List all objects below.

        Returns
        -------
        list of str
            Their paths from here, sorted.
        """
        with self._told("listed") as (system, path):
            try:
                found: list[str] = system.find(path)
            except FileNotFoundError:
                return []
        start = path.rstrip("/") + "/"
        return sorted(name[len(start) :] for name in found if name.startswith(start))

    def read_bytes(self) -> bytes:
        """Read the object."""
        with self._told("read") as (system, path):
            return system.cat_file(path)

    def write_bytes(self, content: bytes) -> None:
        """Write the object, as a whole."""
        with self._told("written") as (system, path):
            try:
                system.pipe_file(path, content)
            except FileNotFoundError as error:
                raise StorageError(f"{self}: cannot be written: there is no such bucket or container.") from error

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the object."""
        with self._told("deleted") as (system, path):
            try:
                system.rm_file(path)
            except FileNotFoundError:
                if not missing_ok:
                    raise

    def open(self) -> "ReadObject":
        """Open the object for reading by ranges."""
        with self._told("read") as (system, path):
            return ReadObject(self, system.open(path, "rb", block_size=1 << 20, cache_type="readahead"))

    @contextmanager
    def _told(self, what: str) -> Generator[tuple[Any, str]]:
        """Convert what a store raises."""
        try:
            yield file_system(self.text)
        except (AntiphonError, FileNotFoundError, MemoryError):
            raise
        except Exception as error:  # every store raises errors of its own
            raise StorageError(f"{self}: cannot be {what}: {trouble(error)}.") from error


class ReadObject:
    """Open object, of which ranges are read.

    Parameters
    ----------
    address : Address
        Its address.
    file : file-like
        fsspec's file.

    Attributes
    ----------
    failure : StorageError, FileNotFoundError or None
        What the store raised while it was read: no damage of the object.
    """

    def __init__(self, address: Address, file: Any) -> None:
        self._address, self._file = address, file
        self.failure: StorageError | FileNotFoundError | None = None
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """Read bytes from the current position."""
        try:
            return self._file.read(size)
        except FileNotFoundError as error:  # deleted since it was opened
            self.failure = error
            raise
        except Exception as error:
            self.failure = StorageError(f"{self._address}: cannot be read: {trouble(error)}.")
            raise OSError(str(self.failure)) from error

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close it."""
        self.closed = True
        self._file.close()


class SharedTable(Address):
    """Table in a store that several machines may write at once: a folder of objects, each a table.

    Who writes adds an object under a name of its own, which says in its metadata what it replaces: all that this
    process has read or written of the table, and what was there replaced already. Who reads takes what is not replaced;
    where two machines wrote at once these are several, and their rows are joined. `antiphon.tables` does both.
    """


Place: TypeAlias = Path | Address


def place(given: "str | Place") -> Place:
    """Return the place that a text means.

    Parameters
    ----------
    given : str, Path or Address
        Path or address.

    Returns
    -------
    Path or Address
        The place.

    Examples
    --------
    >>> place("s3://bucket/work/"), place("work/").name
    (Address('s3://bucket/work'), 'work')
    """
    if isinstance(given, str):
        return Address(given) if is_address(given) else _below_home(given)
    return given


def _below_home(path: str) -> Path:
    """Return a path, which may start at the home folder: shells do not see to that in --workspace=~/work."""
    return Path(path).expanduser() if path == "~" or path.startswith("~/") else Path(path)


def new_name(prefix: str = "") -> str:
    """Return the name of a new Parquet object, that no other writer uses; names are in order of time.

    Parameters
    ----------
    prefix : str
        What it begins with.

    Returns
    -------
    str
        20 digits and 8 random ones in hexadecimal.
    """
    return f"{prefix}{time.time_ns():020d}-{secrets.token_hex(4)}.parquet"
