"""The catalogue of today, laid over an index whose rows keep the metadata of the day on which they were written.

A title, a genre or a year that is corrected later is found and shown without embedding anything again. Videos that left
the catalogue, or whose files were replaced since they were indexed, are not found. An index of vectors from elsewhere
keeps its videos and their metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from antiphon.errors import AntiphonError
from antiphon.search.entries import METADATA
from antiphon.search.pieces import Part
from antiphon.search.view import View
from antiphon.tables import CATALOGUE, read_table

CATALOGUE_FILE = "catalogue.parquet"
"""Name of the catalogue in the workspace that an index lies in."""

_arrow = cast(Any, pyarrow.compute)


def state_of(path: Path) -> tuple[int, int, int] | None:
    """Return what tells one state of a file from another; None if it is not there."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino, about.st_size


class CatalogueFile:
    """The catalogue on disk, read again when it was written anew.

    Parameters
    ----------
    path : Path
        The Parquet file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[object, pa.Table | None] = (None, None)

    def rows(self) -> tuple[object, pa.Table | None]:
        """Return what tells one state of the file from another, and id, metadata and content hash of its rows.

        None instead of the rows if there is no catalogue, or none that can be read: that spoils no search.
        """
        state = state_of(self.path)
        if state is None:
            return None, None
        if self._read[0] != state:
            try:
                self._read = (state, read_table(self.path, CATALOGUE).select(["id", *METADATA, "content_hash"]))
            except AntiphonError:
                self._read = (state, None)
        return self._read


@dataclass(frozen=True, eq=False)
class Difference:
    """What differs between an index and the catalogue.

    Attributes
    ----------
    changed : Table
        Id and metadata of today of the videos whose metadata changed.
    hidden : tuple of str
        Videos that left the catalogue, or whose files were replaced.
    """

    changed: pa.Table
    hidden: tuple[str, ...]

    @classmethod
    def between(
        cls, view: View, catalogue: pa.Table, contents: Mapping[str, str], *, own_metadata: bool = False
    ) -> "Difference":
        """Compare an index with the catalogue.

        Parameters
        ----------
        view : View
            Rows of the index.
        catalogue : Table
            Rows of the catalogue, as `CatalogueFile.rows` returns them.
        contents : mapping of str to str
            Hashes of the files that were indexed, by id, where they are known.
        own_metadata : bool, default False
            Leave the index its metadata, and the videos that the catalogue does not know, since it was given both with
            its vectors.
        """
        stored = view.read(Part(None), vectors=False)
        places = _arrow.index_in(stored["id"], catalogue["id"].combine_chunks())
        unknown = [] if own_metadata else stored["id"].filter(_arrow.is_null(places)).unique().to_pylist()
        now = dict(zip(catalogue["id"].to_pylist(), catalogue["content_hash"].to_pylist(), strict=True))
        replaced = [name for name, was in contents.items() if now.get(name) not in (None, was)]
        there = _arrow.is_valid(places)
        known, today = stored.filter(there), catalogue.take(places.filter(there))
        differs = np.zeros(known.num_rows, dtype=bool)
        for name in () if own_metadata else METADATA:
            differs |= _differs(known[name], today[name])
        ids = known["id"].filter(pa.array(differs)).unique()
        changed = catalogue.filter(_arrow.is_in(catalogue["id"], ids))
        return cls(changed.select(["id", *METADATA]), tuple(sorted({*unknown, *replaced})))


def _differs(was: pa.ChunkedArray, now: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Compare two columns row by row; no tags are as good as an empty list of them."""
    if pa.types.is_list(was.type):
        was, now = (_arrow.fill_null(_arrow.binary_join(tags, "\x1f"), "") for tags in (was, now))
    one_missing = _arrow.not_equal(_arrow.is_null(was), _arrow.is_null(now))
    unequal = _arrow.fill_null(_arrow.not_equal(was, now), False)
    return np.asarray(_arrow.or_(one_missing, unequal)).astype(bool)
