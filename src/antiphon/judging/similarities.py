"""Similarities of a run: by sound, by pictures, by both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError
from antiphon.judging.questions import Aspect
from antiphon.ordering import rounded

By = Literal["both", "sound", "pictures"]
"""Embeddings that a similarity compares. "sound" and "pictures" are stored in judgements."""

BYS: tuple[By, ...] = get_args(By)
NATURAL: dict[Aspect, By] = {"overall": "both", "sound": "sound", "pictures": "pictures"}
"""Similarity for each aspect."""

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True)
class RunEmbeddings:
    """Track embeddings of a run.

    Attributes
    ----------
    run : str
        Name of the run.
    fingerprint : str
        Fingerprint of its model.
    ids : tuple of str
        The n videos.
    audio, video : ndarray of float32, shape (n, dim)
        Rows of any length; NaN if a video lacks the modality.
    """

    run: str
    fingerprint: str
    ids: tuple[str, ...]
    audio: FloatArray
    video: FloatArray

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.audio) == len(self.video):
            raise ConfigError(f"{self.run}: {len(self.ids)} ids for {len(self.audio)} and {len(self.video)} rows.")
        if len(set(self.ids)) < len(self.ids):
            raise ConfigError(f"{self.run}: duplicate ids; give one row per video.")

    @property
    def complete(self) -> set[str]:
        """Videos that have both modalities."""
        whole = np.isfinite(self.audio.sum(axis=1)) & np.isfinite(self.video.sum(axis=1))
        return {self.ids[row] for row in np.flatnonzero(whole)}

    def taken(self, ids: Sequence[str]) -> "RunEmbeddings":
        """Return the rows of `ids`, in this order."""
        place = {name: row for row, name in enumerate(self.ids)}
        rows = [place[name] for name in ids]
        return replace(self, ids=tuple(ids), audio=self.audio[rows], video=self.video[rows])

    def scores(self, row: int, by: By) -> npt.NDArray[np.float64]:
        """Compute the cosine of every video with one.

        Float64, without BLAS, so that equal rows tie.

        Parameters
        ----------
        row : int
            Row of the video.
        by : {"both", "sound", "pictures"}
            Modality; "both" is the mean of the two.

        Returns
        -------
        ndarray of float64, shape (n,)
            Cosines.
        """
        if by == "both":
            return (self.scores(row, "sound") + self.scores(row, "pictures")) / 2
        rows = np.asarray(self.audio if by == "sound" else self.video, dtype=np.float64)
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.einsum("nd,d->n", rows, rows[row]) / (lengths * lengths[row])


def standings(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the fraction of the other candidates that each one outranks: 1 for the nearest, 0 for the farthest.

    Ties count half. Unlike scores, standings can be compared between models.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Scores.

    Returns
    -------
    ndarray of float64, shape (n,)
        Standings.

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
