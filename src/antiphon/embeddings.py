"""Embeddings of one modality of a music video: a vector for each segment and one for the whole track."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import ConfigError

FloatArray = npt.NDArray[np.float32]
Modality = Literal["audio", "video"]

MODALITIES: tuple[Modality, Modality] = ("audio", "video")
MODALITY_WORDS: Mapping[str, str] = {"audio": "sound", "video": "pictures", "": "vectors"}
"""What people call the modalities; "" stands for vectors that came without one."""
MAX_VALUE = 1e15
"""Features and embeddings are smaller: the squares of a hundred million such values still add up in float32."""


@dataclass(frozen=True, eq=False)
class ModalityEmbeddings:
    """Embeddings of the sound or of the pictures of one music video.

    Attributes
    ----------
    track : ndarray of float32, shape (dim,)
        Unit vector of the whole track.
    segments : ndarray of float32, shape (n, dim)
        Unit vectors in order of time; none where only the track is known.
    starts_s, ends_s : tuple of float or None, length n
        Where each segment lies, in seconds on the track's time line; None where unknown.
    """

    track: FloatArray
    segments: FloatArray
    starts_s: tuple[float | None, ...] = ()
    ends_s: tuple[float | None, ...] = ()

    @classmethod
    def from_segments(
        cls,
        segments: npt.ArrayLike,
        *,
        track: npt.ArrayLike | None = None,
        starts_s: Sequence[float | None] | None = None,
        ends_s: Sequence[float | None] | None = None,
    ) -> Self:
        """Normalise vectors that were computed elsewhere.

        Parameters
        ----------
        segments : array_like, shape (n, dim)
            Vectors of any length.
        track : array_like, shape (dim,) or (1, dim), optional
            Vector of the whole track. Default: the mean of the segments' unit vectors.
        starts_s, ends_s : sequence of float or None, length n, optional
            Where the segments lie, in seconds.

        Raises
        ------
        ConfigError
            A vector has no direction, shapes or lengths do not fit each other, or the segments cancel out.
        """
        rows = unit_rows(segments, "segments")
        count = len(rows)
        starts, ends = (tuple(times) if times is not None else (None,) * count for times in (starts_s, ends_s))
        if not count or len(starts) != count or len(ends) != count:
            raise ConfigError(
                f"{count} segments, {len(starts)} starts and {len(ends)} ends: pass at least one segment, and one time "
                "for each."
            )
        whole = _mean_direction(rows) if track is None else _one_row(track)
        if len(whole) != rows.shape[1]:
            raise ConfigError(f"track has {len(whole)} values and the segments have {rows.shape[1]}.")
        return cls(whole, rows, starts, ends)

    @property
    def dim(self) -> int:
        """Size of the embeddings."""
        return len(self.track)

    @property
    def windows(self) -> list[tuple[float | None, float | None]]:
        """Start and end of each segment in seconds."""
        return list(zip(self.starts_s, self.ends_s, strict=True))


def within_side(rows: FloatArray, correction_dim: int) -> FloatArray:
    """Return embeddings to compare within one side: without the values that correct scores of audio with video.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, dim)
        Unit rows of a model; rows of NaN stay so.
    correction_dim : int
        Number of these values, at the end of each row; 0 for none.

    Returns
    -------
    ndarray of float32, shape (n, dim - correction_dim)
        Unit rows.
    """
    if not correction_dim:
        return rows
    kept = rows[..., :-correction_dim]
    return kept / np.linalg.norm(kept, axis=-1, keepdims=True)


def unit_rows(vectors: npt.ArrayLike, name: str, names: Sequence[str] | None = None) -> FloatArray:
    """Return vectors brought to length 1.

    Parameters
    ----------
    vectors : array_like, shape (n, dim)
        Vectors of any length.
    name : str
        What to call them in messages.
    names : sequence of str, optional
        What to call each of them.

    Returns
    -------
    ndarray of float32, shape (n, dim)

    Raises
    ------
    ConfigError
        They are not a matrix of numbers, or a row is all zeros and so has no direction, or has values that are not
        finite or beyond 1e15.

    Examples
    --------
    >>> unit_rows([[3.0, 4.0]], "queries").round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    try:
        rows = float_array(vectors)
    except ValueError as error:
        raise ConfigError(f"{name}: not a matrix of numbers ({error}).") from error
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ConfigError(f"{name}: shape {rows.shape}; pass (n, dim), one row for each vector.")
    peaks = np.abs(rows).max(axis=1, initial=0)
    broken = np.flatnonzero(~(peaks <= MAX_VALUE) | (peaks == 0))
    if len(broken):
        row = int(broken[0])
        called = f"row {row}" if names is None else f"the vector of '{names[row]}'"
        what = "is all zeros and has no direction" if peaks[row] == 0 else "holds values that are not finite"
        if MAX_VALUE < peaks[row] < np.inf:
            what = f"holds values beyond {MAX_VALUE:g}, as no network computes them"
        raise ConfigError(f"{name}: {called} {what}. Leave it out.")
    scaled = rows / peaks[:, None]  # squares of very large or small values would not fit
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)


def float_array(values: npt.ArrayLike) -> FloatArray:
    """Convert values to float32; those that it cannot hold become infinite, without a warning.

    Parameters
    ----------
    values : array_like
        Numbers.

    Returns
    -------
    ndarray of float32
        A contiguous array.

    Raises
    ------
    ValueError
        They are not real numbers in an array.
    """
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biufO":
            raise ValueError(f"values of type {given.dtype}")
        with np.errstate(over="ignore"):
            return np.asarray(given, dtype=np.float32, order="C")
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _mean_direction(rows: FloatArray) -> FloatArray:
    mean = rows.astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        raise ConfigError("The segments cancel out: their mean has no direction. Pass the track's embedding too.")
    return (mean / length).astype(np.float32)


def _one_row(track: npt.ArrayLike) -> FloatArray:
    rows = unit_rows(np.atleast_2d(np.asarray(track)), "track")
    if len(rows) != 1:
        raise ConfigError(f"track: {len(rows)} rows; pass one vector, the embedding of the whole track.")
    return rows[0]
