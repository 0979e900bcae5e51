"""Requests and responses of the REST API."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from antiphon.app.found import Found, FoundByWords
from antiphon.app.library import Video
from antiphon.app.templating import address
from antiphon.search.filters import Conditions
from antiphon.words.interpretation import INSTEAD


class Schema(BaseModel):
    """Base class: immutable, no undeclared fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Item(Schema):
    """A music video of the catalogue."""

    id: str
    title: str
    artist: str
    genre: str
    tags: list[str]
    year: int | None
    page: str = Field(description="Path of its page.")
    media: str | None = Field(description="Path of its file, which supports range requests; null without a file.")
    thumbnail: str = Field(description="Path of a still.")

    @classmethod
    def of(cls, video: Video) -> "Item":
        """Describe a video.

        Parameters
        ----------
        video : Video
            The video.

        Returns
        -------
        Item
            Its description.
        """
        return cls(**_described(video))


def _described(video: Video) -> dict[str, Any]:
    return {
        "id": video.id,
        "title": video.title,
        "artist": video.artist,
        "genre": video.genre,
        "tags": list(video.tags),
        "year": video.year,
        "page": address(video.id),
        "media": None if video.file is None else address(video.id, "media"),
        "thumbnail": address(video.id, "thumbnail"),
    }


class MatchingMoment(Schema):
    """Moments at which query and candidate match, in seconds on their timelines; null if unknown."""

    query_start_s: float | None
    start_s: float | None
    end_s: float | None
    score: float
    side: str


class FoundItem(Item):
    """A candidate with its score (a mean of cosines of tracks and of moments, at most 1) and best moments."""

    score: float
    moments: list[MatchingMoment]
    reasons: list[str] = Field(description="What it has in common with the query, in words.")


class SearchResponse(Schema):
    """Candidates for a query, best first."""

    query: str | None = Field(description="Id of the query; null for an uploaded file.")
    by: Literal["audio", "video", "both"] | None = Field(default=None, description="What was compared.")
    target: Literal["audio", "video"] | None = Field(default=None, description="What was searched for.")
    hits: list[FoundItem]


class TermMeant(Schema):
    """One thing that a text asks for."""

    text: str = Field(description="The words of the text that ask for it.")
    kind: str = Field(
        description="concept (of Antiphon's own table), tag, genre, artist, title, years, tempo or alike."
    )
    means: str
    label: str = Field(description="What was understood, in few words.")
    wanted: bool = Field(description="Whether it is asked for, or asked to be absent.")
    weight: float
    how: str = Field(description="By whole words, another spelling, a part of a word, or its meaning.")
    min: float | None = None
    max: float | None = None
    names: dict[str, float] = Field(default_factory=dict, description="Known names near in meaning, with their shares.")
    without: str = Field(description="The text without these words.")


class Meant(Schema):
    """What a text was taken to mean."""

    text: str
    terms: list[TermMeant]
    silent: list[str] = Field(description="Labels of the terms that nothing in this catalogue tells of.")
    unknown: list[str] = Field(description="Words that mean nothing here.")
    whole: bool = Field(description="Whether all of the text was read: of a long one the first words are.")
    hint: str | None = Field(description="What to ask for instead, where nothing was understood.")

    @classmethod
    def of(cls, found: FoundByWords) -> "Meant":
        """Describe what was understood."""
        words = found.words
        return cls(
            text=words.text,
            terms=[TermMeant(**term.to_dict(), without=words.without(term)) for term in words.terms],
            silent=[term.label for term in found.silent],
            unknown=list(words.unknown),
            whole=words.whole,
            hint=None if words.terms else INSTEAD,
        )


class WordsResponse(Schema):
    """Candidates that suit a text, best first."""

    query: str | None = Field(description="Id of the music video that was asked with too; null for words alone.")
    meant: Meant
    hits: list[FoundItem]


class NudgeEffect(Schema):
    """What a nudge does among the ten nearest of up to 100 music videos of this catalogue."""

    name: str
    suits: float = Field(description="How much better they suit it, in standard deviations of the catalogue.")
    random: tuple[float, float] = Field(description="The least and the most that 30 directions of shuffled values did.")
    measures: dict[str, float] = Field(description="Mean change of each measurement, in its own unit.")
    queries: int
    works: bool = Field(description="Whether it does more than any of those directions.")


class Nudges(Schema):
    """Nudges with their effects."""

    nudges: list[NudgeEffect]


class Items(Schema):
    """Videos that match a text."""

    items: list[Item]


class EmbeddedSide(Schema):
    """One modality of a file: windows in seconds, and a unit vector for each."""

    windows: list[tuple[float | None, float | None]]
    vectors: list[list[float]]


class Embedding(Schema):
    """Embeddings of a file; a modality that the file lacks is null.

    The last `correction_dim` values of a vector correct dot products of sound with pictures; leave them out to compare
    sound with sound, or pictures with pictures.
    """

    run: str
    correction_dim: int
    audio: EmbeddedSide | None
    video: EmbeddedSide | None


class Health(Schema):
    """Status of the service, and what it serves."""

    status: Literal["ok"]
    version: str
    run: str
    videos: int
    encodes_files: bool
    files_under_way: int


class VideoFailure(Schema):
    """A music video that a stage could not process, with the reason."""

    id: str
    stage: str
    message: str


class UpkeepStatus(Schema):
    """What is being done to bring the workspace up to date with its folder."""

    doing: Literal["waiting", "working", "stopped"]
    step: str = Field(description="What is done; empty while waiting.")
    line: str = Field(description="How far it is.")
    fault: str = Field(description="Why the last round did not end well; empty if it did.")


class Status(Schema):
    """How a service and its workspace stand."""

    run: str = Field(description="Run whose index is served; empty without a model.")
    videos: int = Field(description="Music videos of the catalogue.")
    searchable: int = Field(description="Music videos of the index.")
    failed: int
    failures: list[VideoFailure] = Field(description="The first thousand of them.")
    fault: str = Field(description="What is wrong with the catalogue or the index; empty if nothing is.")
    free_bytes: int | None = Field(description="Free space on the workspace's disk.")
    up_s: float = Field(description="Seconds since the service started.")
    worker: int = Field(description="Which of the service's processes answered, from 0.")
    versions: dict[str, str]
    upkeep: UpkeepStatus | None = Field(description="Null where no folder is watched.")


class Problem(Schema):
    """Reason why a request was refused."""

    detail: str


def _whole_text(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("has half of a surrogate pair, which is no character")
    return text


WholeText = Annotated[str, AfterValidator(_whole_text)]
"""Text without halves of surrogate pairs."""


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("should be a number")
    return value


class History(Schema):
    """Videos that a user liked."""

    history: list[Annotated[str, AfterValidator(_whole_text)]] = Field(
        min_length=1, max_length=1000, description="Ids, in any order."
    )
    disliked: list[Annotated[str, AfterValidator(_whole_text)]] = Field(
        [], max_length=1000, description="Ids of videos that the user disliked: what is close to them comes later."
    )
    k: Annotated[int, BeforeValidator(_no_truth_value)] = Field(10, ge=1, le=100)


class Recommendations(Schema):
    """Recommended videos, best first."""

    hits: list[FoundItem]


def found_items(found: Sequence[Found]) -> list[FoundItem]:
    """Describe candidates.

    Parameters
    ----------
    found : sequence of Found
        Candidates.

    Returns
    -------
    list of FoundItem
        Their descriptions.
    """
    return [
        FoundItem(
            **_described(one.video),
            score=one.score,
            moments=[MatchingMoment(**vars(moment)) for moment in one.hit.moments],
            reasons=list(one.reasons),
        )
        for one in found
    ]


async def conditions_of_match(
    k: Annotated[int, Query(ge=1, le=100, description="Maximum number of hits.")] = 10,
    genre: Annotated[list[str], Query(description="Only these genres.")] = [],  # noqa: B006 - never changed
    artist: Annotated[list[str], Query(description="Only these artists.")] = [],  # noqa: B006
    not_artist: Annotated[list[str], Query(description="None of these artists.")] = [],  # noqa: B006
    tag: Annotated[list[str], Query(description="Only what has all of these tags.")] = [],  # noqa: B006
    not_tag: Annotated[list[str], Query(description="Nothing with one of these tags.")] = [],  # noqa: B006
    other_artists: Annotated[bool, Query(description="Exclude the query's own artist.")] = False,
    min_year: Annotated[int | None, Query(ge=0, le=9999, description="First year.")] = None,
    max_year: Annotated[int | None, Query(ge=0, le=9999, description="Last year.")] = None,
    diversity: Annotated[
        float, Query(ge=0, le=1, allow_inf_nan=False, description="0: best first; above 0: no artist fills the list.")
    ] = 0.0,
    rerank: Annotated[
        bool, Query(description="Reorder the best 100 by how well their segments match in order of time.")
    ] = False,
) -> Conditions:
    """Read the conditions of a search from the query string, without those of a comparison of both modalities.

    Returns
    -------
    Conditions
        The conditions.
    """
    return Conditions(
        k=k,
        genre=_given(genre),
        artist=_given(artist),
        not_artist=_given(not_artist),
        tag=_given(tag),
        not_tag=_given(not_tag),
        other_artists=other_artists,
        min_year=min_year,
        max_year=max_year,
        diversity=diversity,
        rerank=rerank,
    )


AskedMatch = Annotated[Conditions, Depends(conditions_of_match)]


async def conditions(
    others: AskedMatch,
    weight: Annotated[
        float, Query(ge=0, le=1, allow_inf_nan=False, description="Weight of audio if both modalities are compared.")
    ] = 0.5,
) -> Conditions:
    """Read all conditions of a search from the query string.

    Parameters
    ----------
    others : Conditions
        The other conditions.
    weight : float
        Weight of audio if both modalities are compared.

    Returns
    -------
    Conditions
        The conditions.
    """
    return replace(others, weight=weight)


def _given(values: list[str]) -> tuple[str, ...]:
    """Drop empty values, which a form sends for an empty choice."""
    return tuple(filter(None, values))


Asked = Annotated[Conditions, Depends(conditions)]
