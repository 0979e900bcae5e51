"""A part of the exact store in memory: vectors as they are stored, and what is said of a video only once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.search.entries import METADATA, entry_schema, with_metadata
from antiphon.search.view import Part

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

ORDER = ("side", "level", "id", "start_s")
"""How the rows of a part are ordered: those of a video side by side, in order of time."""


@dataclass(frozen=True, eq=False)
class LoadedPiece:
    """Rows of a part.

    Attributes
    ----------
    about : Table
        Id and metadata of each of its videos, ordered by id.
    owner : ndarray of int, shape (n,)
        Place in `about` of the video of each row; ascending within a side and level.
    starts_s, ends_s : ndarray of float64, shape (n,)
        Where the rows lie, NaN if unknown.
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    parts : mapping of (str, str) to slice
        Rows of each side and level.
    """

    about: pa.Table
    owner: IntArray
    starts_s: npt.NDArray[np.float64]
    ends_s: npt.NDArray[np.float64]
    vectors: FloatArray
    parts: Mapping[tuple[str, str], slice]

    @classmethod
    def of(cls, rows: pa.Table, vectors: FloatArray) -> "LoadedPiece":
        """Take rows without their column `vector`, and their vectors; put them in order where they are not."""
        names, owner = _numbered(rows["id"])
        keys, parts = _numbered_parts(rows)
        starts, ends = (rows[name].to_numpy().astype(np.float64) for name in ("start_s", "end_s"))
        times = np.where(np.isnan(starts), np.inf, starts)
        place = parts * len(names) + owner
        step = np.diff(place)
        if (step < 0).any() or ((step == 0) & (times[1:] < times[:-1])).any():
            order = np.lexsort((times, place))
            return cls.of(rows.take(pa.array(order)), vectors[order])
        first = np.empty(len(names), dtype=np.int64)
        first[owner[::-1]] = np.arange(len(owner))[::-1]
        about = rows.select(["id", *METADATA]).take(pa.array(first)).combine_chunks()
        edges = np.searchsorted(parts, np.arange(len(keys) + 1)).tolist()
        slices = {key: slice(edges[number], edges[number + 1]) for number, key in enumerate(keys)}
        return cls(about, owner, starts, ends, vectors, slices)

    @cached_property
    def ids(self) -> list[str]:
        """Ids of the videos, sorted."""
        return self.about["id"].to_pylist()

    def of_part(self, part: Part) -> list[slice]:
        """Return the rows of a part of the index."""
        return [rows for (side, level), rows in self.parts.items() if level == part.level and part.side in (None, side)]

    def described(self, rows: IntArray) -> pa.Table:
        """Return id and metadata of rows."""
        return self.about.take(pa.array(self.owner[rows]))

    def table(self, rows: IntArray, vectors: bool = True) -> pa.Table:
        """Return rows with all columns, or all but `vector`."""
        schema = entry_schema(self.vectors.shape[1])
        about = self.described(rows)
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
        flat = pa.array(np.ascontiguousarray(self.vectors[rows]).reshape(-1))
        return table.append_column(
            schema.field("vector"), pa.FixedSizeListArray.from_arrays(flat, self.vectors.shape[1])
        )

    def corrected(self, changed: pa.Table) -> "LoadedPiece":
        """Return the same rows with other metadata of some videos; vectors are shared."""
        return replace(self, about=with_metadata(self.about, changed).combine_chunks())


def _numbered(column: pa.ChunkedArray) -> tuple[list[str], IntArray]:
    """Return the different texts of a column, sorted, and the place of each row's among them."""
    coded = column.combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return [names[number] for number in order], place[coded.indices.to_numpy()]


def _numbered_parts(rows: pa.Table) -> tuple[list[tuple[str, str]], IntArray]:
    """Return the sides and levels that are there, sorted, and the place of each row's among them."""
    sides, side = _numbered(rows["side"])
    levels, level = _numbered(rows["level"])
    there, numbers = np.unique(side * len(levels) + level, return_inverse=True)
    return [(sides[code // len(levels)], levels[code % len(levels)]) for code in there.tolist()], numbers
