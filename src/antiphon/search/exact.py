"""Every row compared with every query: the reference, and fast enough for tens of thousands of tracks."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.search.entries import FloatArray, Shelf, entry_schema, matrix
from antiphon.search.store import Ranked, State
from antiphon.search.where import Where
from antiphon.tables import read_table, write_table

_QUERIES = 256
"""Compared at a time: memory is so many × rows float32."""
_MOST_PARTS = 64
_ADDED, _REMOVED = "added", "removed"
_IDS = pa.schema([pa.field("id", pa.string(), nullable=False)])


class ExactShelf:
    """The rows of one shelf in memory."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table.combine_chunks()
        self.ids: list[str] = self.table["id"].to_pylist()

    @cached_property
    def vectors(self) -> FloatArray:
        """(n, dim) unit rows."""
        return matrix(self.table)

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """(n,) place of each row when sorted by id: what decides between equal scores."""
        order = np.empty(len(self.ids), dtype=np.int64)
        order[np.argsort(np.array(self.ids), kind="stable")] = np.arange(len(self.ids))
        return order

    @cached_property
    def rows_of(self) -> dict[str, list[int]]:
        """By track the rows that it has."""
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.ids):
            rows.setdefault(name, []).append(row)
        return rows

    def allowed(self, where: Where) -> npt.NDArray[np.bool_] | None:
        """(n,) which rows a filter lets through; None where it lets all."""
        if where.is_empty:
            return None
        keep = np.ones(len(self.ids), dtype=bool)
        for column, values, wanted in (
            ("genre", where.genre, True),
            ("artist", where.artist, True),
            ("artist", where.not_artist, False),
            ("id", where.not_ids, False),
        ):
            if values:
                keep &= _among(self.table, column, values) == wanted
        if where.year_from is not None or where.year_to is not None:
            year = self.table["year"].to_numpy(zero_copy_only=False).astype(np.float64)
            keep &= year >= (-np.inf if where.year_from is None else where.year_from)
            keep &= year <= (np.inf if where.year_to is None else where.year_to)
        return keep


class ExactSnapshot:
    """All rows of one state in memory."""

    def __init__(self, rows: pa.Table) -> None:
        of = np.array(list(zip(rows["side"].to_pylist(), rows["level"].to_pylist(), strict=True)), dtype=np.str_)
        self._shelves = {
            (str(side), str(level)): ExactShelf(rows.filter(pa.array((of == (side, level)).all(axis=1))))
            for side, level in (np.unique(of, axis=0) if len(of) else ())
        }

    def shelves(self) -> dict[Shelf, int]:
        """How many rows each shelf has."""
        return {shelf: len(held.ids) for shelf, held in sorted(self._shelves.items())}

    def ids(self) -> set[str]:
        """All tracks."""
        return {name for held in self._shelves.values() for name in held.rows_of}

    def nearest(self, shelf: Shelf, queries: FloatArray, k: int, where: Where) -> list[Ranked]:
        """The best `k` rows of a shelf for each query, exactly."""
        held = self._shelves.get(shelf)
        if held is None:
            return [([], np.empty(0, dtype=np.float32)) for _ in queries]
        allowed = held.allowed(where)
        rows = np.arange(len(held.ids)) if allowed is None else np.flatnonzero(allowed)
        vectors = held.vectors if allowed is None else held.vectors[rows]
        found: list[Ranked] = []
        for first in range(0, len(queries), _QUERIES):
            for scores in queries[first : first + _QUERIES] @ vectors.T:
                best = _best(scores, held.order[rows], k)
                found.append(([held.ids[row] for row in rows[best]], scores[best]))
        return found

    def take(self, shelf: Shelf, ids: Sequence[str]) -> pa.Table:
        """All rows of these tracks."""
        held = self._shelves[shelf]
        return held.table.take(sorted(row for name in ids for row in held.rows_of.get(name, [])))

    def all(self, shelf: Shelf) -> pa.Table:
        """All rows of a shelf."""
        return self._shelves[shelf].table


def _best(scores: FloatArray, order: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    """The `k` highest, and of equal ones those that come first in `order`."""
    if k >= len(scores):
        return np.lexsort((order, -scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    near = np.flatnonzero(scores >= least)
    return near[np.lexsort((order[near], -scores[near]))][:k]


def _among(table: pa.Table, column: str, values: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(n,) which rows have one of the values in a column of text."""
    wanted = set(values)
    return np.array([value in wanted for value in table[column].to_pylist()], dtype=bool)


class ExactStore:
    """A log of Parquet parts: what was added, and what was removed, in order.

    Parameters
    ----------
    folder : of the parts.
    dim : size of the vectors.
    """

    def __init__(self, folder: Path, dim: int) -> None:
        self.folder, self.dim = folder, dim

    def empty(self) -> State:
        """No parts."""
        return {"parts": [], "next": 0}

    def read(self, state: State) -> ExactSnapshot:
        """Replay the log."""
        alive: list[pa.Table] = []
        for part in state["parts"]:
            path = self.folder / part
            if not path.exists():
                raise FileNotFoundError(path)
            if part.startswith(_ADDED):
                alive.append(read_table(path, entry_schema(self.dim)))
            else:
                gone = read_table(path, _IDS)["id"].to_pylist()
                alive = [rows.filter(pa.array(~_among(rows, "id", gone))) for rows in alive]
        return ExactSnapshot(pa.concat_tables(alive) if alive else entry_schema(self.dim).empty_table())

    def add(self, state: State, rows: pa.Table) -> State:
        """One part more, and one for all where there are many."""
        added = self._appended(state, _ADDED, rows)
        return self.compact(added) if len(added["parts"]) > _MOST_PARTS else added

    def remove(self, state: State, ids: Sequence[str]) -> State:
        """One part more."""
        return self._appended(state, _REMOVED, pa.table([pa.array(list(ids), pa.string())], schema=_IDS))

    def compact(self, state: State) -> State:
        """All that is left in one part."""
        whole = self.read(state)
        rows = [whole.all(shelf) for shelf in whole.shelves()]
        if not rows:
            return {"parts": [], "next": state["next"]}
        return self._appended({"parts": [], "next": state["next"]}, _ADDED, pa.concat_tables(rows))

    def sweep(self, state: State) -> None:
        """Delete the parts of earlier states, and of writers that were killed."""
        for path in self.folder.glob("*-*.parquet"):
            if path.name not in state["parts"]:
                path.unlink(missing_ok=True)

    def size_bytes(self) -> int | None:
        """Of all parts."""
        return sum(path.stat().st_size for path in self.folder.glob("*.parquet"))

    def _appended(self, state: State, kind: str, rows: pa.Table) -> State:
        name = f"{kind}-{state['next']:06d}.parquet"
        write_table(rows, self.folder / name)
        return {"parts": [*state["parts"], name], "next": state["next"] + 1}
