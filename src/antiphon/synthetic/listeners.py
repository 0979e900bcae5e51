"""Synthetic interactions, to try recommendation on a catalogue that nobody has watched.

They say nothing about people. Taste is drawn from tags, years and genres. On the synthetic catalogue these come from
the very styles that audio and video are made from, so that finding taste in the content is circular there. What can be
learned from them is whether the code works.
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
    """Distribution of the likes of synthetic users.

    A user has `anchors` favourite tracks, drawn at random, and likes each tag of these (without decades) with
    probability `loyalty`. The pull of a track is, for the anchor that it suits best,

        genre · (same genre) + tags · (share of the liked tags that it has) + era · exp(-|years between| / 8)

    plus `fame` times the fame of its artist, which is drawn once for all users from a standard normal distribution. A
    liked tag is weighted by its rarity: log(tracks / tracks that have it). The number of likes is Poisson distributed
    with mean `likes`, at least 5; tracks are drawn without replacement with probability proportional to exp(pull).

    So genre explains a part of a taste, and the rest varies within a genre: instruments, mood, texture, tempo, era; and
    some artists are liked more whatever they play, which no content tells.

    Attributes
    ----------
    users : int
        Number of users.
    likes : float
        Mean number of tracks that a user likes.
    anchors : int
        Favourite tracks of a user.
    loyalty : float
        Probability that a user likes a tag of an anchor.
    genre, tags, era, fame : float
        Weights of the parts of the pull.
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
    records : sequence of mapping of str to object
        Tracks with id, artist, genre, tags and year.
    taste : SyntheticTaste
        Distribution of the likes.
    random : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Interactions
        One row per like.

    Raises
    ------
    CatalogueError
        No track has a tag.
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
    """Return how far each of n tracks suits one anchor."""
    likes = np.where(tags[anchor] & (random.random(len(worth)) < taste.loyalty), worth, 0)
    share = tags @ likes / max(float(likes.sum()), 1e-12)
    own = records[anchor]
    genre = np.array([own["genre"] is not None and row["genre"] == own["genre"] for row in records])
    years = np.array([_years_between(own["year"], row["year"]) for row in records])
    return taste.genre * genre + taste.tags * share + taste.era * np.exp(-years / _ERA_YEARS)


def _years_between(one: int | None, other: int | None) -> float:
    return float("inf") if one is None or other is None else float(abs(one - other))


def _tag_table(records: Sequence[Mapping[str, Any]]) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Return which track has which tag, (n, tags), and the weight of each tag."""
    own = [{tag for tag in row["tags"] or () if not _DECADE.fullmatch(tag)} for row in records]
    counts = Counter(tag for tags in own for tag in tags)
    if not counts:
        raise CatalogueError("The catalogue has no tags, which synthetic tastes are drawn from. Add tags.")
    names = sorted(counts)
    table = np.array([[name in tags for name in names] for tags in own])
    return table, np.log(len(records) / np.array([counts[name] for name in names]))


def _fame(records: Sequence[Mapping[str, Any]], random: np.random.Generator) -> FloatArray:
    artists = sorted({str(row["artist"] or row["id"]) for row in records})
    drawn = dict(zip(artists, random.normal(size=len(artists)), strict=True))
    return np.array([drawn[str(row["artist"] or row["id"])] for row in records])
