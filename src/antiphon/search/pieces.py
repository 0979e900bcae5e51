"""A part of an index in memory: vectors as they are stored, and what is said of a video only once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.search.blocks import Block
from antiphon.search.entries import LIST, METADATA, entry_schema, with_metadata
from antiphon.search.lists import Lists

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

Key = tuple[str, str]
"""A side ("audio", "video" or "") and a level ("segment" or "track")."""


@dataclass(frozen=True)
class Part:
    """Which rows: a side ("audio", "video" or ""; None for any) at a level ("segment" or "track")."""

    side: str | None
    level: str = "track"

    def holds(self, key: Key) -> bool:
        """Whether it has the rows of a side and level."""
        return key[1] == self.level and self.side in (None, key[0])


@dataclass(frozen=True, eq=False)
class LoadedPiece:
    """Rows of a part, by side and level, video and time.

    Attributes
    ----------
    about : Table
        Id and metadata of each of its videos, ordered by id.
    owner : ndarray of int, shape (n,)
        Place in `about` of the video of each row; ascending within a side and level.
    starts_s, ends_s : ndarray of float64, shape (n,)
        Where the rows lie, NaN if unknown.
    vectors : ndarray of float32, shape (n, dim)
        Unit vectors, in the order of the lists within a side and level that has them, else of the rows.
    places : ndarray of int, shape (n,), optional
        Where in `vectors` that of each row lies; None: in the same order.
    parts : mapping of (str, str) to slice
        Rows of each side and level.
    lists : mapping of (str, str) to Lists
        Lists of the sides and levels that have them.
    """

    about: pa.Table
    owner: IntArray
    starts_s: npt.NDArray[np.float64]
    ends_s: npt.NDArray[np.float64]
    vectors: FloatArray
    places: IntArray | None
    parts: Mapping[Key, slice]
    lists: Mapping[Key, Lists]

    @classmethod
    def of(cls, rows: pa.Table, vectors: FloatArray) -> "LoadedPiece":
        """Take rows without their column `vector`, and their vectors; put them in order where they are not."""
        names, owner = _numbered(rows["id"])
        keys, parts = _numbered_parts(rows)
        numbers = _list_numbers(rows, parts)
        starts, ends = (rows[name].to_numpy().astype(np.float64) for name in ("start_s", "end_s"))
        times = np.where(np.isnan(starts), np.inf, starts)
        stored = _combined(_combined(parts, numbers), owner)
        step = np.diff(stored)
        if (step < 0).any() or ((step == 0) & (times[1:] < times[:-1])).any():
            order = np.lexsort((times, stored))
            return cls.of(rows.take(pa.array(order)), vectors[order])
        first = np.empty(len(names), dtype=np.int64)
        first[owner[::-1]] = np.arange(len(owner))[::-1]
        about = rows.select(["id", *METADATA]).take(pa.array(first)).combine_chunks()
        edges = np.searchsorted(parts, np.arange(len(keys) + 1)).tolist()
        slices = {key: slice(edges[number], edges[number + 1]) for number, key in enumerate(keys)}
        lists = {key: Lists.of(numbers[own], vectors[own]) for key, own in slices.items() if numbers[own.start] >= 0}
        if not lists:
            return cls(about, owner, starts, ends, vectors, None, slices, lists)
        places = np.lexsort((times, _combined(parts, owner)))
        return cls(about, owner[places], starts[places], ends[places], vectors, places, slices, lists)

    @cached_property
    def ids(self) -> list[str]:
        """Ids of the videos, sorted."""
        return self.about["id"].to_pylist()

    def block(self, key: Key, first: int) -> Block:
        """Return the rows of a side and level, their videos numbered from `first` on."""
        own = self.parts[key]
        places = None if self.places is None or key not in self.lists else self.places[own] - own.start
        return Block(first + self.owner[own], self.vectors[own], places, self.lists.get(key))

    def table(self, rows: IntArray, vectors: bool = True) -> pa.Table:
        """Return rows with all columns, or all but `vector`."""
        schema = entry_schema(self.vectors.shape[1])
        about = self.about.take(pa.array(self.owner[rows]))
        numbers = np.searchsorted([part.stop for part in self.parts.values()], rows, side="right")
        columns = {name: about[name] for name in ("id", *METADATA)}
        for place, name in enumerate(("side", "level")):
            columns[name] = pa.array([key[place] for key in self.parts]).take(pa.array(numbers))
        columns["start_s"] = pa.array(self.starts_s[rows], from_pandas=True)
        columns["end_s"] = pa.array(self.ends_s[rows], from_pandas=True)
        fields = [field for field in schema if field.name != "vector"]
        table = pa.Table.from_arrays([columns[field.name] for field in fields], schema=pa.schema(fields))
        if not vectors:
            return table
        flat = pa.array(np.ascontiguousarray(self._vectors(rows)).reshape(-1))
        return table.append_column(
            schema.field("vector"), pa.FixedSizeListArray.from_arrays(flat, self.vectors.shape[1])
        )

    def _vectors(self, rows: IntArray) -> FloatArray:
        return self.vectors[rows if self.places is None else self.places[rows]]

    def corrected(self, changed: pa.Table) -> "LoadedPiece":
        """Return the same rows with other metadata of some videos; vectors are shared."""
        return replace(self, about=with_metadata(self.about, changed).combine_chunks())


def _list_numbers(rows: pa.Table, parts: IntArray) -> IntArray:
    """Return the list of each row, -1 throughout a side and level that has none."""
    if LIST.name not in rows.column_names:
        return np.full(rows.num_rows, -1)
    numbers = np.asarray(rows[LIST.name].combine_chunks().fill_null(-1)).astype(np.int64)
    for part in np.unique(parts[numbers < 0]).tolist():
        numbers[parts == part] = -1
    return numbers


def _combined(first: IntArray, second: IntArray) -> IntArray:
    """Return numbers that are in order where pairs of numbers are."""
    lowest = second.min(initial=0)
    return first * (second.max(initial=0) - lowest + 1) + second - lowest


def _numbered(column: pa.ChunkedArray) -> tuple[list[str], IntArray]:
    """Return the different texts of a column, sorted, and the place of each row's among them."""
    coded = column.combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return [names[number] for number in order], place[coded.indices.to_numpy()]


def _numbered_parts(rows: pa.Table) -> tuple[list[Key], IntArray]:
    """Return the sides and levels that are there, sorted, and the place of each row's among them."""
    sides, side = _numbered(rows["side"])
    levels, level = _numbered(rows["level"])
    there, numbers = np.unique(side * len(levels) + level, return_inverse=True)
    return [(sides[code // len(levels)], levels[code % len(levels)]) for code in there.tolist()], numbers
