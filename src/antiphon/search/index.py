"""An index of embeddings: built once, added to as videos come, searched by anyone."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import SearchError, StaleIndexError
from antiphon.search.asking import Asked, ask
from antiphon.search.entries import (
    VECTORS,
    Embedder,
    FloatArray,
    Level,
    Rows,
    Shelf,
    Side,
    entry_table,
    matrix,
    metadata,
    model_entries,
    unit_rows,
)
from antiphon.search.exact import ExactStore
from antiphon.search.hits import Hit
from antiphon.search.manifest import MANIFEST_FILE, Kind, Manifest, Origin, writing
from antiphon.search.store import Snapshot, Store
from antiphon.search.where import Where

By = Literal["both", "audio", "video"]
_OTHER: dict[str, Side] = {"audio": "video", "video": "audio"}


@dataclass(frozen=True)
class Added:
    """What an `add` did.

    Attributes
    ----------
    added : tracks that are new.
    skipped : tracks that were there already, and stay as they are: remove them first to replace them.
    """

    added: int
    skipped: int


class Index:
    """Embeddings of tracks and their segments on disk, and searches among them.

    Open one with `build`, `from_vectors` or `open`. Scores are cosines. What another process adds is seen by the next
    search. One process writes at a time.

    Parameters
    ----------
    path : folder of the index.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._manifest = Manifest.read(self.path)
        self._store = _store(self.path, self._manifest)
        self._signature: tuple[int, ...] = ()
        self._held: Snapshot | None = None
        self._lock = threading.Lock()

    @classmethod
    def build(
        cls,
        model: Embedder,
        features: Rows,
        path: str | Path,
        catalogue: Any = None,
        kind: Literal["auto"] | Kind = "auto",
    ) -> Self:
        """An index of all that a model makes of features, in place of any other in `path`.

        Tracks with sound only or pictures only are indexed too.

        Parameters
        ----------
        model : a fitted `antiphon.DualEncoder`.
        features : `antiphon.Features`.
        catalogue : an `antiphon.Catalogue`, for titles and years. Default: what the features know.
        kind : "exact", "lancedb", or "auto", which chooses by size.
        """
        rows = model_entries(model, features, _records(catalogue))
        return cls._made(Path(path), kind, rows, _origin(model, features))

    @classmethod
    def from_vectors(
        cls,
        ids: Sequence[Any],
        vectors: npt.ArrayLike,
        path: str | Path,
        kind: Literal["auto"] | Kind = "auto",
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> Self:
        """An index of ready-made vectors, in place of any other in `path`.

        Parameters
        ----------
        ids : (n,) names, each once.
        vectors : (n, dim); compared by cosine, so their length does not count.
        metadata : for each what is known of it, given back with it; artist, genre and year can be filtered by.
        """
        return cls._made(Path(path), kind, _given(ids, vectors, metadata), Origin())

    @classmethod
    def open(cls, path: str | Path, model: Embedder | None = None) -> Self:
        """An index that is there.

        Parameters
        ----------
        model : whose embeddings will be asked for.

        Raises
        ------
        SearchError
            There is none, or it is damaged.
        StaleIndexError
            It holds embeddings of another model.
        """
        index = cls(path)
        if model is not None:
            index._refuse_other_model(model)
        return index

    @classmethod
    def _made(cls, path: Path, kind: Literal["auto"] | Kind, rows: pa.Table, origin: Origin) -> Self:
        dim = rows.schema.field("vector").type.list_size
        chosen = kind_for(rows.num_rows) if kind == "auto" else kind
        with writing(path):
            manifest = Manifest(kind=chosen, dim=dim, origin=origin, state={})
            store = _store(path, manifest)
            state = store.add(store.empty(), rows)
            manifest.model_copy(update={"state": state}).write(path)
            store.sweep(state)
        return cls(path)

    @property
    def kind(self) -> Kind:
        """ "exact" or "lancedb"."""
        return self._manifest.kind

    @property
    def dim(self) -> int:
        """Size of the vectors."""
        return self._manifest.dim

    @property
    def origin(self) -> Origin:
        """What the embeddings are of."""
        return self._manifest.origin

    def __len__(self) -> int:
        return len(self._snapshot().ids())

    def __contains__(self, name: object) -> bool:
        return name in self._snapshot().ids()

    def add(self, model: Embedder, features: Rows, catalogue: Any = None) -> Added:
        """Add the tracks of `features` that are not here yet, without building anything again.

        All of them are added or, where the process is killed, none; the same call then adds them.

        Raises
        ------
        StaleIndexError
            The index holds embeddings of another model, or of other features.
        """
        self._refuse_other_model(model)
        self._refuse_other_features(_origin(model, features))
        there = self._snapshot().ids()
        new = ~np.isin(features.groups, np.array(sorted(there), dtype=np.str_))
        skipped = len(np.unique(features.groups[~new]))
        if not new.any():
            return Added(0, skipped)
        return self._write_new(model_entries(model, features.take(new), _records(catalogue)), skipped)

    def add_vectors(
        self, ids: Sequence[Any], vectors: npt.ArrayLike, metadata: Sequence[Mapping[str, Any]] | None = None
    ) -> Added:
        """Add ready-made vectors, as `add` does embeddings."""
        if self.origin != Origin():
            raise SearchError(f"{self.path}: holds embeddings of a model; add features with that model instead.")
        return self._write_new(_given(ids, vectors, metadata, self.dim), 0)

    def remove(self, ids: str | Iterable[str]) -> int:
        """Take tracks out; how many were there."""
        wanted = {ids} if isinstance(ids, str) else set(ids)
        with writing(self.path):
            gone = sorted(wanted & self._snapshot().ids())
            if gone:
                self._replace(self._store.remove(self._manifest.state, gone))
        return len(gone)

    def compact(self) -> None:
        """Put what was added and removed bit by bit together, so that it is read and searched faster."""
        with writing(self.path):
            self._snapshot()
            self._replace(self._store.compact(self._manifest.state))

    def stats(self) -> dict[str, Any]:
        """Counts by side and level, the kind, the size on disk, and what the embeddings are of."""
        snapshot = self._snapshot()
        return {
            "path": str(self.path),
            "kind": self.kind,
            "dim": self.dim,
            "tracks": len(snapshot.ids()),
            "rows": {" ".join(filter(None, shelf)): count for shelf, count in snapshot.shelves().items()},
            "size_bytes": self._store.size_bytes(),
            "origin": self.origin.model_dump(),
        }

    def embeddings(self, side: Side, level: Level = "track") -> tuple[list[str], FloatArray, list[dict[str, Any]]]:
        """Ids, (n, dim) unit rows and metadata of all tracks (or segments) that have this side."""
        return self._all((side, level))

    def vectors(self) -> tuple[list[str], FloatArray, list[dict[str, Any]]]:
        """The same of an index of ready-made vectors."""
        return self._all(VECTORS)

    @overload
    def search(
        self, queries: npt.ArrayLike, k: int = 10, *, target: None = None, where: Where | None = None
    ) -> list[list[Hit]]: ...

    @overload
    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        target: Side,
        where: Where | None = None,
        starts_s: Sequence[float] | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[Hit]: ...

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        target: Side | None = None,
        where: Where | None = None,
        starts_s: Sequence[float] | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[Hit] | list[list[Hit]]:
        """The tracks that are nearest by cosine.

        Parameters
        ----------
        queries : (q, dim). Without `target` each row is a query of its own, which gets its own list; where the index
            has two sides, a track is scored by the one that fits better.
        target : "audio" or "video": the rows are the segments of one file, as `model.encode_video(file)` gives them,
            and there is one list of tracks for the file, by their sound or by their pictures. A score is the cosine of
            the track's embedding with the normalised mean of the rows.
        where : which tracks may be answers.
        starts_s : with `target`, where the segments start in their file, for the moments.
        diversity, rerank : with `target`, as in `similar`.

        Raises
        ------
        SearchError
            The queries are not of the index's size or have no direction, or `k` is less than 1.
        """
        rows = unit_rows(queries, "queries", self.dim)
        _refuse_settings(k, diversity)
        snapshot = self._snapshot()
        if target is None:
            return self._each(snapshot, rows, k, where or Where())
        self._refuse_side(target)
        mean = unit_rows(rows.astype(np.float64).mean(axis=0), "queries")[0]
        times = np.full(len(rows), np.nan) if starts_s is None else np.asarray(starts_s, dtype=np.float64)
        asked = {target: Asked(mean, rows, times)}
        return ask(snapshot, asked, k, where or Where(), diversity=diversity, rerank=rerank)

    def similar(
        self,
        name: str,
        k: int = 10,
        *,
        by: By = "both",
        weight: float = 0.5,
        where: Where | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[Hit]:
        """More like this track, itself left out.

        Parameters
        ----------
        by : sound, pictures, or both; a track that has only one of them is compared by that.
        weight : of the sound in "both", from 0 to 1; the pictures have the rest.
        diversity : from 0 to 1: how much less what resembles an answer before it counts.
        rerank : order the best 100 by their segments, in order of time.

        Raises
        ------
        SearchError
            The track is not here or has no such side.
        """
        _refuse_settings(k, diversity, weight)
        sides: dict[str, float] = {"audio": weight, "video": 1 - weight} if by == "both" else {by: 1.0}
        asked = self._asked(name, {side: side for side in sides}, sides, by)
        return self._about_track(name, asked, k, where, diversity, rerank, own=False)

    def match(
        self,
        name: str,
        target: Side,
        k: int = 10,
        *,
        where: Where | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
        own: bool = False,
    ) -> list[Hit]:
        """Songs for these pictures (target "audio"), or pictures for this song (target "video").

        Parameters
        ----------
        own : let the track's own other side be an answer.
        diversity, rerank : as in `similar`.
        """
        _refuse_settings(k, diversity)
        self._refuse_side(target)
        asked = self._asked(name, {target: _OTHER[target]}, {target: 1.0}, _OTHER[target])
        return self._about_track(name, asked, k, where, diversity, rerank, own=own)

    def _about_track(
        self,
        name: str,
        asked: Mapping[str, Asked],
        k: int,
        where: Where | None,
        diversity: float,
        rerank: bool,
        *,
        own: bool,
    ) -> list[Hit]:
        filters = where or Where()
        filters = filters if own else filters.without(name)
        return ask(self._snapshot(), asked, k, filters, diversity=diversity, rerank=rerank)

    def _asked(
        self, name: str, sources: Mapping[str, str], weights: Mapping[str, float], what: str
    ) -> dict[str, Asked]:
        """By side of the answers what is asked there: the track's own sides, as far as it has them."""
        snapshot = self._snapshot()
        if name not in snapshot.ids():
            raise SearchError(f"'{name}' is not in this index; it may be new (antiphon index add) or spelt otherwise.")
        asked: dict[str, Asked] = {}
        for side, source in sources.items():
            track = _rows(snapshot, (source, "track"), name)
            if track is not None and weights[side] > 0:
                segments = _rows(snapshot, (source, "segment"), name)
                vectors = matrix(segments) if segments is not None else np.empty((0, self.dim), dtype=np.float32)
                starts = (
                    np.empty(0)
                    if segments is None
                    else segments["start_s"].to_numpy(zero_copy_only=False).astype(np.float64)
                )
                asked[side] = Asked(matrix(track)[0], vectors, starts, weights[side])
        if not asked:
            raise SearchError(f"'{name}' has no {'sound' if what == 'audio' else 'pictures'} in this index.")
        return asked

    def _each(self, snapshot: Snapshot, rows: FloatArray, k: int, where: Where) -> list[list[Hit]]:
        shelves = [shelf for shelf in snapshot.shelves() if shelf[1] == "track"]
        by_shelf = [snapshot.nearest(shelf, rows, k, where) for shelf in shelves]
        lists: list[dict[str, float]] = []
        for answers in zip(*by_shelf, strict=True) if by_shelf else [()] * len(rows):
            best: dict[str, float] = {}
            for names, cosines in answers:
                for name, cosine in zip(names, cosines, strict=True):
                    best[name] = max(best.get(name, -np.inf), float(cosine))
            lists.append(dict(sorted(best.items(), key=lambda item: (-item[1], item[0]))[:k]))
        known: dict[str, dict[str, Any]] = {}
        wanted = sorted({name for found in lists for name in found})
        for shelf in shelves:
            for row in snapshot.take(shelf, wanted).drop_columns(["vector"]).to_pylist():
                known[row["id"]] = metadata(row)
        return [[Hit(name, score, known[name]) for name, score in found.items()] for found in lists]

    def _all(self, shelf: Shelf) -> tuple[list[str], FloatArray, list[dict[str, Any]]]:
        snapshot = self._snapshot()
        if shelf not in snapshot.shelves():
            return [], np.empty((0, self.dim), dtype=np.float32), []
        rows = snapshot.all(shelf)
        return (
            rows["id"].to_pylist(),
            matrix(rows),
            [metadata(row) for row in rows.drop_columns(["vector"]).to_pylist()],
        )

    def _write_new(self, rows: pa.Table, skipped: int) -> Added:
        with writing(self.path):
            there = self._snapshot().ids()
            names = rows["id"].to_pylist()
            new = np.array([name not in there for name in names], dtype=bool)
            skipped += len({name for name, is_new in zip(names, new, strict=True) if not is_new})
            if new.any():
                self._replace(self._store.add(self._manifest.state, rows.filter(pa.array(new))))
        return Added(len({name for name, is_new in zip(names, new, strict=True) if is_new}), skipped)

    def _replace(self, state: dict[str, Any]) -> None:
        self._manifest = self._manifest.model_copy(update={"state": state})
        self._manifest.write(self.path)
        self._store.sweep(state)

    def _snapshot(self) -> Snapshot:
        """The rows of the newest state."""
        with self._lock:
            while True:
                about = (self.path / MANIFEST_FILE).stat()
                signature = (about.st_mtime_ns, about.st_ino, about.st_size)
                if self._held is not None and signature == self._signature:
                    return self._held
                manifest = Manifest.read(self.path)
                if (manifest.kind, manifest.dim, manifest.origin) != (self.kind, self.dim, self.origin):
                    raise StaleIndexError(f"{self.path}: was built anew, of something else. Open it again.")
                try:
                    self._held = self._store.read(manifest.state)
                except FileNotFoundError:
                    if Manifest.read(self.path).state == manifest.state:
                        raise SearchError(f"{self.path}: a part of it is missing. Build the index again.") from None
                    continue  # Put together by another process between the two readings.
                self._manifest, self._signature = manifest, signature

    def _refuse_side(self, side: str) -> None:
        if (side, "track") not in self._snapshot().shelves():
            what = "sound" if side == "audio" else "pictures"
            raise SearchError(f"{self.path}: holds no {what}, so {side} cannot be the target.")

    def _refuse_other_model(self, model: Embedder) -> None:
        if self.origin.model != model.fingerprint:
            what = "embeddings of another model" if self.origin.model else "vectors of no model"
            raise StaleIndexError(f"{self.path}: holds {what}. Build it again: antiphon index build.")

    def _refuse_other_features(self, found: Origin) -> None:
        different = [name for name in Origin.model_fields if getattr(found, name) != getattr(self.origin, name)]
        if different:
            name = different[0]
            raise StaleIndexError(
                f"{self.path}: holds embeddings of other features ({name} was {getattr(self.origin, name)!r}, now "
                f"{getattr(found, name)!r}). Build it again: antiphon index build."
            )


def kind_for(rows: int) -> Kind:
    """Which store "auto" takes for so many rows."""
    del rows
    return "exact"


def _store(path: Path, manifest: Manifest) -> Store:
    if manifest.kind == "exact":
        return ExactStore(path, manifest.dim)
    raise SearchError(f"{path}: is of kind {manifest.kind}.")


def _rows(snapshot: Snapshot, shelf: Shelf, name: str) -> pa.Table | None:
    """The rows of one track on a shelf, in order of time; None where it has none."""
    if shelf not in snapshot.shelves():
        return None
    rows = snapshot.take(shelf, [name])
    return rows.sort_by("start_s") if rows.num_rows else None


def _records(catalogue: Any) -> dict[str, Mapping[str, Any]]:
    return {} if catalogue is None else {row["id"]: row for row in catalogue.records()}


def _origin(model: Embedder, features: Rows) -> Origin:
    sampling = None if features.sampling is None else features.sampling.model_dump_json()
    return Origin(model=model.fingerprint, audio=features.audio_name, video=features.video_name, sampling=sampling)


def _given(
    ids: Sequence[Any], vectors: npt.ArrayLike, known: Sequence[Mapping[str, Any]] | None, dim: int | None = None
) -> pa.Table:
    """Rows of ready-made vectors."""
    names = [str(name) for name in ids]
    rows = unit_rows(vectors, "vectors", dim)
    if len(rows) != len(names):
        raise SearchError(f"vectors: has {len(rows)} rows where there are {len(names)} ids.")
    if known is not None and len(known) != len(names):
        raise SearchError(f"metadata: has {len(known)} entries where there are {len(names)} ids.")
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise SearchError(f"ids: '{repeated}' stands more than once.")
    return entry_table(VECTORS, names, rows, known or [{}] * len(names))


def _refuse_settings(k: int, diversity: float = 0.0, weight: float = 0.0) -> None:
    if k < 1:
        raise SearchError(f"k is {k}; ask for at least one answer.")
    for name, value in (("diversity", diversity), ("weight", weight)):
        if not 0 <= value <= 1:
            raise SearchError(f"{name} is {value}; give a number from 0 to 1.")
