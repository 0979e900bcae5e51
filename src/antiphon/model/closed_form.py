"""Embeddings in closed form: canonical correlations of the features, and of their similarities to landmarks."""

from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from antiphon.errors import ModelError
from antiphon.model.cca import CCA, CCASettings
from antiphon.model.predicted_labels import ridge_regression

Side = Literal["audio", "video"]
FloatArray = npt.NDArray[np.float32]

SIDES: tuple[Side, Side] = ("audio", "video")
_SIZED = {"mean": 1, "linear": 2, "landmarks": 2, "similarity": 1, "kernel": 2}
"""What is held of each side, with as many axes, whose sizes depend on the data."""


_OVERSAMPLING, _POWER_ITERATIONS = 20, 3
"""Directions more than wanted, and power iterations, of the randomised decomposition."""


class ClosedFormConfig(BaseModel):
    """What stands beside the trained heads without being trained.

    Attributes
    ----------
    num_landmarks : training pairs, at the most, that features are compared with.
    num_components : canonical directions kept of the features, and as many of their similarities.
    labels : predict the labels of the training videos too, for `DualEncoder.embed(…, label_weight=…)`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_landmarks: int = Field(default=3000, ge=2)
    num_components: int = Field(default=128, ge=1)
    labels: bool = False


class ClosedForm(nn.Module):
    """Features, as the heads see them, → unit embeddings by linear and by kernel canonical correlation analysis.

    The linear part is Vinod's canonical ridge. The kernel part is the same analysis of k(x, l) = exp(−‖x − l‖² / w),
    the Gaussian similarities to landmarks l: training pairs drawn at random, w being the median ‖l − l'‖² of those that
    differ. That is kernel canonical correlation analysis (Akaho 2001; Bach and Jordan 2002) with Nyström's
    approximation (Williams and Seeger 2001). Each direction is scaled by its correlation. Few pairs suffice for both;
    where there are many, heads trained by gradients know what these do not, and the other way round.

    Labels may be predicted beside: by ridge regression, from either side. They are no part of `joined`.

    Attributes
    ----------
    weights : (3,) how much the trained part, the linear and the kernel part count in a score.
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
        """How many axes has what depends on the data; that of the labels is the last, where they are predicted."""
        return _SIZED | ({"labels": 2} if self.config.labels else {})

    @property
    def dims(self) -> tuple[int, int]:
        """Sizes of the linear and of the kernel part; 0 before `fit`."""
        return self._buffer("audio", "linear").shape[-1], self._buffer("audio", "kernel").shape[-1]

    @property
    def label_dim(self) -> int:
        """Values that stand for the predicted labels; 0 before `fit_labels`, or where none are to be predicted."""
        return self._buffer("audio", "labels").shape[-1] if self.config.labels else 0

    def fit(self, audio: Tensor, video: Tensor, ridge: float, kernel_ridge: float, drawn: np.random.Generator) -> Self:
        """Find both parts for (n, features) paired rows; all three parts then count alike.

        Parameters
        ----------
        ridge, kernel_ridge : of the linear and of the kernel part, in units of each side's mean variance.
        drawn : draws the landmarks.

        Raises
        ------
        ModelError
            There are fewer than two pairs, or one side is the same in all of them.
        """
        chosen = torch.from_numpy(np.sort(drawn.permutation(len(audio))[: self.config.num_landmarks]))
        sides: dict[Side, Tensor] = {"audio": audio, "video": video}
        for side, values in sides.items():
            landmarks = values[chosen.to(values.device)]
            self._set(side, "landmarks", landmarks)
            self._set(side, "width", _width(landmarks))
        self._solve_linear(sides, ridge)
        self._solve_kernel(sides, kernel_ridge, drawn)
        self.weights.fill_(1.0)
        return self

    def fit_labels(self, audio: Tensor, video: Tensor, targets: npt.NDArray[np.float64], ridge: float) -> None:
        """Learn, after `fit`, to predict (n, k) values of the labels from the (n, features) rows of either side."""
        for side, values in zip(SIDES, (audio, video), strict=True):
            centred = (values - self._buffer(side, "mean")).cpu().numpy()
            self._set(side, "labels", torch.from_numpy(ridge_regression(centred, targets, ridge)))

    def predicted_labels(self, side: Side, rows: Tensor) -> Tensor:
        """(n, features) → (n, label_dim) unit rows: their dot products say how alike the predicted labels are."""
        centred = rows - self._buffer(side, "mean")
        return functional.normalize(centred @ self._buffer(side, "labels"), dim=-1)

    def parts(self, side: Side, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(n, features) → the linear and the kernel part: (n, dims[0]) and (n, dims[1]), unit rows."""
        linear = (rows - self._buffer(side, "mean")) @ self._buffer(side, "linear")
        centred = self._similarities(side, rows) - self._buffer(side, "similarity")
        kernel = centred @ self._buffer(side, "kernel")
        return functional.normalize(linear, dim=-1), functional.normalize(kernel, dim=-1)

    def joined(self, trained: Tensor, linear: Tensor, kernel: Tensor) -> Tensor:
        """One unit row whose dot products are the weighted means of those of the three parts, each of unit rows."""
        factors = (self.weights / self.weights.sum()).sqrt()
        return torch.cat(
            [factor * part for factor, part in zip(factors, (trained, linear, kernel), strict=True)], dim=-1
        )

    def take_shapes(self, state: dict[str, Tensor], prefix: str, dims: dict[Side, int]) -> None:
        """Make room for what `state` holds, whose sizes depend on the data that it was fitted on.

        Parameters
        ----------
        prefix : of the names in `state`.
        dims : sizes of the features.

        Raises
        ------
        ModelError
            The sizes do not fit each other, or features of these sizes; or no part has a weight, or a width is none.
        """
        for side in SIDES:
            width = state.get(f"{prefix}{side}_width", self._buffer(side, "width"))
            if not (width.isfinite().all() and (width > 0).all()):
                raise ModelError(f"the {side} width of its closed form is no width")
        weights = state.get(prefix + "weights", self.weights)
        if not (weights.isfinite().all() and (weights >= 0).all() and weights.sum() > 0):
            raise ModelError("the weights of its closed form are no weights")
        names = [f"{side}_{name}" for side in SIDES for name in self._sized]
        found = {name: tuple(state[prefix + name].shape) for name in names if prefix + name in state}
        if found != self._shapes(found, dims):
            raise ModelError("the sizes of its closed form fit neither each other nor the features")
        for name, shape in found.items():
            setattr(self, name, self.weights.new_empty(shape))

    def _shapes(self, found: dict[str, tuple[int, ...]], dims: dict[Side, int]) -> dict[str, tuple[int, ...]]:
        """The sizes of all that is held, of those found for the projections of sound and the landmarks."""
        linear, kernel = (found.get(f"audio_{name}", (0,))[-1:] for name in ("linear", "kernel"))
        if (linear == (0,)) != (kernel == (0,)):
            raise ModelError("half of its closed form is missing")
        if linear == kernel == (0,):
            return {f"{side}_{name}": (0,) * axes for side in SIDES for name, axes in self._sized.items()}
        labels = found.get("audio_labels", (0,))[-1:]
        shapes: dict[str, tuple[int, ...]] = {}
        for side, dim in dims.items():
            landmarks = found.get(f"{side}_landmarks", (0,))[:1]
            of_side = ((dim,), (dim, *linear), (*landmarks, dim), landmarks, (*landmarks, *kernel), (dim, *labels))
            shapes |= {f"{side}_{name}": shape for name, shape in zip(self._sized, of_side, strict=False)}
        return shapes

    def _solve_linear(self, sides: dict[Side, Tensor], ridge: float) -> None:
        settings = CCASettings(audio_ridge=ridge, video_ridge=ridge, num_components=self.config.num_components)
        analysis = CCA(settings).fit(*(sides[side].cpu().numpy() for side in SIDES))
        for side, projection in zip(SIDES, analysis.projections, strict=True):
            self._set(side, "linear", torch.from_numpy(projection.weights))
            self._set(side, "mean", torch.from_numpy(projection.mean))

    def _solve_kernel(self, sides: dict[Side, Tensor], ridge: float, drawn: np.random.Generator) -> None:
        rows = {side: self._similarities(side, values).double() for side, values in sides.items()}
        means = {side: values.mean(dim=0) for side, values in rows.items()}
        audio, video = (rows[side] - means[side] for side in SIDES)
        found = leading_directions(audio, video, ridge, self.config.num_components, drawn)
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
    """The median squared distance of those of (l, features) landmarks that differ, a scalar; 1 where none do."""
    distances = torch.pdist(landmarks).square()
    apart = distances[distances > 0]
    return apart.median() if len(apart) else torch.ones_like(landmarks[0, 0])


def leading_directions(
    audio: Tensor, video: Tensor, ridge: float, dims: int, drawn: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """The most correlated directions of (n, features) centred float64 rows, each scaled by its correlation.

    With whitening by Cholesky factors and a randomised decomposition (Halko, Martinsson and Tropp 2011) of what both
    sides share: where there are thousands of features, and few directions are wanted, in a fraction of the time of
    `antiphon.model.cca`.

    Parameters
    ----------
    ridge : in units of each side's mean variance.
    drawn : draws where the decomposition starts.

    Returns
    -------
    (features, dims) weights of sound and of pictures; fewer where a side has fewer features.
    """
    factors = [_whitening(side, ridge) for side in (audio, video)]
    shared = torch.linalg.solve_triangular(factors[0], audio.T @ video / len(audio), upper=False)
    shared = torch.linalg.solve_triangular(factors[1], shared.T, upper=False).T
    kept = min(dims, *shared.shape)
    start = torch.from_numpy(drawn.normal(size=(shared.shape[1], min(kept + _OVERSAMPLING, *shared.shape)))).to(shared)
    basis = torch.linalg.qr(shared @ start).Q
    for _ in range(_POWER_ITERATIONS):
        basis = torch.linalg.qr(shared @ (shared.T @ basis)).Q
    left, correlations, right = torch.linalg.svd(basis.T @ shared, full_matrices=False)
    left, right = basis @ left, right.T
    to_audio, to_video = (
        torch.linalg.solve_triangular(factor.T, side[:, :kept], upper=True) * correlations[:kept]
        for factor, side in zip(factors, (left, right), strict=True)
    )
    return to_audio, to_video


def _whitening(rows: Tensor, ridge: float) -> Tensor:
    """The lower Cholesky factor of the rows' covariance with a ridge, in units of the mean variance."""
    covariance = rows.T @ rows / len(rows)
    covariance.diagonal().add_(ridge * covariance.diagonal().mean())
    return torch.linalg.cholesky(covariance)
