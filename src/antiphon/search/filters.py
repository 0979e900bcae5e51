"""Which music videos may be found, as a mask over a table and as an SQL condition."""

from dataclasses import dataclass, fields, replace
from functools import reduce
from operator import and_

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import SearchError

_LISTS = {
    "genre": ("genre", False),
    "artist": ("artist", False),
    "not_artist": ("artist", True),
    "not_ids": ("id", True),
}

_COLUMNS = ["id", "artist", "genre", "year"]


@dataclass(frozen=True)
class Where:
    """Conditions that a hit must meet, all of them; they hold before the nearest are counted.

    Attributes
    ----------
    genre, artist : one of these, spelt as in the index. Empty: any.
    not_artist : none of these; a video of an unknown artist passes.
    year_from, year_to : both included; a video of an unknown year fails.
    not_ids : none of these videos.

    Raises
    ------
    SearchError
        A list is a single text, or the years are the wrong way round.
    """

    genre: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    not_artist: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    not_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str):
                raise SearchError(f"{item.name}: is the text '{value}'; give a list of texts, such as ('{value}',).")
            if item.name in _LISTS:
                object.__setattr__(self, item.name, tuple(map(str, value)))
            elif value is not None:
                object.__setattr__(self, item.name, int(value))
        if self.year_from is not None and self.year_to is not None and self.year_from > self.year_to:
            raise SearchError(f"year_from is {self.year_from} and year_to {self.year_to}: no year lies between.")

    def without(self, *ids: str) -> "Where":
        """The same conditions, and none of these videos."""
        return replace(self, not_ids=(*self.not_ids, *ids))

    def mask(self, table: pa.Table) -> npt.NDArray[np.bool_]:
        """(n,) whether each row of a table with the index's columns meets the conditions."""
        conditions: list[pc.Expression] = []
        for name, (column, excluded) in _LISTS.items():
            values = getattr(self, name)
            if values:
                found = pc.field(column).isin(list(values))
                conditions.append(~found if excluded else found)
        if self.year_from is not None:
            conditions.append(pc.field("year") >= self.year_from)
        if self.year_to is not None:
            conditions.append(pc.field("year") <= self.year_to)
        if not conditions:
            return np.ones(table.num_rows, dtype=bool)
        kept = np.zeros(table.num_rows, dtype=bool)
        numbered = table.select(_COLUMNS).append_column("row", pa.array(np.arange(table.num_rows)))
        kept[numbered.filter(reduce(and_, conditions))["row"].to_numpy()] = True
        return kept

    def sql(self) -> str:
        """The same conditions in SQL; "" if there are none."""
        parts: list[str] = []
        for name, (column, excluded) in _LISTS.items():
            values = getattr(self, name)
            if values and excluded:
                parts.append(f"({column} IS NULL OR {column} NOT IN ({quoted(values)}))")
            elif values:
                parts.append(f"{column} IN ({quoted(values)})")
        if self.year_from is not None:
            parts.append(f"year >= {self.year_from}")
        if self.year_to is not None:
            parts.append(f"year <= {self.year_to}")
        return " AND ".join(parts)


def quoted(values: tuple[str, ...] | list[str]) -> str:
    """Texts as SQL literals: a quote inside one is doubled, and nothing else has a meaning there.

    Examples
    --------
    >>> quoted(["Guns N' Roses", "x"])
    "'Guns N'' Roses', 'x'"
    """
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
