"""Tracks: rows of one video in order of time, stacked with a mask for different lengths."""

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
    """Rows and start times of each track.

    Attributes
    ----------
    names : ndarray, shape (t,)
        Videos, sorted.
    rows : tuple of ndarray of int64
        Rows of each track in order of time.
    numbers : ndarray of int64, shape (n,)
        Track of each row.
    starts_s : ndarray of float32, shape (n,)
        Start of each row in seconds, without NaN.
    """

    names: npt.NDArray[Any]
    rows: tuple[IntArray, ...]
    numbers: IntArray
    starts_s: npt.NDArray[np.float32]

    @classmethod
    def of(cls, groups: npt.NDArray[Any], starts_s: npt.NDArray[np.float64]) -> Self:
        """Group rows into tracks.

        Where any start of a track is NaN, its rows keep their order and are assumed to be 5 s apart.

        Parameters
        ----------
        groups : ndarray, shape (n,)
            Video of each row.
        starts_s : ndarray of float64, shape (n,)
            Start of each row in seconds; NaN where unknown.

        Returns
        -------
        Tracks
            The tracks.
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

    def stacked(self, tracks: Sequence[int] | IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Stack the rows of tracks, padded to the longest.

        Parameters
        ----------
        tracks : sequence of int or ndarray of int64
            Numbers of tracks.

        Returns
        -------
        rows : ndarray of int64, shape (t, length)
            Rows of each track; 0 as padding.
        mask : ndarray of bool, shape (t, length)
            False on padding.
        """
        chosen = [self.rows[track] for track in tracks]
        mask = np.arange(max(map(len, chosen), default=0)) < np.array([len(rows) for rows in chosen])[:, None]
        stacked = np.zeros(mask.shape, dtype=np.int64)
        if chosen:
            stacked[mask] = np.concatenate(chosen)
        return stacked, mask

    def nearest(self, present: npt.NDArray[np.bool_]) -> IntArray:
        """Find for each row the nearest one of its track, in order of time, that is present.

        Parameters
        ----------
        present : ndarray of bool, shape (n,)
            Rows that are present.

        Returns
        -------
        ndarray of int64, shape (n,)
            Rows: a present one itself, of two as near the earlier, -1 in tracks without any.
        """
        found = np.where(present, np.arange(len(present)), -1)
        for rows in self.rows:
            known = np.flatnonzero(present[rows])
            if len(known) in (0, len(rows)):
                continue
            away = np.abs(np.arange(len(rows))[:, None] - known)
            found[rows] = rows[known[away.argmin(axis=1)]]
        return found


def track_embeddings(rows: FloatArray, groups: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], FloatArray]:
    """Average the embeddings of each video's segments, and normalise the means.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, dim)
        Unit rows.
    groups : ndarray, shape (n,)
        Video of each row.

    Returns
    -------
    names : ndarray, shape (v,)
        Videos, sorted.
    embeddings : ndarray of float32, shape (v, dim)
        Unit rows.
    """
    names, numbers = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, numbers, rows)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return names, (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)
