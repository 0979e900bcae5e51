"""The catalogue on a plane: neighbours by embedding lie side by side.

t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008), exact, of as many videos as that is quick
for; the others are put among the nearest of those.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

_TINY = 1e-12
_BISECTIONS = 50


@dataclass(frozen=True)
class ProjectionConfig:
    """How a map is drawn.

    Attributes
    ----------
    landmarks : int
        Videos that are laid out exactly.
    perplexity : float
        Of how many neighbours each takes notice, about.
    nearest : int
        Landmarks among which one of the others is put.
    """

    landmarks: int = 2000
    perplexity: float = 25.0
    steps: int = 500
    exaggerated_steps: int = 120
    exaggeration: float = 12.0
    nearest: int = 3


def project(vectors: FloatArray, seed: int = 0, config: ProjectionConfig | None = None) -> npt.NDArray[np.float32]:
    """Lay out unit vectors on a plane.

    Parameters
    ----------
    vectors : ndarray of float32
        (n, dim) unit rows.
    seed : int
        Draws the landmarks where there are more vectors than `config.landmarks`.

    Returns
    -------
    ndarray of float32
        (n, 2) float32 within [−1, 1], the same for the same vectors.
    """
    settings = config or ProjectionConfig()
    count = len(vectors)
    if count < 3:
        return np.linspace([-0.5, 0.0], [0.5, 0.0], max(count, 1), dtype=np.float32)[:count]
    chosen = np.arange(count)
    if count > settings.landmarks:
        chosen = np.sort(generator(seed, "map", "landmarks").permutation(count)[: settings.landmarks])
    placed = _fitted(neighbour_embedding(vectors[chosen], settings))
    result = np.empty((count, 2))
    result[chosen] = placed
    others = np.setdiff1d(np.arange(count), chosen)
    if len(others):
        result[others] = _among(vectors[others], vectors[chosen], placed, settings.nearest)
    return result.astype(np.float32)


def neighbour_embedding(vectors: FloatArray, config: ProjectionConfig) -> npt.NDArray[np.float64]:
    """(n, 2) positions by exact t-SNE, started from the two main components.

    Gradient descent with momentum and per-value gains, as in the paper's section 3.4 and appendix.
    """
    count = len(vectors)
    perplexity = min(config.perplexity, (count - 1) / 3)
    wanted = affinities(vectors, perplexity)
    position = _components(vectors)
    speed, gains = np.zeros_like(position), np.ones_like(position)
    rate = max(count / config.exaggeration, 50.0)
    for step in range(config.steps):
        early = step < config.exaggerated_steps
        slope = _gradient(wanted * config.exaggeration if early else wanted, position)
        gains = np.maximum(np.where(np.sign(slope) == np.sign(speed), gains * 0.8, gains + 0.2), 0.01)
        speed = (0.5 if early else 0.8) * speed - rate * gains * slope
        position = position + speed
        position -= position.mean(axis=0)
    return position


def affinities(vectors: FloatArray, perplexity: float) -> npt.NDArray[np.float64]:
    """(n, n) symmetric neighbour probabilities that sum to 1, every row's entropy that of `perplexity` neighbours."""
    count = len(vectors)
    squares = np.maximum(2 - 2 * vectors.astype(np.float64) @ vectors.T.astype(np.float64), 0)
    np.fill_diagonal(squares, np.inf)
    least = squares.min(axis=1, keepdims=True)
    low, high = np.zeros(count), np.full(count, np.inf)
    sharpness, rows = np.ones(count), np.zeros((count, count))
    for _ in range(_BISECTIONS):
        rows = np.exp(-(squares - least) * sharpness[:, None])
        rows /= rows.sum(axis=1, keepdims=True)
        entropy = -(rows * np.log(rows + _TINY)).sum(axis=1)
        blurred = entropy > np.log(perplexity)
        low, high = np.where(blurred, sharpness, low), np.where(blurred, high, sharpness)
        sharpness = np.where(np.isinf(high), sharpness * 2, (low + high) / 2)
    return (rows + rows.T) / (2 * count)


def _gradient(wanted: FloatArray, position: FloatArray) -> npt.NDArray[np.float64]:
    """Of the Kullback–Leibler divergence by the positions (equation 5 of the paper)."""
    norms = (position**2).sum(axis=1)
    kernel = 1 / (1 + np.maximum(norms[:, None] + norms - 2 * position @ position.T, 0))
    np.fill_diagonal(kernel, 0)
    force = (wanted - kernel / kernel.sum()) * kernel
    return 4 * (force.sum(axis=1)[:, None] * position - force @ position)


def _components(vectors: FloatArray) -> npt.NDArray[np.float64]:
    """(n, 2) the two main components, small; signs fixed so that the same vectors give the same map."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    found = centred @ axes[:, -2:][:, ::-1]
    found *= np.where(found[np.abs(found).argmax(axis=0), [0, 1]] < 0, -1, 1)
    return 1e-4 * found / max(float(found[:, 0].std()), _TINY)


def _fitted(position: FloatArray) -> npt.NDArray[np.float64]:
    """Scaled to fill [−1, 1], both axes alike."""
    centred = position - (position.max(axis=0) + position.min(axis=0)) / 2
    return centred / max(float(np.abs(centred).max()), _TINY)


def _among(
    others: FloatArray, landmarks: FloatArray, placed: FloatArray, nearest: int, block: int = 2048
) -> npt.NDArray[np.float64]:
    """(m, 2) the mean place of each one's nearest landmarks, nearer ones counting more."""
    result = np.empty((len(others), 2))
    for first in range(0, len(others), block):
        cosines = others[first : first + block] @ landmarks.T
        best = np.argpartition(-cosines, nearest - 1, axis=1)[:, :nearest]
        weights = np.exp(10 * np.take_along_axis(cosines, best, axis=1))
        weights /= weights.sum(axis=1, keepdims=True)
        result[first : first + block] = (weights[..., None] * placed[best]).sum(axis=1)
    return result
