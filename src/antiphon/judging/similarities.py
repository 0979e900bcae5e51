"""What a run thinks is alike: by sound, by pictures, by both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError
from antiphon.judging.questions import Aspect
from antiphon.ordering import rounded

By = Literal["both", "sound", "pictures"]
"""Which embeddings a similarity compares."""

BYS: tuple[By, ...] = get_args(By)
NATURAL: dict[Aspect, By] = {"overall": "both", "sound": "sound", "pictures": "pictures"}
"""The similarity that answers the same question as a judge."""

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class RunEmbeddings:
    """Track embeddings of one run, both sides.

    Attributes
    ----------
    run : str
        Its name.
    fingerprint : str
        Tells its model from one of the same name that was trained anew.
    ids : tuple of str
        (n,) the videos.
    sound, pictures : ndarray of float32
        (n, dim) and (n, dim) rows of any length; NaN where a video lacks the side.
    """

    run: str
    fingerprint: str
    ids: tuple[str, ...]
    sound: FloatArray
    pictures: FloatArray

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.sound) == len(self.pictures):
            raise ConfigError(f"{self.run}: {len(self.ids)} ids for {len(self.sound)} and {len(self.pictures)} rows.")
        if len(set(self.ids)) < len(self.ids):
            raise ConfigError(f"{self.run}: an id occurs twice; judging compares whole videos, one row each.")

    @property
    def complete(self) -> set[str]:
        """The videos that have both sides."""
        whole = np.isfinite(self.sound.sum(axis=1)) & np.isfinite(self.pictures.sum(axis=1))
        return {self.ids[row] for row in np.flatnonzero(whole)}

    def taken(self, ids: Sequence[str]) -> "RunEmbeddings":
        """The rows of `ids`, in that order."""
        place = {name: row for row, name in enumerate(self.ids)}
        rows = [place[name] for name in ids]
        return replace(self, ids=tuple(ids), sound=self.sound[rows], pictures=self.pictures[rows])

    def scores(self, row: int, by: By) -> npt.NDArray[np.float64]:
        """(n,) cosine of every video with that in `row`; "both" is the mean of the two sides.

        Computed in float64 over the differences that float32 rows leave, so that equal rows tie.
        """
        if by == "both":
            return (self.scores(row, "sound") + self.scores(row, "pictures")) / 2
        rows = np.asarray(self.sound if by == "sound" else self.pictures, dtype=np.float64)
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.einsum("nd,d->n", rows, rows[row]) / (lengths * lengths[row])


def standings(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n,) share of the other candidates that each one leaves behind: 1 for the nearest, 0 for the farthest.

    Ties count half. Standings of different models can be compared where their scores cannot.

    Examples
    --------
    >>> standings(np.array([0.9, 0.1, 0.5])).tolist()
    [1.0, 0.0, 0.5]
    """
    compared = rounded(scores)
    ordered = np.sort(compared)
    below = np.searchsorted(ordered, compared, side="left")
    upto = np.searchsorted(ordered, compared, side="right")
    return (below + upto - 1) / 2 / max(len(scores) - 1, 1)
