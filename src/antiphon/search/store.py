"""What keeps the rows of an index: the interface of the exact store and of the approximate one."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.search.entries import FloatArray, Shelf
from antiphon.search.where import Where

State = dict[str, Any]
"""What a store needs to find its rows again, as the manifest keeps it: plain values only."""

Ranked = tuple[list[str], npt.NDArray[np.float32]]
"""Ids, and their cosines with the query, best first; of equal ones the earlier id comes first."""


class Snapshot(Protocol):
    """The rows of one state. It stays as it is, whatever is written meanwhile."""

    def shelves(self) -> dict[Shelf, int]:
        """How many rows each shelf has."""
        ...

    def ids(self) -> set[str]:
        """All tracks."""
        ...

    def nearest(self, shelf: Shelf, queries: FloatArray, k: int, where: Where) -> list[Ranked]:
        """For each of (q, dim) unit queries the best `k` rows of a shelf among those that `where` lets through."""
        ...

    def take(self, shelf: Shelf, ids: Sequence[str]) -> pa.Table:
        """All rows of these tracks on a shelf, with their vectors, in the order of the shelf."""
        ...

    def all(self, shelf: Shelf) -> pa.Table:
        """All rows of a shelf."""
        ...


class Store(Protocol):
    """Reads and writes states. Nothing that a state names is changed by writing the next."""

    def empty(self) -> State:
        """The state before anything is added."""
        ...

    def read(self, state: State) -> Snapshot:
        """The rows of a state.

        Raises
        ------
        FileNotFoundError
            The state has been compacted away; there is a newer one.
        """
        ...

    def add(self, state: State, rows: pa.Table) -> State:
        """The state with these rows, of tracks that it does not have."""
        ...

    def remove(self, state: State, ids: Sequence[str]) -> State:
        """The state without these tracks."""
        ...

    def compact(self, state: State) -> State:
        """The same rows, put together for faster reading."""
        ...

    def sweep(self, state: State) -> None:
        """Delete what this state, which is now the only one, does not need."""
        ...

    def size_bytes(self) -> int | None:
        """What it takes on disk; None where that is not known."""
        ...
