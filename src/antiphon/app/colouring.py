"""What the colours of the map stand for: categories, or a scale."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.app.clusters import Cluster
from antiphon.app.library import Library, Video
from antiphon.errors import AntiphonError
from antiphon.search.explaining import TrackFacts

COLOURS = 8
"""Number of colours of categories: the most frequent have one each."""
OTHERS, NOTHING = COLOURS, COLOURS + 1
"""Numbers of the colours of further categories, and of music videos without one."""
LEVELS, UNKNOWN = 251, 255
"""Levels of a scale, and the number of what is not known."""
TAG = "tag:"
_MAX_TAGS = 40
_SHARES = (0.02, 0.98)

_CATEGORIES: Mapping[str, tuple[str, str, str]] = {
    "genre": ("Genre", "other genres", "no genre"),
    "artist": ("Artist", "other artists", "no artist"),
    "split": ("Split", "other splits", "no split"),
}
_SCALES: Mapping[str, tuple[str, str, str]] = {
    "year": ("Year", "", "{:.0f}"),
    "tempo": ("Tempo", "tempo_bpm", "{:.0f} beats per minute"),
    "brightness": ("Brightness of the pictures", "luma", "{:.2f}"),
    "motion": ("Motion of the pictures", "motion", "{:.3f}"),
    "cuts": ("Cuts", "cuts_per_s", "{:.2f} per second"),
}


class UnknownColouringError(AntiphonError):
    """The map knows no such colours."""


@dataclass(frozen=True)
class Entry:
    """A colour: its number, what it stands for, and how many music videos have it."""

    number: int
    name: str
    count: int


@dataclass(frozen=True, eq=False)
class Colouring:
    """A colour for each music video.

    Attributes
    ----------
    way : str
        What the colours stand for, as addresses have it.
    title : str
        The same in words.
    kind : {"categories", "scale"}
        Whether each colour is a category, or they are steps of a scale.
    numbers : ndarray of uint8, shape (n,)
        Number of the colour of each music video: of a category, or from 0 to 250 on a scale, 255 where unknown.
    entries : sequence of Entry
        The categories that there are.
    low, high : str
        The ends of a scale.
    known : int
        How many music videos have a place on the scale.
    """

    way: str
    title: str
    kind: Literal["categories", "scale"]
    numbers: npt.NDArray[np.uint8]
    entries: Sequence[Entry] = ()
    low: str = ""
    high: str = ""
    known: int = 0


def colourings(library: Library, measured: Mapping[str, TrackFacts]) -> dict[str, str]:
    """List what the map can be coloured by.

    Parameters
    ----------
    library : Library
        The catalogue.
    measured : mapping of str to TrackFacts
        What was measured, by id.

    Returns
    -------
    dict of str to str
        Title by way; of tags the 40 most frequent.
    """
    videos = library.videos.values()
    found = {"genre": "Genre"}
    has: dict[str, Callable[[Video], object]] = {"artist": lambda one: one.artist, "split": lambda one: one.split}
    found |= {way: _CATEGORIES[way][0] for way, value in has.items() if any(map(value, videos))}
    found["cluster"] = "Cluster"
    if any(one.year is not None for one in videos):
        found["year"] = _SCALES["year"][0]
    there = {name for one in measured.values() for name in one.measures}
    found |= {way: title for way, (title, name, _) in _SCALES.items() if name in there}
    tags = Counter(tag for one in videos for tag in set(one.tags))
    often = sorted(tags, key=lambda tag: (-tags[tag], tag))[:_MAX_TAGS]
    return found | {f"{TAG}{tag}": f"Tag: {tag}" for tag in often}


def coloured(
    way: str,
    library: Library,
    videos: Sequence[Video],
    measured: Mapping[str, TrackFacts],
    clusters: tuple[npt.NDArray[np.int32], Sequence[Cluster]],
) -> Colouring:
    """Give each music video a colour.

    Parameters
    ----------
    way : str
        What the colours stand for: a key of `colourings`, or "tag:" with any tag.
    library : Library
        The catalogue.
    videos : sequence of Video
        The music videos on the map.
    measured : mapping of str to TrackFacts
        What was measured, by id.
    clusters : tuple of (ndarray of int32, sequence of Cluster)
        The group of each music video, and the groups.

    Returns
    -------
    Colouring
        The colours.

    Raises
    ------
    UnknownColouringError
        There is no such way.
    """
    if way.startswith(TAG) and (tag := way.removeprefix(TAG)):
        return _categories(way, f"Tag: {tag}", [tag if tag in one.tags else "" for one in videos], ("", "without it"))
    if way == "cluster":
        numbers, groups = clusters
        entries = [Entry(one.number, one.name, one.count) for one in groups]
        return Colouring(way, "Cluster", "categories", np.minimum(numbers, OTHERS).astype(np.uint8), entries)
    if way in _CATEGORIES:
        title, *rest = _CATEGORIES[way]
        values = {"genre": library.genre_of, "artist": lambda one: one.artist, "split": lambda one: one.split}[way]
        return _categories(way, title, [values(one) for one in videos], (rest[0], rest[1]))
    if way in _SCALES:
        title, name, spelt = _SCALES[way]
        if way == "year":
            found = [one.year for one in videos]
        else:
            found = [one.measures.get(name) if (one := measured.get(video.id)) else None for video in videos]
        return _scale(way, title, found, spelt)
    raise UnknownColouringError(f"The map has no colours by '{way[:100]}'. It has: {', '.join(_ways())}, tag:NAME.")


def _ways() -> list[str]:
    return [*_CATEGORIES, "cluster", *_SCALES]


def _categories(way: str, title: str, values: Sequence[str], rest: tuple[str, str]) -> Colouring:
    counts = Counter(values)
    names = sorted((name for name in counts if name), key=lambda name: (-counts[name], name))
    own = names if len(names) <= COLOURS else names[:COLOURS]
    numbers = dict.fromkeys(names, OTHERS) | {name: number for number, name in enumerate(own)} | {"": NOTHING}
    others = sum(counts[name] for name in names[len(own) :])
    entries = [Entry(numbers[name], name, counts[name]) for name in own]
    entries += [Entry(OTHERS, rest[0], others), Entry(NOTHING, rest[1], counts[""])]
    found = np.array([numbers[value] for value in values], dtype=np.uint8)
    return Colouring(way, title, "categories", found, [entry for entry in entries if entry.count])


def _scale(way: str, title: str, values: Sequence[float | None], spelt: str) -> Colouring:
    """Put values on a scale, of which what is rarer than 2% at either end shares the end."""
    found = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    there = np.isfinite(found)
    numbers = np.full(len(found), UNKNOWN, dtype=np.uint8)
    if not there.any():
        return Colouring(way, title, "scale", numbers)
    low, high = (float(value) for value in np.quantile(found[there], _SHARES))
    least, most = float(found[there].min()), float(found[there].max())
    share = (found[there] - low) / (high - low) if high > low else np.full(there.sum(), 0.5)
    numbers[there] = np.rint(np.clip(share, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    ends = spelt.format(low), spelt.format(high)
    return Colouring(
        way,
        title,
        "scale",
        numbers,
        low=ends[0] if spelt.format(least) == ends[0] else f"{ends[0]} or less",
        high=ends[1] if spelt.format(most) == ends[1] else f"{ends[1]} or more",
        known=int(there.sum()),
    )
