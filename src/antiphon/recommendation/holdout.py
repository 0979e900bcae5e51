"""Splitting of tracks into new and old ones for an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from antiphon.catalogue.artists import connected
from antiphon.errors import ConfigError
from antiphon.recommendation.space import Space
from antiphon.seeding import generator

About = Mapping[str, Any]
IntArray = npt.NDArray[np.int64]

_DATE_COLUMNS = ("release_date", "released", "date")


class HoldOut(BaseModel):
    """How new tracks are chosen.

    Attributes
    ----------
    by : {"date", "video", "artist"}
        "date": the newest tracks are new, and only tracks released before all of them are old. "video": random tracks.
        "artist": all tracks of random artists, so that no new track has a known artist.
    share : float
        Fraction of the candidate tracks that are new.
    split : {"train", "validation", "test"}, optional
        Split of the candidates; "test" has no tracks that a model was trained or chosen on. None: all tracks.
    seed : int
        Seed of the random draws.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["date", "video", "artist"] = "video"
    share: float = Field(default=0.5, gt=0, le=1)
    split: Literal["train", "validation", "test"] | None = "test"
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Held:
    """Rows of the new and the old tracks; `since` is the first release of a new one, if they are chosen by date."""

    new: IntArray
    old: IntArray
    since: datetime | None = None


def hold_out(space: Space, config: HoldOut) -> Held:
    """Choose the new tracks of a space.

    Parameters
    ----------
    space : Space
        The tracks.
    config : HoldOut
        How to choose.

    Returns
    -------
    Held
        New and old tracks.

    Raises
    ------
    ConfigError
        There are no candidates, no dates are known, or nothing is older than the new tracks.
    """
    unseen = np.array(
        [row for row, about in enumerate(space.about) if config.split in {None, about.get("split")}], dtype=np.int64
    )
    if not len(unseen):
        raise ConfigError(
            f"hold_out: no tracks in the {config.split} split to hold out. Evaluate on a catalogue with splits."
        )
    if config.by == "date":
        return _newest(space, unseen, config.share)
    new = np.sort(_drawn(space.about, unseen, config))
    old = np.setdiff1d(np.arange(len(space.ids)), new)
    if config.by == "artist":  # An artist may have tracks in other splits too.
        artists = _artists(space.about)
        gone = {artists[row] for row in new.tolist()}
        old = np.array([row for row in old.tolist() if artists[row] not in gone], dtype=np.int64)
    return Held(new, old)


def released(about: About) -> datetime | None:
    """Return the release date of a track: its release_date, released or date, else the first day of its year.

    Parameters
    ----------
    about : mapping
        Metadata of the track.

    Returns
    -------
    datetime, optional
        None if it is unknown.

    Raises
    ------
    ConfigError
        The date cannot be parsed.
    """
    for column in _DATE_COLUMNS:
        value = about.get(column)
        if isinstance(value, datetime):
            return value.replace(tzinfo=None) if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)
        if isinstance(value, str) and value:
            try:
                return datetime.fromisoformat(value).replace(tzinfo=None)
            except ValueError:
                raise ConfigError(
                    f"track '{about.get('id')}': {column} is '{value}', not a date such as 2026-01-31."
                ) from None
    year = about.get("year")
    return None if year is None else datetime(int(year), 1, 1)


def _newest(space: Space, unseen: IntArray, share: float) -> Held:
    dates = [released(about) for about in space.about]
    known = sorted((moment for row in unseen if (moment := dates[row]) is not None), reverse=True)
    if not known:
        raise ConfigError("hold_out: no track has a year or a release date. Hold out by video or by artist instead.")
    since = known[max(round(share * len(known)), 1) - 1]
    rows = set(unseen.tolist())
    new = [row for row, moment in enumerate(dates) if row in rows and moment is not None and moment >= since]
    old = [row for row, moment in enumerate(dates) if moment is not None and moment < since]
    if not old:
        raise ConfigError(f"hold_out: share {share:g} makes all tracks new; lower it so that some are old.")
    return Held(np.array(new, dtype=np.int64), np.array(old, dtype=np.int64), since)


def _drawn(about: Sequence[About], unseen: IntArray, config: HoldOut) -> IntArray:
    """Draw rows at random, all rows of an artist if asked for, until the share is reached."""
    random = generator(config.seed, "hold out", config.by)
    wanted = max(round(config.share * len(unseen)), 1)
    if config.by == "video":
        return random.permutation(unseen)[:wanted]
    names, artists = _artists(about), dict[str, list[int]]()
    for row in unseen.tolist():
        artists.setdefault(names[row], []).append(row)
    chosen: list[int] = []
    for name in random.permutation(sorted(artists)).tolist():
        if len(chosen) < wanted:
            chosen += artists[name]
    return np.array(chosen, dtype=np.int64)


def _artists(about: Sequence[About]) -> list[str]:
    """Return the group of each track's artist, as in the splits; a track of an unknown artist has a unique one."""
    return [key or f"\x1f{row}" for row, key in enumerate(connected([each.get("artist") for each in about]))]
