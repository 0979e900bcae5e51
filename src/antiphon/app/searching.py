"""Searches for the pages and the REST API: hits with what to show and play, and reasons."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.app.encoding import Encodings
from antiphon.app.found import NOTHING_ELSE, But, Found, FoundByWords, Player
from antiphon.app.kept import Kept
from antiphon.app.library import Library, Video
from antiphon.app.narrowing import Narrowed
from antiphon.app.templating import address
from antiphon.catalogue.artists import share_artist
from antiphon.embeddings import MODALITIES, Modality, within_side
from antiphon.errors import AntiphonError, NotIndexedError
from antiphon.recommendation import recommend
from antiphon.recommendation.reasons import reasons, usual_cosines
from antiphon.recommendation.space import Space
from antiphon.search import Hit, Hits, Index, Query, Where
from antiphon.search.explaining import Facts, Levels, explain
from antiphon.search.filters import Conditions
from antiphon.search.query import TextSide
from antiphon.words import Interpretation
from antiphon.words.nudges import NUDGES, Effect

By = Literal["both", "audio", "video"]
Target = Literal["both", "audio", "video"]
_MAX_NAMED = 10
_OF_WORDS = ("k", "where", "diversity")
"""Conditions that mean something for words alone, which have neither sound, pictures nor an artist."""
_MAX_PAGES = 64
_LONGEST_SHOWN = 200


class UnknownVideoError(AntiphonError):
    """An id is not in the catalogue, or not in the index."""


class Searcher:
    """Search in an index, for the pages and the REST API.

    Parameters
    ----------
    library : Library
        The catalogue.
    index : Index
        The index.
    facts : Facts
        What the reasons are taken from.
    wording : TextSide, optional
        Embeds words, where the model of the index knows them.

    Attributes
    ----------
    pages : Kept of str
        Pages of this catalogue and index that are made once.
    """

    def __init__(self, library: Library, index: Index, facts: Facts, wording: TextSide | None = None) -> None:
        self.library, self.index, self.facts, self._wording = library, index, facts, wording
        self.pages: Kept[str] = Kept(_MAX_PAGES)
        self._narrowed: Kept[tuple[str, ...]] = Kept(_MAX_PAGES)

    def video(self, id: str) -> Video:
        """Return a video of the catalogue.

        Parameters
        ----------
        id : str
            Its id.

        Returns
        -------
        Video
            The video.

        Raises
        ------
        UnknownVideoError
            There is none with this id.
        """
        try:
            return self.library.videos[id]
        except KeyError:
            raise UnknownVideoError(f"No video '{id[:_LONGEST_SHOWN]}' in this catalogue.") from None

    def by_words(self, text: str, conditions: Conditions) -> "FoundByWords":
        """Search with words alone; see `by_id` for words beside a music video.

        Parameters
        ----------
        text : str
            Any text.
        conditions : Conditions
            Conditions of the search.

        Returns
        -------
        FoundByWords
            Hits, best first, with what was understood.
        """
        asked = conditions.arguments(self._left_out(conditions))
        query = Query.from_text(self.index, text, self._wording)
        hits = self.index.search(query, **{name: asked[name] for name in _OF_WORDS})
        return FoundByWords(self._found(hits), hits.words or Interpretation(text), hits.silent)

    def understood(self, text: str) -> "FoundByWords":
        """Return what words are taken to mean here, without hits."""
        known = self.index.known()
        words = known.read(text)
        return FoundByWords([], words, known.suiting(words).silent)

    def by_id(
        self,
        id: str,
        conditions: Conditions,
        *,
        target: Target = "both",
        by: By = "both",
        but: But = NOTHING_ELSE,
    ) -> list[Found]:
        """Search with a music video of the catalogue.

        Parameters
        ----------
        id : str
            Its id.
        conditions : Conditions
            Conditions of the search.
        target : {"both", "audio", "video"}
            What to search for.
        by : {"both", "audio", "video"}
            What to compare, with target "both".
        but : But
            How hits should differ from it.

        Returns
        -------
        list of Found
            Hits, best first.

        Raises
        ------
        UnknownVideoError
            There is none with this id in the catalogue or in the index.
        """
        video = self.video(id)
        if id not in self.indexed:
            raise UnknownVideoError(f"No video '{id[:_LONGEST_SHOWN]}' in this index.")
        hits = self._search(self._changed(Query.from_id(self.index, id), but), conditions, target, by)
        asking = None if video.file is None else address(id, "media")
        return self._found(hits, lambda found: self._shared(video, found), target, asking)

    @cached_property
    def nudges(self) -> list[Effect]:
        """The nudges that go somewhere in this catalogue, with their measured effects."""
        found: list[Effect] = []
        for name in NUDGES:
            with suppress(NotIndexedError):  # nothing tells which music videos it goes towards
                found.append(self.index.nudge_effect(name))
        return found

    def _changed(self, query: Query, but: But) -> Query:
        """Move a query by nudges and towards hits, and add words."""
        for name in but.nudges:
            query = query.nudge(self.index, name)
        for id in but.towards:
            if id not in self.indexed:
                known = "has no embedding here" if id in self.library.videos else "is no music video of this catalogue"
                raise UnknownVideoError(f"'{id[:_LONGEST_SHOWN]}' {known}, so nothing can be more like it.")
            query = query.towards(self.index, id)
        return query.and_words(self.index, but.words, self._wording) if but.words.strip() else query

    def by_file(
        self,
        encodings: Encodings,
        conditions: Conditions,
        target: Target = "both",
        but: But = NOTHING_ELSE,
        file: Video | None = None,
    ) -> list[Found]:
        """Search with a client's file.

        Parameters
        ----------
        encodings : dict of str to ModalityEmbeddings
            Its embeddings.
        conditions : Conditions
            Conditions of the search.
        target : {"both", "audio", "video"}
            What to search for.
        but : But
            How hits should differ from it.
        file : Video, optional
            The file, where it is kept to be played.

        Returns
        -------
        list of Found
            Hits, best first.
        """
        query = Query(audio=encodings.get("audio"), video=encodings.get("video"), name="the file")
        hits = self._search(self._changed(query, but), conditions, target)
        asking = None if file is None else address(file.id, "media")
        return self._found(hits, lambda video: self._near(encodings, video), target, asking)

    def _search(self, query: Query, conditions: Conditions, target: Target, by: By = "both") -> Hits:
        out = (*self._left_out(conditions), *self.empty(by if target == "both" else target))
        return self.index.search(query, target=target, by=by, **conditions.arguments(out))

    def empty(self, side: Target) -> tuple[str, ...]:
        """Return the ids that are no answers by one side: silent, or black, throughout; none by both sides."""
        return self._empty.get(side, ())

    @cached_property
    def _empty(self) -> dict[str, tuple[str, ...]]:
        videos = [self.library.videos[id] for id in self.indexed if id in self.library.videos]
        return {side: tuple(video.id for video in videos if video.is_empty(side)) for side in MODALITIES}

    def _left_out(self, conditions: Conditions) -> tuple[str, ...]:
        """Return the ids that are not searched: those of no video of the catalogue, and those without what is asked."""
        if not isinstance(conditions, Narrowed):
            return self._strangers
        out = (*self._strangers, *conditions.rejected)
        return out if conditions.measured == Narrowed() else (*out, *self._without(conditions.measured))

    def _without(self, measured: Narrowed) -> tuple[str, ...]:
        return self._narrowed.get(measured, lambda: (measured.left_out(self.library, self.facts), True))

    def meeting(self, conditions: Conditions, target: Target = "both", asking: Video | None = None) -> list[str]:
        """Return the ids that meet conditions, of music videos that can be found.

        Parameters
        ----------
        conditions : Conditions
            The conditions.
        target : {"both", "audio", "video"}
            What is searched for, which they must have.
        asking : Video, optional
            What asks; it is not among its own answers.

        Returns
        -------
        list of str
            Ids, in no particular order.
        """
        space, out = self._space, (*self._left_out(conditions), *self.empty(target))
        where = conditions.where.without(*out, *([] if asking is None else [asking.id]))
        kept = where.mask(space.table)
        if target != "both":
            rows = space.sides.get(target)
            kept &= False if rows is None else ~np.isnan(rows[:, 0])
        found = [space.ids[row] for row in np.flatnonzero(kept)]
        if conditions.other_artists and asking is not None and asking.artist:
            found = [id for id in found if not share_artist(self.library.videos[id].artist, asking.artist)]
        return found

    def recommend(
        self,
        history: Sequence[str],
        k: int,
        disliked: Sequence[str] = (),
        weight: float = 0.5,
        where: Where | None = None,
        rejected: Collection[str] = (),
    ) -> list[Found]:
        """Recommend videos to a user who liked others.

        Parameters
        ----------
        history : sequence of str
            Ids of the liked videos.
        k : int
            Maximum number of recommendations.
        disliked : sequence of str
            Ids of the disliked videos.
        weight : float
            Weight of audio, from 0 to 1; video has the rest.
        where : Where, optional
            Conditions.
        rejected : collection of str
            Ids that are not recommended.

        Returns
        -------
        list of Found
            Recommendations, best first, none of `history` or `disliked`.

        Raises
        ------
        UnknownVideoError
            A video of either is not in the catalogue, or not in the index.
        """
        unknown = [id for id in (*history, *disliked) if id not in self.library.videos or id not in self.indexed]
        if unknown:
            shown = ", ".join(f"'{id[:_LONGEST_SHOWN]}'" for id in unknown[:_MAX_NAMED])
            more = f" and {len(unknown) - _MAX_NAMED} more" if len(unknown) > _MAX_NAMED else ""
            raise UnknownVideoError(f"Not in this catalogue or its index: {shown}{more}.")
        known = (where or Where()).without(*self._strangers)
        hits = recommend(self._space, history, k, disliked=disliked, exclude=rejected, weight=weight, where=known)
        why = reasons(self._space, history, [hit.id for hit in hits], self.facts, weight, self._levels)
        found = self._found(hits)
        because = {hit.id: (f"like {self._title(one.like)}", *one.shared) for hit, one in zip(hits, why, strict=True)}
        return [replace(one, reasons=because[one.video.id]) for one in found]

    @cached_property
    def _space(self) -> Space:
        """All tracks of the index, read on first use."""
        return Space.of(self.index)

    def _title(self, id: str) -> str:
        video = self.library.videos.get(id)
        return id if video is None else video.title

    @cached_property
    def indexed(self) -> frozenset[str]:
        """Ids of the videos in the index."""
        return frozenset(self.index.ids)

    @cached_property
    def findable(self) -> list[Video]:
        """Videos of the catalogue that are in the index, in its order."""
        return [video for video in self.library.videos.values() if video.id in self.indexed]

    @cached_property
    def _strangers(self) -> tuple[str, ...]:
        """Ids in the index that are not in the catalogue."""
        return tuple(id for id in self.index.ids if id not in self.library.videos)

    @cached_property
    def _levels(self) -> Levels:
        return usual_cosines(self._space)

    def _shared(self, query: Video, video: Video) -> tuple[str, ...]:
        row = self._space.rows([query.id])
        own = {side: vectors[row[0]] for side, vectors in self._space.sides.items()} if len(row) else {}
        return tuple(explain(query.id, video.id, self.facts, self._cosines(own, video), self._levels))

    def _near(self, encodings: Encodings, video: Video) -> tuple[str, ...]:
        """Say what a client's file, of which only embeddings are known, has in common with a music video."""
        own = {side: within_side(found.track, self.index.correction_dim) for side, found in encodings.items()}
        return tuple(explain("", video.id, self.facts, self._cosines(own, video), self._levels))

    def _cosines(self, own: Mapping[str, npt.NDArray[np.floating]], video: Video) -> dict[str, float]:
        row = self._space.rows([video.id])
        if not len(row):  # It was added after the embeddings were read.
            return {}
        sides = {side: rows for side, rows in self._space.sides.items() if side in self._levels.by_side}
        found = {side: float(np.dot(own[side], rows[row[0]])) for side, rows in sides.items() if side in own}
        return {side: cosine for side, cosine in found.items() if not np.isnan(cosine)}

    def _found(
        self,
        hits: Sequence[Hit],
        reasons: Callable[[Video], tuple[str, ...]] = lambda _: (),
        target: Target = "both",
        asking: str | None = None,
    ) -> list[Found]:
        # The index may have videos that were added after the catalogue was read; they appear after the next read.
        known = [(hit, video) for hit in hits if (video := self.library.videos.get(hit.id)) is not None]
        return [
            Found(
                video=video,
                score=hit.score,
                player=_player(hit, video, target, asking),
                still_s=_still_s(hit, video),
                start_s=_start_s(hit, video),
                hit=hit,
                reasons=(*hit.reasons, *reasons(video)),
            )
            for hit, video in known
        ]


def asking_modalities(target: Target) -> tuple[Modality, ...]:
    """Return which modalities of an uploaded file must be embedded.

    Parameters
    ----------
    target : {"both", "audio", "video"}
        What to search for.

    Returns
    -------
    tuple of str
        The modalities.
    """
    return MODALITIES if target == "both" else ("video",) if target == "audio" else ("audio",)


def _start_s(hit: Hit, video: Video) -> float:
    """Return where a hit's best matching moment starts, or its track if that is unknown."""
    known = [moment.start_s for moment in hit.moments if moment.start_s is not None]
    return known[0] if known else video.start_s


def _still_s(hit: Hit, video: Video) -> float:
    ends = [moment.end_s for moment in hit.moments if moment.end_s is not None]
    return (_start_s(hit, video) + ends[0]) / 2 if ends else video.middle_s


def _player(hit: Hit, video: Video, target: Target, asking: str | None) -> Player:
    """Start at the best matching moment; in a pair, each file at its own."""
    there_s = _start_s(hit, video)
    own = None if video.file is None else address(video.id, "media")
    if target == "both":
        return Player(own if video.has_video else None, there_s, own if video.has_audio else None, there_s)
    here = [moment.query_start_s for moment in hit.moments if moment.query_start_s is not None]
    here_s = here[0] if here else 0.0
    return Player(asking, here_s, own, there_s) if target == "audio" else Player(own, there_s, asking, here_s)
