"""Synthetic interactions, to try recommending out on a catalogue that nobody has watched.

They say nothing about people. Taste is drawn from tags, years and genres; on the synthetic catalogue these are read off
the very styles that the sound is synthesised and the pictures are painted from, so that finding taste in the content is
circular there. What can be learned from them is whether the machinery works.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from antiphon.errors import CatalogueError
from antiphon.recommendation.interactions import Interactions, checked

FloatArray = npt.NDArray[np.float64]

_DECADE = re.compile(r"\d{4}s")
_ERA_YEARS = 8.0


class SyntheticTaste(BaseModel):
    """How synthetic users choose.

    A user has `anchors` tracks at heart, drawn at random, whose tags they like: each tag of an anchor (decades are left
    out) with probability `loyalty`. The pull of a track is, for the anchor that it suits best,

        genre · (same genre) + tags · (share of the liked tags that it has) + era · exp(-|years between| / 8)

    plus `fame` times the fame of its artist, which is drawn once for all users from a standard normal distribution. A
    liked tag counts for as much as it is rare: log(tracks / tracks that have it). A user likes as many tracks as a
    Poisson distribution of mean `likes` says, at least 5, drawn one after another without replacement with
    probability proportional to exp(pull).

    So genre explains a part of a taste, and the rest varies within a genre: instruments, mood, texture, tempo, era; and
    some artists are liked more whatever they play, which no content tells.

    Attributes
    ----------
    users : how many.
    likes : mean number of tracks that a user likes.
    anchors : tracks that a user has at heart.
    loyalty : probability that a user likes a tag of an anchor.
    genre, tags, era, fame : strengths of the parts of the pull.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: int = Field(default=1000, ge=1)
    likes: float = Field(default=30, ge=1)
    anchors: int = Field(default=3, ge=1)
    loyalty: float = Field(default=0.7, gt=0, le=1)
    genre: float = Field(default=0.5, ge=0)
    tags: float = Field(default=8.0, ge=0)
    era: float = Field(default=1.0, ge=0)
    fame: float = Field(default=0.5, ge=0)


def synthetic_interactions(
    records: Sequence[Mapping[str, Any]], taste: SyntheticTaste, random: np.random.Generator
) -> Interactions:
    """Draw the likes of synthetic users among the tracks of a catalogue.

    Parameters
    ----------
    records : the tracks: id, artist, genre, tags, year.

    Raises
    ------
    CatalogueError
        No track has a tag, so that there is nothing to draw a taste from.
    """
    tags, worth = _tag_table(records)
    fame = _fame(records, random)
    users: list[str] = []
    liked: list[str] = []
    for number in range(taste.users):
        pull = taste.fame * fame + np.max(
            [_pull(records, tags, worth, anchor, taste, random) for anchor in _anchors(len(records), taste, random)],
            axis=0,
        )
        count = min(max(5, int(random.poisson(taste.likes))), len(records))
        # The largest of pull plus Gumbel noise are a draw without replacement in proportion to exp(pull).
        chosen = np.argsort(-(pull + random.gumbel(size=len(pull))), kind="stable")[:count]
        users += [f"synthetic-user-{number + 1:04d}"] * count
        liked += [str(records[row]["id"]) for row in chosen]
    table = pl.DataFrame({"user_id": users, "video_id": liked, "liked": [True] * len(liked)})
    return checked(table, liked, "synthetic interactions", synthetic=True)


def _anchors(count: int, taste: SyntheticTaste, random: np.random.Generator) -> list[int]:
    return random.choice(count, min(taste.anchors, count), replace=False).tolist()


def _pull(
    records: Sequence[Mapping[str, Any]],
    tags: npt.NDArray[np.bool_],
    worth: FloatArray,
    anchor: int,
    taste: SyntheticTaste,
    random: np.random.Generator,
) -> FloatArray:
    """(n,) how far each track suits one anchor."""
    likes = np.where(tags[anchor] & (random.random(len(worth)) < taste.loyalty), worth, 0)
    share = tags @ likes / max(float(likes.sum()), 1e-12)
    own = records[anchor]
    genre = np.array([own["genre"] is not None and row["genre"] == own["genre"] for row in records])
    years = np.array([_years_between(own["year"], row["year"]) for row in records])
    return taste.genre * genre + taste.tags * share + taste.era * np.exp(-years / _ERA_YEARS)


def _years_between(one: int | None, other: int | None) -> float:
    return float("inf") if one is None or other is None else float(abs(one - other))


def _tag_table(records: Sequence[Mapping[str, Any]]) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """(n, tags) which track has which tag, and (tags,) how much each counts."""
    own = [{tag for tag in row["tags"] or () if not _DECADE.fullmatch(tag)} for row in records]
    counts = Counter(tag for tags in own for tag in tags)
    if not counts:
        raise CatalogueError("The catalogue has no tags, so no synthetic taste can be drawn from it.")
    names = sorted(counts)
    table = np.array([[name in tags for name in names] for tags in own])
    return table, np.log(len(records) / np.array([counts[name] for name in names]))


def _fame(records: Sequence[Mapping[str, Any]], random: np.random.Generator) -> FloatArray:
    artists = sorted({str(row["artist"] or row["id"]) for row in records})
    drawn = dict(zip(artists, random.normal(size=len(artists)), strict=True))
    return np.array([drawn[str(row["artist"] or row["id"])] for row in records])
