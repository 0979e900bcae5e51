"""Rows of one video in order of time are a track; tracks of different lengths are stacked with a mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_STEP_S = 5.0


@dataclass(frozen=True, eq=False)
class Tracks:
    """Which rows make up each track, and when they start.

    Attributes
    ----------
    names : (t,) the videos, sorted.
    rows : for each track its rows in order of time.
    numbers : (n,) the track of each row.
    starts_s : (n,) seconds at which each row starts, all known.
    """

    names: npt.NDArray[Any]
    rows: tuple[IntArray, ...]
    numbers: IntArray
    starts_s: npt.NDArray[np.float32]

    @classmethod
    def of(cls, groups: npt.NDArray[Any], starts_s: npt.NDArray[np.float64]) -> Self:
        """The tracks of (n,) `groups`, in the order of `starts_s`.

        Where any start of a track is NaN, its rows keep their order and count as 5 s apart.
        """
        names, numbers = np.unique(groups, return_inverse=True)
        in_time = np.lexsort((np.where(np.isnan(starts_s), np.inf, starts_s), numbers))
        in_order = np.argsort(numbers, kind="stable")
        edges = np.cumsum(np.bincount(numbers, minlength=len(names)))[:-1]
        seconds = starts_s.astype(np.float32)
        rows: list[IntArray] = []
        for by_time, by_order in zip(np.split(in_time, edges), np.split(in_order, edges), strict=True):
            unknown = np.isnan(starts_s[by_order]).any()
            rows.append(by_order if unknown else by_time)
            if unknown:
                seconds[by_order] = _STEP_S * np.arange(len(by_order))
        return cls(names, tuple(rows), numbers.astype(np.int64), seconds)

    def stacked(
        self, tracks: Sequence[int] | IntArray, most: int | None = None, generator: np.random.Generator | None = None
    ) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Rows of the given tracks, one line a track, padded to the longest.

        Parameters
        ----------
        tracks : numbers of tracks.
        most : rows of a track at the most; None: all. Of a longer track `generator` draws as many, kept in order.

        Returns
        -------
        (t, length) rows and (t, length) mask, which is false, and the row 0, where the track has no more.
        """
        chosen = [self.rows[track] for track in tracks]
        if most is not None and generator is not None:
            chosen = [
                rows if len(rows) <= most else rows[np.sort(generator.choice(len(rows), most, replace=False))]
                for rows in chosen
            ]
        mask = np.arange(max(map(len, chosen), default=0)) < np.array([len(rows) for rows in chosen])[:, None]
        stacked = np.zeros(mask.shape, dtype=np.int64)
        if chosen:
            stacked[mask] = np.concatenate(chosen)
        return stacked, mask


def track_embeddings(rows: FloatArray, groups: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], FloatArray]:
    """One unit vector a video: the mean of its segments' embeddings, brought back to unit length.

    Parameters
    ----------
    rows : (n, dim) unit rows.
    groups : (n,) the video of each row.

    Returns
    -------
    (v,) videos, sorted, and (v, dim) float32 unit rows.
    """
    names, numbers = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, numbers, rows)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return names, (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)
