"""Explanations of why two tracks are neighbours: what they have in common that most pairs of the catalogue do not.

What most pairs share is not mentioned, such as a tag of nearly all tracks, or medium brightness. Similarity of sound
and pictures is given as a percentile of the catalogue's pairs, not as a cosine.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue import Catalogue
from antiphon.catalogue.artists import share_artist
from antiphon.tables import ATTRIBUTES, read_schema, read_table
from antiphon.workspace import Workspace

FloatArray = npt.NDArray[np.float64]

MEASURES = ("luma", "saturation", "motion", "cuts_per_s", "tempo_bpm")
"""Measured attributes of a track: columns of `attributes.parquet`."""

_LOW, _HIGH = 0.25, 0.75
_CLOSER_THAN = 0.9
_TEMPO_WITHIN = 0.04
_COMMON = 0.5
_MAX_TAGS = 5
_YEARS = 3
_WORDS = {
    "luma": ("both dark", "both bright"),
    "saturation": ("both pale", "both colourful"),
    "motion": ("both still", "both in motion"),
    "cuts_per_s": ("both cut slowly", "both cut fast"),
}
_SIDES = {"audio": "sound", "video": "pictures"}


@dataclass(frozen=True)
class TrackFacts:
    """Facts of one track; None or missing if unknown.

    Attributes
    ----------
    measures : mapping of str to float
        Means over its segments, by a name of `MEASURES`.
    black_and_white : bool, optional
        Whether most of its segments are.
    """

    artist: str | None = None
    genre: str | None = None
    tags: tuple[str, ...] = ()
    year: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict[str, float])
    black_and_white: bool | None = None


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts of the tracks of a catalogue, and what is usual among them.

    Attributes
    ----------
    tracks : mapping of str to TrackFacts
        Facts by id.
    genre_shares, tag_shares : mapping of str to float
        Fraction of the tracks with each.
    quartiles : mapping of str to tuple of (float, float)
        Lower and upper quartile of each measure.
    black_and_white : float
        Fraction of the measured tracks that are.
    """

    tracks: Mapping[str, TrackFacts]
    genre_shares: Mapping[str, float]
    tag_shares: Mapping[str, float]
    quartiles: Mapping[str, tuple[float, float]]
    black_and_white: float

    @classmethod
    def of(cls, tracks: Mapping[str, TrackFacts]) -> "Facts":
        """Collect facts, and what is usual among them.

        Parameters
        ----------
        tracks : mapping of str to TrackFacts
            Facts by id.

        Returns
        -------
        Facts
            The facts.
        """
        count = max(len(tracks), 1)
        genres = Counter(one.genre for one in tracks.values() if one.genre is not None)
        tags = Counter(tag for one in tracks.values() for tag in set(one.tags))
        known = {name: [one.measures[name] for one in tracks.values() if name in one.measures] for name in MEASURES}
        seen = [one.black_and_white for one in tracks.values() if one.black_and_white is not None]
        return cls(
            tracks=tracks,
            genre_shares={name: times / count for name, times in genres.items()},
            tag_shares={name: times / count for name, times in tags.items()},
            quartiles={
                name: (float(np.quantile(values, _LOW)), float(np.quantile(values, _HIGH)))
                for name, values in known.items()
                if values
            },
            black_and_white=sum(seen) / max(len(seen), 1),
        )


@dataclass(frozen=True, eq=False)
class Levels:
    """Usual cosines of two tracks of a catalogue.

    Attributes
    ----------
    by_side : mapping of str to ndarray of float64
        Sorted cosines of random pairs, by "audio" and "video".
    """

    by_side: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls, sides: Mapping[str, npt.NDArray[np.floating]], random: np.random.Generator, pairs: int = 10_000
    ) -> "Levels":
        """Measure the cosines of random pairs of different tracks.

        Parameters
        ----------
        sides : mapping of str to ndarray
            (n, dim) unit rows by modality, at least two rows each.
        random : Generator
            Random numbers.
        pairs : int
            Number of pairs.

        Returns
        -------
        Levels
            The cosines.
        """
        return cls({side: np.sort(_drawn_cosines(rows, random, pairs)) for side, rows in sides.items()})

    def closer_than(self, side: str, cosine: float) -> float:
        """Return the fraction of pairs with a lower cosine."""
        usual = self.by_side[side]
        return float(np.searchsorted(usual, cosine, side="left") / len(usual))


def explain(
    seed: str, hit: str, facts: Facts, cosines: Mapping[str, float] | None = None, levels: Levels | None = None
) -> list[str]:
    """Describe what two tracks have in common, in a few words each, the most obvious first.

    Parameters
    ----------
    seed, hit : str
        Ids of the two tracks. An unknown one has nothing in common but its cosines.
    facts : Facts
        Facts of the catalogue.
    cosines : mapping of str to float, optional
        Cosines of the two tracks by "audio" and "video", mentioned if at least 90% of pairs are less similar.
    levels : Levels, optional
        The catalogue's usual cosines; without them cosines are not mentioned.

    Returns
    -------
    list of str
        Such as ["same genre (techno)", "3 tags in common: calm, choir, slow", "sound closer than 98% of pairs", "both
        about 92 bpm", "both dark", "both cut fast"]; empty if there is nothing worth mentioning.

    Examples
    --------
    >>> tracks = {"a": TrackFacts(genre="jazz"), "b": TrackFacts(genre="jazz"), "c": TrackFacts(), "d": TrackFacts()}
    >>> explain("a", "b", Facts.of(tracks))
    ['same genre (jazz)']
    """
    one, other = facts.tracks.get(seed, TrackFacts()), facts.tracks.get(hit, TrackFacts())
    said = _described(one, other, facts)
    if cosines is not None and levels is not None:
        said += [
            f"{_SIDES[side]} closer than {_percent(share)} of pairs"
            for side, cosine in cosines.items()
            if side in levels.by_side and (share := levels.closer_than(side, cosine)) >= _CLOSER_THAN
        ]
    return said + _heard(one, other) + _seen(one, other, facts)


def _described(one: TrackFacts, other: TrackFacts, facts: Facts) -> list[str]:
    """Compare artist, genre, tags and years."""
    said: list[str] = []
    if share_artist(one.artist, other.artist):
        said.append(f"same artist ({one.artist})")
    if one.genre is not None and one.genre == other.genre and facts.genre_shares.get(one.genre, 0) <= _COMMON:
        said.append(f"same genre ({one.genre})")
    shared = [tag for tag in set(one.tags) & set(other.tags) if facts.tag_shares.get(tag, 0) <= _COMMON]
    if shared:
        rarest = sorted(shared, key=lambda tag: (facts.tag_shares.get(tag, 0), tag))[:_MAX_TAGS]
        more = ", …" if len(shared) > _MAX_TAGS else ""
        said.append(f"{_tags(len(shared))} in common: {', '.join(sorted(rarest))}{more}")
    if one.year is not None and other.year is not None and abs(one.year - other.year) <= _YEARS:
        first, last = sorted((one.year, other.year))
        said.append(f"both of {first}" if first == last else f"{first} and {last}")
    return said


def _heard(one: TrackFacts, other: TrackFacts) -> list[str]:
    first, second = one.measures.get("tempo_bpm"), other.measures.get("tempo_bpm")
    if first is None or second is None or max(first, second) > min(first, second) * (1 + _TEMPO_WITHIN):
        return []
    return [f"both about {(first + second) / 2:.0f} bpm"]


def _seen(one: TrackFacts, other: TrackFacts, facts: Facts) -> list[str]:
    """Compare the visual measures: both tracks must be in the same outer quarter of the catalogue."""
    grey = bool(one.black_and_white and other.black_and_white) and facts.black_and_white <= _COMMON
    said = ["both black and white"] if grey else []
    for name, (low_words, high_words) in _WORDS.items():
        if name not in one.measures or name not in other.measures or (grey and name == "saturation"):
            continue
        low, high = facts.quartiles[name]
        lower, higher = sorted((one.measures[name], other.measures[name]))
        if low < high and higher <= low:
            said.append(low_words)
        elif low < high and lower >= high:
            said.append(high_words)
    return said


def _tags(count: int) -> str:
    return "1 tag" if count == 1 else f"{count} tags"


def _percent(share: float) -> str:
    """Format a percentage, rounded down so that it is never 100%."""
    return f"{min(int(share * 1000) / 10, 99.9):.1f}%" if share >= 0.99 else f"{int(share * 100)}%"


def _drawn_cosines(rows: npt.NDArray[np.floating], random: np.random.Generator, pairs: int) -> FloatArray:
    first = random.integers(len(rows), size=pairs)
    second = (first + random.integers(1, len(rows), size=pairs)) % len(rows)
    return np.einsum("pd,pd->p", rows[first], rows[second], dtype=np.float64)


def facts_of(records: Sequence[Mapping[str, Any]], attributes: Sequence[Mapping[str, Any]] = ()) -> Facts:
    """Collect facts from a catalogue and from `attributes.parquet`, averaged over each track's segments.

    Parameters
    ----------
    records : sequence of mapping
        Rows of the catalogue.
    attributes : sequence of mapping
        Rows of `attributes.parquet`.

    Returns
    -------
    Facts
        The facts.
    """
    segments: dict[str, list[Mapping[str, Any]]] = {}
    for row in attributes:
        segments.setdefault(row["video_id"], []).append(row)
    return Facts.of({str(row["id"]): _facts(row, segments.get(row["id"], [])) for row in records})


def _facts(record: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> TrackFacts:
    known = {name: [row[name] for row in segments if row.get(name) is not None] for name in MEASURES}
    grey = [row["black_and_white"] for row in segments]
    return TrackFacts(
        artist=record.get("artist"),
        genre=record.get("genre"),
        tags=tuple(record.get("tags") or ()),
        year=record.get("year"),
        measures={name: float(np.mean(values)) for name, values in known.items() if values},
        black_and_white=sum(grey) > len(grey) / 2 if grey else None,
    )


def workspace_facts(workspace: Workspace) -> Facts:
    """Collect the facts of a workspace; without measures if `attributes.parquet` is missing or outdated.

    Parameters
    ----------
    workspace : Workspace
        The workspace.

    Returns
    -------
    Facts
        The facts.

    Raises
    ------
    CatalogueError
        The catalogue is missing or damaged.
    FeatureStoreError
        The table of attributes is damaged.
    """
    records = Catalogue.load(workspace.catalogue).records()
    if not workspace.attributes.exists():
        return facts_of(records)
    measured = set(ATTRIBUTES.names) <= set(read_schema(workspace.attributes).names)
    return facts_of(records, read_table(workspace.attributes, ATTRIBUTES).to_pylist() if measured else ())
