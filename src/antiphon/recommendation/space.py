"""What recommending needs to know of a catalogue: for every track a vector of its sound and one of its pictures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError

FloatArray = npt.NDArray[np.float32]
Side = Literal["audio", "video"]
About = Mapping[str, Any]


class Embeddings(Protocol):
    """Whatever hands out track embeddings side by side; `antiphon.Index` does."""

    def embeddings(
        self, side: Literal["audio", "video", ""], level: Literal["segment", "track"] = "track"
    ) -> tuple[Sequence[str], npt.NDArray[Any], Sequence[About]]:
        """The ids of the tracks that have this side, their (n, dim) unit rows, and what is known of each."""
        ...


@dataclass(frozen=True, eq=False)
class Space:
    """The tracks of a catalogue as vectors.

    Attributes
    ----------
    ids : tuple of str
        (n,) names of the tracks.
    sides : mapping of Side to ndarray of float32
        "audio" and "video", or one of them: (n, dim) unit rows, NaN where a track has no such side.
    about : tuple of About
        For each track what is known of it: artist, title, genre, tags, year.
    """

    ids: tuple[str, ...]
    sides: Mapping[Side, FloatArray]
    about: tuple[About, ...]

    @classmethod
    def of(cls, source: "Embeddings | tuple[Sequence[str], npt.ArrayLike] | Space") -> "Space":
        """The space of an index, or of ids and one vector each; vectors that are of no side count as sound.

        Raises
        ------
        ConfigError
            Ids and vectors do not fit each other, or an id stands there twice.
        """
        if isinstance(source, Space):
            return source
        if isinstance(source, tuple):
            ids, vectors = source
            return cls.joined({"audio": (ids, np.asarray(vectors), [{}] * len(ids))})
        parts: dict[Side, Any] = {"audio": source.embeddings("audio"), "video": source.embeddings("video")}
        if not any(len(ids) for ids, _, _ in parts.values()):
            parts["audio"] = source.embeddings("")
        return cls.joined(parts)

    @classmethod
    def joined(cls, parts: Mapping[Side, tuple[Sequence[str], npt.NDArray[Any], Sequence[About]]]) -> Self:
        """One space of what each side has: a track with one side only has NaN on the other."""
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
        """The same tracks with what a catalogue's `records` know of them."""
        known = {str(record["id"]): record for record in records}
        pairs = zip(self.ids, self.about, strict=True)
        return replace(self, about=tuple({**old, **known.get(name, {})} for name, old in pairs))

    def only(self, ids: Collection[str]) -> Self:
        """The tracks that are among `ids`."""
        wanted = set(ids)
        rows = [row for row, name in enumerate(self.ids) if name in wanted]
        return type(self)(
            tuple(self.ids[row] for row in rows),
            {side: vectors[rows] for side, vectors in self.sides.items()},
            tuple(self.about[row] for row in rows),
        )

    def shuffled(self, random: np.random.Generator) -> Self:
        """Every track with the vectors of another: what is left when the content says nothing."""
        order = random.permutation(len(self.ids))
        return replace(self, sides={side: vectors[order] for side, vectors in self.sides.items()})

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    def rows(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Where these tracks stand; those that are not here are passed over."""
        return np.array([self._places[name] for name in ids if name in self._places], dtype=np.int64)


def _refuse_misfits(side: str, ids: Sequence[str], vectors: npt.NDArray[Any]) -> None:
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise ConfigError(
            f"vectors ({side}): shape {vectors.shape} given; there must be one row for each of {len(ids)} ids."
        )
    if len(set(map(str, ids))) != len(ids):
        raise ConfigError(f"ids ({side}): a name stands there twice. Each track must have one row.")


def _unit(vectors: npt.NDArray[Any]) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
