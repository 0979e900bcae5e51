"""What people ask an index: vectors near others, more like this, songs for pictures and pictures for songs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, overload

import numpy as np
import numpy.typing as npt

from antiphon.errors import NotIndexedError, SearchError
from antiphon.search.entries import metadata_of, refuse_other_size, unit_rows, vectors_of
from antiphon.search.filters import Where
from antiphon.search.hits import Hit, Side
from antiphon.search.ranking import Wanted, answer, file_track, nearest_tracks, stored
from antiphon.search.scoring import Asked
from antiphon.search.view import Part, View

FloatArray = npt.NDArray[np.float32]
T = TypeVar("T")


class Asking(ABC):
    """The queries of an index.

    Attributes
    ----------
    dim : size of the embeddings.
    """

    dim: int

    @property
    @abstractmethod
    def path(self) -> str:
        """The folder or URI."""

    @abstractmethod
    def _ask(self, question: Callable[[View], T]) -> T:
        """The answer of what the index holds now; asked once more where a new build took its place meanwhile."""

    def embeddings(
        self, side: Side, level: Literal["segment", "track"] = "track"
    ) -> tuple[list[str], FloatArray, list[dict[str, Any]]]:
        """All embeddings of a side and level, sorted by id and time.

        Returns
        -------
        The video of each row, (n, dim) unit rows, and the metadata of each row.
        """
        table = self._ask(lambda view: view.read(Part(side, level)))
        table = table.sort_by([("id", "ascending"), ("start_s", "ascending")])
        return table["id"].to_pylist(), vectors_of(table), metadata_of(table)

    @overload
    def search(
        self, queries: npt.ArrayLike, k: int = 10, where: Where | None = None, target: None = None
    ) -> list[list[Hit]]: ...
    @overload
    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        where: Where | None = None,
        *,
        target: Literal["audio", "video"],
        starts_s: Sequence[float | None] | None = None,
        track: npt.ArrayLike | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[Hit]: ...
    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        where: Where | None = None,
        target: Literal["audio", "video"] | None = None,
        *,
        starts_s: Sequence[float | None] | None = None,
        track: npt.ArrayLike | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[list[Hit]] | list[Hit]:
        """Music videos near some vectors.

        Parameters
        ----------
        queries : (n, dim) vectors of any length; a single one is `vector[None]`.
        where : conditions that hits must meet.
        target : None takes each row as a query of its own, and compares it with tracks. "audio" or "video" takes all
            rows as the segments of one file (`model.encode_audio`, `encode_video`), and looks for songs or for
            pictures: candidates are the nearest tracks and the tracks of the nearest segments, and the score of each
            is half the cosine of its track with the file's, half the mean over the file's segments of their best
            cosine in it.
        track : with a target, the (1, dim) embedding of the whole file (`model.encode_audio(file, per="track")`).
            Default: the mean of its segments, which is the same unless the model has a track model.
        starts_s : with a target, where the file's segments start, in seconds.
        diversity, rerank : with a target, as in `similar`.

        Returns
        -------
        Without a target a list of hits for each query; with one, a single list of hits.

        Raises
        ------
        SearchError
            The queries have another size, no direction or a wrong shape, `k` is below 1, or an option that needs a
            target is given without one.
        """
        rows = unit_rows(queries, "queries")
        refuse_other_size(rows.shape[1], self.dim)
        wanted = Wanted(k, where or Where(), diversity, rerank)
        if target is None:
            _refuse_without_target(
                starts_s=starts_s is not None, track=track is not None, diversity=diversity != 0, rerank=rerank
            )
            return self._ask(lambda view: nearest_tracks(view, rows, wanted))
        asked = Asked(file_track(rows, "", starts_s, self._whole(track, "track")), _side(target))
        return self._ask(lambda view: answer(view, [asked], wanted))

    def similar(
        self,
        video: str,
        k: int = 10,
        by: Literal["both", "audio", "video"] = "both",
        weight: float = 0.5,
        where: Where | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[Hit]:
        """More like this: sound compared with sound, pictures with pictures.

        Parameters
        ----------
        video : its id. It is never among the hits.
        by : what to compare.
        weight : with "both", the share of the sound: score = weight · sound + (1 − weight) · pictures, each as in
            `search`. Music videos that share one side only are compared on that side alone.
        diversity : above 0 the list is picked from the best 100 by maximal marginal relevance, and two videos of one
            artist count as alike in all; the scores stay those of likeness.
        rerank : order the best 100 by how well their segments match this one's in order of time.

        Raises
        ------
        SearchError
            The video is not in the index or lacks the side, or a number is out of its range.
        """
        wanted = Wanted(k, where or Where(), diversity, rerank).without(video)

        def found(view: View) -> list[Hit]:
            sides = stored(view, video, self.path).sides
            both = "audio" in sides and "video" in sides
            shares: dict[Side, float] = _shares(weight, both) if by == "both" else {_side(by): 1.0}
            asked = [Asked(sides[side], side, share) for side, share in shares.items() if side in sides and share]
            if not asked:
                raise NotIndexedError(
                    f"'{video}' has no {' and no '.join(_WORDS[side] for side in shares)} in the index."
                )
            return answer(view, asked, wanted)

        return self._ask(found)

    def similar_to(
        self,
        audio: npt.ArrayLike | None = None,
        video: npt.ArrayLike | None = None,
        k: int = 10,
        weight: float = 0.5,
        where: Where | None = None,
        *,
        audio_starts_s: Sequence[float | None] | None = None,
        video_starts_s: Sequence[float | None] | None = None,
        audio_track: npt.ArrayLike | None = None,
        video_track: npt.ArrayLike | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
    ) -> list[Hit]:
        """As `similar`, for a file that is not in the index.

        Parameters
        ----------
        audio, video : (segments, dim) embeddings of its sound and of its pictures; None compares the other side alone.
        audio_starts_s, video_starts_s : where these segments start, in seconds.
        audio_track, video_track : (1, dim) embeddings of the whole file; see `track` in `search`.
        """
        wanted = Wanted(k, where or Where(), diversity, rerank)
        given: dict[Side, tuple[npt.ArrayLike | None, Sequence[float | None] | None, npt.ArrayLike | None]] = {
            "audio": (audio, audio_starts_s, audio_track),
            "video": (video, video_starts_s, video_track),
        }
        shares = _shares(weight, both=audio is not None and video is not None)
        asked: list[Asked] = []
        for side, (vectors, starts_s, track) in given.items():
            if vectors is not None and shares[side]:
                rows = unit_rows(vectors, side)
                refuse_other_size(rows.shape[1], self.dim)
                whole = self._whole(track, f"{side}_track")
                asked.append(Asked(file_track(rows, side, starts_s, whole), side, shares[side]))
        if not asked:
            raise SearchError("Neither sound nor pictures are given to search by; give embeddings of one of them.")
        return self._ask(lambda view: answer(view, asked, wanted))

    def _whole(self, track: npt.ArrayLike | None, name: str) -> FloatArray | None:
        """The embedding of a whole file as one unit vector; None where none is given."""
        if track is None:
            return None
        rows = unit_rows(track, name)
        if len(rows) != 1:
            raise SearchError(f"{name}: has {len(rows)} rows; give (1, dim), the embedding of the whole file.")
        refuse_other_size(rows.shape[1], self.dim)
        return rows[0]

    def match(
        self,
        video: str,
        target: Literal["audio", "video"],
        k: int = 10,
        where: Where | None = None,
        diversity: float = 0.0,
        rerank: bool = False,
        own: bool = False,
    ) -> list[Hit]:
        """Songs for its pictures (`target="audio"`), or pictures for its sound (`target="video"`); see `similar`.

        Parameters
        ----------
        own : let its own other side be among the hits.
        """
        asked_side: Side = "video" if _side(target) == "audio" else "audio"
        wanted = Wanted(k, where or Where(), diversity, rerank)

        def found(view: View) -> list[Hit]:
            sides = stored(view, video, self.path).sides
            if asked_side not in sides:
                raise NotIndexedError(f"'{video}' has no {_WORDS[asked_side]} in the index to search by.")
            asked = Asked(sides[asked_side], target)
            return answer(view, [asked], wanted if own else wanted.without(video))

        return self._ask(found)


_WORDS: dict[Side, str] = {"audio": "sound", "video": "pictures", "": "vector"}


def _shares(weight: float, both: bool) -> dict[Side, float]:
    """How much each side of a query counts; one that has but one side is compared on that, whatever the weight."""
    if not 0 <= weight <= 1:
        raise SearchError(f"weight is {weight:g}; give the share of the sound, from 0 to 1.")
    return {"audio": weight, "video": 1 - weight, "": 1.0} if both else {"audio": 1.0, "video": 1.0, "": 1.0}


def _refuse_without_target(**is_given: bool) -> None:
    """Refuse what says something of one file, where each row is a query of its own."""
    given = [name for name, there in is_given.items() if there]
    if given:
        raise SearchError(
            f'{given[0]} needs a target: give target="audio" or "video" to search by the segments of one file, or '
            f"leave {given[0]} out to search by each row alone. For lists of more like this there is similar_to."
        )


def _side(name: str) -> Side:
    if name not in ("audio", "video"):
        raise SearchError(f"'{name}' is no side; there are audio and video.")
    return "audio" if name == "audio" else "video"
