"""Known names whose meaning is near words that are not known, by the vectors of a sentence encoder."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


class Encoder(Protocol):
    """A sentence encoder: see `antiphon.words.sentences`."""

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Return a unit vector for each text."""
        ...


NEAREST = 12
"""Names that an unknown word is taken for, at most."""
NEAR = 0.42
"""Cosine from which a name is near at all: made-up words reach 0.41 with names of music."""
_SHARPNESS = 0.07
_LEAST_SHARE = 0.02


class Meanings:
    """The names of a catalogue and of our table, by meaning.

    Parameters
    ----------
    vectors : mapping of str to ndarray of float, shape (dim,)
        Unit vectors of the names.
    encoder : Encoder
        Encodes the words that are looked for.
    """

    def __init__(self, vectors: Mapping[str, FloatArray], encoder: Encoder) -> None:
        self._names = list(vectors)
        self._vectors = np.array(list(vectors.values()), dtype=np.float32)
        self._encoder = encoder

    def nearest(self, phrase: str) -> dict[str, float]:
        """Return names whose meaning is near, with weights that sum to 1, the nearest first; none if nothing is near.

        The weights are a softmax of the cosines, which at most 12 names share.
        """
        if not self._names:
            return {}
        cosines = (self._vectors @ self._encoder.encode([phrase])[0]).astype(np.float64)
        order = np.lexsort((self._names, -np.round(cosines, 4)))[:NEAREST]
        if cosines[order[0]] < NEAR:
            return {}
        shares = np.exp((cosines[order] - cosines[order[0]]) / _SHARPNESS)
        shares /= shares.sum()
        kept = {self._names[place]: float(share) for place, share in zip(order, shares, strict=True)}
        kept = {name: share for name, share in kept.items() if share >= _LEAST_SHARE}
        return {name: share / sum(kept.values()) for name, share in kept.items()}
