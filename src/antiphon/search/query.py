"""What is asked with, whatever it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt

from antiphon.embeddings import MODALITY_WORDS, Modality, ModalityEmbeddings, unit_rows, within_side
from antiphon.errors import ConfigError, NotIndexedError
from antiphon.media.names import file_name
from antiphon.search.hits import Side
from antiphon.search.ranking import ComparedSide
from antiphon.words import Interpretation
from antiphon.words.nudges import STRENGTH, direction, moved

if TYPE_CHECKING:
    from antiphon.search.index import Index


class FileEncoder(Protocol):
    """What a query needs of a model: see `antiphon.DualEncoder`."""

    def encode_file(self, path: str | Path) -> Mapping[Modality, ModalityEmbeddings]:
        """Embed the sound and the pictures of a media file, those that it has."""
        ...


class TextSide(Protocol):
    """Embeds a text in the space of an index, as `antiphon.DualEncoder` does with backbones that know words."""

    def embed_text(self, text: str) -> Mapping[Modality, npt.NDArray[np.floating]]:
        """Return a vector to compare with the sound, with the pictures, or with both, each of shape (dim,)."""
        ...


@dataclass(frozen=True, eq=False)
class Query:
    """Embeddings to search with: of a music video of the index, of a media file, or computed elsewhere.

    Parameters
    ----------
    audio, video : ModalityEmbeddings or None
        Embeddings of the sound and of the pictures; None where there are none.
    id : str, optional
        Id of the music video that asks; it is never among its own hits.
    name : str
        What to call the query.
    artist : str
        Artist of the query, for searches that leave its own artist out; "" where unknown.
    vectors : ModalityEmbeddings or None
        Embeddings without a modality, for an index of such vectors.
    words : Interpretation or None
        What is asked for in words, alone or besides the embeddings.
    text : mapping of str to ndarray of float, shape (dim,)
        The words as a whole in the space of the index, to compare with songs ("audio") and with pictures ("video");
        empty where no backbone of its model knows words.

    See Also
    --------
    Query.from_id, Query.from_file, Query.from_text : The usual ways to make one.
    """

    audio: ModalityEmbeddings | None = None
    video: ModalityEmbeddings | None = None
    id: str | None = None
    name: str = ""
    artist: str = ""
    vectors: ModalityEmbeddings | None = None
    words: Interpretation | None = None
    text: Mapping[Modality, npt.NDArray[np.floating]] = field(default_factory=dict[Modality, npt.NDArray[np.floating]])

    @classmethod
    def from_text(cls, index: "Index", text: str, model: TextSide | None = None) -> Self:
        """Ask with words, such as "calm acoustic guitar, no drums, 90s".

        Parameters
        ----------
        index : Index
            Its music videos' own words are known besides ours.
        text : str
            Any text; `words` of the query says what it was taken to mean.
        model : DualEncoder, optional
            The index's model. Where a backbone of it knows words, what lies near them as a whole in the joint space
            counts as much as one thing that they ask for. What is to be absent is left out of that: networks do not
            understand "no".
        """
        return cls(name=text).and_words(index, text, model)

    def nudge(self, index: "Index", name: str, strength: float = STRENGTH) -> Self:
        """Ask for what is like this query, but calmer, faster, brighter, darker or more live.

        Parameters
        ----------
        index : Index
            The direction is learned on its music videos; `Index.nudge_effect` tells what it does there.
        name : str
            One of `antiphon.words.nudges.NUDGES`.
        strength : float
            Length of the step; the query's vectors have length 1. A negative one goes the other way.

        Raises
        ------
        ConfigError
            There is no such nudge, or the query has no embeddings that could be moved, as words alone have none.
        NotIndexedError
            Nothing in the index tells where it goes.
        """
        knowledge = index.known().knowledge
        if not self.sides.keys() & knowledge.sides.keys():
            raise ConfigError(
                f"'{self.name or 'The query'}' has nothing that could be made {name}: name a music video or a file to "
                "search with, and give words besides, or ask for it in words alone."
            )
        return self._moved(direction(knowledge, name), strength, name, correction_dim=index.correction_dim)

    def towards(self, index: "Index", id: str, strength: float = STRENGTH) -> Self:
        """Ask for what is like this query, but more like a music video of an index, such as one of the hits.

        Parameters
        ----------
        index : Index
            The index.
        id : str
            The music video.
        strength : float
            Length of the step; the query's vectors have length 1. A negative one leads away from it.

        Raises
        ------
        NotIndexedError
            It is not in the index.
        ConfigError
            The query and it have neither sound nor pictures in common, as words alone have none.
        """
        found = {side: one for side, one in index.item(id).sides.items() if side in self.sides}
        extra = index.correction_dim
        there = {side: within_side(one.track, extra) for side, one in found.items()}
        if not there:
            raise ConfigError(
                f"'{self.name or 'The query'}' has nothing that could be made more like '{id}': search with a music "
                "video or a file that has sound or pictures as it has."
            )
        # A track model embeds segments in another space than tracks.
        segments = {
            side: within_side(one.segments, extra).mean(axis=0) for side, one in found.items() if len(one.segments)
        }
        return self._moved(there, strength, f"more like {id}", segments, extra)

    def _moved(
        self,
        along: Mapping[str, npt.NDArray[np.floating]],
        strength: float,
        how: str,
        of_segments: Mapping[str, npt.NDArray[np.floating]] | None = None,
        correction_dim: int = 0,
    ) -> Self:
        """Move the tracks along a direction of each side, and the segments along it or one of their own."""

        def step(side: Side, found: ModalityEmbeddings | None) -> ModalityEmbeddings | None:
            if found is None or side not in along:
                return found
            track = moved(found.track, along[side], strength, correction_dim)
            of_each = (of_segments or along).get(side, along[side])
            segments = moved(found.segments, of_each, strength, correction_dim)
            return replace(found, track=track, segments=segments)

        sides = {"audio": step("audio", self.audio), "video": step("video", self.video)}
        return replace(self, **sides, vectors=step("", self.vectors), name=f"{self.name}, {how}" if self.name else how)

    def and_words(self, index: "Index", text: str, model: TextSide | None = None) -> Self:
        """Ask for what is like this query and suits words too.

        Parameters
        ----------
        index, text, model
            As in `from_text`.
        """
        words = index.known().read(text)
        wanted = words.wanted_text()
        vectors = {} if model is None or not wanted else model.embed_text(wanted)
        unit = {side: unit_rows(np.atleast_2d(row), "text")[0] for side, row in vectors.items()}
        named = f"{self.name}, {words.text}" if self.sides else words.text
        return replace(self, words=words, text=unit, name=named)

    @classmethod
    def from_id(cls, index: "Index", id: str) -> Self:
        """Ask with a music video of an index.

        Raises
        ------
        NotIndexedError
            It is not in the index.
        """
        stored = index.item(id)
        return cls(
            audio=stored.sides.get("audio"),
            video=stored.sides.get("video"),
            id=id,
            name=id,
            artist=stored.metadata.get("artist") or "",
            vectors=stored.sides.get(""),
        )

    @classmethod
    def from_file(cls, path: str | Path, model: FileEncoder, *, artist: str = "") -> Self:
        """Ask with a media file, which is opened and decoded once for both sides.

        Parameters
        ----------
        path : str or Path
            Local path, or an address that fsspec knows.
        model : DualEncoder
            The model that the index was built with.
        artist : str
            Artist of the file, for searches that leave it out; "" where unknown.

        Raises
        ------
        DecodeError
            The file cannot be read.
        ModelError
            The model was trained on features that no installed backbone computes.
        """
        sides = model.encode_file(path)
        return cls(audio=sides.get("audio"), video=sides.get("video"), name=file_name(path), artist=artist)

    @property
    def sides(self) -> dict[Side, ModalityEmbeddings]:
        """The embeddings that the query has, by modality."""
        every: dict[Side, ModalityEmbeddings | None] = {"audio": self.audio, "video": self.video, "": self.vectors}
        return {side: found for side, found in every.items() if found is not None}

    def comparisons(self, target: str, by: str, weight: float, correction_dim: int = 0) -> list[ComparedSide]:
        """Return what is compared with what; see `Index.search`, and for `correction_dim` its record.

        Raises
        ------
        ConfigError
            A value is out of its range, or two contradict each other.
        NotIndexedError
            The query lacks the side that would have to ask.
        """
        _check("target", target)
        _check("by", by)
        if not 0 <= weight <= 1:
            raise ConfigError(f"weight must be between 0 and 1, not {weight:g}.")
        if target != "both":
            if by != "both" or weight != _EVEN:
                raise ConfigError("by and weight need target 'both'; with another target the opposite side asks.")
            asking: Side = "video" if target == "audio" else "audio"
            opposite: Side = "audio" if target == "audio" else "video"
            return [ComparedSide(self._side(asking), opposite, correction_dim=correction_dim)]
        if by != "both":
            side: Side = "audio" if by == "audio" else "video"
            return [ComparedSide(_within(self._side(side), correction_dim), side, correction_dim=correction_dim)]
        sides = self.sides
        if not sides:
            raise ConfigError("The query has neither sound nor pictures.")
        shares = {"audio": weight, "video": 1 - weight} if "audio" in sides and "video" in sides else {}
        return [
            ComparedSide(_within(found, correction_dim), side, shares.get(side, 1.0), correction_dim)
            for side, found in sides.items()
            if shares.get(side, 1)
        ]

    def _side(self, side: Side) -> ModalityEmbeddings:
        found = self.sides.get(side)
        if found is None:
            raise NotIndexedError(f"'{self.name or 'The query'}' has no {MODALITY_WORDS[side]} to search by.")
        return found

    def __repr__(self) -> str:
        sides = ", ".join(
            f"{MODALITY_WORDS[side]} ({len(found.segments)} segments)" for side, found in self.sides.items()
        )
        if self.words is not None:
            sides = ", ".join(filter(None, [sides, *(term.label for term in self.words.terms)]))
        return f"Query({self.name or 'embeddings'}: {sides or 'empty'})"


def without_correction(rows: npt.NDArray[np.float32], correction_dim: int) -> npt.NDArray[np.float32]:
    """Return vectors whose dot products with stored ones are cosines without what corrects scores across the sides.

    All vectors of a model, stored ones too, have the same length without the correction.
    """
    if not correction_dim:
        return rows
    kept = rows.copy()
    kept[..., -correction_dim:] = 0
    return kept / np.maximum(np.square(kept).sum(axis=-1, keepdims=True), 1e-12)


def _within(found: ModalityEmbeddings, correction_dim: int) -> ModalityEmbeddings:
    track, segments = (without_correction(rows, correction_dim) for rows in (found.track, found.segments))
    return replace(found, track=track, segments=segments)


def refuse_for_words_alone(given: Sequence[str]) -> None:
    """Refuse options that compare sound or pictures, which words alone do not have.

    Raises
    ------
    ConfigError
        There is one.
    """
    if given:
        raise ConfigError(
            f"{given[0]} needs a music video or a file to compare with: words alone have neither sound nor pictures."
        )


_EVEN = 0.5


def _check(name: str, value: str) -> None:
    if value not in ("audio", "video", "both"):
        raise ConfigError(f"{name} must be 'audio', 'video' or 'both', not '{value}'.")
