"""Where the rows of an index lie: append-only Parquet parts, and a manifest that lists them."""

import json
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.documents import parsed_object, read_document, reason
from antiphon.errors import FeatureStoreError, SearchError
from antiphon.parquet_files import open_table
from antiphon.search import lists
from antiphon.search.entries import LIST, entry_schema, refuse_other_lengths, vectors_of
from antiphon.search.pieces import LoadedPiece
from antiphon.search.record import REBUILD
from antiphon.search.view import View
from antiphon.tables import sweep_partials, write_table, write_text

FloatArray = npt.NDArray[np.float32]

_MANIFEST = "manifest.json"
_PART = re.compile(r"part-(\d{1,18})\.parquet")
_MAX_PARTS = 32
_GROUP_ROWS = 65_536
_REPEATING = ["side", "level", "artist", "title", "genre", "tags.list.element"]
_ORDER = ["side", "level", "list", "id", "start_s"]
"""How the rows of a part are ordered: those of a list side by side; without lists, those of a video, by time."""
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


@dataclass(frozen=True)
class Upkeep:
    """The state of a store.

    Attributes
    ----------
    bytes : int
        Size on disk.
    parts : int
        Number of parts that the rows lie in.
    listed : int
        Rows that lie in lists; all others are compared with every question.
    """

    bytes: int
    parts: int
    listed: int


class Store:
    """Parquet parts in a folder. Writers come one at a time; a write is visible as a whole or not at all.

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
        self._kept: dict[str, LoadedPiece] = {}
        self._seen: tuple[str, View] | None = None

    @classmethod
    def create(cls, folder: Path, rows: pa.Table) -> Self:
        """Create a store of these rows in a new folder."""
        store = cls(folder, rows.schema.field("vector").type.list_size)
        store._write([], rows)
        return store

    def view(self) -> View:
        """Return the rows of the current manifest; nothing is read again while it stays the same.

        Returns
        -------
        View
            The snapshot.

        Raises
        ------
        SearchError
            The manifest or a part is missing or damaged.
        """
        while True:
            version = self.version()  # Before what it is the version of: a write in between is seen the next time.
            seen = self._seen
            if seen is not None and seen[0] == version:
                return seen[1]
            pieces = self._manifest()
            try:
                loaded = {piece.file: self._kept.get(piece.file) or self._load(piece.file) for piece in pieces}
            except SearchError:  # Missing where another process has merged the parts, else damaged.
                if self._manifest() == pieces:
                    raise
                continue
            self._kept = loaded
            view = View([(loaded[piece.file], piece.removed) for piece in pieces], self._dim)
            self._seen = (version, view)
            return view

    def version(self) -> str:
        """Return a text that changes with every write: the modification time and the inode of the manifest."""
        try:
            about = (self._folder / _MANIFEST).stat()
        except OSError as error:
            raise _damaged(self._folder / _MANIFEST, "is missing") from error
        return f"{about.st_mtime_ns} {about.st_ino}"

    def append(self, rows: pa.Table) -> None:
        """Add rows of music videos that are not there yet, as another part; merge small parts where there are many."""
        self._write(self._manifest(), rows)
        if len(self._manifest()) > _MAX_PARTS:
            pieces = self._manifest()
            small = _small(pieces, [(self._folder / piece.file).stat().st_size for piece in pieces])
            self._merge(small, [piece for piece in pieces if piece not in small])

    def remove(self, ids: Collection[str]) -> None:
        """Remove videos: the manifest names them, and parts that have lost more than half of theirs are merged anew.

        All of it becomes visible at once.
        """
        self.view()
        left: list[Piece] = []
        worn: list[Piece] = []
        for piece in self._manifest():
            there = self._kept[piece.file].ids
            # Only those of the part itself: the manifest would grow by all removed ids times all parts.
            removed = (piece.removed | set(ids)).intersection(there)
            (worn if 2 * len(removed) > len(there) else left).append(Piece(piece.file, removed))
        if worn:
            self._merge(worn, left)
        else:
            self._replace(left)

    def compact(self) -> None:
        """Merge all rows into one part, without those removed, and sort them into lists anew."""
        self._merge(self._manifest(), [])

    def upkeep(self) -> Upkeep:
        """Return the state of the store."""
        return Upkeep(_bytes_in(self._folder), len(self._manifest()), self.view().listed)

    def _merge(self, pieces: Collection[Piece], others: list[Piece]) -> None:
        """Put one part, without removed videos, in the place of several; the others stay, as they are given."""
        self._seen = None
        loaded = [(self._kept.pop(piece.file, None) or self._load(piece.file), piece.removed) for piece in pieces]
        rows = View(loaded, self._dim).rows()
        del loaded
        if rows.num_rows:
            self._write(others, rows)
        else:
            self._replace(others)

    def _write(self, before: list[Piece], rows: pa.Table) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = (int(match[1]) for path in self._folder.iterdir() if (match := _PART.fullmatch(path.name)))
        number = 1 + max(numbers, default=-1)
        name = f"part-{number:06d}.parquet"
        write_table(_in_lists(rows), self._folder / name, **_LAYOUT)
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

    def _load(self, name: str) -> LoadedPiece:
        path, schema = self._folder / name, entry_schema(self._dim)
        try:
            with open_table(path) as file:
                found = file.schema_arrow.remove_metadata()
                known = found.equals(schema) or found.equals(schema.append(LIST))
                if not known or 4 * file.metadata.num_rows * self._dim > path.stat().st_size:
                    raise _damaged(path, "does not have the columns of this index")
                about = file.read([name for name in found.names if name != "vector"])
                about.validate(full=True)
                vectors = _vectors(file, self._dim)
        except FeatureStoreError as error:
            raise _damaged(path, "is missing" if not path.exists() else f"is damaged ({error.__cause__})") from error
        _refuse_null(path, about)
        refuse_other_lengths(vectors, path)
        return LoadedPiece.of(about.combine_chunks(), vectors)


def _in_lists(rows: pa.Table) -> pa.Table:
    """Return the rows in the order of a part; a side and level with many is sorted into lists."""
    numbers = np.full(rows.num_rows, -1, dtype=np.int32)
    sides, levels = (np.asarray(rows[name].combine_chunks().dictionary_encode().indices) for name in ("side", "level"))
    places = sides * (levels.max(initial=0) + 1) + levels
    for place in np.unique(places).tolist():
        own = places == place
        if np.count_nonzero(own) >= lists.MIN_ROWS:
            numbers[own] = lists.numbered(vectors_of(rows.filter(pa.array(own))))
    if (numbers >= 0).any():
        rows = rows.append_column(LIST, pa.array(numbers, mask=numbers < 0))
    return rows.sort_by([(name, "ascending") for name in _ORDER if name in rows.column_names])


def _small(pieces: Sequence[Piece], sizes: Sequence[int]) -> list[Piece]:
    """Return the parts that are not larger than all smaller ones together, so that a large one is seldom rewritten."""
    order = sorted(range(len(pieces)), key=sizes.__getitem__)
    small, total = [order[0]], sizes[order[0]]
    for place in order[1:]:
        if sizes[place] > total and len(small) > 1:
            break
        small.append(place)
        total += sizes[place]
    return [pieces[place] for place in sorted(small)]


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


def _vectors(file: pq.ParquetFile, dim: int) -> FloatArray:
    """Read the (n, dim) vectors group by group, to hold them in memory only once."""
    vectors, first = np.empty((file.metadata.num_rows, dim), dtype=np.float32), 0
    for group in range(file.num_row_groups):
        rows = vectors_of(file.read_row_group(group, ["vector"]))
        vectors[first : first + len(rows)] = rows
        first += len(rows)
    return vectors


def _bytes_in(folder: Path) -> int:
    """Return the total size of the files; those deleted meanwhile count 0."""
    size = 0
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _damaged(path: object, what: str) -> SearchError:
    return SearchError(f"{path}: {what}. {REBUILD}")
