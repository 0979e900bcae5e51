"""The exact store: append-only Parquet parts, a manifest that lists them, and a matrix product over all rows."""

import json
import re
from collections.abc import Sequence
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
from antiphon.search.entries import entry_schema, refuse_other_lengths, vectors_of
from antiphon.search.filters import Where
from antiphon.search.pieces import ORDER, LoadedPiece
from antiphon.search.record import REBUILD
from antiphon.search.resident import ExactView
from antiphon.search.view import Upkeep
from antiphon.tables import open_table, sweep_partials, write_table, write_text

FloatArray = npt.NDArray[np.float32]

_MANIFEST = "manifest.json"
_PART = re.compile(r"part-(\d{1,18})\.parquet")
_MAX_PARTS = 32
_GROUP_ROWS = 65_536
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
        self._seen: tuple[str, ExactView] | None = None

    @classmethod
    def create(cls, folder: Path, rows: pa.Table) -> Self:
        """Create a store of these rows in a new folder."""
        store = cls(folder, rows.schema.field("vector").type.list_size)
        store._write([], rows)
        return store

    def view(self) -> ExactView:
        """Return the rows of the current manifest; nothing is read again while it stays the same.

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
            version = self.version()  # Before what it is the version of: a write in between is seen the next time.
            seen = self._seen
            if seen is not None and seen[0] == version:
                return seen[1]
            pieces = self._manifest()
            try:
                loaded = {piece: self._kept.get(piece) or self._load(piece) for piece in pieces}
            except SearchError:  # Missing where another process has merged the parts, else damaged.
                if self._manifest() == pieces:
                    raise
                continue
            self._kept = loaded
            view = ExactView(list(loaded.values()), self._dim)
            self._seen = (version, view)
            return view

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
        self._kept, self._seen = {}, None
        loaded = [self._load(piece) for piece in self._manifest()]
        self._write([], pa.concat_tables([piece.table(np.arange(len(piece.owner))) for piece in loaded]))

    def upkeep(self) -> Upkeep:
        """Return bytes and number of parts; all rows are searched exhaustively."""
        pieces = self._manifest()
        return Upkeep(_bytes_in(self._folder), len(pieces), sum(self.view().counts().values()))

    def _write(self, before: list[Piece], rows: pa.Table) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = (int(match[1]) for path in self._folder.iterdir() if (match := _PART.fullmatch(path.name)))
        number = 1 + max(numbers, default=-1)
        name = f"part-{number:06d}.parquet"
        write_table(rows.sort_by([(name, "ascending") for name in ORDER]), self._folder / name, **_LAYOUT)
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
        about = about.filter(pa.array(kept)).combine_chunks()
        return LoadedPiece.of(about, vectors)


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


def _bytes_in(folder: Path) -> int:
    """Return the total size of the files; those deleted meanwhile count 0."""
    size = 0
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _damaged(path: object, what: str) -> SearchError:
    return SearchError(f"{path}: {what}. {REBUILD}")
