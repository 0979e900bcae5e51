"""Where an index is kept: a folder or an object store, with one writer at a time."""

import secrets
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from antiphon.documents import read_document, reason
from antiphon.errors import FeatureStoreError, SearchError
from antiphon.locks import exclusive
from antiphon.search.exact import ExactStore
from antiphon.search.lance import LanceStore, connect, guarded
from antiphon.search.record import BUILD_FIRST, REBUILD, RECORD_FILE, Kind, Origin, Record, dumped, parsed
from antiphon.search.view import Store
from antiphon.tables import read_table, sweep_partials, write_table, write_text

_LOCK = ".lock"
_RECORD_TABLE = "index"
_CONTENTS = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("content_hash", pa.string())])


class Place(Protocol):
    """What keeps an index: its record, which names the rows, and the rows."""

    @property
    def name(self) -> str:
        """The folder or URI."""
        ...

    def record(self) -> Record:
        """Return the record of the index.

        Raises
        ------
        SearchError
            There is no index, or its record is damaged.
        """
        ...

    def store(self, record: Record) -> Store:
        """Return the store with the rows of an index."""
        ...

    def create(self, kind: Kind, rows: pa.Table, origin: Origin, contents: Mapping[str, str]) -> Record:
        """Write a new index and replace the previous one in one step; `contents` as in `contents`."""
        ...

    def contents(self, record: Record) -> dict[str, str]:
        """Return the content hashes of the files that were embedded, by id, where they are known."""
        ...

    def write_contents(self, record: Record, contents: Mapping[str, str]) -> None:
        """Replace the content hashes. Write them before the rows: those without rows say nothing."""
        ...

    def lock(self) -> Any:
        """Return a context in which no other process writes, where that can be ensured."""
        ...


def place_of(path: str | Path) -> Place:
    """Return the place at a folder, or at a URI such as s3://bucket/index."""
    return ObjectStore(str(path)) if "://" in str(path) else Folder(Path(path))


class Folder:
    """An index on disk: `index.toml`, and beside it the folder with the rows that this names."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def record(self) -> Record:
        """Return the record of the index."""
        path = self._folder / RECORD_FILE
        try:
            text = read_document(path)
        except (FileNotFoundError, NotADirectoryError):
            raise SearchError(f"{self.name}: no index here. {BUILD_FIRST}") from None
        except (OSError, ValueError) as error:
            raise SearchError(f"{path}: cannot be read ({reason(error)}). {REBUILD}") from error
        return parsed(text, self.name)

    def store(self, record: Record) -> Store:
        """Return the store with the rows of an index."""
        if record.kind == "lancedb":
            return LanceStore(self.name, record.entries, record.dim)
        return ExactStore(self._folder / record.entries, record.dim)

    def create(self, kind: Kind, rows: pa.Table, origin: Origin, contents: Mapping[str, str]) -> Record:
        """Write a new index and replace the previous one in one step."""
        record = _new_record(kind, rows, origin)
        with self.lock():
            if contents:
                self.write_contents(record, contents)
            if kind == "lancedb":
                LanceStore.create(self.name, record.entries, rows)
            else:
                ExactStore.create(self._folder / record.entries, rows)
            write_text(dumped(record), self._folder / RECORD_FILE)
            self._sweep(record)
        return record

    def contents(self, record: Record) -> dict[str, str]:
        """Return the content hashes of the files that were embedded, by id, where they are known."""
        path = self._contents(record)
        if not path.exists():
            return {}
        try:
            table = read_table(path, _CONTENTS)
        except FeatureStoreError as error:
            raise SearchError(f"{path}: is damaged. {REBUILD}") from error
        return dict(zip(table["id"].to_pylist(), table["content_hash"].to_pylist(), strict=True))

    def write_contents(self, record: Record, contents: Mapping[str, str]) -> None:
        """Replace the content hashes."""
        columns = [pa.array(list(contents), pa.string()), pa.array(list(contents.values()), pa.string())]
        write_table(pa.Table.from_arrays(columns, schema=_CONTENTS), self._contents(record))

    def _contents(self, record: Record) -> Path:
        return self._folder / f"contents-{record.entries}.parquet"

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the index for writing; the lock ends with the process.

        Raises
        ------
        SearchError
            Another process is writing.
        """
        busy = SearchError(f"{self.name}: another process is writing to this index. Wait for it.")
        with exclusive(self._folder / _LOCK, busy):
            yield

    def _sweep(self, record: Record) -> None:
        """Remove the rows of earlier builds, finished or not."""
        sweep_partials(self._folder)
        for folder in self._folder.glob("entries-*"):
            if folder.name.removesuffix(".lance") != record.entries:
                shutil.rmtree(folder, ignore_errors=True)
        for path in set(self._folder.glob("contents-*.parquet")) - {self._contents(record)}:
            path.unlink(missing_ok=True)


class ObjectStore:
    """An index in a LanceDB database at a URI. Its record is a table of one row.

    Object stores have no locks: users must see to it that one process writes at a time. Readers need not care.
    """

    def __init__(self, uri: str) -> None:
        self.name = uri

    def record(self) -> Record:
        """Return the record of the index."""
        database = connect(self.name)
        try:
            table = database.open_table(_RECORD_TABLE)
        except ValueError:
            raise SearchError(f"{self.name}: no index here. {BUILD_FIRST}") from None
        with guarded(f"{self.name}: the table {_RECORD_TABLE}"):
            rows = table.to_arrow().to_pylist()
        if len(rows) != 1 or not isinstance(rows[0].get("toml"), str):
            raise SearchError(f"{self.name}: the table {_RECORD_TABLE} is not the record of an index. {REBUILD}")
        return parsed(rows[0]["toml"], self.name)

    def store(self, record: Record) -> Store:
        """Return the store with the rows of an index."""
        return LanceStore(self.name, record.entries, record.dim)

    def create(self, kind: Kind, rows: pa.Table, origin: Origin, contents: Mapping[str, str]) -> Record:
        """Write a new index and replace the previous one in one step."""
        if kind != "lancedb":
            raise SearchError(f'{self.name}: an index at a URI is kept by LanceDB; ask for kind="lancedb".')
        record = _new_record(kind, rows, origin)
        LanceStore.create(self.name, record.entries, rows)
        database = connect(self.name)
        database.create_table(_RECORD_TABLE, pa.table({"toml": [dumped(record)]}), mode="overwrite")
        for table in database.list_tables(limit=1000).tables:
            if table.startswith("entries-") and table != record.entries:
                database.drop_table(table)
        return record

    def contents(self, record: Record) -> dict[str, str]:
        """Return nothing: in an object store they are not kept."""
        return {}

    def write_contents(self, record: Record, contents: Mapping[str, str]) -> None:
        """Do nothing."""

    @contextmanager
    def lock(self) -> Generator[None]:
        """Do nothing; see the class."""
        yield


def _new_record(kind: Kind, rows: pa.Table, origin: Origin) -> Record:
    return Record(kind, rows.schema.field("vector").type.list_size, f"entries-{secrets.token_hex(4)}", origin)
