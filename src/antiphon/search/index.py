"""The index that people hold: build it, add to it, and ask it for music videos."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import SearchError
from antiphon.search.asking import Asking, T
from antiphon.search.entries import (
    Embedder,
    FeatureRows,
    MusicVideos,
    embedded,
    origin_of,
    refuse_other_size,
    vector_rows,
)
from antiphon.search.record import Kind, Origin, Record
from antiphon.search.storage import Place, place_of
from antiphon.search.view import View

LANCEDB_ROWS = 600_000
"""From so many rows `auto` takes LanceDB: below, the exact search answers `similar` and `match` sooner and misses
nothing (`benchmarks/index_questions.py`)."""


class Index(Asking):
    """Embeddings of music videos on disk, and the search in them. All scores are cosines, or means of cosines.

    Make one with `build` (of a model and features) or `from_vectors`, or `open` one. Processes may read while one
    writes: a query sees whole adds, never a part of one. Two writers at a time are refused.

    Attributes
    ----------
    kind : "exact" (a matrix product over all rows) or "lancedb" (approximate, for large catalogues).
    dim : size of the embeddings.
    origin : what made the embeddings.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     index = Index.from_vectors(["a", "b", "c"], np.eye(3), path=folder)
    ...     [hit.id for hit in index.search(np.array([[0.1, 2.0, 1.0]]), k=2)[0]]
    ['b', 'c']
    """

    def __init__(self, place: Place, record: Record) -> None:
        self._place = place
        self._take(record)

    def _take(self, record: Record) -> None:
        self._record = record
        self._store = self._place.store(record)
        self.kind: Kind = record.kind
        self.dim: int = record.dim
        self.origin: Origin = record.origin

    @classmethod
    def build(
        cls,
        model: Embedder,
        features: FeatureRows,
        path: str | Path,
        catalogue: MusicVideos | None = None,
        kind: Literal["auto", "exact", "lancedb"] = "auto",
        made_by: Mapping[str, str] | None = None,
        run: str = "",
    ) -> Self:
        """Embed segments and tracks of all features, sound and pictures, and write an index.

        An index that is at `path` stays usable until the new one takes its place.

        Parameters
        ----------
        path : a folder, or a URI of an object store (s3://…, gs://…), where LanceDB keeps the index.
        catalogue : says artist, title, genre, tags and year. Default: what stands with the features.
        kind : "auto" takes LanceDB from 600,000 rows on, and in an object store.
        made_by : hashes of what computed the features, by side, where known: features made otherwise are then refused.
        run : what the model is called; it is kept for people to read.

        Raises
        ------
        SearchError
            There is nothing to index, or another process is writing.
        """
        rows = embedded(model, features, catalogue)
        return cls._create(path, kind, rows, origin_of(model, features, made_by, run))

    @classmethod
    def from_vectors(
        cls,
        ids: Sequence[Any],
        vectors: npt.ArrayLike,
        path: str | Path,
        kind: Literal["auto", "exact", "lancedb"] = "auto",
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> Self:
        """An index of vectors that came from elsewhere, one a music video.

        Parameters
        ----------
        vectors : (n, dim). They are brought to length 1: scores are cosines.
        metadata : of each vector any of artist, title, genre, tags (a list), year.

        Raises
        ------
        SearchError
            An id stands twice, lengths differ, or a vector is zero or not finite.
        """
        return cls._create(path, kind, vector_rows(ids, vectors, metadata), Origin())

    @classmethod
    def _create(
        cls, path: str | Path, kind: Literal["auto", "exact", "lancedb"], rows: pa.Table, origin: Origin
    ) -> Self:
        place = place_of(path)
        if kind not in ("auto", "exact", "lancedb"):
            raise SearchError(f"kind is '{kind}'; there are auto, exact and lancedb.")
        large = rows.num_rows >= LANCEDB_ROWS or "://" in str(path)
        chosen: Kind = kind if kind != "auto" else "lancedb" if large else "exact"
        return cls(place, place.create(chosen, rows, origin))

    @classmethod
    def open(
        cls,
        path: str | Path,
        model: Embedder | None = None,
        features: FeatureRows | None = None,
        made_by: Mapping[str, str] | None = None,
    ) -> Self:
        """The index at `path`.

        Parameters
        ----------
        model : the model whose embeddings will be searched for.
        features, made_by : with a model, what it embeds now, as in `build`.

        Raises
        ------
        SearchError
            There is no index, or it is damaged.
        StaleIndexError
            It holds embeddings of another model, or of other features.
        """
        place = place_of(path)
        index = cls(place, place.record())
        if model is not None:
            same_features = replace(index.origin, model=model.fingerprint, run="")
            given = same_features if features is None else origin_of(model, features, made_by)
            index.origin.refuse_other(given, place.name)
        return index

    def add(
        self,
        model: Embedder,
        features: FeatureRows,
        catalogue: MusicVideos | None = None,
        made_by: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Embed and add the videos that are not in the index yet; those that are stay as they are.

        The add is there as a whole or not at all. Repeated after it was killed, it adds what is missing.

        Returns
        -------
        The ids of the videos that were added.

        Raises
        ------
        StaleIndexError
            The index holds embeddings of another model or of other features.
        """
        self.origin.refuse_other(origin_of(model, features, made_by), self._place.name)
        with self._writing() as view:
            new = ~np.isin(features.groups, sorted(view.known([str(video) for video in np.unique(features.groups)])))
            if not new.any():
                return []
            rows = embedded(model, features.take(new), catalogue)
            self._store.append(rows)
        return sorted(set(rows["id"].to_pylist()))

    def add_vectors(
        self, ids: Sequence[Any], vectors: npt.ArrayLike, metadata: Sequence[Mapping[str, Any]] | None = None
    ) -> list[str]:
        """As `add`, of vectors that came from elsewhere."""
        self.origin.refuse_other(Origin(), self._place.name)
        rows = vector_rows(ids, vectors, metadata)
        refuse_other_size(rows.schema.field("vector").type.list_size, self.dim)
        with self._writing() as view:
            known = view.known(rows["id"].to_pylist())
            rows = rows.filter(pa.array([name not in known for name in rows["id"].to_pylist()], pa.bool_()))
            if rows.num_rows:
                self._store.append(rows)
        return sorted(rows["id"].to_pylist())

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Remove music videos.

        Returns
        -------
        The ids that were there; others are no error.
        """
        with self._writing() as view:
            there = sorted(view.known(set(ids)))
            if there:
                self._store.remove(there)
        return there

    def compact(self) -> None:
        """Gather what many adds and removals have left in many parts. It also happens by itself, after enough adds."""
        with self._writing():
            self._store.compact()

    def stats(self) -> dict[str, Any]:
        """What the index holds.

        Returns
        -------
        `kind`, `dim`, `videos`, `rows` (of each side and level), `bytes` on disk (None in an object store), `parts`,
        `unindexed` (rows that are searched one by one), and `origin`.
        """
        return self._ask(self._stats)

    def _stats(self, view: View) -> dict[str, Any]:
        upkeep = self._store.upkeep()
        return {
            "path": self._place.name,
            "kind": self.kind,
            "dim": self.dim,
            "videos": len(view.ids()),
            "rows": [
                {"side": side, "level": level, "count": count} for (side, level), count in sorted(view.counts().items())
            ],
            "bytes": upkeep.bytes,
            "parts": upkeep.parts,
            "unindexed": upkeep.unindexed,
            "origin": vars(self.origin),
        }

    @property
    def path(self) -> str:
        """The folder or URI."""
        return self._place.name

    def __len__(self) -> int:
        return self._ask(lambda view: len(view.ids()))

    def __contains__(self, video: object) -> bool:
        return isinstance(video, str) and self._ask(lambda view: bool(view.known([video])))

    @property
    def version(self) -> str:
        """Another text after every build, add, removal and compaction, by whichever process."""
        return self._ask(lambda _: f"{self._record.entries} {self._store.version()}")

    @property
    def ids(self) -> list[str]:
        """Ids of the music videos, sorted."""
        return self._ask(lambda view: sorted(view.ids()))

    def _ask(self, question: Callable[[View], T]) -> T:
        """The answer of what the index holds now; asked once more where a new build took its place meanwhile."""
        try:
            return question(self._store.view())
        except SearchError:
            if not self._rebuilt():
                raise
        return question(self._store.view())

    def _rebuilt(self) -> bool:
        """Take up a new build of the same origin, if there is one."""
        record = self._place.record()
        if record.entries == self._record.entries:
            return False
        self.origin.refuse_other(record.origin, self._place.name)
        self._take(record)
        return True

    @contextmanager
    def _writing(self) -> Generator[View]:
        with self._place.lock():
            self._rebuilt()
            yield self._store.view()
