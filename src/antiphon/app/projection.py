"""Projection of embeddings onto a plane, with neighbours close together.

Exact t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008) of up to 2,000 videos. More are laid
out by openTSNE where it is installed (the extra `map`), which keeps three times as many neighbours (results/map);
elsewhere the others are placed among their nearest landmarks.
"""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from antiphon.seeding import generator

FloatArray = npt.NDArray[np.floating]

_TINY = 1e-12
_BISECTIONS = 50
_MAX_COSINES = 1 << 24
"""That are held in memory at once."""


@dataclass(frozen=True)
class ProjectionConfig:
    """Settings of the projection.

    Attributes
    ----------
    landmarks : int
        Maximum number of videos that are laid out exactly.
    perplexity : float
        Effective number of neighbours.
    steps, exaggerated_steps : int
        Number of gradient steps, and how many of them exaggerate the affinities.
    exaggeration : float
        Factor of the affinities in these.
    nearest : int
        Number of landmarks that place another video.
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
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    seed : int
        Seed of the choice of landmarks.
    config : ProjectionConfig, optional
        Settings.

    Returns
    -------
    ndarray of float32, shape (n, 2)
        Positions in [−1, 1]; deterministic on one machine.
    """
    settings = config or ProjectionConfig()
    count = len(vectors)
    if count < 3:
        return np.linspace([-0.5, 0.0], [0.5, 0.0], max(count, 1), dtype=np.float32)[:count]
    if count > settings.landmarks and find_spec("openTSNE") is not None:
        return _fitted(_by_open_tsne(vectors, seed, settings)).astype(np.float32)
    chosen = np.arange(count)
    if count > settings.landmarks:
        chosen = np.sort(generator(seed, "map", "landmarks").permutation(count)[: settings.landmarks])
    placed = _fitted(neighbour_embedding(vectors[chosen], settings))
    result = np.empty((count, 2))
    result[chosen] = placed
    others = np.setdiff1d(np.arange(count), chosen)
    if len(others):
        result[others], _ = among(vectors[others], vectors[chosen], placed, settings.nearest)
    return result.astype(np.float32)


def _by_open_tsne(vectors: FloatArray, seed: int, config: ProjectionConfig) -> npt.NDArray[np.float64]:
    """Lay out many vectors at once: approximate neighbours, and interpolated forces."""
    from openTSNE import TSNE

    made = TSNE(perplexity=round(config.perplexity), metric="cosine", n_jobs=1, random_state=seed)
    return np.asarray(made.fit(vectors), dtype=np.float64)


def neighbour_embedding(vectors: FloatArray, config: ProjectionConfig) -> npt.NDArray[np.float64]:
    """Compute exact t-SNE, initialised with the first two principal components.

    Gradient descent with momentum and per-value gains, as in section 3.4 and the appendix of the paper.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    config : ProjectionConfig
        Settings.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Positions.
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
    """Compute symmetric neighbour probabilities. The entropy of each row is that of `perplexity` neighbours.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, dim)
        Unit rows.
    perplexity : float
        Effective number of neighbours.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Probabilities; they sum to 1.
    """
    count = len(vectors)
    squares = np.maximum(2 - 2 * vectors.astype(np.float64) @ vectors.T.astype(np.float64), 0)
    np.fill_diagonal(squares, np.inf)
    smallest = squares.min(axis=1, keepdims=True)
    low, high = np.zeros(count), np.full(count, np.inf)
    sharpness, rows = np.ones(count), np.zeros((count, count))
    for _ in range(_BISECTIONS):
        rows = np.exp(-(squares - smallest) * sharpness[:, None])
        rows /= rows.sum(axis=1, keepdims=True)
        entropy = -(rows * np.log(rows + _TINY)).sum(axis=1)
        blurred = entropy > np.log(perplexity)
        low, high = np.where(blurred, sharpness, low), np.where(blurred, high, sharpness)
        sharpness = np.where(np.isinf(high), sharpness * 2, (low + high) / 2)
    return (rows + rows.T) / (2 * count)


def _gradient(wanted: FloatArray, position: FloatArray) -> npt.NDArray[np.float64]:
    """Return the gradient of the Kullback–Leibler divergence (equation 5 of the paper)."""
    norms = (position**2).sum(axis=1)
    kernel = 1 / (1 + np.maximum(norms[:, None] + norms - 2 * position @ position.T, 0))
    np.fill_diagonal(kernel, 0)
    force = (wanted - kernel / kernel.sum()) * kernel
    return 4 * (force.sum(axis=1)[:, None] * position - force @ position)


def _components(vectors: FloatArray) -> npt.NDArray[np.float64]:
    """Return the first two principal components, scaled down; signs are fixed for reproducibility."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    found = centred @ axes[:, -2:][:, ::-1]
    found *= np.where(found[np.abs(found).argmax(axis=0), [0, 1]] < 0, -1, 1)
    return 1e-4 * found / max(float(found[:, 0].std()), _TINY)


def _fitted(position: FloatArray) -> npt.NDArray[np.float64]:
    """Centre and scale the positions to [−1, 1], both axes alike."""
    centred = position - (position.max(axis=0) + position.min(axis=0)) / 2
    return centred / max(float(np.abs(centred).max()), _TINY)


def among(
    others: FloatArray, landmarks: FloatArray, placed: FloatArray, nearest: int = 3
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Place vectors among others that stand already, by the weighted mean position of their nearest.

    Parameters
    ----------
    others : ndarray of float32, shape (m, dim)
        Unit rows to place.
    landmarks : ndarray of float32, shape (n, dim)
        Unit rows that stand already; at least one.
    placed : ndarray, shape (n, 2)
        Where these stand.
    nearest : int
        How many of them place a vector.

    Returns
    -------
    positions : ndarray of float64, shape (m, 2)
        Where the others stand.
    closest : ndarray of int64, shape (m,)
        Row of the landmark that is nearest to each.
    """
    few = min(nearest, len(landmarks))
    block = max(1, _MAX_COSINES // len(landmarks))
    result, closest = np.empty((len(others), 2)), np.empty(len(others), dtype=np.int64)
    for first in range(0, len(others), block):
        cosines = others[first : first + block] @ landmarks.T
        best = np.argpartition(-cosines, few - 1, axis=1)[:, :few]
        near = np.take_along_axis(cosines, best, axis=1)
        weights = np.exp(10 * near)
        weights /= weights.sum(axis=1, keepdims=True)
        result[first : first + block] = (weights[..., None] * placed[best]).sum(axis=1)
        closest[first : first + block] = np.take_along_axis(best, near.argmax(axis=1)[:, None], axis=1)[:, 0]
    return result, closest
