"""Closed-form embeddings: canonical correlations of the features, and of their similarities to landmarks."""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import ModelError
from antiphon.model.cca import CCA, CCASettings, Decomposed, decompose
from antiphon.model.predicted_labels import ridge_regression
from antiphon.shapes import MAX_DIM

Side = Literal["audio", "video"]
FloatArray = npt.NDArray[np.float32]

SIDES: tuple[Side, Side] = ("audio", "video")
_SIZED = {"mean": 1, "linear": 2, "landmarks": 2, "similarity": 1, "kernel": 2}
"""Buffers per modality whose sizes depend on the data, and how many axes each has."""

_OVERSAMPLING, _POWER_ITERATIONS = 20, 3
"""Extra directions and power iterations of the randomised decomposition."""
_BLOCK = 512
"""Columns of a covariance computed at a time."""
_MAX_COMPARED = 1000
"""Landmarks whose distances decide on the width of a kernel."""


class ClosedFormConfig(BaseModel):
    """Closed-form parts of the embeddings, beside the trained heads.

    Attributes
    ----------
    num_landmarks : int
        Maximum training pairs that features are compared with.
    num_components : int
        Canonical directions of the linear part, and of the kernel part.
    labels : bool
        Predict the labels of the training videos too, for `DualEncoder.embed(…, label_weight=…)`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    num_landmarks: int = Field(default=3000, ge=2, le=MAX_DIM)
    num_components: int = Field(default=128, ge=1, le=MAX_DIM)
    labels: bool = False


class ClosedForm(nn.Module):
    """Unit embeddings by linear and kernel canonical correlation analysis of standardised features.

    The linear part is Vinod's canonical ridge. The kernel part is the same analysis of k(x, l) = exp(−‖x − l‖² / w),
    the Gaussian similarities to landmarks l: training pairs drawn at random, with w the median ‖l − l'‖² of distinct
    ones, of 1,000 at most. Directions are scaled by their canonical correlations. Both need few pairs; with many, heads
    trained by gradient descent find what these cannot, and the other way round.

    Labels can be predicted as well, by ridge regression from either modality. They are not part of `joined`.

    Parameters
    ----------
    config : ClosedFormConfig
        Sizes of the parts.

    Attributes
    ----------
    weights : Tensor, shape (3,)
        Weights of the trained, the linear and the kernel part in a score.

    References
    ----------
    Akaho (2001) and Bach and Jordan (2002), kernel canonical correlation analysis; Williams and Seeger (2001), the
    Nyström approximation.
    """

    weights: Tensor

    def __init__(self, config: ClosedFormConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("weights", torch.tensor([1.0, 0.0, 0.0]))
        for side in SIDES:
            for name, axes in self._sized.items():
                self.register_buffer(f"{side}_{name}", torch.empty((0,) * axes))
            self.register_buffer(f"{side}_width", torch.ones(()))

    @property
    def _sized(self) -> dict[str, int]:
        """Data-dependent buffers of each modality, and how many axes each has."""
        return _SIZED | ({"labels": 2} if self.config.labels else {})

    @property
    def dims(self) -> tuple[int, int]:
        """Sizes of the linear and of the kernel part; 0 before `fit`."""
        return self._buffer("audio", "linear").shape[-1], self._buffer("audio", "kernel").shape[-1]

    @property
    def label_dim(self) -> int:
        """Size of the predicted-label part; 0 before `fit_labels`, or where no labels are predicted."""
        return self._buffer("audio", "labels").shape[-1] if self.config.labels else 0

    def fit(
        self,
        audio: Tensor,
        video: Tensor,
        ridge: float,
        kernel_ridge: float,
        drawn: np.random.Generator,
        parts: Decomposed | None = None,
    ) -> Self:
        """Fit both parts to paired features, and weight all three parts equally.

        Parameters
        ----------
        audio : Tensor, shape (n, audio_dim)
            Standardised audio features.
        video : Tensor, shape (n, video_dim)
            Standardised video features; row i of both is one pair.
        ridge, kernel_ridge : float
            Ridge of the linear and of the kernel part, in units of the mean variance of each modality.
        drawn : numpy.random.Generator
            Draws the landmarks.
        parts : Decomposed, optional
            The same pairs, where they are decomposed already.

        Returns
        -------
        ClosedForm
            This object.

        Raises
        ------
        ModelError
            There are fewer than two pairs, or one modality is the same in all of them.
        """
        chosen = torch.from_numpy(np.sort(drawn.permutation(len(audio))[: self.config.num_landmarks]))
        sides: dict[Side, Tensor] = {"audio": audio, "video": video}
        for side, values in sides.items():
            landmarks = values[chosen.to(values.device)]
            self._set(side, "landmarks", landmarks)
            self._set(side, "width", _width(landmarks))
        self._solve_linear(sides, ridge, parts)
        self._solve_kernel(sides, kernel_ridge, drawn)
        self.weights.fill_(1.0)
        return self

    def fit_labels(self, audio: Tensor, video: Tensor, targets: npt.NDArray[np.float64], ridge: float) -> None:
        """Fit the label prediction from each modality; call after `fit`.

        Parameters
        ----------
        audio : Tensor, shape (n, audio_dim)
            Standardised audio features.
        video : Tensor, shape (n, video_dim)
            Standardised video features.
        targets : ndarray of float64, shape (n, k)
            Label directions of the rows; see `label_directions`.
        ridge : float
            Ridge of the regression, in units of the mean variance of each modality.
        """
        for side, values in zip(SIDES, (audio, video), strict=True):
            centred = (values - self._buffer(side, "mean")).cpu().numpy()
            self._set(side, "labels", torch.from_numpy(ridge_regression(centred, targets, ridge)))

    def use_linear(self, projections: Mapping[Side, tuple[Tensor, Tensor]]) -> None:
        """Take other projections for the linear part, and give all other parts no weight; call after `fit`.

        Parameters
        ----------
        projections : mapping of {'audio', 'video'} to (Tensor, Tensor)
            Mean (feature_dim,) and directions (feature_dim, components) of standardised features.
        """
        for side, (mean, directions) in projections.items():
            self._set(side, "mean", mean)
            self._set(side, "linear", directions)
        self.weights.copy_(torch.tensor([0.0, 1.0, 0.0]))

    def predicted_labels(self, side: Side, rows: Tensor) -> Tensor:
        """Predict labels from standardised features of one modality.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        rows : Tensor, shape (n, feature_dim)
            Standardised features.

        Returns
        -------
        Tensor, shape (n, label_dim)
            Unit rows; their dot products measure how similar the predicted labels are.
        """
        centred = rows - self._buffer(side, "mean")
        return functional.normalize(centred @ self._buffer(side, "labels"), dim=-1)

    def parts(self, side: Side, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the linear and the kernel part.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality of the features.
        rows : Tensor, shape (n, feature_dim)
            Standardised features.

        Returns
        -------
        linear : Tensor, shape (n, dims[0])
            Unit rows.
        kernel : Tensor, shape (n, dims[1])
            Unit rows.
        """
        linear = (rows - self._buffer(side, "mean")) @ self._buffer(side, "linear")
        centred = self._similarities(side, rows) - self._buffer(side, "similarity")
        kernel = centred @ self._buffer(side, "kernel")
        return functional.normalize(linear, dim=-1), functional.normalize(kernel, dim=-1)

    def joined(self, trained: Tensor, linear: Tensor, kernel: Tensor) -> Tensor:
        """Concatenate the three parts so that dot products are the weighted means of the parts' dot products.

        Parameters
        ----------
        trained, linear, kernel : Tensor, shape (n, dim)
            Parts, each with a size of its own.

        Returns
        -------
        Tensor, shape (n, sum of sizes)
            Unit rows, if the parts are.
        """
        factors = (self.weights / self.weights.sum()).sqrt()
        return torch.cat(
            [factor * part for factor, part in zip(factors, (trained, linear, kernel), strict=True)], dim=-1
        )

    def take_shapes(self, state: dict[str, Tensor], prefix: str, dims: dict[Side, int]) -> None:
        """Resize the buffers to a state dict whose sizes depend on the data that it was fitted on.

        Parameters
        ----------
        state : dict of str to Tensor
            Parameters and buffers by name.
        prefix : str
            Prefix of this module's names in `state`.
        dims : dict of {'audio', 'video'} to int
            Feature sizes by modality.

        Raises
        ------
        ModelError
            The sizes do not fit each other or the features, no weight is positive, or a kernel width is not positive.
        """
        for side in SIDES:
            width = state.get(f"{prefix}{side}_width", self._buffer(side, "width"))
            if not (width.isfinite().all() and (width > 0).all()):
                raise ModelError(f"the {side} kernel width of its closed form is not positive and finite")
        weights = state.get(prefix + "weights", self.weights)
        if not (weights.isfinite().all() and (weights >= 0).all() and weights.sum() > 0):
            raise ModelError("the weights of its closed form are not finite and non-negative with a positive sum")
        names = [f"{side}_{name}" for side in SIDES for name in self._sized]
        found = {name: tuple(state[prefix + name].shape) for name in names if prefix + name in state}
        if found != self._shapes(found, dims):
            raise ModelError("the sizes of its closed form do not match each other or the features")
        for name, shape in found.items():
            setattr(self, name, self.weights.new_empty(shape))

    def _shapes(self, found: dict[str, tuple[int, ...]], dims: dict[Side, int]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all buffers that fit the sizes found for the audio projections and the landmarks."""
        linear, kernel = (found.get(f"audio_{name}", (0,))[-1:] for name in ("linear", "kernel"))
        if (linear == (0,)) != (kernel == (0,)):
            raise ModelError("the linear or the kernel part of its closed form is missing")
        if linear == kernel == (0,):
            return {f"{side}_{name}": (0,) * axes for side in SIDES for name, axes in self._sized.items()}
        labels = found.get("audio_labels", (0,))[-1:]
        shapes: dict[str, tuple[int, ...]] = {}
        for side, dim in dims.items():
            landmarks = found.get(f"{side}_landmarks", (0,))[:1]
            of_side = ((dim,), (dim, *linear), (*landmarks, dim), landmarks, (*landmarks, *kernel), (dim, *labels))
            shapes |= {f"{side}_{name}": shape for name, shape in zip(self._sized, of_side, strict=False)}
        return shapes

    def _solve_linear(self, sides: dict[Side, Tensor], ridge: float, parts: Decomposed | None) -> None:
        settings = CCASettings(audio_ridge=ridge, video_ridge=ridge, num_components=self.config.num_components)
        parts = parts or decompose(*(sides[side].cpu().numpy() for side in SIDES))
        analysis = CCA(settings).fit_decomposed(parts)
        for side, projection in zip(SIDES, analysis.projections, strict=True):
            self._set(side, "linear", torch.from_numpy(projection.weights))
            self._set(side, "mean", torch.from_numpy(projection.mean))

    def _solve_kernel(self, sides: dict[Side, Tensor], ridge: float, drawn: np.random.Generator) -> None:
        rows = {side: self._similarities(side, values) for side, values in sides.items()}
        means = {side: values.double().mean(dim=0).to(values) for side, values in rows.items()}
        audio, video = (rows[side].sub_(means[side]) for side in SIDES)
        found = leading_directions(audio, video, (ridge, ridge), self.config.num_components, drawn)
        for side, directions in zip(SIDES, found, strict=True):
            self._set(side, "kernel", directions)
            self._set(side, "similarity", means[side])

    def _similarities(self, side: Side, rows: Tensor) -> Tensor:
        distances = torch.cdist(rows, self._buffer(side, "landmarks")).square()
        return torch.exp(-distances / self._buffer(side, "width"))

    def _buffer(self, side: Side, name: str) -> Tensor:
        return self.get_buffer(f"{side}_{name}")

    def _set(self, side: Side, name: str, values: Tensor) -> None:
        setattr(self, f"{side}_{name}", values.detach().to(self.weights).contiguous())


def _width(landmarks: Tensor) -> Tensor:
    """Return the median squared distance of distinct landmarks, a scalar; 1 where all coincide."""
    distances = torch.pdist(landmarks[:: -(-len(landmarks) // _MAX_COMPARED)].contiguous()).square()
    apart = distances[distances > 0]
    return apart.median() if len(apart) else torch.ones_like(landmarks[0, 0])


def leading_directions(
    audio: Tensor, video: Tensor, ridges: tuple[float, float], num_components: int, drawn: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Find the most correlated directions of centred rows, each scaled by its correlation.

    Rows are whitened by Cholesky factors, and what both modalities share is decomposed at random, without ever being
    computed as a matrix. Covariances are summed in the rows' own precision; the rest is float64. For thousands of
    features and few directions this takes a fraction of the time of `antiphon.model.cca`.

    Parameters
    ----------
    audio : Tensor, shape (n, audio features)
        Centred rows.
    video : Tensor, shape (n, video features)
        Centred rows; row i of both is one pair.
    ridges : tuple of float
        Ridges of audio and of video, in units of their mean variances.
    num_components : int
        Maximum number of directions; a modality with fewer features limits it.
    drawn : numpy.random.Generator
        Draws the start of the decomposition.

    Returns
    -------
    audio : Tensor, shape (audio features, num_components)
        Projection of the audio rows.
    video : Tensor, shape (video features, num_components)
        Projection of the video rows.

    References
    ----------
    Halko, Martinsson and Tropp (2011), "Finding structure with randomness".
    """
    factors = [_whitening(side, ridge) for side, ridge in zip((audio, video), ridges, strict=True)]
    across = (audio.T @ video).double() / len(audio)

    def shared(columns: Tensor) -> Tensor:
        inner = torch.linalg.solve_triangular(factors[1].T, columns, upper=True)
        return torch.linalg.solve_triangular(factors[0], across @ inner, upper=False)

    def transposed(columns: Tensor) -> Tensor:
        inner = torch.linalg.solve_triangular(factors[0].T, columns, upper=True)
        return torch.linalg.solve_triangular(factors[1], across.T @ inner, upper=False)

    kept = min(num_components, *across.shape)
    start = torch.from_numpy(drawn.normal(size=(across.shape[1], min(kept + _OVERSAMPLING, *across.shape)))).to(across)
    basis = torch.linalg.qr(shared(start)).Q
    for _ in range(_POWER_ITERATIONS):
        basis = torch.linalg.qr(shared(transposed(basis))).Q
    right, correlations, left = torch.linalg.svd(transposed(basis), full_matrices=False)
    left = basis @ left.T
    to_audio, to_video = (
        torch.linalg.solve_triangular(factor.T, side[:, :kept], upper=True) * correlations[:kept]
        for factor, side in zip(factors, (left, right), strict=True)
    )
    return to_audio, to_video


def _whitening(rows: Tensor, ridge: float) -> Tensor:
    """Return the lower Cholesky factor of the rows' covariance with a ridge."""
    covariance = rows.new_zeros(rows.shape[1], rows.shape[1], dtype=torch.float64)
    for first in range(0, rows.shape[1], _BLOCK):
        # The factorisation reads no more than the lower triangle.
        covariance[first:, first : first + _BLOCK] = rows[:, first:].T @ rows[:, first : first + _BLOCK]
    covariance /= len(rows)
    covariance.diagonal().add_(ridge * covariance.diagonal().mean())
    return torch.linalg.cholesky(covariance)
