"""Neighbours and what they share, against naive loops, scikit-learn and closed forms."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from antiphon.errors import ModelError
from antiphon.evaluation.agreement import has_tag, per_video, precision, same_genre, shared_tags
from antiphon.evaluation.consistency import centred_unit_rows
from antiphon.evaluation.neighbours import find_neighbours, neighbour_spaces

pytestmark = pytest.mark.numeric


def points(count: int, dim: int = 6, seed: int = 0) -> np.ndarray:
    return centred_unit_rows(np.random.default_rng(seed).normal(size=(count, dim)))


def naive(vectors: np.ndarray, groups: np.ndarray, k: int) -> list[list[int]]:
    scores = [[float(one @ other) for other in vectors] for one in vectors]
    return [
        sorted((j for j in range(len(vectors)) if groups[j] != groups[i]), key=lambda j: (-round(scores[i][j], 6), j))[
            :k
        ]
        for i in range(len(vectors))
    ]


def test_as_scikit_learn_finds_them():
    vectors = points(200)
    distances, nearest = NearestNeighbors(n_neighbors=4, metric="cosine").fit(vectors).kneighbors(vectors)
    found = find_neighbours(vectors, 3, chunk_rows=64)
    assert found.nearest.tolist() == nearest[:, 1:].tolist()
    assert 1 - found.cosines == pytest.approx(distances[:, 1:], abs=1e-9)


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 512])
def test_never_of_the_same_video_and_ties_by_order(chunk_rows):
    groups = np.array(list("aabbbccddd"))
    vectors = points(10).round(1)
    vectors[7] = vectors[4] = vectors[2]
    found = find_neighbours(vectors, 4, groups=groups, rows=np.array([9, 2, 0]), chunk_rows=chunk_rows)
    assert found.nearest.tolist() == [naive(vectors, groups, 4)[row] for row in (9, 2, 0)]


@pytest.mark.parametrize("chunk_rows", [1, 5, 512])
def test_what_differs_by_rounding_is_a_tie(chunk_rows):
    """Rows that are equal but for an error of float32, as one file embedded in two batches."""
    vectors = np.repeat(points(8), 8, axis=0)
    found = find_neighbours(vectors + 1e-8 * points(64, seed=1), 7, chunk_rows=chunk_rows)
    for row, nearest in enumerate(found.nearest.tolist()):
        first = row - row % 8
        assert nearest == [other for other in range(first, first + 8) if other != row]


def test_fewer_where_the_pool_has_no_more():
    assert find_neighbours(points(3), 5).nearest.shape == (3, 2)
    assert find_neighbours(points(5), 5, groups=np.array(list("aaabb"))).nearest.shape == (5, 2)
    with pytest.raises(ModelError, match="at least two videos"):
        find_neighbours(points(3), groups=np.array(["a"] * 3))


def test_together_is_the_mean_of_both_cosines():
    sound, pictures = points(20, seed=1), points(20, 4, seed=2)
    both = neighbour_spaces(sound, pictures)["aggregated"]
    assert both @ both.T == pytest.approx((sound @ sound.T + pictures @ pictures.T) / 2)


def test_agreement_by_a_loop():
    random = np.random.default_rng(3)
    genres = random.choice(["rock", "pop", ""], 40)
    labels = [[tag for tag in "abcdefg" if random.random() < 0.4] for _ in range(40)]
    nearest = find_neighbours(points(40)).nearest
    for target, alike in (
        (same_genre(genres), lambda i, j: float(genres[i] == genres[j])),
        (has_tag(labels, "c"), lambda i, j: float("c" in labels[j])),
        (
            shared_tags(labels),
            lambda i, j: len({*labels[i]} & {*labels[j]}) / max(len({*labels[i]} | {*labels[j]}), 1),
        ),
    ):
        asking = np.flatnonzero(target.known)
        assert 0 < len(asking) < 40 or target.known.all()
        found, usual = per_video(target, nearest)
        for i in asking:
            assert found[i] == pytest.approx(np.mean([alike(i, j) for j in nearest[i]]))
            assert usual[i] == pytest.approx(np.mean([alike(i, j) for j in range(40) if j != i]))
        assert np.isnan(found[~target.known]).all()
        number = precision(target, nearest)
        assert number is not None
        assert number["value"] == pytest.approx(np.mean(found[asking]))
        assert number["base_rate"] == pytest.approx(np.mean(usual[asking]))
        assert number["queries"] == len(asking)


def test_whole_artists_are_resampled():
    """Videos of one artist that always agree alike say as much as one of them."""
    random = np.random.default_rng(0)
    genres = np.repeat(random.choice(["rock", "pop"], 30), 4)
    artists = np.repeat([f"artist {number}" for number in range(30)], 4)
    nearest = np.repeat(random.choice(120, (30, 1)), 4, axis=0)
    single, whole = (precision(same_genre(genres), nearest, groups) for groups in (None, artists))
    assert single is not None
    assert whole is not None
    widths = [number["ci95"][1] - number["ci95"][0] for number in (single, whole)]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.15)  # the root of four videos an artist


def test_more_tags_than_a_word_of_bits():
    labels = [[f"tag {number}" for number in range(row, row + 70)] for row in range(0, 140, 35)]
    assert shared_tags(labels).match(np.array([0]), np.arange(4)) == pytest.approx([1, 1 / 3, 0, 0])


def test_null_and_interval_hold_their_promise():
    """Where tags have nothing to do with neighbours, the null's mean is the base rate and p is uniform."""
    nearest = find_neighbours(points(100)).nearest
    random = np.random.default_rng(5)
    found = []
    for seed in range(60):
        tagged = [["live"] if value < 0.3 else [] for value in random.random(100)]
        found.append(precision(has_tag(tagged, "live"), nearest, seed=seed, resamples=200, permutations=200))
    covered = [one["ci95"][0] <= one["base_rate"] <= one["ci95"][1] for one in found]
    inside = [one["null95"][0] <= one["value"] <= one["null95"][1] for one in found]
    assert np.mean(covered) > 0.8
    assert np.mean(inside) > 0.85
    assert 0.35 < np.mean([one["p"] for one in found]) < 0.65
    middle = np.mean([np.mean(one["null95"]) for one in found])
    assert middle == pytest.approx(np.mean([one["base_rate"] for one in found]), abs=0.02)


def test_found_where_it_is():
    """Two clusters, one of them tagged: every neighbour of a carrier carries it."""
    side = np.eye(6)[0]
    vectors = centred_unit_rows(points(100) + 8 * np.where(np.arange(100) < 30, 1, -1)[:, None] * side)
    tagged = [["live"]] * 30 + [[]] * 70
    number = precision(has_tag(tagged, "live"), find_neighbours(vectors).nearest)
    assert number is not None
    assert number["value"] == 1.0
    assert number["base_rate"] == pytest.approx(29 / 99)
    assert number["lift"] == pytest.approx(99 / 29)
    assert number["p"] == pytest.approx(1 / 501)
    assert number["null95"][1] < 0.6


def test_nobody_to_ask():
    assert precision(same_genre(np.array(["", "", ""])), find_neighbours(points(3)).nearest) is None
