"""What an index asks of the place that keeps its rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.search.filters import Where

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """Which rows: a side ("audio", "video" or ""; None for any) at a level ("segment" or "track")."""

    side: str | None
    level: str = "track"


@dataclass(frozen=True)
class Upkeep:
    """How a store stands: what it takes on disk, and what compaction would do.

    Attributes
    ----------
    bytes : on disk; None where they are not this machine's.
    parts : pieces that the rows lie in.
    unindexed : rows that are searched one by one beside an approximate index; all of them where there is none.
    """

    bytes: int | None
    parts: int
    unindexed: int


class View(Protocol):
    """The rows of a store as they stood at one moment: whole adds, none of them in part."""

    def nearest(self, queries: FloatArray, k: int, part: Part, where: Where) -> list[pa.Table]:
        """For each of (q, dim) unit queries the `k` rows of highest cosine, best first, ties by id.

        The tables have the columns `id`, those of the metadata, and `score`.
        """
        ...

    def rows(self, ids: Collection[str]) -> pa.Table:
        """All rows of some videos, with vectors."""
        ...

    def read(self, part: Part, vectors: bool = True) -> pa.Table:
        """All rows of a part."""
        ...

    def ids(self) -> set[str]:
        """The videos."""
        ...

    def known(self, ids: Collection[str]) -> set[str]:
        """Which of these videos are there."""
        ...

    def counts(self) -> dict[tuple[str, str], int]:
        """Rows of each side and level."""
        ...


class Store(Protocol):
    """Rows on disk. Writers come one at a time; each write is there as a whole or not at all."""

    def view(self) -> View:
        """The rows as they stand now."""
        ...

    def version(self) -> str:
        """Another text after every write."""
        ...

    def append(self, rows: pa.Table) -> None:
        """Add rows; none of their videos is there yet."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Drop all rows of some videos."""
        ...

    def compact(self) -> None:
        """Gather the rows in as few parts as there need be, and bring an approximate index up to date."""
        ...

    def upkeep(self) -> Upkeep:
        """How it stands."""
        ...
