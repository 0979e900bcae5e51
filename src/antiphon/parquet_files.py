"""Parquet files and objects of a store, whose pages and descriptions are compared with checksums as they are read."""

import hashlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.documents import reason, refuse_no_file
from antiphon.errors import AntiphonError, FeatureStoreError
from antiphon.places import Address, Place, ReadObject

_SEAL = b"antiphon.sha256"
_MAX_VALUES, _MAX_VALUES_PER_BYTE = 1 << 24, 256
"""No table of ours is as empty as that: its rows have different names, and 64 MiB may be of one value."""


def sealed(table: pa.Table) -> pa.Table:
    """Return a table with a checksum of its description in its metadata."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _SEAL: _seal(table.schema, len(table))})


def read_parquet(path: Place, only: Sequence[str] | None = None) -> pa.Table:
    """Read one file or object, after comparing its checksums.

    Parameters
    ----------
    path : Path or Address
        File to read. An object is fetched in one request, unless columns are named.
    only : sequence of str, optional
        Columns to read, of those that it has. Default: all.

    Returns
    -------
    pyarrow.Table
        The table.

    Raises
    ------
    FeatureStoreError
        The file is not Parquet, or is damaged.
    """
    with open_table(path, whole=only is None) as file:
        columns = None if only is None else [name for name in only if name in file.schema_arrow.names]
        table = file.read(columns, use_threads=isinstance(path, Path))
        table.validate(full=True)
        about = unsealed(file.schema_arrow.metadata)  # What the seal was compared with; reading takes another copy.
        if len(table) != file.metadata.num_rows:
            raise ValueError(f"it has {len(table):,} rows, and says {file.metadata.num_rows:,}")
    return table.replace_schema_metadata(about)


@contextmanager
def open_table(path: Place, *, whole: bool = False) -> Generator[pq.ParquetFile]:
    """Open a Parquet table whose pages are compared with their checksums as they are read.

    Parameters
    ----------
    path : Path or Address
        File to read; at an address by ranges, so read it with `use_threads=False`.
    whole : bool, default False
        Fetch an object in one request instead.

    Yields
    ------
    pyarrow.parquet.ParquetFile
        The file; what reading it raises is converted.

    Raises
    ------
    FeatureStoreError
        The file is missing, not Parquet, or damaged; here or within the block.
    FileNotFoundError
        There is no such object at an address, or no longer.
    StorageError
        The store fails.
    """
    remote = path.open() if isinstance(path, Address) and not whole else None
    try:
        # Opened once, as it may be replaced meanwhile; and not by Python: threads that read a Python file object may
        # outlive the interpreter and crash the process.
        with _opened(path, remote) as raw, pq.ParquetFile(raw, page_checksum_verification=True) as file:
            _refuse_absurd(file, raw.size())
            _refuse_other_seal(file, raw)
            yield file
    except AntiphonError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, FileNotFoundError) and isinstance(path, Address):
            raise
        if remote is not None and remote.failure is not None:
            raise remote.failure from error
        raise FeatureStoreError(
            f"{path}: is damaged or not a Parquet table ({reason(error)}). Delete it, and run the stage again."
        ) from error


def _opened(path: Place, remote: ReadObject | None) -> pa.NativeFile:
    if remote is not None:
        return pa.PythonFile(remote, mode="r")
    if isinstance(path, Address):
        return pa.BufferReader(path.read_bytes())
    refuse_no_file(Path(str(path)))
    return pa.OSFile(str(path))


def _refuse_absurd(file: pq.ParquetFile, size: int) -> None:
    """Refuse a table that says it has more values than its file can hold, before anything is allocated."""
    schema, about = file.schema_arrow, file.metadata
    if len(set(schema.names)) < len(schema.names):
        raise ValueError("two columns have one name")
    # Nothing else is asked of the metadata: what describes a column may end the process where it is damaged.
    longest = max((kind.list_size for kind in schema.types if pa.types.is_fixed_size_list(kind)), default=1)
    values = about.num_rows * max(longest, 1)
    if values > _MAX_VALUES + _MAX_VALUES_PER_BYTE * size:
        raise ValueError(f"{values:,} values cannot be in {size:,} bytes")


def _refuse_other_seal(file: pq.ParquetFile, raw: pa.NativeFile) -> None:
    """Compare what describes a table with its checksum, which damage can also take out of the metadata."""
    stated = (file.schema_arrow.metadata or {}).get(_SEAL)
    if stated is None:
        raw.seek(-8, os.SEEK_END)
        length = int.from_bytes(raw.read(4), "little")
        raw.seek(-8 - length, os.SEEK_END)
        lost = _SEAL in raw.read(length)
    else:
        lost = stated != _seal(file.schema_arrow, file.metadata.num_rows)
    if lost:
        raise ValueError("the checksum of its description does not match")


def _seal(schema: pa.Schema, rows: int) -> bytes:
    """Hash what page checksums do not cover: the names of the columns, the number of rows and the metadata."""
    known = sorted(unsealed(schema.metadata).items())
    return hashlib.sha256(repr((schema.names, rows, known)).encode()).hexdigest().encode()


def unsealed(metadata: dict[bytes, bytes] | None) -> dict[bytes, bytes]:
    """Return the metadata of a table without its checksum and what Arrow adds."""
    return {key: value for key, value in (metadata or {}).items() if key not in (_SEAL, b"ARROW:schema")}
