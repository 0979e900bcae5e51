"""The map of the catalogue: laid out in the background, kept in the workspace, and drawn by many."""

import threading
import time
import traceback
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.app.clusters import Cluster, central, described
from antiphon.app.colouring import Colouring, coloured
from antiphon.app.encoding import Encodings
from antiphon.app.kept import Kept
from antiphon.app.layout import NEAREST, Layout, laid_out
from antiphon.app.library import Library, Video
from antiphon.app.projection import among
from antiphon.embeddings import within_side
from antiphon.errors import AntiphonError
from antiphon.locks import exclusive, is_held
from antiphon.search import Index
from antiphon.search.explaining import TrackFacts
from antiphon.search.hits import Side

_SIDES: tuple[Side, ...] = ("audio", "video", "")
_STEPS = 65_535
_WAIT_S = 3600.0
_CHECK_EVERY_S = 1.0
_MAX_COLOURINGS = 16
_MAX_GUESTS = 16


class MapError(AntiphonError):
    """The map could not be computed."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A map as it stands.

    Attributes
    ----------
    version : str
        Text that changes with what is on the map, and where.
    videos : list of Video
        The music videos on it, by id.
    places : bytes
        Where they stand: two little-endian unsigned integers of 16 bits each, from −1 to 1.
    clusters : ndarray of int32, shape (n,)
        The group of each.
    groups : list of Cluster
        The groups.
    made : str
        When it was laid out, as ISO 8601.
    came_later : int
        How many were placed among the others since.
    """

    version: str
    videos: list[Video]
    places: bytes
    clusters: npt.NDArray[np.int32]
    groups: list[Cluster]
    made: str
    came_later: int

    def row(self, id: str) -> int | None:
        """Return the row of a music video; None if it is not on the map."""
        low, high = 0, len(self.videos)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.videos[middle].id < id else (low, middle)
        return low if low < len(self.videos) and self.videos[low].id == id else None

    def within(self, library: Library) -> "Drawn":
        """Return the map without the music videos that are not in a catalogue any more; the groups stay."""
        rows = np.array([row for row, video in enumerate(self.videos) if video.id in library.videos], dtype=np.int64)
        videos = [library.videos[self.videos[row].id] for row in rows.tolist()]
        places = np.frombuffer(self.places, "<u2").reshape(-1, 2)[rows].tobytes()
        numbers = self.clusters[rows]
        version = _version(places, numbers, videos)
        return Drawn(version, videos, places, numbers, self.groups, self.made, self.came_later)


@dataclass(frozen=True)
class Guest:
    """Where a client's file would stand on a map.

    Attributes
    ----------
    place : (float, float)
        From −1 to 1 each.
    nearest : list of Video
        The music videos among which it stands, the most alike first.
    group : Cluster, optional
        The group of the first of these.
    """

    place: tuple[float, float]
    nearest: list[Video]
    group: Cluster | None


class Atlas:
    """Map of an index's videos, each placed by the mean of its audio and video embeddings.

    Parameters
    ----------
    index : Index
        Index of the videos.
    library : Library
        The catalogue.
    folder : Path
        Folder of the layout that is kept.
    measured : mapping of str to TrackFacts, optional
        What was measured of the videos, by id.
    former : Atlas, optional
        Map of the catalogue as it was; shown until this one is laid out.
    """

    def __init__(
        self,
        index: Index,
        library: Library,
        folder: Path,
        measured: Mapping[str, TrackFacts] | None = None,
        former: "Atlas | None" = None,
    ) -> None:
        self._index, self._library, self.measured = index, library, measured or {}
        self._place, self._lock = folder / "map.parquet", folder / "map.lock"
        before = None if former is None else former._drawn
        self._drawn = None if before is None else before.within(library)
        self._failure: Exception | None = None
        self._working = threading.Lock()
        self._seen: object = None
        self._checked_s = 0.0
        self._colourings: Kept[Colouring] = Kept(_MAX_COLOURINGS)
        self._guests: Kept[Guest | None] = Kept(_MAX_GUESTS)
        self._is_anew, self._anew_is_wanted = False, threading.Event()

    def start(self, *, anew: bool = False) -> None:
        """Read the layout that is kept, and place who is new, in a thread.

        Parameters
        ----------
        anew : bool, default False
            Lay out all anew: now, or once what is being computed is done.
        """
        if anew and not (self._working.locked() and self._is_anew):
            self._anew_is_wanted.set()
        if self._working.acquire(blocking=False):
            threading.Thread(target=self._work, name="map", daemon=True).start()

    @property
    def is_being_made(self) -> bool:
        """Whether a layout is being computed, here or in another process."""
        return self._working.locked() or is_held(self._lock)

    @property
    def drawn(self) -> Drawn | None:
        """The map; None while the first layout is being computed; raises MapError if that failed."""
        # Another process may have laid it out anew.
        if self._drawn is not None and time.monotonic() - self._checked_s >= _CHECK_EVERY_S:
            self._checked_s = time.monotonic()
            if self._stamp() not in (None, self._seen):
                self.start()
        if self._drawn is None and self._failure is not None:
            raise MapError(f"Computing the map failed: {str(self._failure) or type(self._failure).__name__}.")
        return self._drawn

    def colouring(self, way: str, drawn: Drawn) -> Colouring:
        """Return the colours of a map.

        Parameters
        ----------
        way : str
            What they stand for; see `antiphon.app.colouring.coloured`.
        drawn : Drawn
            The map.

        Returns
        -------
        Colouring
            The colours.
        """

        def made() -> tuple[Colouring, bool]:
            groups = (drawn.clusters, drawn.groups)
            return coloured(way, self._library, drawn.videos, self.measured, groups), True

        return self._colourings.get((drawn.version, way), made)

    def compute(self, *, anew: bool = False) -> Drawn:
        """Lay out what is not on the map yet, keep that, and return the map.

        Parameters
        ----------
        anew : bool, default False
            Lay out all anew.

        Returns
        -------
        Drawn
            The map.
        """
        # Who asks for all anew holds the lock from the start, so that other processes say that it is under way.
        read = None if anew else self._means()
        with exclusive(self._lock, MapError("Another process computes the map."), _WAIT_S):
            ids, vectors = read or self._means()
            kept = None if anew else Layout.read(self._place)
            if kept is None or not kept.is_of(ids, vectors):
                kept = laid_out(ids, vectors, kept)
                kept.write(self._place)
            self._seen = self._stamp()
        for earlier in self._place.parent.glob("map-*.npy"):  # as earlier versions kept it
            earlier.unlink(missing_ok=True)
        return _drawn_from(kept, self._library, vectors)

    def guest(self, key: Hashable, encodings: Encodings, drawn: Drawn) -> Guest | None:
        """Place a client's file among those on a map, as a music video that comes later is placed.

        It is on no map but that of whoever asks.

        Parameters
        ----------
        key : hashable
            Which file it is.
        encodings : dict of str to ModalityEmbeddings
            Its embeddings, by the model of the index.
        drawn : Drawn
            The map.

        Returns
        -------
        Guest, optional
            Where it would stand; None where it has no embeddings, or nobody is on the map.
        """
        return self._guests.get((drawn.version, key), lambda: (self._placed(encodings, drawn), True))

    def _placed(self, encodings: Encodings, drawn: Drawn) -> Guest | None:
        ids, vectors = self._means()
        rows = {id: row for row, id in enumerate(ids)}
        standing = [(at, rows[video.id]) for at, video in enumerate(drawn.videos) if video.id in rows]
        if not encodings or not standing:
            return None
        correction_dim = self._index.correction_dim
        _, own = track_means(
            {side: (["its"], within_side(one.track[None], correction_dim)) for side, one in encodings.items()}
        )
        stands, among_these = (np.array(column) for column in zip(*standing, strict=True))
        places = np.frombuffer(drawn.places, "<u2").reshape(-1, 2)[stands] / _STEPS * 2 - 1
        landmarks = vectors[among_these]
        found, _ = among(own, landmarks, places, NEAREST)
        nearest = stands[np.argsort(-(landmarks @ own[0]), kind="stable")[:NEAREST]].tolist()
        group = next((one for one in drawn.groups if one.number == drawn.clusters[nearest[0]]), None)
        return Guest((float(found[0, 0]), float(found[0, 1])), [drawn.videos[row] for row in nearest], group)

    def _means(self) -> tuple[list[str], npt.NDArray[np.float32]]:
        stored = {side: self._index.embeddings(side)[:2] for side in _SIDES}
        return track_means(
            {side: (ids, within_side(rows, self._index.correction_dim)) for side, (ids, rows) in stored.items()}
        )

    def _work(self) -> None:
        """Compute the map, and once more where it is to be laid out anew since."""
        while True:
            self._is_anew = self._anew_is_wanted.is_set()
            self._anew_is_wanted.clear()
            self._failure = None
            try:
                self._drawn = self.compute(anew=self._is_anew)
            except Exception as error:  # noqa: BLE001 - reported when the map is requested
                traceback.print_exc()
                self._failure = error
            finally:
                self._working.release()
            # Who asks from now on starts another thread, unless this one goes on.
            if not self._anew_is_wanted.is_set() or not self._working.acquire(blocking=False):
                return

    def _stamp(self) -> object:
        try:
            about = self._place.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_ino


def _drawn_from(layout: Layout, library: Library, vectors: npt.NDArray[np.float32]) -> Drawn:
    """Take from a layout the music videos that are in the catalogue."""
    rows = np.array([row for row, id in enumerate(layout.ids) if id in library.videos], dtype=np.int64)
    videos = [library.videos[layout.ids[row]] for row in rows.tolist()]
    numbers = layout.clusters[rows]
    middle = {number: videos[row] for number, row in central(vectors[rows], numbers).items()}
    places = np.rint((layout.places[rows] + 1) / 2 * _STEPS).astype("<u2").tobytes()
    groups = described(library, videos, numbers, middle)
    later = int(layout.came_later[rows].sum())
    return Drawn(_version(places, numbers, videos), videos, places, numbers, groups, layout.made, later)


def _version(places: bytes, numbers: npt.NDArray[np.int32], videos: Sequence[Video]) -> str:
    digest = blake2b(places, digest_size=12)
    digest.update(numbers.tobytes())
    digest.update("\0".join(one.id for one in videos).encode(errors="surrogatepass"))
    return digest.hexdigest()


def track_means(
    sides: Mapping[str, tuple[list[str], npt.NDArray[np.float32]]],
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Average each video's embeddings over its modalities.

    Parameters
    ----------
    sides : mapping of str to (list of str, ndarray)
        Ids and (n, dim) unit rows of each modality.

    Returns
    -------
    ids : list of str
        All ids, sorted.
    means : ndarray of float32, shape (n, dim)
        Unit rows.

    Examples
    --------
    >>> ids, means = track_means({"audio": (["b", "a"], np.eye(2)), "video": (["b"], np.array([[0.0, 1.0]]))})
    >>> ids, [[f"{value:.2f}" for value in row] for row in means]
    (['a', 'b'], [['0.00', '1.00'], ['0.71', '0.71']])
    """
    ids = sorted({id for names, _ in sides.values() for id in names})
    places = {id: place for place, id in enumerate(ids)}
    dim = next((vectors.shape[1] for names, vectors in sides.values() if len(names)), 1)
    total = np.zeros((len(ids), dim), dtype=np.float32)
    for names, vectors in sides.values():
        if len(names):
            total[[places[id] for id in names]] += vectors
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    return ids, total / np.maximum(lengths, 1e-12)


def rows_of(drawn: Drawn, videos: Sequence[Video]) -> list[int]:
    """Return the rows of those of some music videos that are on a map.

    Parameters
    ----------
    drawn : Drawn
        The map.
    videos : sequence of Video
        Music videos.

    Returns
    -------
    list of int
        Rows.
    """
    return [row for video in videos if (row := drawn.row(video.id)) is not None]
