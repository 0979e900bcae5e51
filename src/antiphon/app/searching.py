"""Searches for the pages and the REST API: what to show and to play for each hit, and why it is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from antiphon.app.encoding import Encodings
from antiphon.app.library import Library, Video
from antiphon.app.templating import address
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import AntiphonError
from antiphon.recommendation import recommend
from antiphon.recommendation.reasons import reasons
from antiphon.recommendation.space import Space
from antiphon.search import Hit, Hits, Index, Query, Where
from antiphon.search.explaining import Facts, Levels, explain
from antiphon.search.filters import Conditions
from antiphon.seeding import generator

By = Literal["both", "audio", "video"]
Target = Literal["both", "audio", "video"]
_MOST_NAMED = 10
_LONGEST_SHOWN = 200
SENT = "sent:"
"""Stands for the address of the file that a client has sent; the client still has it, we don't."""


class UnknownVideoError(AntiphonError):
    """An id is in no catalogue or in no index."""


@dataclass(frozen=True)
class Player:
    """What to play for a hit: pictures and sound, of one file or of two, each from its moment on.

    Attributes
    ----------
    pictures, sound : str or None
        Addresses; None where there is nothing to see or hear.
    """

    pictures: str | None
    pictures_at_s: float
    sound: str | None
    sound_at_s: float

    @property
    def is_pair(self) -> bool:
        """Whether the sound is another file's than the pictures."""
        return bool(self.pictures and self.sound and self.pictures != self.sound)


@dataclass(frozen=True)
class Found:
    """A video of a list, how to play it, and why it is there, the plainest reason first."""

    video: Video
    score: float
    player: Player
    still_s: float
    start_s: float
    hit: Hit
    reasons: tuple[str, ...] = ()


class Searcher:
    """Asks an index, and says what to show and to play for each hit, and what query and hit share.

    Parameters
    ----------
    facts : Facts
        What is known of the videos; the reasons are taken from it.
    """

    def __init__(self, library: Library, index: Index, facts: Facts) -> None:
        self.library, self.index, self.facts = library, index, facts

    def video(self, id: str) -> Video:
        """A video of the catalogue.

        Raises
        ------
        UnknownVideoError
            There is none of that id.
        """
        try:
            return self.library.videos[id]
        except KeyError:
            raise UnknownVideoError(f"No video '{id[:_LONGEST_SHOWN]}' in this catalogue.") from None

    def by_id(self, id: str, conditions: Conditions, *, target: Target = "both", by: By = "both") -> list[Found]:
        """Search with a music video of the catalogue."""
        video = self.video(id)
        hits = self._search(Query.from_id(self.index, id), conditions, target, by)
        asking = None if video.path is None else address(id, "media")
        return self._found(hits, video, target, asking)

    def by_file(self, encodings: Encodings, conditions: Conditions, target: Target = "both") -> list[Found]:
        """Search with a client's file, which has been embedded."""
        query = Query(audio=encodings.get("audio"), video=encodings.get("video"), name="the file")
        return self._found(self._search(query, conditions, target), None, target, SENT)

    def _search(self, query: Query, conditions: Conditions, target: Target, by: By = "both") -> Hits:
        return self.index.search(query, target=target, by=by, **conditions.arguments(self._strangers))

    def recommend(self, history: Sequence[str], k: int) -> list[Found]:
        """Videos for somebody who liked these, none of which is among them.

        Raises
        ------
        UnknownVideoError
            One of them is not in the catalogue or not in the index.
        """
        unknown = [id for id in history if id not in self.library.videos or id not in self.indexed]
        if unknown:
            shown = ", ".join(f"'{id}'" for id in unknown[:_MOST_NAMED])
            more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
            raise UnknownVideoError(f"Not in this catalogue and its index: {shown}{more}.")
        hits = recommend(self._space, history, k, where=Where(not_ids=self._strangers))
        why = reasons(self._space, history, [hit.id for hit in hits], self.facts)
        found = self._found(hits, None)
        because = {hit.id: (f"like {self._title(one.like)}", *one.shared) for hit, one in zip(hits, why, strict=True)}
        return [replace(one, reasons=because[one.video.id]) for one in found]

    @cached_property
    def _space(self) -> Space:
        """All tracks of the index, read when the first recommendation is asked for."""
        return Space.of(self.index)

    def _title(self, id: str) -> str:
        video = self.library.videos.get(id)
        return id if video is None else video.title

    @cached_property
    def indexed(self) -> frozenset[str]:
        """Ids of the videos that can be asked about."""
        return frozenset(self.index.ids)

    @cached_property
    def _strangers(self) -> tuple[str, ...]:
        """Videos of the index that the catalogue does not have (any more)."""
        return tuple(id for id in self.index.ids if id not in self.library.videos)

    @cached_property
    def _levels(self) -> Levels:
        sides = {side: rows[~np.isnan(rows).any(axis=1)] for side, rows in self._space.sides.items()}
        return Levels.of({side: rows for side, rows in sides.items() if len(rows) > 1}, generator(0, "usual cosines"))

    def _shared(self, query: Video, video: Video) -> tuple[str, ...]:
        rows = self._space.rows([query.id, video.id])
        if len(rows) < 2:  # One of them has been added since the embeddings were read.
            return tuple(explain(query.id, video.id, self.facts, {}, self._levels))
        sides = {side: vectors for side, vectors in self._space.sides.items() if side in self._levels.by_side}
        cosines = {side: float(np.dot(*vectors[rows])) for side, vectors in sides.items()}
        known = {side: cosine for side, cosine in cosines.items() if not np.isnan(cosine)}
        return tuple(explain(query.id, video.id, self.facts, known, self._levels))

    def _found(
        self, hits: Sequence[Hit], query: Video | None, target: Target = "both", asking: str | None = None
    ) -> list[Found]:
        # The index is asked as it is now; a video that was added since the catalogue was read comes with the next look.
        known = [(hit, video) for hit in hits if (video := self.library.videos.get(hit.id)) is not None]
        return [
            Found(
                video=video,
                score=hit.score,
                player=_player(hit, video, target, asking),
                still_s=_still_s(hit, video),
                start_s=_start_s(hit, video),
                hit=hit,
                reasons=() if query is None else self._shared(query, video),
            )
            for hit, video in known
        ]


def asking_modalities(target: Target) -> tuple[Modality, ...]:
    """Return which sides of a client's file have to be embedded."""
    return MODALITIES if target == "both" else ("video",) if target == "audio" else ("audio",)


def _start_s(hit: Hit, video: Video) -> float:
    """Where the best matching moment of a hit starts; where it is unknown, the start of what can be played."""
    known = [moment.start_s for moment in hit.moments if moment.start_s is not None]
    return known[0] if known else video.start_s


def _still_s(hit: Hit, video: Video) -> float:
    ends = [moment.end_s for moment in hit.moments if moment.end_s is not None]
    return (_start_s(hit, video) + ends[0]) / 2 if ends else video.middle_s


def _player(hit: Hit, video: Video, target: Target, asking: str | None) -> Player:
    """Start at the best matching moment; of a pair, each side at its own."""
    there_s = _start_s(hit, video)
    own = None if video.path is None else address(video.id, "media")
    if target == "both":
        return Player(own if video.has_video else None, there_s, own if video.has_audio else None, there_s)
    here = [moment.query_start_s for moment in hit.moments if moment.query_start_s is not None]
    here_s = here[0] if here else 0.0
    return Player(asking, here_s, own, there_s) if target == "audio" else Player(own, there_s, asking, here_s)
