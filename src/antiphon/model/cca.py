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
    """What a canonical correlation analysis leaves to choose.

    Attributes
    ----------
    audio_ridge, video_ridge : added to each variance of that side's principal axes, in units of the side's mean
        variance. 0 is Hotelling's analysis; very large ones give the singular vectors of the cross-covariance.
    num_components : canonical directions kept, the most correlated first; more than there are keep all.
    power : each direction is scaled by its canonical correlation to this power before rows are brought to unit length,
        so that directions that are shared more count more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio_ridge: float = Field(default=0.1, ge=0)
    video_ridge: float = Field(default=1.0, ge=0)
    num_components: int = Field(default=128, ge=1)
    power: float = Field(default=1.0, ge=0)


@dataclass(frozen=True)
class Projection:
    """A linear map of one side: (rows - mean) @ weights."""

    mean: DoubleArray
    weights: DoubleArray

    def __call__(self, rows: npt.ArrayLike) -> DoubleArray:
        """(n, features) → (n, dims) float64, not of unit length."""
        return (np.asarray(rows, dtype=np.float64) - self.mean) @ self.weights

    def scaled(self, factors: DoubleArray) -> "Projection":
        """The first directions, as many as there are factors, each times its own."""
        return Projection(self.mean, self.weights[:, : len(factors)] * factors)


@dataclass(frozen=True)
class _Side:
    """Principal axes of one side: (features, k) `axes`, their (k,) `variances`, and the (n, k) whitened rows.

    `mean_variance` is that of the features, of which there may be more than axes.
    """

    mean: DoubleArray
    axes: DoubleArray
    variances: DoubleArray
    whitened: DoubleArray
    mean_variance: float

    def shrunk(self, ridge: float) -> DoubleArray:
        """(k,) standard deviations of the axes with a ridge, in units of the mean variance."""
        return np.sqrt(self.variances + ridge * self.mean_variance)

    def rotated(self) -> "_Side":
        """The same rows in coordinates along their principal axes."""
        size = len(self.variances)
        return replace(self, mean=np.zeros(size), axes=np.eye(size))


class Decomposed:
    """Paired rows, taken apart once so that any ridge costs no more than one small decomposition; see `decompose`."""

    def __init__(self, audio: _Side, video: _Side, shared: DoubleArray) -> None:
        self._audio, self._video, self._shared = audio, video, shared
        self._last: tuple[tuple[float, float], tuple[Projection, Projection, DoubleArray]] | None = None

    def rotated(self) -> "Decomposed":
        """The same pairs in coordinates along the principal axes of either side, which are often far fewer."""
        return Decomposed(self._audio.rotated(), self._video.rotated(), self._shared)

    def coordinates(self, audio: npt.ArrayLike, video: npt.ArrayLike) -> tuple[DoubleArray, DoubleArray]:
        """Other rows in the coordinates of `rotated`: what lies outside these axes gets no weight at any ridge."""
        to_audio, to_video = (Projection(side.mean, side.axes) for side in (self._audio, self._video))
        return to_audio(audio), to_video(video)

    def canonical(self, audio_ridge: float, video_ridge: float) -> tuple[Projection, Projection, DoubleArray]:
        """Projections of both sides onto all canonical directions, and the (dims,) canonical correlations, descending.

        With ridges of 0 the projected training rows have unit variance, are uncorrelated within a side, and the i-th
        columns of both sides have the i-th correlation. Directions in which no training row varies get no weight.
        The same ridges asked for again cost nothing.
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
    """Take paired rows apart into principal axes and what the two sides share.

    Parameters
    ----------
    audio : (n, audio features), finite.
    video : (n, video features), finite; row i of both is one pair.

    Raises
    ------
    ModelError
        There are fewer than two pairs, or one side is the same in all of them.
    """
    left, right = _side(audio, "audio"), _side(video, "video")
    return Decomposed(left, right, left.whitened.T @ right.whitened / len(left.whitened))


class CCA:
    """A linear model of both sides in closed form; it embeds as a `DualEncoder` does.

    Attributes
    ----------
    correlations : (dims,) canonical correlations of the directions kept, once fitted.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> sound = random.normal(size=(200, 5))
    >>> pictures = np.column_stack([2 * sound[:, 0] + 1, random.normal(size=200)])
    >>> model = CCA(CCASettings(audio_ridge=0, video_ridge=0)).fit(sound, pictures)
    >>> float(model.correlations[0].round(6))
    1.0
    """

    def __init__(self, settings: CCASettings | None = None) -> None:
        self.settings = settings or CCASettings()
        self.correlations = np.empty(0)
        self._projections: tuple[Projection, Projection] | None = None
        self._seen = np.array([], dtype=np.str_)

    def fit(self, audio: npt.ArrayLike, video: npt.ArrayLike) -> Self:
        """Find the canonical directions of (n, features) rows; row i of both is one pair.

        Raises
        ------
        ModelError
            There are fewer than two pairs, or one side is the same in all of them.
        """
        return self.fit_decomposed(decompose(audio, video))

    def fit_decomposed(self, parts: Decomposed) -> Self:
        """As `fit`, of rows already taken apart."""
        audio, video, correlations = parts.canonical(self.settings.audio_ridge, self.settings.video_ridge)
        self.correlations = correlations[: self.settings.num_components]
        factors = self.correlations**self.settings.power
        self._projections = (audio.scaled(factors), video.scaled(factors))
        return self

    def fit_features(self, features: Features) -> Self:
        """Fit on the paired rows of `features`, and remember which videos they are of."""
        pairs = features.paired
        self._seen = np.unique(pairs.groups)
        return self.fit(pairs.audio, pairs.video)

    def embed_audio(self, rows: npt.ArrayLike) -> FloatArray:
        """(n, audio features) → (n, dims) float32 unit rows."""
        return _unit(self._fitted()[0](rows))

    def embed_video(self, rows: npt.ArrayLike) -> FloatArray:
        """(n, video features) → (n, dims) float32 unit rows."""
        return _unit(self._fitted()[1](rows))

    def embed(self, features: Features, per: Literal["segment", "track"] = "segment") -> tuple[FloatArray, FloatArray]:
        """As `DualEncoder.embed`: (n, dims) float32 unit rows of both sides, NaN where `features` lacks the side."""
        to_audio, to_video = self._fitted()
        audio, video = _present(to_audio, features.audio, "audio"), _present(to_video, features.video, "video")
        if per == "segment":
            return audio, video
        return track_embeddings(audio, features.groups)[1], track_embeddings(video, features.groups)[1]

    def seen_videos(self, features: Features) -> int:
        """How many videos of `features` it was fitted on."""
        return len(np.intersect1d(features.groups, self._seen))

    @property
    def projections(self) -> tuple[Projection, Projection]:
        """The linear maps of sound and of pictures, once fitted."""
        return self._fitted()

    def _fitted(self) -> tuple[Projection, Projection]:
        if self._projections is None:
            raise ModelError("This analysis is not fitted yet. Call fit(audio, video) first.")
        return self._projections


def _side(rows: npt.ArrayLike, name: str) -> _Side:
    values = np.asarray(rows, dtype=np.float64)
    if len(values) < 2:
        raise ModelError(f"{len(values)} pairs to correlate; canonical correlations need at least two.")
    mean = values.mean(axis=0)
    centred = values - mean
    count, size = centred.shape
    if count >= size:
        squares, axes = np.linalg.eigh(centred.T @ centred)
    else:
        squares, inner = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ inner
    # What rounding alone makes of no variance at all.
    varies = squares > squares[-1] * max(count, size) * np.finfo(np.float64).eps
    if squares[-1] <= 0 or not varies.any():
        raise ModelError(f"The {name} features are the same in all {count} pairs; there is nothing to correlate.")
    axes = axes[:, varies] / np.linalg.norm(axes[:, varies], axis=0)
    variances = squares[varies] / count
    return _Side(mean, axes, variances, centred @ axes / np.sqrt(variances), float(variances.sum() / size))


def _present(projection: Projection, rows: FloatArray, name: str) -> FloatArray:
    if not rows.shape[1]:
        return np.full((len(rows), projection.weights.shape[1]), np.nan, dtype=np.float32)
    if rows.shape[1] != len(projection.mean):
        raise ModelError(
            f"The {name} features have {rows.shape[1]} values; this analysis takes {len(projection.mean)}."
        )
    return _unit(projection(rows))


def _unit(rows: DoubleArray) -> FloatArray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
