"""The map: true to its formulas, neighbours side by side, the same every time."""

import numpy as np
import pytest
from sklearn.manifold import TSNE, trustworthiness

from antiphon.app.projection import ProjectionConfig, _gradient, affinities, project

pytestmark = pytest.mark.numeric


def clusters(count: int, groups: int = 4, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around a few centres, and which."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(groups, dim))
    labels = np.arange(count) % groups
    vectors = centres[labels] + 0.4 * random.normal(size=(count, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), labels


def divergence(wanted: np.ndarray, position: np.ndarray) -> float:
    """Kullback–Leibler, by loops over nothing but the definition."""
    kernel = 1 / (1 + ((position[:, None] - position) ** 2).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    found = kernel / kernel.sum()
    off = ~np.eye(len(position), dtype=bool)
    return float((wanted[off] * np.log(wanted[off] / found[off])).sum())


def test_affinities_have_the_perplexity() -> None:
    vectors, _ = clusters(60)
    squares = ((vectors[:, None] - vectors) ** 2).sum(axis=2)
    found = affinities(vectors, 10.0)
    assert found.sum() == pytest.approx(1)
    assert np.allclose(found, found.T)
    assert (np.diag(found) == 0).all()
    order = np.argsort(squares, axis=1)
    assert (found[np.arange(60), order[:, 1]] > found[np.arange(60), order[:, -1]]).all()


def test_the_gradient_is_that_of_the_divergence() -> None:
    vectors, _ = clusters(12)
    wanted = affinities(vectors, 3.0) + 1e-9
    np.fill_diagonal(wanted, 0)
    wanted /= wanted.sum()
    position = np.random.default_rng(1).normal(size=(12, 2))
    step = 1e-5
    for row, axis in ((0, 0), (5, 1), (11, 0)):
        moved = np.zeros_like(position)
        moved[row, axis] = step
        slope = (divergence(wanted, position + moved) - divergence(wanted, position - moved)) / (2 * step)
        assert _gradient(wanted, position)[row, axis] == pytest.approx(slope, rel=1e-4)


def test_neighbours_stay_neighbours_as_well_as_with_scikit_learn() -> None:
    vectors, _ = clusters(150)
    ours = project(vectors)
    theirs = TSNE(perplexity=25, random_state=0, init="pca").fit_transform(vectors)
    assert trustworthiness(vectors, ours, n_neighbors=5) > trustworthiness(vectors, theirs, n_neighbors=5) - 0.03
    assert np.abs(ours).max() == pytest.approx(1)
    np.testing.assert_array_equal(ours, project(vectors))


@pytest.mark.parametrize("installed", [True, False])
def test_many_videos_lie_among_their_like(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By openTSNE, and without it by placing the others among their nearest landmarks."""
    if not installed:
        monkeypatch.setattr("antiphon.app.projection.find_spec", lambda name: None)
    vectors, labels = clusters(300)
    settings = ProjectionConfig(landmarks=100, steps=300)
    placed = project(vectors, config=settings)
    assert np.abs(placed).max() == pytest.approx(1)
    np.testing.assert_array_equal(placed, project(vectors, config=settings))
    distances = np.linalg.norm(placed[:, None] - placed, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_few_videos_have_places_too(count: int) -> None:
    placed = project(clusters(max(count, 4))[0][:count])
    assert placed.shape == (count, 2)
    assert np.isfinite(placed).all()


def test_copies_do_not_divide_by_zero() -> None:
    assert np.isfinite(project(np.tile(np.eye(4)[0], (20, 1)))).all()
