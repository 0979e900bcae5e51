"""The map of the catalogue, computed in the background and cached in the workspace."""

import json
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.app.library import Library
from antiphon.app.projection import project
from antiphon.app.templating import address
from antiphon.documents import refuse_no_file
from antiphon.errors import AntiphonError
from antiphon.runs import fingerprint
from antiphon.search import Index
from antiphon.search.hits import Side
from antiphon.tables import atomic_path

COLOURS = 12
"""Number of colours of genres: the most frequent have one each, the others share the last."""
NO_GENRE = COLOURS
"""Number of the colour of videos without a genre."""
_SIDES: tuple[Side, ...] = ("audio", "video", "")


class MapError(AntiphonError):
    """The map could not be computed."""


class Atlas:
    """Map positions of an index's videos, each by the mean of its audio and video embeddings.

    Parameters
    ----------
    index : Index
        Index of the videos.
    library : Library
        The catalogue.
    folder : Path
        Folder of the cached layout.
    """

    def __init__(self, index: Index, library: Library, folder: Path) -> None:
        self._library = library
        self._ids, self._vectors = track_means({side: index.embeddings(side)[:2] for side in _SIDES})
        self._place = folder / f"map-{fingerprint(self._vectors)[:16]}.npy"
        self._positions: npt.NDArray[np.float32] | None = None
        self._failure: Exception | None = None
        self._document: bytes | None = None

    def start(self) -> None:
        """Read the cached layout, or start computing it in a thread."""
        self._positions = self._kept()
        if self._positions is None:
            threading.Thread(target=self._compute, name="map", daemon=True).start()
        else:
            self._remove_others()

    def _kept(self) -> npt.NDArray[np.float32] | None:
        try:
            refuse_no_file(self._place)
            # Mapped, so that a header that promises more than the file has is refused, not allocated.
            kept = np.load(self._place, mmap_mode="r", allow_pickle=False)
        except Exception:  # noqa: BLE001 - none yet, or damaged in any way
            return None
        if not isinstance(kept, np.ndarray) or kept.shape != (len(self._ids), 2) or kept.dtype != np.float32:
            return None
        return np.array(kept) if np.isfinite(kept).all() else None

    def _compute(self) -> None:
        try:
            self._positions = project(self._vectors)
            with atomic_path(self._place) as partial, partial.open("wb") as file:
                np.save(file, self._positions)
            self._remove_others()
        except Exception as error:  # noqa: BLE001 - reported when the map is requested
            traceback.print_exc()
            self._failure = error

    def _remove_others(self) -> None:
        """Remove cached layouts of other embeddings."""
        for other in self._place.parent.glob("map-*.npy"):
            if other != self._place:
                other.unlink(missing_ok=True)

    def genres(self) -> list[str]:
        """List the genres with a colour of their own.

        Returns
        -------
        list of str
            Genres, most frequent first.
        """
        genres = self._library.genres
        return list(genres if len(genres) <= COLOURS else genres[: COLOURS - 1])

    def document(self) -> bytes | None:
        """Return the points as JSON, which is made once; None while the layout is being computed.

        Raises
        ------
        MapError
            The layout could not be computed.
        """
        if self._document is None and (found := self.points()) is not None:
            self._document = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
        return self._document

    def points(self) -> dict[str, Any] | None:
        """Return the points of the map.

        Returns
        -------
        dict, optional
            "genres", and "points": lists of x and y in [−1, 1], number of the genre, id, title, artist, address of the
            file or "", and start time in seconds. None while the layout is being computed.

        Raises
        ------
        MapError
            The layout could not be computed.
        """
        positions = self._positions
        if positions is None and self._failure is not None:
            raise MapError(f"Computing the map failed: {str(self._failure) or type(self._failure).__name__}.")
        if positions is None:
            return None
        genres = self.genres()
        numbers = {"": NO_GENRE} | {name: number for number, name in enumerate(genres)}
        videos = self._library.videos
        return {
            "genres": genres,
            "points": [
                [
                    round(float(x), 4),
                    round(float(y), 4),
                    numbers.get(self._library.genre_of(videos[id]), COLOURS - 1),
                    id,
                    videos[id].title,
                    videos[id].artist,
                    address(id, "media") if videos[id].file else "",
                    round(videos[id].segments[0].start_s if videos[id].segments else videos[id].start_s, 2),
                ]
                for id, (x, y) in zip(self._ids, positions, strict=True)
                if id in videos
            ],
        }


def legend_of(counts: Mapping[str, int], coloured: Sequence[str]) -> list[tuple[int, str, int]]:
    """List what the colours stand for.

    Parameters
    ----------
    counts : mapping of str to int
        Number of videos on the map of each genre; "" for those without one.
    coloured : sequence of str
        Genres with a colour of their own.

    Returns
    -------
    list of tuple of (int, str, int)
        Number of the colour, what it stands for, and the number of videos; without colours that nothing has.

    Examples
    --------
    >>> legend_of({"pop": 3, "": 2, "polka": 1}, ["pop", "opera"])
    [(0, 'pop', 3), (11, 'other genres', 1), (12, 'no genre', 2)]
    """
    own = [(number, genre, counts.get(genre, 0)) for number, genre in enumerate(coloured)]
    others = sum(count for genre, count in counts.items() if genre and genre not in set(coloured))
    rest = [(COLOURS - 1, "other genres", others), (NO_GENRE, "no genre", counts.get("", 0))]
    return [entry for entry in own + rest if entry[2]]


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
    total = np.zeros((len(ids), dim))
    for names, vectors in sides.values():
        if len(names):
            total[[places[id] for id in names]] += vectors
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    return ids, (total / np.maximum(lengths, 1e-12)).astype(np.float32)
