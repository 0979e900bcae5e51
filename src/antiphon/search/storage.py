"""Where an index is kept: a folder, with one writer at a time."""

import secrets
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from antiphon.documents import read_document, reason
from antiphon.errors import FeatureStoreError, SearchError
from antiphon.locks import exclusive
from antiphon.search.heard import HEARD, Heard
from antiphon.search.record import BUILD_FIRST, REBUILD, RECORD_FILE, Origin, Record, dumped, parsed
from antiphon.search.store import Store
from antiphon.tables import read_table, sweep_partials, write_table, write_text

_LOCK = ".lock"
_CONTENTS = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("content_hash", pa.string())])


class Place:
    """An index on disk: `index.toml`, and beside it the folder with the rows that this names.

    Parameters
    ----------
    folder : str or Path
        A local folder.

    Raises
    ------
    SearchError
        It is the address of something else.
    """

    def __init__(self, folder: str | Path) -> None:
        if "://" in str(folder):
            raise SearchError(
                f"{folder}: an index lies in a local folder, whose files are kept in memory. Build it in one, and copy "
                "that folder to where it is needed: its parts never change."
            )
        self.name = str(folder)
        self._folder = Path(folder)

    def record(self) -> Record:
        """Return the record of the index.

        Raises
        ------
        SearchError
            There is no index, or its record is damaged.
        """
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
        return Store(self._folder / record.entries, record.dim)

    def create(
        self, rows: pa.Table, origin: Origin, correction_dim: int, contents: Mapping[str, str], heard: Heard
    ) -> Record:
        """Write a new index and replace the previous one in one step; `contents` as in `contents`."""
        record = _new_record(rows, origin, correction_dim)
        with self.lock():
            if contents:
                self.write_contents(record, contents)
            self.write_heard(record, heard)
            Store.create(self._folder / record.entries, rows)
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
        """Replace the content hashes. Write them before the rows: those without rows say nothing."""
        columns = [pa.array(list(contents), pa.string()), pa.array(list(contents.values()), pa.string())]
        write_table(pa.Table.from_arrays(columns, schema=_CONTENTS), self._contents(record))

    def heard(self, record: Record) -> Heard:
        """Return musicnn's tags; none if they are not there or damaged, which spoils no search."""
        path = self._heard(record)
        if not path.exists():
            return Heard()
        try:
            return Heard.read(read_table(path, HEARD, only=True))
        except FeatureStoreError:
            return Heard()

    def write_heard(self, record: Record, heard: Heard) -> None:
        """Replace musicnn's tags, if there are any."""
        if heard.by_id:
            write_table(heard.table(), self._heard(record))

    def meanings(self, record: Record) -> Path:
        """Return the file of the vectors of names, which need not exist."""
        return self._folder / f"meanings-{record.entries}.parquet"

    def _heard(self, record: Record) -> Path:
        return self._folder / f"heard-{record.entries}.parquet"

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
            if folder.name != record.entries:
                shutil.rmtree(folder, ignore_errors=True)
        beside = {path for kind in ("contents", "heard", "meanings") for path in self._folder.glob(f"{kind}-*.parquet")}
        for path in beside - {self._contents(record), self._heard(record), self.meanings(record)}:
            path.unlink(missing_ok=True)


def _new_record(rows: pa.Table, origin: Origin, correction_dim: int) -> Record:
    dim = rows.schema.field("vector").type.list_size
    return Record(dim, f"entries-{secrets.token_hex(4)}", origin, correction_dim)
