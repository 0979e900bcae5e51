"""The store for large catalogues: a LanceDB table with an approximate index, on disk or in an object store."""

import os
import sys
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.documents import reason, refuse_no_file
from antiphon.errors import AntiphonError, SearchError
from antiphon.ordering import rounded
from antiphon.search.candidates import gathered, items
from antiphon.search.entries import (
    METADATA,
    best_first,
    entry_schema,
    refuse_other_lengths,
    scored,
    vectors_of,
    with_metadata,
)
from antiphon.search.filters import Where, quoted
from antiphon.search.ranking import Candidate, ComparedSide
from antiphon.search.record import REBUILD
from antiphon.search.view import Part, Upkeep

FloatArray = npt.NDArray[np.float32]

_INDEX_FROM_ROWS = 20_000
_MAX_UNINDEXED_SHARE = 0.1
_MAX_PARTS = 32
_LIST_ROWS = 3_000
_PROBES = 40
_PROBES_WITH_CONDITION = 120
_REFINE = 3
_SPARE = 6
"""Additional rows to fetch, so that ties at the end of a list are cut by id; more if all are ties."""
_IDS_AT_ONCE = 5_000
_KEPT_FOR = timedelta(hours=1)
"""How long old versions are kept for readers."""


class LanceView:
    """One version of a LanceDB table, without later writes.

    Parameters
    ----------
    table : object
        A handle of the table, pinned to the version and not shared.
    dim : int
        Size of the vectors.
    place : str
        The database and the table, for messages.

    Raises
    ------
    SearchError
        Here and in every method: the rows are damaged, or deleted with an earlier build.
    """

    def __init__(self, table: Any, dim: int, place: str) -> None:
        self._table = table
        self._place = place
        self._about = [name for name in entry_schema(dim).names if name != "vector"]
        self._dim = dim
        with guarded(place):
            self.version = int(table.version)
            there = {field.name: field.type for field in table.schema}
        if there != {field.name: field.type for field in entry_schema(dim)}:
            raise SearchError(f"{place} does not have the columns of this index. {REBUILD}")
        rows = self._select("", ["side", "level"])
        self._counts = dict(Counter(zip(rows["side"].to_pylist(), rows["level"].to_pylist(), strict=True)))
        self._changed: pa.Table | None = None

    def nearest(self, queries: FloatArray, k: int, part: Part, where: Where) -> list[pa.Table]:
        """Return the `k` nearest rows: 3k from the nearest lists by rounded vectors, then compared exactly.

        Conditions are applied first: rows that fail them are never compared. All queries are asked at once; those whose
        last rows may all be ties are asked again for more.
        """
        condition = " AND ".join(filter(None, (self._of(part), self._meeting(where))))
        found: dict[int, pa.Table] = {}
        k, spare = min(k, sum(self._counts.values())), _SPARE
        while left := [number for number in range(len(queries)) if number not in found]:
            for number, table in zip(left, self._asked(queries[left], k + spare, condition), strict=True):
                scores = np.sort(rounded(table["score"].to_numpy()))[::-1]
                if len(scores) < k + spare or scores[-1] < scores[k - 1]:
                    found[number] = self._today(best_first(table, k))
            spare *= 4
        return [found[number] for number in range(len(queries))]

    def best(self, comparisons: Sequence[ComparedSide], count: int, pool: int, where: Where) -> Mapping[str, Candidate]:
        """Return what is near in any of its rows; see `View.best`."""
        return gathered(self, comparisons, count, where)

    def items(self, ids: Collection[str]) -> Mapping[str, Candidate]:
        """Return the embeddings and the metadata of some videos."""
        return items(self.rows(ids))

    def corrected(self, changed: pa.Table) -> "LanceView":
        """Return the same rows with other metadata of some videos, which conditions then read."""
        view = copy(self)
        view._changed = changed
        return view

    def _meeting(self, where: Where) -> str:
        """Return conditions in SQL; videos with other metadata than the table's are named."""
        if self._changed is None or not where.reads_metadata:
            return where.sql()
        ids = self._changed["id"].to_pylist()
        met = [name for name, meets in zip(ids, where.mask(self._changed), strict=True) if meets]
        others = f"({where.sql()} AND id NOT IN ({quoted(ids)}))"
        return f"({others} OR id IN ({quoted(met)}))" if met else others

    def _today(self, table: pa.Table) -> pa.Table:
        return table if self._changed is None else with_metadata(table, self._changed)

    def _asked(self, queries: FloatArray, count: int, condition: str) -> list[pa.Table]:
        """Return for each query the nearest rows, with scores."""
        asked = self._table.search(list(queries), vector_column_name="vector").distance_type("cosine")
        asked = asked.nprobes(_PROBES_WITH_CONDITION if condition else _PROBES).refine_factor(_REFINE)
        asked = asked.select(["id", *METADATA, "vector", "_distance"])
        if condition:
            asked = asked.where(condition, prefilter=True)
        with guarded(self._place):
            table: pa.Table = asked.limit(count).to_arrow()
        vectors = vectors_of(table)
        refuse_other_lengths(vectors, self._place)
        several = "query_index" in table.column_names
        numbers = table["query_index"].to_numpy() if several else np.zeros(len(vectors), dtype=np.int64)
        about = table.select(["id", *METADATA])
        rows = [np.flatnonzero(numbers == number) for number in range(len(queries))]
        # Compared again in float64, as in the exact store.
        return [
            scored(about.take(pa.array(own)), vectors[own], query) for own, query in zip(rows, queries, strict=True)
        ]

    def _of(self, part: Part) -> str:
        """Return the part as a condition; "" if the table has nothing else."""
        sides = {side for side, level in self._counts if level == part.level}
        conditions: list[str] = []
        if {level for _, level in self._counts} != {part.level}:
            conditions.append(f"level = {quoted([part.level])}")
        if part.side is not None and sides != {part.side}:
            conditions.append(f"side = {quoted([part.side])}")
        return " AND ".join(conditions)

    def rows(self, ids: Collection[str]) -> pa.Table:
        """Return all rows of some videos."""
        every, names = list(ids), [*self._about, "vector"]
        parts = [
            self._select(f"id IN ({quoted(every[first : first + _IDS_AT_ONCE])})", names)
            for first in range(0, len(every), _IDS_AT_ONCE)
        ]
        return self._today(pa.concat_tables(parts)) if parts else entry_schema(self._dim).empty_table()

    def read(self, part: Part, vectors: bool = True) -> pa.Table:
        """Return all rows of a part."""
        return self._today(self._select(self._of(part), [*self._about, "vector"] if vectors else self._about))

    def ids(self) -> set[str]:
        """Return the ids of all videos."""
        return set(self._select("", ["id"])["id"].to_pylist())

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that are in the store."""
        if len(ids) > _IDS_AT_ONCE:
            return self.ids() & set(ids)
        return set(self._select(f"id IN ({quoted(list(ids))})", ["id"])["id"].to_pylist()) if ids else set()

    def counts(self) -> dict[tuple[str, str], int]:
        """Count the rows by modality and level."""
        return self._counts

    def _select(self, condition: str, columns: list[str]) -> pa.Table:
        asked = self._table.search().select(columns)
        if condition:
            asked = asked.where(condition)
        with guarded(self._place):
            table = asked.to_arrow().select(columns)
            table.validate(full=True)
        if "vector" in columns:
            refuse_other_lengths(vectors_of(table), self._place)
        return table


class LanceStore:
    """A LanceDB table of an index.

    A write is one version of the table, so it is atomic. New rows are searched exhaustively until there are many; then
    they are added to the approximate index without retraining it, so an index that has grown tenfold should be rebuilt.

    The index has inverted lists of vectors rounded to 8 bits, about 3,000 rows per list. The nearest 40 lists are
    searched, or 120 with conditions; up to 120,000 rows these are all lists, so recall does not depend on the vectors.

    Parameters
    ----------
    uri : str
        Folder or URI of the database.
    name : str
        Name of the table.
    dim : int
        Size of the vectors.
    """

    def __init__(self, uri: str, name: str, dim: int) -> None:
        self._uri = uri
        self._name = name
        self._dim = dim
        self._place = f"{uri}: the table {name}"
        self._database: Any = None
        self._opened: Any = None
        self._seen: LanceView | None = None

    @classmethod
    def create(cls, uri: str, name: str, rows: pa.Table) -> Self:
        """Create a store of these rows as a new table."""
        store = cls(uri, name, rows.schema.field("vector").type.list_size)
        store._database = connect(uri)
        with guarded(store._place):
            store._opened = store._database.create_table(name, rows)
            if rows.num_rows >= _INDEX_FROM_ROWS:
                store._train()
        return store

    def view(self) -> LanceView:
        """Return the current rows.

        Returns
        -------
        LanceView
            The latest version.

        Raises
        ------
        SearchError
            The table is missing or damaged.
        """
        table, seen = self._latest(), self._seen
        with guarded(self._place):
            version = table.version
            if seen is not None and seen.version == version:
                return seen
            pinned = self._database.open_table(self._name)
            pinned.checkout(version)
        self._seen = LanceView(pinned, self._dim, self._place)
        return self._seen

    def version(self) -> str:
        """Return the version of the table."""
        return str(self.view().version)

    def append(self, rows: pa.Table) -> None:
        """Add rows, as a new version."""
        table = self._latest()
        with guarded(self._place):
            table.add(rows)
            many = max(_INDEX_FROM_ROWS, _MAX_UNINDEXED_SHARE * table.count_rows())
            due = self._parts() > _MAX_PARTS or self._unindexed() > many
        if due:
            self.compact()

    def remove(self, ids: Sequence[str]) -> None:
        """Remove videos, as a new version."""
        table = self._latest()
        with guarded(self._place):
            table.delete(f"id IN ({quoted(list(ids))})")

    def compact(self) -> None:
        """Merge small parts, and add unindexed rows to the approximate index (or create it)."""
        table = self._latest()
        with guarded(self._place):
            if table.count_rows() >= _INDEX_FROM_ROWS and not _has_index(table):
                self._train()
            table.optimize(cleanup_older_than=_KEPT_FOR)

    def upkeep(self) -> Upkeep:
        """Return bytes (of a local folder), fragments, and the number of unindexed rows."""
        folder = Path(self._uri) / f"{self._name}.lance"
        local = "://" not in self._uri
        self._latest()
        with guarded(self._place):
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if local else None
            return Upkeep(size, self._parts(), self._unindexed())

    def _train(self) -> None:
        from lancedb.index import Bitmap, BTree, IvfSq

        table = self._opened
        lists = max(1, table.count_rows() // _LIST_ROWS)
        table.create_index("vector", config=IvfSq(distance_type="cosine", num_partitions=lists))
        for column in ("side", "level"):
            table.create_index(column, config=Bitmap())
        for column in ("id", "year"):
            table.create_index(column, config=BTree())

    def _latest(self) -> Any:
        """Return the writable handle, at the latest version."""
        if self._database is None:
            self._database = connect(self._uri)
        _refuse_forked()
        with guarded(self._place):
            if self._opened is None:
                _refuse_other_kinds(Path(self._uri) / f"{self._name}.lance")
                self._opened = self._database.open_table(self._name)
            else:
                self._opened.checkout_latest()
        return self._opened

    def _parts(self) -> int:
        return int(self._opened.stats()["fragment_stats"]["num_fragments"])

    def _unindexed(self) -> int:
        table = self._opened
        if not _has_index(table):
            return int(table.count_rows())
        return int(table.index_stats("vector_idx").num_unindexed_rows)


@contextmanager
def guarded(place: str) -> Generator[None]:
    """Convert LanceDB's errors to `SearchError`."""
    try:
        yield
    except AntiphonError:
        raise
    except (LookupError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise SearchError(f"{place} cannot be read or written ({reason(error)}). {REBUILD}") from error
    except BaseException as error:
        if type(error).__name__ not in ("PanicException", "RustPanic"):  # They stand beside Python's exceptions.
            raise
        raise SearchError(f"{place} cannot be read or written ({str(error)[:200]}). {REBUILD}") from error


def connect(uri: str) -> Any:
    """Open the database in a folder or at a URI.

    Parameters
    ----------
    uri : str
        Folder or URI.

    Returns
    -------
    object
        The connection.

    Raises
    ------
    SearchError
        It cannot be reached, or this process was forked from one that had loaded LanceDB.
    """
    _refuse_forked()
    import lancedb

    try:
        return lancedb.connect(uri)
    except (ValueError, RuntimeError, OSError) as error:
        raise SearchError(f"{uri}: cannot be reached ({reason(error)}).") from error


def _refuse_other_kinds(folder: Path) -> None:
    """Refuse a local table with a pipe or a device in it, for which LanceDB would wait for ever."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        if not path.is_dir():
            refuse_no_file(path)


def _has_index(table: Any) -> bool:
    return any(index.name == "vector_idx" for index in table.list_indices())


_FORKED: list[bool] = []


def _note_fork() -> None:
    if "lancedb" in sys.modules:
        _FORKED.append(True)


os.register_at_fork(after_in_child=_note_fork)


def _refuse_forked() -> None:
    """Refuse a forked process: it lacks LanceDB's threads, and waiting for them may take forever."""
    if _FORKED:
        raise SearchError(
            "This process was forked from one that had loaded LanceDB and lacks its threads. Start it with "
            'multiprocessing.get_context("spawn"), or fork before an index is opened.'
        )
