"""The page of recommendations: from what somebody liked and disliked, all of which stands in the address."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import AfterValidator

from antiphon.app.api import refuse_repeated
from antiphon.app.library import Video, drawn
from antiphon.app.rejected import rejections
from antiphon.app.root import rooted
from antiphon.app.searching import Searcher
from antiphon.app.state import Here, State
from antiphon.errors import AntiphonError
from antiphon.search import Where
from antiphon.shortlists import Shortlist, Shortlists, UnknownShortlistError

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, dependencies=[Depends(refuse_repeated)]
)

_MAX_NAMED, _SHOWN, _SUGGESTED = 50, 12, 8


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Ids = Annotated[list[Annotated[str, Query(max_length=4096)]], Query(max_length=_MAX_NAMED), AfterValidator(_once)]
Words = Annotated[str, Query(max_length=200)]
Weight = Annotated[float, Query(ge=0, le=1)]


class Wishes:
    """What is asked for, and the addresses of what would be asked for next.

    Parameters
    ----------
    like, dislike : list of str
        Ids of liked and disliked music videos.
    rest : dict of str to str
        Other values of the address.
    """

    def __init__(self, like: list[str], dislike: list[str], rest: dict[str, str]) -> None:
        self.like, self.dislike, self._rest = like, [id for id in dislike if id not in like], rest

    def _address(self, like: list[str], dislike: list[str]) -> str:
        pairs = [("like", id) for id in like] + [("dislike", id) for id in dislike]
        return rooted(f"/recommend?{urlencode([*pairs, *((k, v) for k, v in self._rest.items() if v)])}")

    def liking(self, id: str) -> str:
        """Return the address with one more that is liked."""
        return self._address([*self.like, id], [one for one in self.dislike if one != id])

    def disliking(self, id: str) -> str:
        """Return the address with one more that is disliked."""
        return self._address([one for one in self.like if one != id], [*self.dislike, id])

    def without(self, id: str) -> str:
        """Return the address without a music video."""
        return self._address([one for one in self.like if one != id], [one for one in self.dislike if one != id])


@router.get("/recommend")
def recommendations(
    request: Request,
    here: Here,
    like: Ids = [],  # noqa: B006 - never changed
    dislike: Ids = [],  # noqa: B006
    of_list: Annotated[str, Query(alias="list", max_length=100)] = "",
    weight: Weight = 0.5,
    genre: Words = "",
    q: Words = "",
) -> HTMLResponse:
    """Show what somebody may like who liked some music videos, and disliked others."""
    searcher = here.searcher
    wishes = Wishes(like, dislike, {"list": of_list, "weight": "" if weight == 0.5 else f"{weight:g}", "genre": genre})
    lists, fault = _lists(here), ""
    listed = _listed(here, of_list)
    if listed is None:
        fault, listed = "There is no such list any more.", []
    liked = [*wishes.like, *(id for id in listed if id not in wishes.like and id not in wishes.dislike)]
    found: object = None
    if liked:
        try:
            where = Where(genre=(genre,)) if genre else None
            found = searcher.recommend(liked, _SHOWN, wishes.dislike, weight, where, rejections(here).of_any(liked))
        except AntiphonError as error:
            fault = here.without_paths(str(error))
    return here.pages.render(
        request,
        "recommend.html",
        wishes=wishes,
        liked=_videos(searcher, wishes.like),
        disliked=_videos(searcher, wishes.dislike),
        lists=lists,
        of_list=of_list,
        listed=len(listed),
        weight=weight,
        genre=genre,
        genres=searcher.library.genres,
        q=q,
        suggested=_suggested(searcher, q, {*liked, *wishes.dislike}),
        found=found,
        fault=fault,
        library=searcher.library,
    )


def _lists(here: State) -> Sequence[Shortlist]:
    return Shortlists(here.workspace.shortlists).all()


def _listed(here: State, key: str) -> list[str] | None:
    """Return the ids on a list that can be found; None if there is no such list."""
    if not key:
        return []
    try:
        found = Shortlists(here.workspace.shortlists).get(key)
    except UnknownShortlistError:
        return None
    return None if found.is_deleted else [one.id for one in found.entries if one.id in here.searcher.indexed]


def _videos(searcher: Searcher, ids: list[str]) -> list[tuple[str, Video | None]]:
    return [(id, searcher.library.videos.get(id)) for id in ids]


def _suggested(searcher: Searcher, q: str, known: set[str]) -> list[Video]:
    """Return music videos to choose from: with some words, or to begin with some of the catalogue."""
    if not q.strip():
        return [] if known else drawn(searcher.findable, _SUGGESTED, 0)
    found = searcher.library.find(q, 4 * _SUGGESTED)
    return [one for one in found if one.id in searcher.indexed and one.id not in known][:_SUGGESTED]
