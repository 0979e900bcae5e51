"""What an index needs of a store of its rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.search.filters import Where
from antiphon.search.ranking import Candidate, ComparedSide

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """Which rows: a side ("audio", "video" or ""; None for any) at a level ("segment" or "track")."""

    side: str | None
    level: str = "track"


@dataclass(frozen=True)
class Upkeep:
    """The state of a store.

    Attributes
    ----------
    bytes : int or None
        Size on disk; None for an object store.
    parts : int
        Number of parts that the rows lie in.
    unindexed : int
        Rows that are compared one by one beside an approximate index; all of them where there is none.
    """

    bytes: int | None
    parts: int
    unindexed: int


class Rows(Protocol):
    """Rows of a store as tables."""

    def nearest(self, queries: FloatArray, k: int, part: Part, where: Where) -> list[pa.Table]:
        """Return for each of (q, dim) unit queries the `k` rows of highest cosine, best first, ties by id.

        The tables have the columns `id`, those of the metadata, and `score`.
        """
        ...

    def rows(self, ids: Collection[str]) -> pa.Table:
        """Return all rows of some music videos, with vectors."""
        ...

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of rows of each side and level."""
        ...


class View(Rows, Protocol):
    """A snapshot of the rows of a store: whole additions, none of them in part."""

    def best(self, comparisons: Sequence[ComparedSide], count: int, pool: int, where: Where) -> Mapping[str, Candidate]:
        """Return what can be among the `pool` of highest score (by `best_moments`), perhaps with others.

        Only music videos of the `count` nearest tracks, or the nearest segments, of a compared side are looked at.
        """
        ...

    def items(self, ids: Collection[str]) -> Mapping[str, Candidate]:
        """Return the embeddings and the metadata of those of the music videos that are there."""
        ...

    def read(self, part: Part, vectors: bool = True) -> pa.Table:
        """Return all rows of a part."""
        ...

    def ids(self) -> set[str]:
        """Return the ids of the music videos."""
        ...

    def known(self, ids: Collection[str]) -> set[str]:
        """Return which of these music videos are there."""
        ...

    def corrected(self, changed: pa.Table) -> "View":
        """Return the same rows with other metadata of some music videos, of which `changed` has id and metadata."""
        ...


class Store(Protocol):
    """Rows on disk. Writers come one at a time; a write is visible as a whole or not at all."""

    def view(self) -> View:
        """Return the rows as they are now."""
        ...

    def version(self) -> str:
        """Return a text that changes with every write."""
        ...

    def append(self, rows: pa.Table) -> None:
        """Add rows of music videos that are not there yet."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Remove all rows of some music videos."""
        ...

    def compact(self) -> None:
        """Merge small parts, and bring an approximate index up to date."""
        ...

    def upkeep(self) -> Upkeep:
        """Return the state of the store."""
        ...
