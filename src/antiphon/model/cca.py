"""Linear canonical correlation analysis with ridges: the closed-form baseline that a trained head must beat.

Sources: Hotelling, "Relations between two sets of variates" (1936); the ridge is that of Vinod, "Canonical ridge and
econometrics of joint production" (1976).
"""

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.features.tracks import track_embeddings

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]


class CCASettings(BaseModel):
    """Settings of a canonical correlation analysis.

    Attributes
    ----------
    audio_ridge, video_ridge : float
        Added to the variance of each principal axis of that modality, in units of its mean variance. 0 is Hotelling's
        analysis; very large ridges give the singular vectors of the cross-covariance.
    num_components : int
        Maximum canonical directions to keep, the most correlated first.
    power : float
        Scale each direction by its canonical correlation to this power before rows are normalised, so that directions
        with more in common count more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio_ridge: float = Field(default=0.1, ge=0)
    video_ridge: float = Field(default=1.0, ge=0)
    num_components: int = Field(default=128, ge=1)
    power: float = Field(default=1.0, ge=0)


@dataclass(frozen=True)
class Projection:
    """Linear map of one modality: (rows - mean) @ weights.

    Attributes
    ----------
    mean : ndarray of float64, shape (features,)
        Mean of the training rows.
    weights : ndarray of float64, shape (features, components)
        One direction per column.
    """

    mean: DoubleArray
    weights: DoubleArray

    def __call__(self, rows: npt.ArrayLike) -> DoubleArray:
        """Return (n, features) rows projected to (n, components) float64, not normalised."""
        return (np.asarray(rows, dtype=np.float64) - self.mean) @ self.weights

    def scaled(self, factors: DoubleArray) -> "Projection":
        """Keep the first directions, one per factor, each multiplied by its factor.

        Parameters
        ----------
        factors : ndarray of float64, shape (k,)
            Factors of the first k directions.

        Returns
        -------
        Projection
            The scaled projection.
        """
        return Projection(self.mean, self.weights[:, : len(factors)] * factors)


@dataclass(frozen=True)
class _Side:
    """Principal axes of one modality: (features, k) `axes` and (k,) `variances`."""

    mean: DoubleArray
    axes: DoubleArray
    variances: DoubleArray
    mean_variance: float

    def shrunk(self, ridge: float) -> DoubleArray:
        """Return the (k,) standard deviations of the axes with a ridge in units of the mean variance."""
        return np.sqrt(self.variances + ridge * self.mean_variance)

    def rotated(self) -> "_Side":
        """Return the same rows in coordinates along their principal axes."""
        size = len(self.variances)
        return replace(self, mean=np.zeros(size), axes=np.eye(size))

    def leading(self, num_axes: int) -> "_Side":
        """Return the rows in coordinates along those principal axes that vary most; they come last."""
        return replace(self, variances=self.variances[-num_axes:]).rotated()


class Decomposed:
    """Paired rows decomposed once, so that each pair of ridges costs one small decomposition; made by `decompose`."""

    def __init__(self, audio: _Side, video: _Side, shared: DoubleArray) -> None:
        self._audio, self._video, self._shared = audio, video, shared
        self._last: tuple[tuple[float, float], tuple[Projection, Projection, DoubleArray]] | None = None

    def rotated(self) -> "Decomposed":
        """Express the pairs in coordinates along the principal axes of each modality, which are often far fewer.

        Returns
        -------
        Decomposed
            The same pairs in these coordinates.
        """
        return Decomposed(self._audio.rotated(), self._video.rotated(), self._shared)

    def leading(self, num_axes: int) -> "Decomposed":
        """Express the pairs as `rotated` does, in no more than the axes of each modality that vary most.

        Parameters
        ----------
        num_axes : int
            Maximum axes of each modality; they are the last of those of `coordinates`.

        Returns
        -------
        Decomposed
            The pairs in these coordinates.
        """
        shared = self._shared[-num_axes:, -num_axes:]
        return Decomposed(self._audio.leading(num_axes), self._video.leading(num_axes), shared)

    def coordinates(self, audio: npt.ArrayLike, video: npt.ArrayLike) -> tuple[DoubleArray, DoubleArray]:
        """Express other rows in the coordinates of `rotated`; what lies outside these axes has no weight at any ridge.

        Parameters
        ----------
        audio : array_like, shape (n, audio features)
            Audio rows.
        video : array_like, shape (n, video features)
            Video rows.

        Returns
        -------
        audio : ndarray of float64, shape (n, audio axes)
            Coordinates of the audio rows.
        video : ndarray of float64, shape (n, video axes)
            Coordinates of the video rows.
        """
        to_audio, to_video = (Projection(side.mean, side.axes) for side in (self._audio, self._video))
        return to_audio(audio), to_video(video)

    def canonical(self, audio_ridge: float, video_ridge: float) -> tuple[Projection, Projection, DoubleArray]:
        """Solve for all canonical directions.

        With ridges of 0 the projected training rows have unit variance and are uncorrelated within a modality, and the
        i-th columns of both modalities have the i-th correlation. Directions in which no training row varies have no
        weight. The result for the last pair of ridges is cached.

        Parameters
        ----------
        audio_ridge, video_ridge : float
            Ridges in units of the mean variance of each modality.

        Returns
        -------
        audio, video : Projection
            Projections onto the canonical directions.
        correlations : ndarray of float64, shape (components,)
            Canonical correlations in descending order.
        """
        ridges = (audio_ridge, video_ridge)
        if self._last is None or self._last[0] != ridges:
            self._last = ridges, self._solved(*ridges)
        return self._last[1]

    def _solved(self, audio_ridge: float, video_ridge: float) -> tuple[Projection, Projection, DoubleArray]:
        audio_std, video_std = self._audio.shrunk(audio_ridge), self._video.shrunk(video_ridge)
        left, right = np.sqrt(self._audio.variances) / audio_std, np.sqrt(self._video.variances) / video_std
        audio, correlations, video = np.linalg.svd(left[:, None] * self._shared * right, full_matrices=False)
        return (
            Projection(self._audio.mean, self._audio.axes / audio_std @ audio),
            Projection(self._video.mean, self._video.axes / video_std @ video.T),
            correlations,
        )


def decompose(audio: npt.ArrayLike, video: npt.ArrayLike) -> Decomposed:
    """Decompose paired rows into principal axes and what the two modalities share.

    Parameters
    ----------
    audio : array_like, shape (n, audio features)
        Finite values.
    video : array_like, shape (n, video features)
        Finite values; row i of both is one pair.

    Returns
    -------
    Decomposed
        The decomposition.

    Raises
    ------
    ModelError
        There are fewer than two pairs, or one modality is the same in all of them.
    """
    (left, left_rows), (right, right_rows) = _side(audio, "audio"), _side(video, "video")
    return Decomposed(left, right, left_rows.T @ right_rows / len(left_rows))


class CCA:
    """Linear model of both modalities in closed form; it embeds as a `DualEncoder` does.

    Parameters
    ----------
    settings : CCASettings, optional
        Ridges, components and scaling.

    Attributes
    ----------
    correlations : ndarray of float64, shape (num_components,)
        Canonical correlations of the directions kept; empty before fitting.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> audio = random.normal(size=(200, 5))
    >>> video = np.column_stack([2 * audio[:, 0] + 1, random.normal(size=200)])
    >>> model = CCA(CCASettings(audio_ridge=0, video_ridge=0)).fit(audio, video)
    >>> float(model.correlations[0].round(6))
    1.0
    """

    def __init__(self, settings: CCASettings | None = None) -> None:
        self.settings = settings or CCASettings()
        self.correlations = np.empty(0)
        self._projections: tuple[Projection, Projection] | None = None
        self._seen = np.array([], dtype=np.str_)

    def fit(self, audio: npt.ArrayLike, video: npt.ArrayLike) -> Self:
        """Fit the canonical directions to paired rows.

        Parameters
        ----------
        audio : array_like, shape (n, audio features)
            Finite values.
        video : array_like, shape (n, video features)
            Finite values; row i of both is one pair.

        Returns
        -------
        CCA
            This object.

        Raises
        ------
        ModelError
            There are fewer than two pairs, or one modality is the same in all of them.
        """
        return self.fit_decomposed(decompose(audio, video))

    def fit_decomposed(self, parts: Decomposed) -> Self:
        """Fit the canonical directions to rows that are already decomposed.

        Parameters
        ----------
        parts : Decomposed
            Paired rows; see `decompose`.

        Returns
        -------
        CCA
            This object.
        """
        audio, video, correlations = parts.canonical(self.settings.audio_ridge, self.settings.video_ridge)
        self.correlations = correlations[: self.settings.num_components]
        factors = self.correlations**self.settings.power
        self._projections = (audio.scaled(factors), video.scaled(factors))
        return self

    def fit_features(self, features: Features) -> Self:
        """Fit to the paired rows of features, and remember their videos.

        Parameters
        ----------
        features : Features
            Features; rows without audio or video are ignored.

        Returns
        -------
        CCA
            This object.

        Raises
        ------
        ModelError
            There are fewer than two pairs, or one modality is the same in all of them.
        """
        pairs = features.training_pairs
        self._seen = np.unique(pairs.groups)
        return self.fit(pairs.audio, pairs.video)

    def embed_audio(self, rows: npt.ArrayLike) -> FloatArray:
        """Embed audio features.

        Parameters
        ----------
        rows : array_like, shape (n, audio features)
            Finite values.

        Returns
        -------
        ndarray of float32, shape (n, num_components)
            Unit rows.

        Raises
        ------
        ModelError
            The analysis is not fitted.
        """
        return _unit(self._fitted()[0](rows))

    def embed_video(self, rows: npt.ArrayLike) -> FloatArray:
        """Embed video features.

        Parameters
        ----------
        rows : array_like, shape (n, video features)
            Finite values.

        Returns
        -------
        ndarray of float32, shape (n, num_components)
            Unit rows.

        Raises
        ------
        ModelError
            The analysis is not fitted.
        """
        return _unit(self._fitted()[1](rows))

    def embed(self, features: Features, per: Literal["segment", "track"] = "segment") -> tuple[FloatArray, FloatArray]:
        """Embed both modalities, as `DualEncoder.embed` does.

        Parameters
        ----------
        features : Features
            Features of the sizes that the analysis was fitted on.
        per : {'segment', 'track'}, default 'segment'
            Embed each "segment" (row) or each "track" (video, in the sorted order of the unique groups).

        Returns
        -------
        audio, video : ndarray of float32, shape (n, num_components)
            Unit rows; NaN where a row has no such modality.

        Raises
        ------
        ModelError
            The analysis is not fitted, or the features have another size.
        """
        to_audio, to_video = self._fitted()
        audio, video = _present(to_audio, features.audio, "audio"), _present(to_video, features.video, "video")
        if per == "segment":
            return audio, video
        return track_embeddings(audio, features.groups)[1], track_embeddings(video, features.groups)[1]

    def seen_videos(self, features: Features) -> int:
        """Count the videos that the analysis was fitted on.

        Parameters
        ----------
        features : Features
            Features of any videos.

        Returns
        -------
        int
            Number of their videos that were fitted on.
        """
        return len(np.intersect1d(features.groups, self._seen))

    @property
    def projections(self) -> tuple[Projection, Projection]:
        """Linear maps of audio and of video.

        Raises
        ------
        ModelError
            The analysis is not fitted.
        """
        return self._fitted()

    def _fitted(self) -> tuple[Projection, Projection]:
        if self._projections is None:
            raise ModelError("This analysis is not fitted yet. Call fit(audio, video) first.")
        return self._projections


def _side(rows: npt.ArrayLike, name: str) -> tuple[_Side, DoubleArray]:
    """Return the axes of one modality, and its (n, k) whitened rows."""
    values = np.asarray(rows, dtype=np.float64)
    if len(values) < 2:
        raise ModelError(f"Canonical correlation analysis needs at least two pairs, not {len(values)}.")
    mean = values.mean(axis=0)
    centred = values - mean
    count, size = centred.shape
    if count >= size:
        squares, axes = np.linalg.eigh(centred.T @ centred)
    else:
        squares, inner = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ inner
    # Below this, variance is rounding error.
    varies = squares > squares[-1] * max(count, size) * np.finfo(np.float64).eps
    if squares[-1] <= 0 or not varies.any():
        raise ModelError(f"The {name} features are identical in all {count} pairs, so no correlation is defined.")
    axes = axes[:, varies] / np.linalg.norm(axes[:, varies], axis=0)
    variances = squares[varies] / count
    return _Side(mean, axes, variances, float(variances.sum() / size)), centred @ axes / np.sqrt(variances)


def _present(projection: Projection, rows: FloatArray, name: str) -> FloatArray:
    if not rows.shape[1]:
        return np.full((len(rows), projection.weights.shape[1]), np.nan, dtype=np.float32)
    if rows.shape[1] != len(projection.mean):
        raise ModelError(
            f"The {name} features have {rows.shape[1]} values; this analysis was fitted on {len(projection.mean)}."
        )
    return _unit(projection(rows))


def _unit(rows: DoubleArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
