"""The search index: build it, add to it, search it."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import unit_rows, within_side
from antiphon.errors import AntiphonError, ConfigError, NotIndexedError, SearchError
from antiphon.media.opening import CataloguedFile
from antiphon.search.answering import answer, nearest_tracks
from antiphon.search.artists import KnownArtists
from antiphon.search.current import CATALOGUE_FILE, CatalogueFile, Difference, state_of
from antiphon.search.entries import (
    CatalogueRecords,
    IndexModel,
    SegmentFeatures,
    embedded,
    metadata_of,
    origin_of,
    refuse_other_size,
    vector_rows,
    vectors_of,
)
from antiphon.search.filters import Wanted, Where
from antiphon.search.heard import Heard, heard_in
from antiphon.search.hits import Hit, Hits, Side
from antiphon.search.knowing import ATTRIBUTES_FILE, Known, known_of
from antiphon.search.pieces import Part
from antiphon.search.query import Query, refuse_for_words_alone, without_correction
from antiphon.search.ranking import Candidate, ComparedSide
from antiphon.search.record import Origin, Record
from antiphon.search.storage import Place
from antiphon.search.view import View
from antiphon.spelling import did_you_mean
from antiphon.words import Interpretation
from antiphon.words.nudges import Effect

FloatArray = npt.NDArray[np.float32]
T = TypeVar("T")


class Index:
    """Embeddings of music videos on disk, and the search in them. All scores are cosines, or means of cosines.

    Make one with `build` (from a model and features) or `from_vectors`, or `open` one. Other processes may read while
    one writes: a search sees whole additions, never a part of one. Only one process can write at a time.

    Attributes
    ----------
    dim : int
        Size of the embeddings.
    origin : Origin
        What made the embeddings.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     index = Index.from_vectors(["a", "b", "c"], np.eye(3), path=folder)
    ...     [hit.id for hit in index.search(np.array([[0.1, 2.0, 1.0]]), k=2)[0]]
    ['b', 'c']
    """

    def __init__(self, place: Place, record: Record, media: Mapping[str, CataloguedFile] | None = None) -> None:
        self._place = place
        self._media = media
        self._catalogue = CatalogueFile(Path(place.name).parent / CATALOGUE_FILE)
        self._seen: tuple[object, View] | None = None
        self._files: tuple[object, Mapping[str, CataloguedFile]] = (None, {})
        self._take(record)

    def follow(self, catalogue: str | Path) -> None:
        """Take artist, title, genre, tags and year of hits from this catalogue, and find none but its videos.

        An index made by `from_vectors` keeps its own metadata and all its videos; only files are looked up.

        Without it the index follows the catalogue of the workspace that it lies in, if there is one.

        Parameters
        ----------
        catalogue : str or Path
            Parquet file, as `Catalogue.save` writes it. It is read again whenever it changes.
        """
        self._catalogue = CatalogueFile(Path(catalogue))

    def _take(self, record: Record) -> None:
        self._record = record
        self._known_artists: tuple[object, KnownArtists] | None = None
        self._known: tuple[object, Known] | None = None
        self._knowing = Lock()
        self._store = self._place.store(record)
        self.dim: int = record.dim
        self.correction_dim: int = record.correction_dim
        self.origin: Origin = record.origin

    @classmethod
    def build(
        cls,
        model: IndexModel,
        features: SegmentFeatures,
        path: str | Path,
        catalogue: CatalogueRecords | None = None,
        made_by: Mapping[str, str] | None = None,
        run: str = "",
    ) -> Self:
        """Embed segments and tracks of all features, audio and video, and write an index.

        An existing index at `path` stays usable until the new one replaces it.

        Parameters
        ----------
        model : DualEncoder
        features : Features
        path : str or Path
            A folder.
        catalogue : Catalogue, optional
            Source of artist, title, genre, tags and year, and of the media that hits play in a notebook. Default: what
            the features say.
        made_by : mapping of str to str, optional
            Hashes of what computed the features, by modality: features made otherwise are then refused.
        run : str
            Name of the run, for people.

        Raises
        ------
        SearchError
            There is nothing to index, or another process is writing.
        """
        rows = embedded(model, features, catalogue)
        media = None if catalogue is None else _files(catalogue)
        contents = _contents(catalogue, set(rows["id"].to_pylist()))
        origin = origin_of(model, features, made_by, run)
        return cls._create(path, rows, origin, media, contents, heard_in(features), model.correction_dim)

    @classmethod
    def from_vectors(
        cls,
        ids: Sequence[Any],
        vectors: npt.ArrayLike,
        path: str | Path,
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> Self:
        """Write an index of vectors computed elsewhere, one for each music video.

        Parameters
        ----------
        ids : sequence, length n
        vectors : array_like, shape (n, dim)
            Brought to length 1: scores are cosines.
        path : str or Path
            A folder.
        metadata : sequence of mapping, optional
            Any of artist, title, genre, tags (a list) and year of each vector.

        Raises
        ------
        SearchError
            An id occurs twice, lengths differ, or a vector is zero or not finite.
        """
        return cls._create(path, vector_rows(ids, vectors, metadata), Origin())

    @classmethod
    def _create(
        cls,
        path: str | Path,
        rows: pa.Table,
        origin: Origin,
        media: Mapping[str, CataloguedFile] | None = None,
        contents: Mapping[str, str] | None = None,
        heard: Heard | None = None,
        correction_dim: int = 0,
    ) -> Self:
        place = Place(path)
        return cls(place, place.create(rows, origin, correction_dim, contents or {}, heard or Heard()), media)

    @classmethod
    def open(
        cls,
        path: str | Path,
        model: IndexModel | None = None,
        features: SegmentFeatures | None = None,
        made_by: Mapping[str, str] | None = None,
    ) -> Self:
        """Open the index at `path`.

        Parameters
        ----------
        path : str or Path
            Its folder.
        model : DualEncoder, optional
            The model whose embeddings will be searched for.
        features, made_by : optional
            With a model, what it embeds now, as in `build`.

        Raises
        ------
        SearchError
            There is no index, or it is damaged.
        StaleIndexError
            It holds embeddings of another model, or of other features.
        """
        place = Place(path)
        index = cls(place, place.record())
        if model is not None:
            same_features = replace(index.origin, model=model.fingerprint, run="")
            given = same_features if features is None else origin_of(model, features, made_by)
            index.origin.refuse_other(given, place.name)
        return index

    @overload
    def search(
        self,
        query: Query,
        *,
        target: Literal["audio", "video", "both"] = "both",
        k: int = 10,
        where: Where | None = None,
        by: Literal["audio", "video", "both"] = "both",
        weight: float = 0.5,
        other_artists: bool = False,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> Hits: ...
    @overload
    def search(self, query: npt.ArrayLike, *, k: int = 10, where: Where | None = None) -> list[Hits]: ...
    def search(
        self,
        query: Query | npt.ArrayLike,
        *,
        target: Literal["audio", "video", "both"] = "both",
        k: int = 10,
        where: Where | None = None,
        by: Literal["audio", "video", "both"] = "both",
        weight: float = 0.5,
        other_artists: bool = False,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> Hits | list[Hits]:
        """Search for music videos.

        Candidates are the nearest tracks and the tracks of the nearest segments. The score of one is half the cosine
        of its track with the query's, plus half the mean over the query's segments of their best cosine in it.

        Parameters
        ----------
        query : Query or array_like of shape (n, dim)
            What to search with. Each row of an array is a query of its own, compared with the tracks alone.
        target : {"both", "audio", "video"}
            "both" finds music videos like the query: sound is compared with sound, pictures with pictures. "audio"
            finds songs for its pictures, "video" finds pictures for its sound.
        k : int
            Maximum number of hits.
        where : Where, optional
            Conditions that hits must meet.
        by : {"both", "audio", "video"}
            With target "both", what is compared.
        weight : float
            Share of the sound, from 0 to 1, where both sides are compared. Music videos that share one side only are
            compared on that side alone.
        other_artists : bool
            Leave out the query's own artist, however the name is written, and works with others.
        diversity : float
            Above 0 (up to 1) the list is picked from the best 100 by maximal marginal relevance, and two music videos
            of one artist count as identical; the scores stay those of similarity.
        rerank : bool
            Order the best 100 by how well their segments match the query's in order of time.

        Returns
        -------
        Hits, or a list of Hits with one for each row of an array
            Best first, ties by id; never the query itself.

        Raises
        ------
        ConfigError
            A value is out of its range, two contradict each other, or an option is passed that an array cannot have.
        SearchError
            The embeddings have another size than those of the index.
        NotIndexedError
            The query lacks the side that would have to ask.
        """
        conditions = where or Where()
        if isinstance(query, str):
            raise ConfigError(
                "query must be a Query or an array, not a text. Use Query.from_text, Query.from_id or Query.from_file."
            )
        if not isinstance(query, Query):
            options = {"target": target != "both", "by": by != "both", "weight": weight != 0.5}
            options |= {"other_artists": other_artists, "diversity": diversity != 0, "rerank": rerank}
            _refuse_options([name for name, given in options.items() if given])
            rows = unit_rows(query, "query")
            refuse_other_size(rows.shape[1], self.dim)
            asked = without_correction(rows, self.correction_dim)
            found = self._ask(lambda view: nearest_tracks(view, asked, Wanted(k, conditions)))
            return [self._hits(hits) for hits in found]
        if query.words is not None and not query.sides:
            options = {"target": target != "both", "by": by != "both", "weight": weight != 0.5}
            options |= {"other_artists": other_artists, "rerank": rerank}
            refuse_for_words_alone([name for name, given in options.items() if given])
            return self._by_words(query, Wanted(k, conditions, diversity))
        for one in query.sides.values():
            refuse_other_size(one.dim, self.dim)
        comparisons = query.comparisons(target, by, weight, self.correction_dim)
        if query.id is not None:
            conditions = conditions.without(query.id)
        if other_artists:
            conditions = conditions.without_artists(*self._artists().sharing(query.artist))
        wanted = Wanted(k, conditions, diversity, rerank)
        if query.words is not None:
            return self._by_words(query, wanted, comparisons, target)
        return self._hits(self._ask(lambda view: answer(view, comparisons, wanted)), query.name, target)

    def _by_words(
        self, query: Query, wanted: Wanted, comparisons: Sequence[ComparedSide] = (), target: str = "both"
    ) -> Hits:
        words = query.words or Interpretation("")
        known = self.known()
        for vector in query.text.values():
            refuse_other_size(len(vector), self.dim)
        text = {str(side): within_side(vector, self.correction_dim) for side, vector in query.text.items()}
        suiting = known.suiting(words, text)
        if comparisons:
            suits = known.suits(suiting) if suiting.tells else None  # words that tell nothing change no score
            hits = self._ask(lambda view: answer(view, comparisons, wanted, suits))
            hits = known.explained(hits, suiting)
        else:
            hits = known.answer(suiting, wanted)
        found = self._hits(hits, query.name, target)
        found.words, found.silent = query.words, suiting.silent
        return found

    def known(self) -> Known:
        """Return what is known of the music videos, for questions in words: read anew when any of it has changed."""
        attributes = self._catalogue.path.parent / ATTRIBUTES_FILE
        version = self.version, self._catalogue.rows()[0], state_of(attributes)
        with self._knowing:
            if self._known is None or self._known[0] != version:
                heard, kept = self._place.heard(self._record), self._place.meanings(self._record)
                self._known = (
                    version,
                    self._ask(lambda view: known_of(view, attributes, heard, kept, self.correction_dim)),
                )
            return self._known[1]

    def nudge_effect(self, name: str) -> Effect:
        """Measure what a nudge does in this index; kept until anything changes. See `Query.nudge`.

        Raises
        ------
        ConfigError
            There is no such nudge.
        NotIndexedError
            Nothing in the index tells where it goes.
        """
        return self.known().effect(name)

    def item(self, id: str) -> Candidate:
        """Return the embeddings and the metadata of a music video of the index.

        Raises
        ------
        NotIndexedError
            It is not there.
        """
        found = self._ask(lambda view: view.items([id]))
        if id not in found:
            hint = did_you_mean(id, self.ids) or " Check the id, or add it with antiphon index add."
            raise NotIndexedError(f"'{id}' is not in the index {self.path}.{hint}")
        return found[id]

    def embeddings(
        self, side: Side, level: Literal["segment", "track"] = "track"
    ) -> tuple[list[str], FloatArray, list[dict[str, Any]]]:
        """Return all embeddings of a side and level, sorted by id and time.

        Returns
        -------
        ids : list of str
            The music video of each row.
        vectors : ndarray of float32, shape (n, dim)
            Unit rows.
        metadata : list of dict
            Artist, title, genre, tags and year of each row.
        """
        table = self._ask(lambda view: view.read(Part(side, level)))
        table = table.sort_by([("id", "ascending"), ("start_s", "ascending")])
        return table["id"].to_pylist(), vectors_of(table), metadata_of(table)

    def explain(self, where: Where) -> str:
        """Say why a search under these conditions found nothing: which values are not in the index, and which are."""
        rows = self._ask(
            lambda view: [metadata_of(view.read(Part(side), vectors=False)) for side in ("audio", "video", "")]
        )
        every = [row for part in rows for row in part]
        known = {
            name: [value for value, _ in Counter(row[name] for row in every if row[name]).most_common()]
            for name in ("genre", "artist")
        }
        years = [row["year"] for row in every if row["year"] is not None]
        return where.explain(known, (min(years), max(years)) if years else None)

    def add(
        self,
        model: IndexModel,
        features: SegmentFeatures,
        catalogue: CatalogueRecords | None = None,
        made_by: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Embed and add the music videos that are not in the index yet; the others stay as they are.

        Videos whose files were replaced since, as the catalogue knows, are embedded again, or removed if they have no
        features yet.

        What is new is visible as a whole or not at all. A video that is embedded again is removed first, and missing
        for a moment. Repeated after it was killed, it adds what is missing.

        Returns
        -------
        list of str
            Ids of the music videos that were added.

        Raises
        ------
        StaleIndexError
            The index holds embeddings of another model or of other features.
        """
        self.origin.refuse_other(origin_of(model, features, made_by), self._place.name)
        with self._writing() as view:
            now = _contents(catalogue, None)
            contents = self._place.contents(self._record)
            stale = view.known([name for name, was in contents.items() if now.get(name, was) != was])
            known = view.known([str(video) for video in np.unique(features.groups)]) - stale
            new = ~np.isin(features.groups, sorted(known))
            added_features = features.take(new) if new.any() else None
            rows = None if added_features is None else embedded(model, added_features, catalogue)
            if stale:
                self._store.remove(sorted(stale))
            if rows is None:
                return []
            added = set(rows["id"].to_pylist())
            # Killed before the rows are there, they are missing, and added the next time.
            self._place.write_contents(self._record, contents | {name: now[name] for name in added & set(now)})
            self._place.write_heard(self._record, self._place.heard(self._record).joined(heard_in(added_features)))
            self._store.append(rows)
        return sorted(added)

    def add_vectors(
        self, ids: Sequence[Any], vectors: npt.ArrayLike, metadata: Sequence[Mapping[str, Any]] | None = None
    ) -> list[str]:
        """Add vectors computed elsewhere, as `add` does."""
        self.origin.refuse_other(Origin(), self._place.name)
        rows = vector_rows(ids, vectors, metadata)
        refuse_other_size(rows.schema.field("vector").type.list_size, self.dim)
        with self._writing() as view:
            known = view.known(rows["id"].to_pylist())
            rows = rows.filter(pa.array([name not in known for name in rows["id"].to_pylist()], pa.bool_()))
            if rows.num_rows:
                self._store.append(rows)
        return sorted(rows["id"].to_pylist())

    def remove(self, ids: str | Iterable[str]) -> list[str]:
        """Remove music videos.

        What is left of a part of the index that loses more than half of its videos is written anew, which takes as long
        as building an index of it.

        Parameters
        ----------
        ids : str or iterable of str
            Which; a single text counts as one id.

        Returns
        -------
        list of str
            The ids that were there; others are ignored.
        """
        with self._writing() as view:
            there = sorted(view.known({ids} if isinstance(ids, str) else set(ids)))
            if there:
                self._store.remove(there)
        return there

    def compact(self) -> None:
        """Merge the small parts that additions and removals leave. It also happens by itself after many additions."""
        with self._writing():
            self._store.compact()

    def stats(self) -> dict[str, Any]:
        """Describe the index.

        Returns
        -------
        dict
            "path", "dim", "videos", "rows" (of each side and level), "bytes" on disk, "parts", "listed" (rows in
            lists; all others are compared with every question), and "origin".
        """
        return self._ask(self._stats)

    def _stats(self, view: View) -> dict[str, Any]:
        upkeep = self._store.upkeep()
        return {
            "path": self._place.name,
            "dim": self.dim,
            "videos": len(view.ids()),
            "rows": [
                {"side": side, "level": level, "count": count} for (side, level), count in sorted(view.counts.items())
            ],
            "bytes": upkeep.bytes,
            "parts": upkeep.parts,
            "listed": upkeep.listed,
            "origin": vars(self.origin),
        }

    @property
    def path(self) -> str:
        """The folder."""
        return self._place.name

    def __len__(self) -> int:
        return self._ask(lambda view: len(view.ids()))

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._ask(lambda view: bool(view.known([id])))

    def __repr__(self) -> str:
        sides = ", ".join(f"{row['count']:,} {row['side'] or 'vector'} {row['level']}s" for row in self.stats()["rows"])
        return f"Index({self.path}: {len(self):,} music videos, {self.dim} dimensions; {sides})"

    @property
    def version(self) -> str:
        """A text that changes with every build, addition, removal and compaction, by any process."""
        return self._ask(lambda _: f"{self._record.entries} {self._store.version()}")

    @property
    def ids(self) -> list[str]:
        """Ids of the music videos, sorted."""
        return self._ask(lambda view: sorted(view.ids()))

    def titles(self) -> dict[str, str]:
        """Return the title of each music video, "" where it has none, by id."""
        rows = self._ask(
            lambda view: [
                view.read(Part(side), vectors=False).select(["id", "title"]) for side in ("audio", "video", "")
            ]
        )
        return {row["id"]: row["title"] or "" for table in rows for row in table.to_pylist()}

    def _ask(self, question: Callable[[View], T]) -> T:
        """Answer from what the index holds now; once more where a new build has replaced it meanwhile."""
        try:
            return question(self._current())
        except SearchError:
            if not self._rebuilt():
                raise
        return question(self._current())

    def _current(self) -> View:
        """Return the rows with the metadata of today; see `antiphon.search.current`."""
        state, catalogue = self._catalogue.rows()
        if catalogue is None:
            return self._store.view()
        version = (self._record.entries, self._store.version(), state)
        view = self._store.view()
        if self._seen is None or self._seen[0] != version:
            contents = self._place.contents(self._record)
            found = Difference.between(view, catalogue, contents, own_metadata=not self.origin.model)
            self._seen = (version, view.as_of(found.changed, found.hidden))
        return self._seen[1]

    def _artists(self) -> KnownArtists:
        """The artists in the index, read anew after each write and when the catalogue changed."""
        version = self._store.version(), self._catalogue.rows()[0]
        if self._known_artists is None or self._known_artists[0] != version:
            column = self._ask(lambda view: view.read(Part(None), vectors=False))["artist"]
            names = [name for name in column.unique().to_pylist() if name]
            self._known_artists = version, KnownArtists(sorted(names))
        return self._known_artists[1]

    def _rebuilt(self) -> bool:
        """Switch to a new build of the same origin, if there is one."""
        record = self._place.record()
        if record.entries == self._record.entries:
            return False
        self.origin.refuse_other(record.origin, self._place.name)
        self._take(record)
        return True

    def _hits(self, hits: list[Hit], query: str = "", target: str = "both") -> Hits:
        return Hits(hits, query=query, target=target, media=self._files_of)

    def _files_of(self) -> Mapping[str, CataloguedFile]:
        """The media files by id: of the catalogue that was passed, or of the workspace that the index lies in."""
        if self._media is not None:
            return self._media
        from antiphon.catalogue import Catalogue

        state = self._catalogue.rows()[0]
        if self._files[0] != state:
            try:
                self._files = (state, _files(Catalogue.load(self._catalogue.path)))
            except AntiphonError:  # a catalogue that cannot be read shows no cards, and spoils no search
                self._files = (state, {})
        return self._files[1]

    @contextmanager
    def _writing(self) -> Generator[View]:
        with self._place.lock():
            self._rebuilt()
            yield self._store.view()


def _contents(catalogue: CatalogueRecords | None, videos: set[str] | None) -> dict[str, str]:
    """Return the content hashes that a catalogue knows, of some videos or of all."""
    rows = () if catalogue is None else catalogue.records()
    found = {str(row["id"]): row.get("content_hash") for row in rows}
    return {name: value for name, value in found.items() if value and (videos is None or name in videos)}


def _files(catalogue: CatalogueRecords) -> dict[str, CataloguedFile]:
    return {str(row["id"]): CataloguedFile.of(row) for row in catalogue.records() if row.get("path")}


def _refuse_options(given: list[str]) -> None:
    if given:
        raise ConfigError(
            f"{given[0]} needs a Query: the rows of an array are compared with tracks alone. Make one with "
            "Query.from_id or Query.from_file, or from arrays with "
            "Query(audio=ModalityEmbeddings.from_segments(array), video=…)."
        )
