"""A snapshot of the exact store in memory, laid out for questions: nothing is copied or looked up row by row."""

from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import ModalityEmbeddings
from antiphon.search.candidates import asked_levels
from antiphon.search.entries import METADATA, best_first, entry_schema, metadata_of, scored
from antiphon.search.filters import Where
from antiphon.search.pieces import LoadedPiece
from antiphon.search.ranking import Candidate, ComparedSide
from antiphon.search.shelves import ROUNDING, Scores, Shelf
from antiphon.search.view import Part

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_BLOCK_ROWS = 131_072
_BLOCK_SCORES = 8_388_608
_QUERIES_AT_ONCE = 256


class ExactView:
    """A snapshot of the exact store in memory.

    Parameters
    ----------
    pieces : sequence of LoadedPiece
        Its parts; all rows of a video lie in one of them.
    dim : int
        Size of the vectors.
    """

    def __init__(self, pieces: Sequence[LoadedPiece], dim: int) -> None:
        self._pieces = pieces
        self._dim = dim
        self._nothing = entry_schema(dim).empty_table()
        self._firsts = np.cumsum([0, *(piece.about.num_rows for piece in pieces)])
        self._shelves: dict[tuple[str, str], Shelf] = {}

    def best(self, comparisons: Sequence[ComparedSide], count: int, pool: int, where: Where) -> dict[str, Candidate]:
        """Return what can be among the `pool` best; see `View.best`."""
        kept = self._kept(where)
        tracks: list[Scores | None] = []
        segments: list[Scores | None] = []
        near: list[IntArray] = [np.zeros(0, dtype=np.int64)]
        for one in comparisons:
            by_level: dict[str, Scores] = {}
            for level, queries in asked_levels(one):
                shelf = self._shelf(one.target, level)
                if shelf is not None:
                    by_level[level] = shelf.scored(queries, kept)
                    near.append(by_level[level].videos_near(queries, count, self._names.__getitem__))
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
        """Return the embeddings and the metadata of some videos."""
        found = sorted({self._numbers[id] for id in ids if id in self._numbers})
        return self._candidates(np.array(found, dtype=np.int64))

    def nearest(self, queries: FloatArray, k: int, part: Part, where: Where) -> list[pa.Table]:
        """Return the `k` nearest rows: float32 scores in blocks, and float64 for those near the top."""
        if len(queries) > _QUERIES_AT_ONCE:
            several = np.split(queries, range(_QUERIES_AT_ONCE, len(queries), _QUERIES_AT_ONCE))
            return [table for few in several for table in self.nearest(few, k, part, where)]
        found: list[list[pa.Table]] = [[] for _ in queries]
        kept = self._kept(where)
        for piece, first in zip(self._pieces, self._firsts, strict=False):
            for rows in piece.of_part(part):
                vectors = piece.vectors[rows]
                met = None if kept is None else np.flatnonzero(kept[first + piece.owner[rows]])
                for number, best in enumerate(_best(queries, vectors, met, k)):
                    about = piece.described(rows.start + best)
                    found[number].append(scored(about, vectors[best], queries[number]))
        nothing = self._nothing.select(["id", *METADATA]).append_column("score", pa.array([], pa.float64()))
        return [best_first(pa.concat_tables([nothing, *tables]), k) for tables in found]

    def rows(self, ids: Collection[str]) -> pa.Table:
        """Return all rows of some videos."""
        parts: list[pa.Table] = []
        for piece, first in zip(self._pieces, self._firsts, strict=False):
            wanted = np.zeros(piece.about.num_rows, dtype=bool)
            numbers = np.array([self._numbers[id] for id in ids if id in self._numbers], dtype=np.int64) - first
            wanted[numbers[(numbers >= 0) & (numbers < len(wanted))]] = True
            if wanted.any():
                parts.append(piece.table(np.flatnonzero(wanted[piece.owner])))
        return pa.concat_tables(parts) if parts else self._nothing

    def read(self, part: Part, vectors: bool = True) -> pa.Table:
        """Return all rows of a part."""
        parts = [
            piece.table(np.arange(rows.start, rows.stop), vectors)
            for piece in self._pieces
            for rows in piece.of_part(part)
        ]
        return pa.concat_tables(parts) if parts else self._nothing

    def ids(self) -> set[str]:
        """Return the ids of all videos."""
        return set(self._names)

    def known(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that are in the store."""
        return {video for video in ids if video in self._numbers}

    def counts(self) -> dict[tuple[str, str], int]:
        """Count the rows by modality and level."""
        found: dict[tuple[str, str], int] = {}
        for piece in self._pieces:
            for key, rows in piece.parts.items():
                found[key] = found.get(key, 0) + rows.stop - rows.start
        return found

    def corrected(self, changed: pa.Table) -> "ExactView":
        """Return the same rows with other metadata of some videos; vectors are shared."""
        return ExactView([piece.corrected(changed) for piece in self._pieces], self._dim)

    @cached_property
    def _names(self) -> list[str]:
        return [id for piece in self._pieces for id in piece.ids]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Videos by id, numbered part after part."""
        return {id: number for number, id in enumerate(self._names)}

    @cached_property
    def _about(self) -> pa.Table:
        tables = [piece.about for piece in self._pieces]
        nothing = self._nothing.select(["id", *METADATA])
        return pa.concat_tables([nothing, *tables]).combine_chunks()

    def _kept(self, where: Where) -> BoolArray | None:
        """Return which videos may be found; None for all."""
        dropped = [self._numbers[id] for id in where.not_ids if id in self._numbers]
        if not dropped and not where.reads_metadata:
            return None
        kept = where.without_ids().mask(self._about)
        kept[dropped] = False
        return kept

    def _shelf(self, side: str, level: str) -> Shelf | None:
        """Return the rows of a side and level, put together on first use; None if there are none."""
        key = side, level
        if key not in self._shelves:
            there = [
                (piece, piece.parts[key], first)
                for piece, first in zip(self._pieces, self._firsts, strict=False)
                if key in piece.parts
            ]
            if not there:
                return None
            self._shelves[key] = Shelf(
                [piece.vectors[rows] for piece, rows, _ in there],
                np.concatenate([first + piece.owner[rows] for piece, rows, first in there]),
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
        return sorted({side for side, level in self.counts() if level == "track"})

    def _embeddings(self, videos: IntArray, side: str) -> tuple[list[bool], list[ModalityEmbeddings]]:
        """Return which videos have a side, and the embeddings of each; without a track they mean nothing."""
        tracks, segments = self._shelf(side, "track"), self._shelf(side, "segment")
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
    weights: Sequence[float], tracks: Sequence[Scores | None], segments: Sequence[Scores | None], videos: IntArray
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
            near = np.flatnonzero(joined >= lowest - ROUNDING)
            best[number] = np.concatenate([best[number], places])[near]
            tops[number] = joined[near]
    return best
