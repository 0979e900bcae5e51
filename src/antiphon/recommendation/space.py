"""Tracks as pairs of audio and video vectors."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.embeddings import MODALITIES, within_side
from antiphon.errors import ConfigError

FloatArray = npt.NDArray[np.float32]
Side = Literal["audio", "video"]
About = Mapping[str, Any]


class Embeddings(Protocol):
    """Source of track embeddings by modality, such as `antiphon.Index`.

    An attribute `correction_dim` counts the last values of an embedding that mean nothing within one modality.
    """

    def embeddings(
        self, side: Literal["audio", "video", ""], level: Literal["segment", "track"] = "track"
    ) -> tuple[Sequence[str], npt.NDArray[Any], Sequence[About]]:
        """Return ids, (n, dim) unit rows and metadata of the tracks that have a modality."""
        ...


@dataclass(frozen=True, eq=False)
class Space:
    """The tracks of a catalogue as vectors.

    Attributes
    ----------
    ids : tuple of str
        Names of the n tracks.
    sides : mapping of str to ndarray of float32
        "audio" and "video", or one of them: (n, dim) unit rows, NaN if a track lacks the modality.
    about : tuple of mapping
        Metadata of each track: artist, title, genre, tags, year.
    """

    ids: tuple[str, ...]
    sides: Mapping[Side, FloatArray]
    about: tuple[About, ...]

    @classmethod
    def of(cls, source: "Embeddings | tuple[Sequence[str], npt.ArrayLike] | Space") -> "Space":
        """Create the space of an index, or of ids and one vector each, which counts as audio.

        Parameters
        ----------
        source : Embeddings or tuple of (sequence of str, ArrayLike) or Space
            The index, ids with vectors, or a space.

        Returns
        -------
        Space
            The space.

        Raises
        ------
        ConfigError
            Ids and vectors do not match, or an id is repeated.
        """
        if isinstance(source, Space):
            return source
        if isinstance(source, tuple):
            ids, vectors = source
            return cls.joined({"audio": (ids, np.asarray(vectors), [{}] * len(ids))})
        parts: dict[Side, Any] = {}
        for side in MODALITIES:
            ids, vectors, known = source.embeddings(side)
            parts[side] = ids, within_side(vectors, getattr(source, "correction_dim", 0)), known
        if not any(len(ids) for ids, _, _ in parts.values()):
            parts["audio"] = source.embeddings("")
        return cls.joined(parts)

    @classmethod
    def joined(cls, parts: Mapping[Side, tuple[Sequence[str], npt.NDArray[Any], Sequence[About]]]) -> Self:
        """Join the modalities: a track with only one has NaN in the other.

        Parameters
        ----------
        parts : mapping of str to tuple of (sequence of str, ndarray, sequence of mapping)
            Ids, vectors and metadata by modality.

        Returns
        -------
        Space
            The space.
        """
        about: dict[str, About] = {}
        for side, (ids, vectors, known) in parts.items():
            _refuse_misfits(side, ids, vectors)
            about |= dict(zip(map(str, ids), known, strict=True))
        row = {name: place for place, name in enumerate(about)}
        sides: dict[Side, FloatArray] = {}
        for side, (ids, vectors, _) in parts.items():
            if len(ids):
                sides[side] = np.full((len(row), vectors.shape[1]), np.nan, dtype=np.float32)
                sides[side][[row[str(name)] for name in ids]] = _unit(vectors)
        return cls(tuple(about), sides, tuple(about.values()))

    def described(self, records: Sequence[About]) -> Self:
        """Return the same tracks with the metadata of a catalogue's `records` added."""
        known = {str(record["id"]): record for record in records}
        pairs = zip(self.ids, self.about, strict=True)
        return replace(self, about=tuple({**old, **known.get(name, {})} for name, old in pairs))

    def only(self, ids: Collection[str]) -> Self:
        """Return the tracks that are among `ids`."""
        wanted = set(ids)
        rows = [row for row, name in enumerate(self.ids) if name in wanted]
        return type(self)(
            tuple(self.ids[row] for row in rows),
            {side: vectors[rows] for side, vectors in self.sides.items()},
            tuple(self.about[row] for row in rows),
        )

    def shuffled(self, random: np.random.Generator) -> Self:
        """Return the same tracks with vectors permuted."""
        order = random.permutation(len(self.ids))
        return replace(self, sides={side: vectors[order] for side, vectors in self.sides.items()})

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def by_id(self) -> npt.NDArray[np.intp]:
        """Rows in order of their ids."""
        return np.array(sorted(range(len(self.ids)), key=self.ids.__getitem__), dtype=np.intp)

    @cached_property
    def table(self) -> pa.Table:
        """The columns that conditions use, one row per track."""
        columns = {
            name: pa.array([about.get(name) for about in self.about], kind)
            for name, kind in (("artist", pa.string()), ("genre", pa.string()), ("year", pa.int32()))
        }
        columns["tags"] = pa.array([list(about.get("tags") or ()) for about in self.about], pa.list_(pa.string()))
        return pa.table({"id": pa.array(self.ids, pa.string()), **columns})

    def rows(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the rows of tracks; unknown ones are skipped."""
        return np.array([self._places[name] for name in ids if name in self._places], dtype=np.int64)


def _refuse_misfits(side: str, ids: Sequence[str], vectors: npt.NDArray[Any]) -> None:
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise ConfigError(f"vectors ({side}): must have one row for each of {len(ids)} ids, not shape {vectors.shape}.")
    if len(set(map(str, ids))) != len(ids):
        raise ConfigError(f"ids ({side}): duplicate ids; give one row per track.")


def _unit(vectors: npt.NDArray[Any]) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
