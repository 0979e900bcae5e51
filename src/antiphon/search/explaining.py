"""Why two tracks are neighbours, in plain words: what they share that most pairs of the catalogue do not.

Nothing is said that holds for most pairs anyway: a tag that nearly all tracks have, a brightness in the middle. What is
said of sound and pictures are percentiles among the pairs of the catalogue, not cosines.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.catalogue import Catalogue
from antiphon.tables import ATTRIBUTES, read_table
from antiphon.workspace import Workspace

FloatArray = npt.NDArray[np.float64]

MEASURES = ("luma", "saturation", "motion", "cuts_per_s", "tempo_bpm")
"""What is measured of each track, as the columns of `attributes.parquet` are called."""

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
    """What is known of one track; what is not known is None or left out.

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
    """The tracks of a catalogue and what is usual among them.

    Attributes
    ----------
    tracks : mapping of str to TrackFacts
        Facts by id.
    genre_shares, tag_shares : mapping of str to float
        Share of the tracks that have each.
    quartiles : mapping of str to tuple of (float, float)
        The lower and the upper one of each measure.
    black_and_white : float
        Share of the tracks whose pictures are known that are.
    """

    tracks: Mapping[str, TrackFacts]
    genre_shares: Mapping[str, float]
    tag_shares: Mapping[str, float]
    quartiles: Mapping[str, tuple[float, float]]
    black_and_white: float

    @classmethod
    def of(cls, tracks: Mapping[str, TrackFacts]) -> "Facts":
        """The facts of all tracks, with what is usual among them."""
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
    """The usual cosines of two tracks of a catalogue.

    Attributes
    ----------
    by_side : mapping of str to ndarray of float32
        For "audio" and "video" the sorted cosines of pairs drawn at random.
    """

    by_side: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls, sides: Mapping[str, npt.NDArray[np.floating]], random: np.random.Generator, pairs: int = 10_000
    ) -> "Levels":
        """From (n, dim) unit rows a side, at least two rows each, by pairs of different tracks drawn at random."""
        return cls({side: np.sort(_drawn_cosines(rows, random, pairs)) for side, rows in sides.items()})

    def closer_than(self, side: str, cosine: float) -> float:
        """The share of pairs whose cosine is lower."""
        usual = self.by_side[side]
        return float(np.searchsorted(usual, cosine, side="left") / len(usual))


def explain(
    seed: str, hit: str, facts: Facts, cosines: Mapping[str, float] | None = None, levels: Levels | None = None
) -> list[str]:
    """What two tracks share, in a few plain words each, the plainest first.

    Parameters
    ----------
    seed, hit : str
        Ids of the two tracks; of one that `facts` does not hold nothing is said but its cosines.
    cosines : mapping of str to float, optional
        Of the two tracks' embeddings, by "audio" and "video". Said as the share of pairs that are less alike, from
        90% on.
    levels : Levels, optional
        The catalogue's usual cosines; without them cosines are not spoken of.

    Returns
    -------
    list of str
        Such as ["same genre (techno)", "3 tags in common: calm, choir, slow", "sound closer than 98% of pairs", "both
        about 92 bpm", "both dark", "both cut fast"]; empty where they share nothing that is worth a word.

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
    """Artist, genre, tags and years."""
    said: list[str] = []
    if one.artist is not None and one.artist == other.artist:
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
    """Measures of the pictures that lie in the same outer quarter of the catalogue."""
    grey = bool(one.black_and_white and other.black_and_white) and facts.black_and_white <= _COMMON
    said = ["both black and white"] if grey else []
    for name, (low_words, high_words) in _WORDS.items():
        if name not in one.measures or name not in other.measures or (grey and name == "saturation"):
            continue
        low, high = facts.quartiles[name]
        least, most = sorted((one.measures[name], other.measures[name]))
        if low < high and most <= low:
            said.append(low_words)
        elif low < high and least >= high:
            said.append(high_words)
    return said


def _tags(count: int) -> str:
    return "1 tag" if count == 1 else f"{count} tags"


def _percent(share: float) -> str:
    """Rounded down, so that nothing is closer than all pairs."""
    return f"{min(int(share * 1000) / 10, 99.9):.1f}%" if share >= 0.99 else f"{int(share * 100)}%"


def _drawn_cosines(rows: npt.NDArray[np.floating], random: np.random.Generator, pairs: int) -> FloatArray:
    first = random.integers(len(rows), size=pairs)
    second = (first + random.integers(1, len(rows), size=pairs)) % len(rows)
    return np.einsum("pd,pd->p", rows[first], rows[second], dtype=np.float64)


def facts_of(records: Sequence[Mapping[str, Any]], attributes: Sequence[Mapping[str, Any]] = ()) -> Facts:
    """Facts from the rows of a catalogue and of `attributes.parquet`, which are averaged over each track's segments."""
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
    """What catalogue and attributes say of each track; without `attributes.parquet`, or with an older one, no measures.

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
    table = read_table(workspace.attributes)
    measured = set(ATTRIBUTES.names) <= set(table.column_names)
    return facts_of(records, table.to_pylist() if measured else ())
