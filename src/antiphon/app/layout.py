"""Where the music videos stand on the map: kept in a table, so that they stay where they are when others come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.app.clusters import clusters
from antiphon.app.projection import among, project
from antiphon.documents import refuse_no_file
from antiphon.errors import FeatureStoreError
from antiphon.tables import read_table, write_table

FloatArray = npt.NDArray[np.float32]

_SKETCH = 4
_SAME = 1e-3
"""Greatest difference of a value between two embeddings of one file by one model."""
NEAREST = 3
"""How many music videos place one that comes among them."""
_MAX_CLUSTER = 255

MAP = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("x", pa.float32(), nullable=False),
        pa.field("y", pa.float32(), nullable=False),
        pa.field("cluster", pa.int32(), nullable=False),
        pa.field("sketch", pa.list_(pa.float32(), _SKETCH), nullable=False),  # first values of the embedding
        pa.field("came_later", pa.bool_(), nullable=False),  # placed among those that were there
    ]
)


@dataclass(frozen=True, eq=False)
class Layout:
    """Places of music videos on a plane.

    Attributes
    ----------
    ids : list of str
        The music videos, sorted.
    places : ndarray of float32, shape (n, 2)
        Where they stand, in [−1, 1].
    clusters : ndarray of int32, shape (n,)
        Number of the group that each belongs to.
    sketches : ndarray of float32, shape (n, 4)
        First values of each embedding: whether it is still the same.
    came_later : ndarray of bool, shape (n,)
        Whether it was placed among others that stood already.
    made : str
        When all were laid out, as ISO 8601.
    """

    ids: list[str]
    places: FloatArray
    clusters: npt.NDArray[np.int32]
    sketches: FloatArray
    came_later: npt.NDArray[np.bool_]
    made: str

    @classmethod
    def read(cls, path: Path) -> "Layout | None":
        """Read what is kept; None where there is nothing, or it is damaged.

        Parameters
        ----------
        path : Path
            The table.

        Returns
        -------
        Layout, optional
            The layout.
        """
        try:
            refuse_no_file(path)
            table = read_table(path, MAP)
            made = (table.schema.metadata or {}).get(b"made", b"").decode()
            datetime.fromisoformat(made)
            places = np.stack([table[name].to_numpy() for name in ("x", "y")], axis=1)
            numbers = table["cluster"].to_numpy()
            sketches = table["sketch"].combine_chunks().flatten().to_numpy().reshape(-1, _SKETCH)
            ids = table["id"].to_pylist()
        except (OSError, ValueError, FeatureStoreError):
            return None
        is_sound = np.isfinite(places).all() and (np.abs(places) <= 1).all() and np.isfinite(sketches).all()
        if not is_sound or ids != sorted(set(ids)) or ((numbers < 0) | (numbers > _MAX_CLUSTER)).any():
            return None
        return cls(ids, places, numbers, sketches, table["came_later"].to_numpy(zero_copy_only=False), made)

    def write(self, path: Path) -> None:
        """Keep it.

        Parameters
        ----------
        path : Path
            The table.
        """
        columns = [
            pa.array(self.ids, pa.string()),
            pa.array(self.places[:, 0]),
            pa.array(self.places[:, 1]),
            pa.array(self.clusters),
            pa.FixedSizeListArray.from_arrays(pa.array(self.sketches.ravel()), _SKETCH),
            pa.array(self.came_later),
        ]
        table = pa.Table.from_arrays(columns, names=MAP.names).cast(MAP)
        write_table(table.replace_schema_metadata({b"made": self.made.encode()}), path)

    def is_of(self, ids: Sequence[str], vectors: FloatArray) -> bool:
        """Return whether these are its music videos, with these embeddings.

        Parameters
        ----------
        ids : sequence of str
            Music videos, sorted.
        vectors : ndarray of float32, shape (n, dim)
            Their embeddings.

        Returns
        -------
        bool
            Whether it holds them and no others.
        """
        return self.ids == list(ids) and bool((np.abs(self.sketches - sketched(vectors)) <= _SAME).all())


def laid_out(ids: Sequence[str], vectors: FloatArray, before: Layout | None = None) -> Layout:
    """Place music videos on the plane. Those that stood there stay where they were, and the others go among them.

    Parameters
    ----------
    ids : sequence of str
        The music videos, sorted.
    vectors : ndarray of float32, shape (n, dim)
        A unit row for each.
    before : Layout, optional
        Where they stood. Those with another embedding than then count as new; where none is left, or without it, all
        are laid out.

    Returns
    -------
    Layout
        Where they stand.
    """
    sketches = sketched(vectors)
    old = _old_rows(ids, sketches, before)
    stays = old >= 0
    if before is None or not stays.any():
        made = datetime.now(UTC).isoformat(timespec="seconds")
        return Layout(list(ids), project(vectors), clusters(vectors), sketches, np.zeros(len(ids), dtype=bool), made)
    places = np.empty((len(ids), 2), dtype=np.float32)
    numbers = np.empty(len(ids), dtype=np.int32)
    later = ~stays
    places[stays], numbers[stays] = before.places[old[stays]], before.clusters[old[stays]]
    if later.any():
        found, nearest = among(vectors[later], vectors[stays], places[stays], NEAREST)
        places[later], numbers[later] = found, numbers[stays][nearest]
    later[stays] = before.came_later[old[stays]]
    return Layout(list(ids), places, numbers, sketches, later, before.made)


def _old_rows(ids: Sequence[str], sketches: FloatArray, before: Layout | None) -> npt.NDArray[np.int64]:
    """Return the row that each music video had, −1 for one that is new or has another embedding."""
    if before is None:
        return np.full(len(ids), -1)
    rows = {id: row for row, id in enumerate(before.ids)}
    old = np.array([rows.get(id, -1) for id in ids], dtype=np.int64)
    there = np.flatnonzero(old >= 0)
    other = (np.abs(sketches[there] - before.sketches[old[there]]) > _SAME).any(axis=1)
    old[there[other]] = -1
    return old


def sketched(vectors: FloatArray) -> FloatArray:
    """Return the first four values of each row, 0 for those that there are not.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Rows.

    Returns
    -------
    ndarray of float32, shape (n, 4)
        Their first values.
    """
    found = np.zeros((len(vectors), _SKETCH), dtype=np.float32)
    width = min(_SKETCH, vectors.shape[1])
    found[:, :width] = vectors[:, :width]
    return found
