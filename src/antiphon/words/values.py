"""Values of the music videos of a catalogue: standardised, so that those of several kinds can be added."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from antiphon.words.interpretation import Term

FloatArray = npt.NDArray[np.float64]

SAID, HEARD, MEASURED, NEAR = 1.0, 0.7, 0.7, 0.5
"""Weights of what is said, heard, measured, and of the direction in the joint space."""
_MOST_DEVIATIONS = 4.0
_BELOW = 0.01
"""How far the first that suits no term lies below the last that suits one."""


@dataclass(frozen=True, eq=False)
class Value:
    """How well the music videos suit one term.

    Attributes
    ----------
    total : ndarray of float64, shape (n,)
        Standardised, but for years; all 0 if nothing tells.
    said, heard, measured, near : ndarray of float64, shape (n,), optional
        What it is made of, where there is any; `said` is from 0 to 1, the others are standardised.
    """

    total: FloatArray
    said: FloatArray | None = None
    heard: FloatArray | None = None
    measured: FloatArray | None = None
    near: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Suiting:
    """How well the music videos suit a text.

    Attributes
    ----------
    total : ndarray of float64, shape (n,)
        Weighted sum of the values of the terms, and of the text as a whole where a network has read it, over the root
        of the weights' squares; 0 is the catalogue's mean. What suits no term lies below all that suits one.
    values : mapping of Term to Value
        What it is made of.
    silent : tuple of Term
        What was understood, but nothing in this catalogue tells of any music video.
    similar : ndarray of float64, shape (n,), optional
        How near each lies to the text as a whole in the joint space, standardised; None where no network has read it.
    """

    total: FloatArray
    values: Sequence[tuple[Term, Value]]
    silent: tuple[Term, ...]
    similar: FloatArray | None = None

    @property
    def tells(self) -> bool:
        """Whether anything tells which music videos suit the text."""
        return bool(self.values) or self.similar is not None

    @cached_property
    def matches(self) -> npt.NDArray[np.bool_]:
        """Whether each suits at least one of the terms, or the text as a whole, better than the catalogue's mean."""
        parts = [value.total if term.wanted else -value.total for term, value in self.values]
        parts += [] if self.similar is None else [self.similar]
        return np.any([part > 0 for part in parts], axis=0) if parts else np.zeros(len(self.total), dtype=bool)

    @property
    def scores(self) -> FloatArray:
        """The totals from 0 to 1, by the logistic function: 0.5 is the catalogue's mean."""
        return 1 / (1 + np.exp(-self.total))


def last_without_match(suiting: Suiting) -> Suiting:
    """Put what suits no term below all that suits one, in its own order: unknown may count more than half a match."""
    matches = suiting.matches
    if matches.all() or not matches.any():
        return suiting
    total = suiting.total.copy()
    total[~matches] += min(float(total[matches].min() - total[~matches].max()) - _BELOW, 0.0)
    return replace(suiting, total=total)


def combined(
    count: int,
    said: FloatArray | None = None,
    heard: FloatArray | None = None,
    measured: FloatArray | None = None,
    near: FloatArray | None = None,
) -> Value:
    """Join what is known of a term to one value for each of `count` music videos."""
    parts = [
        (SAID, None if said is None else standard(said)),
        (HEARD, heard),
        (MEASURED, measured),
        (NEAR, near),
    ]
    known = [weight * part for weight, part in parts if part is not None]
    total = unclipped(np.sum(known, axis=0)) if known else np.zeros(count)
    return Value(total, said, heard, measured, near)


def standard(values: npt.NDArray[np.floating]) -> FloatArray:
    """Standardise values: mean 0 and deviation 1 of those that are known, at most 4 away; 0 where unknown."""
    return np.clip(unclipped(values), -_MOST_DEVIATIONS, _MOST_DEVIATIONS)


def unclipped(values: npt.NDArray[np.floating]) -> FloatArray:
    """Standardise values, however far away some lie."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    spread = float(values[known].std())
    if spread <= 1e-9 * max(float(np.abs(values[known]).max()), 1e-300):
        return np.zeros(len(values))
    return np.where(known, (values - values[known].mean()) / spread, 0.0).astype(np.float64)
