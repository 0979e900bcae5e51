"""The exact store: append-only Parquet parts, a manifest that lists them, and a matrix product over all rows."""

import json
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.documents import parsed_object, read_document, reason
from antiphon.errors import FeatureStoreError, SearchError
from antiphon.search.entries import (
    METADATA,
    best_first,
    entry_schema,
    refuse_other_lengths,
    scored,
    vectors_of,
    with_metadata,
)
from antiphon.search.filters import Where
from antiphon.search.record import REBUILD
from antiphon.search.view import Part, Upkeep
from antiphon.tables import open_table, sweep_partials, write_table, write_text

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_MANIFEST = "manifest.json"
_PART = re.compile(r"part-(\d{1,18})\.parquet")
_MAX_PARTS = 32
_BLOCK_ROWS = 131_072
_BLOCK_SCORES = 8_388_608
_QUERIES_AT_ONCE = 256
_GROUP_ROWS = 65_536
_ROUNDING = 1e-5
"""Upper bound of the error of float32 scores: ties with the last of a list must not be cut."""
_REPEATING = ["side", "level", "artist", "title", "genre", "tags.list.element"]
_LAYOUT: dict[str, Any] = {
    "row_group_size": _GROUP_ROWS,
    "use_dictionary": _REPEATING,
    # Vectors do not repeat and hardly shrink.
    "compression": dict.fromkeys([*_REPEATING, "id", "start_s", "end_s", "year"], "SNAPPY")
    | {"vector.list.element": "NONE"},
}


@dataclass(frozen=True)
class Piece:
    """A part in the manifest: its file, and the videos removed since it was written."""

    file: str
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class LoadedPiece:
    """Rows of a part in memory: the columns without `vector`, and (n, dim) vectors."""

    about: pa.Table
    vectors: FloatArray

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Rows by video."""
        found: dict[str, list[int]] = {}
        for row, video in enumerate(self.about["id"].to_pylist()):
            found.setdefault(video, []).append(row)
        return found

    @cached_property
    def parts(self) -> dict[tuple[str, str], slice]:
        """Rows by modality and level, which are contiguous."""
        sides, levels = (self.about[name].to_numpy().astype(str) for name in ("side", "level"))
        edges = np.flatnonzero((sides[1:] != sides[:-1]) | (levels[1:] != levels[:-1])) + 1
        if not len(sides):
            return {}
        starts = [0, *edges.tolist()]
        return {
            (str(sides[first]), str(levels[first])): slice(first, last)
            for first, last in zip(starts, [*starts[1:], len(sides)], strict=True)
        }

    def of(self, part: Part) -> list[slice]:
        """Return the rows of a part."""
        return [rows for (side, level), rows in self.parts.items() if level == part.level and part.side in (None, side)]


class ExactView:
    """A snapshot of the exact store in memory."""

    def __init__(self, pieces: Sequence[LoadedPiece], dim: int) -> None:
        self._pieces = pieces
        self._nothing = entry_schema(dim).empty_table()

    def nearest(self, queries: FloatArray, k: int, part: Part, where: Where) -> list[pa.Table]:
        """Return the `k` nearest rows: float32 scores in blocks, and float64 for those near the top."""
        if len(queries) > _QUERIES_AT_ONCE:
            several = np.split(queries, range(_QUERIES_AT_ONCE, len(queries), _QUERIES_AT_ONCE))
            return [table for few in several for table in self.nearest(few, k, part, where)]
        found: list[list[pa.Table]] = [[] for _ in queries]
        for piece in self._pieces:
            for rows in piece.of(part):
                about = piece.about.slice(rows.start, rows.stop - rows.start).select(["id", *METADATA])
                kept = None if where == Where() else np.flatnonzero(where.mask(about))
                for number, best in enumerate(_best(queries, piece.vectors[rows], kept, k)):
                    found[number].append(scored(about.take(best), piece.vectors[rows][best], queries[number]))
        nothing = self._nothing.select(["id", *METADATA]).append_column("score", pa.array([], pa.float64()))
        return [best_first(pa.concat_tables([nothing, *tables]), k) for tables in found]

    def rows(self, ids: Collection[str]) -> pa.Table:
        """Return all rows of some videos."""
        parts: list[pa.Table] = []
        for piece in self._pieces:
            places = [row for video in ids for row in piece.places.get(video, ())]
            if places:
                parts.append(_with_vectors(piece.about.take(places), piece.vectors[places]))
        return pa.concat_tables(parts) if parts else self._nothing

    def read(self, part: Part, vectors: bool = True) -> pa.Table:
        """Return all rows of a part."""
        parts: list[pa.Table] = []
        for piece in self._pieces:
            for rows in piece.of(part):
                about = piece.about.slice(rows.start, rows.stop - rows.start)
                parts.append(_with_vectors(about, piece.vectors[rows]) if vectors else about)
        return pa.concat_tables(parts) if parts else self._nothing

    def ids(self) -> set[str]:
        """Return the ids of all videos."""
        return {video for piece in self._pieces for video in piece.places}

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that are in the store."""
        return {video for video in ids if any(video in piece.places for piece in self._pieces)}

    def counts(self) -> dict[tuple[str, str], int]:
        """Count the rows by modality and level."""
        found: dict[tuple[str, str], int] = {}
        for piece in self._pieces:
            for key, rows in piece.parts.items():
                found[key] = found.get(key, 0) + rows.stop - rows.start
        return found

    def corrected(self, changed: pa.Table) -> "ExactView":
        """Return the same rows with other metadata of some videos; vectors are shared."""
        pieces = [LoadedPiece(with_metadata(piece.about, changed), piece.vectors) for piece in self._pieces]
        return ExactView(pieces, self._nothing.schema.field("vector").type.list_size)


class ExactStore:
    """Parquet parts in a folder.

    A manifest, replaced atomically, lists the valid parts; parts being written or replaced by compaction are not in it.
    A reader that finds a part missing reads the manifest again.

    Parameters
    ----------
    folder : Path
        The folder.
    dim : int
        Size of the vectors.
    """

    def __init__(self, folder: Path, dim: int) -> None:
        self._folder = folder
        self._dim = dim
        self._kept: dict[Piece, LoadedPiece] = {}

    @classmethod
    def create(cls, folder: Path, rows: pa.Table) -> Self:
        """Create a store of these rows in a new folder."""
        store = cls(folder, rows.schema.field("vector").type.list_size)
        store._write([], rows)
        return store

    def view(self) -> ExactView:
        """Return the rows of the current manifest; parts in memory are not read again.

        Returns
        -------
        ExactView
            The snapshot.

        Raises
        ------
        SearchError
            The manifest or a part is missing or damaged.
        """
        while True:
            pieces = self._manifest()
            try:
                loaded = {piece: self._kept.get(piece) or self._load(piece) for piece in pieces}
            except SearchError:  # Missing where another process has merged the parts, else damaged.
                if self._manifest() == pieces:
                    raise
                continue
            self._kept = loaded
            return ExactView(list(loaded.values()), self._dim)

    def version(self) -> str:
        """Return the modification time and the inode of the manifest."""
        try:
            about = (self._folder / _MANIFEST).stat()
        except OSError as error:
            raise _damaged(self._folder / _MANIFEST, "is missing") from error
        return f"{about.st_mtime_ns} {about.st_ino}"

    def append(self, rows: pa.Table) -> None:
        """Write another part."""
        self._write(self._manifest(), rows)
        if len(self._manifest()) > _MAX_PARTS:
            self.compact()

    def remove(self, ids: Sequence[str]) -> None:
        """Record in the manifest that videos of the existing parts are removed."""
        self._replace([Piece(piece.file, piece.removed | set(ids)) for piece in self._manifest()])

    def compact(self) -> None:
        """Merge all rows into one part."""
        self._kept = {}
        loaded = [self._load(piece) for piece in self._manifest()]
        self._write([], pa.concat_tables([_with_vectors(piece.about, piece.vectors) for piece in loaded]))

    def upkeep(self) -> Upkeep:
        """Return bytes and number of parts; all rows are searched exhaustively."""
        pieces = self._manifest()
        return Upkeep(_bytes_in(self._folder), len(pieces), sum(self.view().counts().values()))

    def _write(self, before: list[Piece], rows: pa.Table) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = (int(match[1]) for path in self._folder.iterdir() if (match := _PART.fullmatch(path.name)))
        number = 1 + max(numbers, default=-1)
        name = f"part-{number:06d}.parquet"
        order = [(column, "ascending") for column in ("side", "level", "id", "start_s")]
        write_table(rows.sort_by(order), self._folder / name, **_LAYOUT)
        self._replace([*before, Piece(name)])

    def _replace(self, pieces: list[Piece]) -> None:
        """Replace the manifest, then delete the parts that are not in it."""
        named = [{"file": piece.file, "removed": sorted(piece.removed)} for piece in pieces]
        write_text(json.dumps({"parts": named}, ensure_ascii=False), self._folder / _MANIFEST)
        sweep_partials(self._folder)
        for path in set(self._folder.glob("part-*.parquet")) - {self._folder / piece.file for piece in pieces}:
            path.unlink(missing_ok=True)

    def _manifest(self) -> list[Piece]:
        path = self._folder / _MANIFEST
        try:
            return [_piece(entry) for entry in parsed_object(read_document(path))["parts"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            gone = isinstance(error, FileNotFoundError)
            raise _damaged(path, "is missing" if gone else f"is damaged ({reason(error)})") from error

    def _load(self, piece: Piece) -> LoadedPiece:
        path, schema = self._folder / piece.file, entry_schema(self._dim)
        try:
            with open_table(path) as file:
                found = file.schema_arrow.remove_metadata()
                if not found.equals(schema) or 4 * file.metadata.num_rows * self._dim > path.stat().st_size:
                    raise _damaged(path, "does not have the columns of this index")
                about = file.read([name for name in schema.names if name != "vector"])
                about.validate(full=True)
                kept = Where(not_ids=tuple(piece.removed)).mask(about)
                vectors = _vectors(file, kept, self._dim)
        except FeatureStoreError as error:
            raise _damaged(path, "is missing" if not path.exists() else f"is damaged ({error.__cause__})") from error
        _refuse_null(path, about)
        refuse_other_lengths(vectors, path)
        return LoadedPiece(about.filter(pa.array(kept)).combine_chunks(), vectors)


def _piece(entry: Any) -> Piece:
    """Read an entry of the manifest, whose file can lie nowhere else."""
    file, removed = entry["file"], entry["removed"]
    if not _PART.fullmatch(file) or not isinstance(removed, list) or not all(isinstance(id, str) for id in removed):
        raise ValueError("an entry is not that of a part")
    return Piece(file, frozenset(removed))


def _refuse_null(path: Path, about: pa.Table) -> None:
    for name in ("id", "side", "level"):
        if about[name].null_count:
            raise _damaged(path, f"has rows without {name}")


def _vectors(file: pq.ParquetFile, kept: npt.NDArray[np.bool_], dim: int) -> FloatArray:
    """Read the (n, dim) vectors of the rows kept, group by group, to hold them in memory only once."""
    vectors, filled, first = np.empty((int(kept.sum()), dim), dtype=np.float32), 0, 0
    for group in range(file.num_row_groups):
        rows = vectors_of(file.read_row_group(group, ["vector"]))
        chosen = rows[kept[first : first + len(rows)]]
        vectors[filled : filled + len(chosen)] = chosen
        first, filled = first + len(rows), filled + len(chosen)
    return vectors


def _best(queries: FloatArray, vectors: FloatArray, kept: IntArray | None, k: int) -> list[IntArray]:
    """Return for each query the rows that can be among the `k` nearest."""
    count = len(vectors) if kept is None else len(kept)
    best = [np.zeros(0, dtype=np.int64) for _ in queries]
    tops = [np.zeros(0, dtype=np.float32) for _ in queries]
    step = min(_BLOCK_ROWS, _BLOCK_SCORES // max(1, len(queries)))
    for first in range(0, count, step):
        last = min(first + step, count)
        places = np.arange(first, last) if kept is None else kept[first:last]
        block = vectors[first:last] if kept is None else vectors[places]
        # Matrix times vector is several times as fast as the same product of two matrices.
        scores = (block @ queries[0])[None] if len(queries) == 1 else queries @ block.T
        for number, line in enumerate(scores):
            joined = np.concatenate([tops[number], line])
            lowest = np.partition(joined, -k)[-k] if len(joined) > k else -np.inf
            near = np.flatnonzero(joined >= lowest - _ROUNDING)
            best[number] = np.concatenate([best[number], places])[near]
            tops[number] = joined[near]
    return best


def _with_vectors(about: pa.Table, vectors: FloatArray) -> pa.Table:
    values = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors).reshape(-1)), vectors.shape[1])
    return about.append_column(entry_schema(vectors.shape[1]).field("vector"), values)


def _bytes_in(folder: Path) -> int:
    """Return the total size of the files; those deleted meanwhile count 0."""
    size = 0
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _damaged(path: object, what: str) -> SearchError:
    return SearchError(f"{path}: {what}. {REBUILD}")
