"""What an index and the workspace around it know of music videos, for questions in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from antiphon.embeddings import ModalityEmbeddings, within_side
from antiphon.errors import AntiphonError
from antiphon.ordering import rounded
from antiphon.search.entries import METADATA, metadata_of, vectors_of
from antiphon.search.filters import Wanted
from antiphon.search.heard import Heard
from antiphon.search.hits import Hit
from antiphon.search.meanings import meanings_of
from antiphon.search.pieces import Part
from antiphon.search.ranking import Candidate, ComparedSide, maximal_marginal_relevance, mutual_similarity
from antiphon.search.view import View
from antiphon.seeding import generator
from antiphon.tables import ATTRIBUTES, read_schema, read_table
from antiphon.words.interpretation import Interpretation
from antiphon.words.knowledge import Knowledge
from antiphon.words.lexicon import MEASURES
from antiphon.words.matching import reasons
from antiphon.words.meanings import Meanings
from antiphon.words.nudges import NUDGES, Effect, measured_effect
from antiphon.words.reading import interpret
from antiphon.words.recent import Recent
from antiphon.words.tokens import normal
from antiphon.words.values import Suiting

ATTRIBUTES_FILE = "attributes.parquet"
"""Name of the table of measurements, beside the catalogue."""
_arrow = cast(Any, pyarrow.compute)
_SIDES = ("audio", "video", "")
_POOL = 100
_MOST_NAMES = 1000
_KEPT_TEXTS = 32
_UNKNOWN = 0.5


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the music videos of an index.

    Attributes
    ----------
    knowledge : Knowledge
        Of all music videos that may be found.
    about : Table
        Id and metadata of each, in the same order.
    kept_meanings : Path
        Where vectors of names are kept, which take a while to compute; a file that need not exist.
    """

    knowledge: Knowledge
    about: pa.Table
    kept_meanings: Path
    _effects: Recent[str, Effect] = field(default_factory=lambda: Recent(len(NUDGES)), init=False)
    _read: Recent[str, Interpretation] = field(default_factory=lambda: Recent(_KEPT_TEXTS), init=False)
    _meanings: Recent[str, Meanings | None] = field(default_factory=lambda: Recent(1), init=False)

    def read(self, text: str) -> Interpretation:
        """Return what a text asks for, in our own words and those of the catalogue.

        A concept of our table that nothing in this catalogue tells of is taken for what is near it in meaning.
        """
        return self._read.get(text, lambda: self._interpreted(text))

    def _interpreted(self, text: str) -> Interpretation:
        words = interpret(text, self.knowledge.vocabulary, lambda: self.meanings)
        concepts = [term for term in words.terms if term.kind == "concept" and term.exact is None]
        silent = [term for term in concepts if not self.knowledge.tells_of(term.name)]
        if not silent or self.meanings is None:
            return words
        near = {term: names for term in silent if (names := self.meanings.nearest(normal(term.name)))}
        terms = [
            replace(term, kind="alike", how="meaning", names=near[term]) if term in near else term
            for term in words.terms
        ]
        return replace(words, terms=tuple(terms))

    @property
    def meanings(self) -> Meanings | None:
        """Names by meaning; None where the sentence encoder was not fetched."""
        return self._meanings.get(
            "", lambda: meanings_of(self.knowledge.telling_names(_MOST_NAMES), self.kept_meanings)
        )

    def effect(self, name: str) -> Effect:
        """Return what a nudge does, measured once."""
        return self._effects.get(name, lambda: measured_effect(self.knowledge, name, generator(0, "nudge", name)))

    def suiting(self, asked: Interpretation, text: Mapping[str, npt.NDArray[np.floating]] | None = None) -> Suiting:
        """Return how well each music video suits a text; see `Knowledge.suiting`."""
        return self.knowledge.suiting(asked, text)

    @cached_property
    def _ids(self) -> npt.NDArray[np.str_]:
        return np.array(self.knowledge.ids)

    def suits(self, suiting: Suiting) -> Callable[[str], float]:
        """Return how well a music video suits, from 0 to 1; 0.5 for one of which nothing is known."""
        scores, places = suiting.scores, self.knowledge.places
        return lambda id: float(scores[places[id]]) if id in places else _UNKNOWN

    def answer(self, suiting: Suiting, wanted: Wanted) -> list[Hit]:
        """Return the music videos that suit best, ties by id; none if nothing tells of any of the words."""
        if not suiting.tells:
            return []
        kept = np.flatnonzero(wanted.where.mask(self.about))
        scores = suiting.scores[kept]
        order = np.lexsort((self._ids[kept], -rounded(scores)))
        if wanted.diversity:
            order = self._spread(kept, scores, order[: max(_POOL, wanted.k)], wanted)
        return [self._hit(suiting, int(kept[place]), float(scores[place])) for place in order[: wanted.k]]

    def _hit(self, suiting: Suiting, row: int, score: float) -> Hit:
        id, about = self.knowledge.ids[row], self.knowledge.rows[row]
        return Hit(id, score, about, reasons=reasons(self.knowledge, suiting, id))

    def explained(self, hits: Sequence[Hit], suiting: Suiting) -> list[Hit]:
        """Add to hits of another search which words met what."""
        there = self.knowledge.places
        return [
            replace(hit, reasons=reasons(self.knowledge, suiting, hit.id)) if hit.id in there else hit for hit in hits
        ]

    def _spread(
        self, kept: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], pool: npt.NDArray[np.int64], wanted: Wanted
    ) -> npt.NDArray[np.int64]:
        candidates = [self._candidate(int(kept[place])) for place in pool]
        compared = [ComparedSide(_nothing_like(rows), cast(Any, side)) for side, rows in self.knowledge.sides.items()]
        similarity = mutual_similarity(candidates, compared)
        return pool[maximal_marginal_relevance(scores[pool], similarity, wanted.diversity, wanted.k)]

    def _candidate(self, row: int) -> Candidate:
        own = {
            side: ModalityEmbeddings(rows[row], rows[:0])
            for side, rows in self.knowledge.sides.items()
            if np.isfinite(rows[row]).all()
        }
        return Candidate(self.knowledge.ids[row], self.knowledge.rows[row], own)


def _nothing_like(rows: npt.NDArray[np.floating]) -> ModalityEmbeddings:
    return ModalityEmbeddings(np.zeros(rows.shape[1], dtype=np.float32), np.zeros((0, rows.shape[1]), np.float32))


def known_of(view: View, attributes: Path, heard: Heard, kept_meanings: Path, correction_dim: int = 0) -> Known:
    """Collect what is known of the music videos of an index.

    Parameters
    ----------
    view : View
        Rows of the index, with the metadata of today.
    attributes : Path
        Table of measurements, which need not exist.
    heard : Heard
        Musicnn's tags.
    kept_meanings : Path
        As in `Known`.
    correction_dim : int, default 0
        Number of the last values of an embedding that mean nothing within one side.
    """
    tables = {side: view.read(Part(side, "track")) for side in _SIDES}
    tables = {side: table for side, table in tables.items() if table.num_rows}
    every = pa.concat_tables([table.select(["id", *METADATA]) for table in tables.values()]) if tables else None
    if every is None:
        empty = view.read(Part(None), vectors=False).select(["id", *METADATA]).slice(0, 0)
        return Known(Knowledge((), ()), empty, kept_meanings)
    firsts = np.unique(np.array(every["id"].to_pylist(), dtype=object).astype(str), return_index=True)[1]
    about = every.take(pa.array(firsts)).combine_chunks()
    ids = about["id"].to_pylist()
    knowledge = Knowledge(
        ids=ids,
        rows=metadata_of(about),
        measures=_measures(attributes, ids),
        heard=heard.by_tag(ids),
        sides={side: within_side(_placed(table, ids), correction_dim) for side, table in tables.items()},
    )
    return Known(knowledge, about, kept_meanings)


def _placed(table: pa.Table, ids: Sequence[str]) -> npt.NDArray[np.float32]:
    vectors = vectors_of(table)
    rows = np.full((len(ids), vectors.shape[1]), np.nan, dtype=np.float32)
    places = {id: row for row, id in enumerate(ids)}
    rows[[places[id] for id in table["id"].to_pylist()]] = vectors
    return rows


def _measures(path: Path, ids: Sequence[str]) -> Mapping[str, npt.NDArray[np.float64]]:
    """Return the means over each music video's segments; none if there is no such table, or an outdated one."""
    try:
        if not path.exists() or not set(ATTRIBUTES.names) <= set(read_schema(path).names):
            return {}
        table = read_table(path, ATTRIBUTES)
    except AntiphonError:
        return {}  # a damaged table spoils no search
    columns = table.select(["video_id"])
    for name in MEASURES:
        columns = columns.append_column(name, _arrow.cast(table[name], pa.float64()))
    means = columns.group_by("video_id").aggregate([(name, "mean") for name in MEASURES])
    places = {id: row for row, id in enumerate(ids)}
    rows = [places.get(id, -1) for id in means["video_id"].to_pylist()]
    there = [number for number, row in enumerate(rows) if row >= 0]
    found: dict[str, npt.NDArray[np.float64]] = {}
    for name in MEASURES:
        values = means[f"{name}_mean"].to_numpy(zero_copy_only=False).astype(np.float64)
        placed = np.full(len(ids), np.nan)
        placed[[rows[number] for number in there]] = values[there]
        if np.isfinite(placed).any():
            found[name] = placed
    return found
