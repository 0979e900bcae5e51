"""Conditions on what may be found, as a mask over a table."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from antiphon.errors import ConfigError
from antiphon.spelling import did_you_mean

_arrow = cast(Any, pyarrow.compute)
_LISTS = {
    "genre": ("genre", False),
    "artist": ("artist", False),
    "not_artist": ("artist", True),
    "not_ids": ("id", True),
}
_TAGS = {"tag": True, "not_tag": False}
_IGNORING_CASE = frozenset({"genre", "artist", "not_artist"})
_MAX_NAMED = 12
_LAST_YEAR = 9999


@dataclass(frozen=True)
class Where:
    """Conditions that a hit must meet, all of them. They hold before the nearest are counted.

    Parameters
    ----------
    genre, artist : tuple of str
        One of these, spelt as in the index; a single text counts as one. Empty: any.
    not_artist : tuple of str
        None of these; a music video of an unknown artist passes.
    tag : tuple of str
        All of these, whatever their case.
    not_tag : tuple of str
        None of these.
    min_year, max_year : int, optional
        Both included; a music video of an unknown year fails.
    not_ids : tuple of str
        None of these music videos.

    Raises
    ------
    ConfigError
        The years are the wrong way round, or out of range.

    Examples
    --------
    >>> Where(genre="folk", min_year=1990).genre
    ('folk',)
    """

    genre: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    not_artist: tuple[str, ...] = ()
    min_year: int | None = None
    max_year: int | None = None
    not_ids: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    not_tag: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in _LISTS or item.name in _TAGS:
                names = (value,) if isinstance(value, str) else tuple(map(str, value))
                if item.name != "not_ids":  # The catalogue has its letters composed, and people type them either way.
                    names = tuple(unicodedata.normalize("NFC", name) for name in names)
                object.__setattr__(self, item.name, names)
            elif value is not None:
                object.__setattr__(self, item.name, int(value))
        for name in ("min_year", "max_year"):
            year = getattr(self, name)
            if year is not None and not 0 <= year <= _LAST_YEAR:
                raise ConfigError(f"{name} must be between 0 and {_LAST_YEAR}, not {year}.")
        if self.min_year is not None and self.max_year is not None and self.min_year > self.max_year:
            raise ConfigError(f"min_year {self.min_year} is after max_year {self.max_year}.")

    def without(self, *ids: str) -> "Where":
        """Return the same conditions, excluding these music videos too."""
        return replace(self, not_ids=(*self.not_ids, *ids))

    @property
    def reads_metadata(self) -> bool:
        """Whether the conditions are about more than ids."""
        return self.without_ids() != Where()

    def without_ids(self) -> "Where":
        """Return the conditions on metadata alone."""
        return replace(self, not_ids=())

    def without_artists(self, *artists: str) -> "Where":
        """Return the same conditions, excluding these artists too."""
        return replace(self, not_artist=(*self.not_artist, *artists))

    def explain(self, known: Mapping[str, Sequence[str]], years: tuple[int, int] | None) -> str:
        """Say why nothing may meet the conditions: which values the index does not have, and those that it has.

        Parameters
        ----------
        known : mapping of str to sequence of str
            The values of "genre" and of "artist" in the index, the most frequent first.
        years : (int, int) or None
            The first and the last year in the index.
        """
        said: list[str] = []
        for name in ("genre", "artist"):
            for value in getattr(self, name):
                if value.casefold() not in {each.casefold() for each in known[name]}:
                    hint = did_you_mean(value, known[name])
                    shown = ", ".join(known[name][:_MAX_NAMED]) or "none"
                    more = ", …" if len(known[name]) > _MAX_NAMED else ""
                    said.append(f"No music video of the index has the {name} '{value}'.{hint} It has: {shown}{more}.")
        if years is not None and (self.min_year or years[0]) > years[1]:
            said.append(f"The last year in the index is {years[1]}.")
        elif years is not None and (self.max_year or years[1]) < years[0]:
            said.append(f"The first year in the index is {years[0]}.")
        elif years is None and (self.min_year or self.max_year):
            said.append("No music video of the index has a year.")
        return " ".join(said) or "No music video of the index meets all of these conditions."

    def mask(self, table: pa.Table) -> npt.NDArray[np.bool_]:
        """Return for each row of a table with the index's columns whether it meets the conditions."""
        kept = np.ones(table.num_rows, dtype=bool)
        for name, (column, excluded) in _LISTS.items():
            values = getattr(self, name)
            if values:
                names, asked = table[column], pa.array(values, pa.string())
                if name in _IGNORING_CASE:
                    names, asked = _arrow.utf8_lower(names), _arrow.utf8_lower(asked)
                kept &= np.asarray(_arrow.is_in(names, asked)) != excluded
        for name, wanted in _TAGS.items():
            for tag in getattr(self, name):
                kept &= _tagged(table["tags"], tag) == wanted
        if self.min_year is not None:
            kept &= _met(_arrow.greater_equal(table["year"], self.min_year))
        if self.max_year is not None:
            kept &= _met(_arrow.less_equal(table["year"], self.max_year))
        return kept


def _tagged(tags: pa.ChunkedArray, tag: str) -> npt.NDArray[np.bool_]:
    """Return for each list of tags whether it has one, whatever its case."""
    found = np.zeros(len(tags), dtype=bool)
    parents, values = _arrow.list_parent_indices(tags), _arrow.list_flatten(tags)
    has = _arrow.equal(_arrow.utf8_lower(values), tag.lower())
    found[np.asarray(parents.filter(has), dtype=np.int64)] = True
    return found


def _met(answers: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Return the answers as an array; what is unknown is not met."""
    return np.asarray(_arrow.fill_null(answers, False)).astype(bool)


@dataclass(frozen=True)
class Wanted:
    """How many hits are wanted, which, and in what order."""

    k: int
    where: Where
    diversity: float = 0.0
    rerank: bool = False

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigError(f"k must be at least 1, not {self.k}.")
        if not 0 <= self.diversity <= 1:
            raise ConfigError(f"diversity must be between 0 and 1, not {self.diversity:g}.")


@dataclass(frozen=True)
class Conditions:
    """What can be said of a list of hits, under the same names in Python, on the command line and over HTTP.

    Attributes
    ----------
    k
        Maximum number of hits.
    genre
        Only these genres.
    artist
        Only these artists.
    not_artist
        None of these artists.
    tag
        Only what has all of these tags.
    not_tag
        Nothing with one of these tags.
    other_artists
        Leave out the query's own artist.
    min_year
        First year.
    max_year
        Last year.
    weight
        Share of the sound, from 0 to 1, where sound and pictures are compared.
    diversity
        From 0 (best first) to 1 (as different from each other as possible): above 0 no artist fills the list.
    rerank
        Order the best 100 by how well their segments match in order of time.
    """

    k: int = 10
    genre: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    not_artist: tuple[str, ...] = ()
    other_artists: bool = False
    min_year: int | None = None
    max_year: int | None = None
    weight: float = 0.5
    diversity: float = 0.0
    rerank: bool = False
    tag: tuple[str, ...] = ()
    not_tag: tuple[str, ...] = ()

    @property
    def where(self) -> Where:
        """The conditions on what may be found."""
        return Where(
            self.genre,
            self.artist,
            self.not_artist,
            self.min_year,
            self.max_year,
            tag=self.tag,
            not_tag=self.not_tag,
        )

    def arguments(self, not_ids: Iterable[str] = ()) -> dict[str, Any]:
        """Return the arguments of `Index.search`, which leaves `not_ids` out too."""
        return {
            "k": self.k,
            "where": self.where.without(*not_ids),
            "weight": self.weight,
            "other_artists": self.other_artists,
            "diversity": self.diversity,
            "rerank": self.rerank,
        }
