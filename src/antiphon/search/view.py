"""A snapshot of an index in memory, laid out for questions: nothing is copied or looked up row by row."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import ModalityEmbeddings
from antiphon.search.blocks import ROUNDING, BoolArray, FloatArray, IntArray
from antiphon.search.entries import METADATA, best_first, entry_schema, metadata_of
from antiphon.search.filters import Where
from antiphon.search.pieces import Key, LoadedPiece, Part
from antiphon.search.ranking import Candidate, ComparedSide
from antiphon.search.shelves import Question, Scores, Shelf

_MeasuredSide = Scores | Question | None


class View:
    """A snapshot of the rows of an index: whole additions, none of them in part.

    Parameters
    ----------
    pieces : sequence of (LoadedPiece, collection of str)
        Its parts, and the videos of each that are not to be found; all other rows of a video lie in one of them.
    dim : int
        Size of the vectors.
    """

    def __init__(self, pieces: Sequence[tuple[LoadedPiece, Collection[str]]], dim: int) -> None:
        self._parts = pieces
        self._dim = dim
        self._nothing = entry_schema(dim).empty_table()
        self._pieces = [piece for piece, _ in pieces]
        self._firsts = np.cumsum([0, *(piece.about.num_rows for piece in self._pieces)]).tolist()
        self._shelves: dict[Key, Shelf] = {}

    def as_of(self, changed: pa.Table, hidden: Collection[str]) -> "View":
        """Return the same rows with other metadata of some videos, and without others.

        Parameters
        ----------
        changed : Table
            Id and metadata of today of the videos whose metadata changed.
        hidden : collection of str
            Videos that are not to be found.
        """
        return View([(piece.corrected(changed), {*out, *hidden}) for piece, out in self._parts], self._dim)

    def best(self, comparisons: Sequence[ComparedSide], count: int, pool: int, where: Where) -> dict[str, Candidate]:
        """Return what can be among the `pool` of highest score (by `best_moments`), perhaps with others.

        Only music videos of the `count` nearest tracks, or the nearest segments, of a compared side are looked at.
        """
        kept = self._kept(where)
        tracks: list[_MeasuredSide] = []
        segments: list[_MeasuredSide] = []
        near: list[IntArray] = [np.zeros(0, dtype=np.int64)]
        for one in comparisons:
            by_level: dict[str, Scores | Question] = {}
            for level, queries in one.levels():
                shelf = self._shelf((one.target, level))
                if shelf is not None:
                    by_level[level] = shelf.asked(queries, kept)
                    near.append(by_level[level].videos_near(count, self._names.__getitem__))
            tracks.append(by_level.get("track"))
            segments.append(by_level.get("segment"))
        videos = np.unique(np.concatenate(near))
        scores = _means([one.weight for one in comparisons], tracks, segments, videos)
        known = np.isfinite(scores)
        videos, scores = videos[known], scores[known]
        if len(videos) > pool:
            videos = videos[scores >= np.partition(scores, -pool)[-pool] - ROUNDING]
        return self._candidates(videos)

    def items(self, ids: Collection[str]) -> dict[str, Candidate]:
        """Return the embeddings and the metadata of those of the music videos that are there."""
        found = sorted({self._numbers[id] for id in ids if id in self._numbers})
        return self._candidates(np.array(found, dtype=np.int64))

    def nearest(self, queries: FloatArray, k: int, part: Part, where: Where) -> list[pa.Table]:
        """Return for each of (q, dim) unit queries the `k` rows of highest cosine, best first, ties by id.

        The tables have the columns `id`, those of the metadata, and `score`.
        """
        found: list[list[pa.Table]] = [[] for _ in queries]
        kept = self._kept(where)
        for key in filter(part.holds, self.counts):
            shelf = self._shelf(key)
            if shelf is None:
                continue
            near = shelf.nearest(queries, k, kept, self._names.__getitem__)
            for tables, query, rows in zip(found, queries, near, strict=True):
                about = self._about.take(pa.array(shelf.owner[rows]))
                tables.append(about.append_column("score", pa.array(shelf.cosines(query, rows))))
        nothing = self._nothing.select(["id", *METADATA]).append_column("score", pa.array([], pa.float64()))
        return [best_first(pa.concat_tables([nothing, *tables]), k) for tables in found]

    def read(self, part: Part, vectors: bool = True) -> pa.Table:
        """Return all rows of a part."""
        return self._tables(part.holds, vectors)

    def rows(self) -> pa.Table:
        """Return all rows."""
        return self._tables(lambda _: True, vectors=True)

    def _tables(self, wanted: Callable[[Key], bool], vectors: bool) -> pa.Table:
        tables = [
            piece.table(own.start + np.flatnonzero(self._live[first + piece.owner[own]]), vectors)
            for piece, first in zip(self._pieces, self._firsts, strict=False)
            for key, own in piece.parts.items()
            if wanted(key)
        ]
        return pa.concat_tables(tables) if tables else self._nothing

    def ids(self) -> set[str]:
        """Return the ids of the music videos."""
        return set(self._numbers)

    def known(self, ids: Collection[str]) -> set[str]:
        """Return which of these music videos are there."""
        return {video for video in ids if video in self._numbers}

    @cached_property
    def counts(self) -> dict[Key, int]:
        """Number of rows of each side and level."""
        found: Counter[Key] = Counter()
        for piece, first in zip(self._pieces, self._firsts, strict=False):
            for key, rows in piece.parts.items():
                found[key] += int(np.count_nonzero(self._live[first + piece.owner[rows]]))
        return dict(found)

    @property
    def listed(self) -> int:
        """Number of rows that lie in lists."""
        parts = zip(self._pieces, self._firsts, strict=False)
        rows = [first + piece.owner[piece.parts[key]] for piece, first in parts for key in piece.lists]
        return sum(int(np.count_nonzero(self._live[owner])) for owner in rows)

    @cached_property
    def _names(self) -> list[str]:
        return [id for piece in self._pieces for id in piece.ids]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Videos by id, numbered part after part."""
        return {id: number for number, id in enumerate(self._names) if self._live[number]}

    @cached_property
    def _live(self) -> BoolArray:
        """Which videos may be found at all."""
        return np.array([id not in out for piece, out in self._parts for id in piece.ids], dtype=bool)

    @cached_property
    def _about(self) -> pa.Table:
        tables = [piece.about for piece in self._pieces]
        nothing = self._nothing.select(["id", *METADATA])
        return pa.concat_tables([nothing, *tables]).combine_chunks()

    def _kept(self, where: Where) -> BoolArray | None:
        """Return which videos may be found; None for all."""
        dropped = [self._numbers[id] for id in where.not_ids if id in self._numbers]
        if not dropped and not where.reads_metadata and self._live.all():
            return None
        kept = self._live & where.without_ids().mask(self._about)
        kept[dropped] = False
        return kept

    def _shelf(self, key: Key) -> Shelf | None:
        """Return the rows of a side and level, put together on first use; None if there are none."""
        if key not in self._shelves:
            there = [
                (piece, piece.parts[key], first)
                for piece, first in zip(self._pieces, self._firsts, strict=False)
                if key in piece.parts
            ]
            if not there:
                return None
            self._shelves[key] = Shelf(
                [piece.block(key, first) for piece, _, first in there],
                np.concatenate([piece.starts_s[rows] for piece, rows, _ in there]),
                np.concatenate([piece.ends_s[rows] for piece, rows, _ in there]),
            )
        return self._shelves[key]

    def _candidates(self, videos: IntArray) -> dict[str, Candidate]:
        """Put videos together, of those that have a track."""
        sides = [(side, *self._embeddings(videos, side)) for side in self._sides]
        metadata = metadata_of(self._about.take(pa.array(videos)))
        found: dict[str, Candidate] = {}
        for place, (video, about) in enumerate(zip(videos.tolist(), metadata, strict=True)):
            own = {side: embeddings[place] for side, there, embeddings in sides if there[place]}
            if own:
                found[self._names[video]] = Candidate(self._names[video], about, own)
        return found

    @cached_property
    def _sides(self) -> list[str]:
        return sorted({side for side, level in self.counts if level == "track"})

    def _embeddings(self, videos: IntArray, side: str) -> tuple[list[bool], list[ModalityEmbeddings]]:
        """Return which videos have a side, and the embeddings of each; without a track they mean nothing."""
        tracks, segments = self._shelf((side, "track")), self._shelf((side, "segment"))
        nothing = np.zeros((0, self._dim), dtype=np.float32)
        if tracks is None:
            return [False] * len(videos), []
        first, last = tracks.of(videos)
        there = (last > first).tolist()
        whole = [tracks.between(end - 1, end)[0] if has else nothing for end, has in zip(last, there, strict=True)]
        if segments is None:
            return there, [ModalityEmbeddings(track, nothing) for track in whole]
        return there, [
            ModalityEmbeddings(track, segments.between(begin, end), *segments.times(begin, end))
            if end > begin
            else ModalityEmbeddings(track, nothing)
            for track, begin, end in zip(whole, *(edge.tolist() for edge in segments.of(videos)), strict=True)
        ]


def _means(
    weights: Sequence[float], tracks: Sequence[_MeasuredSide], segments: Sequence[_MeasuredSide], videos: IntArray
) -> npt.NDArray[np.float64]:
    """Return the scores of `best_moments` in float32, weighted; NaN for videos that have none of the sides."""
    total, shares = np.zeros((2, len(videos)))
    for weight, whole, parts in zip(weights, tracks, segments, strict=True):
        if whole is None:
            continue
        score = whole.best_of(videos)
        if parts is not None:
            moments = parts.best_of(videos)
            score = np.where(np.isnan(moments), score, (score + moments) / 2)
        there = ~np.isnan(score)
        total[there] += weight * score[there]
        shares[there] += weight
    return np.divide(total, shares, out=np.full(len(videos), np.nan), where=shares > 0)
