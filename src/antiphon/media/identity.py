"""Identity of a media file: what tells a file that was moved or touched from one that was replaced.

The content hash covers the length and the first, middle and last blocks, so it costs three reads however long the file
is; small files are hashed whole. Size and modification time are compared first: a file that has both as they were is
not read at all.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.media.names import local_path
from antiphon.media.regular_files import open_regular

_WHOLE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 17
_DIGEST_BYTES = 16


@dataclass(frozen=True)
class FileIdentity:
    """Identity of a file, as the catalogue keeps it.

    Attributes
    ----------
    size_bytes : int
        Length of the file.
    modified_ns : int
        Modification time in nanoseconds since 1970.
    content_hash : str
        Hash of the length and of the first, middle and last blocks.
    """

    size_bytes: int
    modified_ns: int
    content_hash: str


def identify(path: str | Path) -> FileIdentity | None:
    """Identify a file.

    Parameters
    ----------
    path : str or Path
        Path, or address.

    Returns
    -------
    FileIdentity or None
        None for what is gone, unreadable or no regular file, and for addresses of other machines.
    """
    local = local_path(str(path))
    if local is None:
        return None
    try:
        with open_regular(Path(local)) as file:
            return identify_open(file.fileno())
    except (OSError, ValueError):
        return None


def identify_open(descriptor: int) -> FileIdentity:
    """Identify an open file; its position is not moved.

    Parameters
    ----------
    descriptor : int
        Descriptor of a regular file that is open for reading.

    Returns
    -------
    FileIdentity
        The identity.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    about = os.fstat(descriptor)
    return FileIdentity(about.st_size, about.st_mtime_ns, _content_hash(descriptor, about.st_size))


def is_same(descriptor: int, row: Mapping[str, Any]) -> bool:
    """Return whether an open file is the one that was catalogued.

    Parameters
    ----------
    descriptor : int
        Descriptor of a file that is open for reading.
    row : mapping of str to object
        Row of the catalogue, with the columns `size_bytes`, `modified_ns` and `content_hash`.

    Returns
    -------
    bool
        Whether size and time are as they were, or else the content; True where the row has no identity yet. What is no
        regular file is never the same.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        return False
    if not is_identified(row) or looks_same(about, row):
        return True
    return about.st_size == row["size_bytes"] and _content_hash(descriptor, about.st_size) == row["content_hash"]


def is_identified(row: Mapping[str, Any]) -> bool:
    """Return whether a row of the catalogue has an identity; those of earlier versions have none."""
    return row.get("content_hash") is not None


def looks_same(about: os.stat_result, row: Mapping[str, Any]) -> bool:
    """Return whether size and modification time are those of a row, without reading the file."""
    return (about.st_size, about.st_mtime_ns) == (row["size_bytes"], row["modified_ns"])


def _content_hash(descriptor: int, size_bytes: int) -> str:
    digest = hashlib.blake2b(str(size_bytes).encode(), digest_size=_DIGEST_BYTES)
    if size_bytes <= _WHOLE_BYTES:
        digest.update(os.pread(descriptor, size_bytes, 0))
    else:
        for start in (0, (size_bytes - _BLOCK_BYTES) // 2, size_bytes - _BLOCK_BYTES):
            digest.update(os.pread(descriptor, _BLOCK_BYTES, start))
    return digest.hexdigest()
