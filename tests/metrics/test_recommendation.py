"""Metrics of ranked lists against scikit-learn and against drawing the order of ties many times."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from antiphon.metrics.paired import mean_interval
from antiphon.metrics.recommendation import chance, coverage, ndcg, places, recall

pytestmark = pytest.mark.numeric


@pytest.fixture(params=["distinct", "tied"])
def lists(request):
    """Scores of 40 candidates and which are relevant, for several users."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(20):
        scores = random.normal(size=40) if request.param == "distinct" else random.integers(5, size=40).astype(float)
        found.append((scores, random.random(40) < random.uniform(0.05, 0.6)))
    return found


@pytest.mark.parametrize("k", [1, 3, 10, 40, 60])
def test_ndcg_is_that_of_scikit_learn(lists, k):
    for scores, relevant in lists:
        if relevant.any():
            expected = ndcg_score(relevant[None].astype(float), scores[None], k=k)
            assert ndcg(places(scores, k), relevant, k) == pytest.approx(expected)


def test_without_ties_recall_is_the_naive_one(lists):
    for scores, relevant in lists:
        if len(np.unique(scores)) == len(scores) and relevant.any():
            best = sorted(range(40), key=lambda row: -scores[row])[:10]
            assert recall(places(scores, 10), relevant) == pytest.approx(relevant[best].sum() / relevant.sum())


def test_ties_are_the_mean_over_their_orders():
    random = np.random.default_rng(1)
    scores = random.integers(3, size=12).astype(float)
    drawn = np.zeros((12, 2))
    for _ in range(4000):
        order = np.lexsort((random.random(12), -scores))
        drawn[order[:5], 0] += 1 / 4000
        drawn[order[:5], 1] += 1 / np.log2(np.arange(2, 7)) / 4000
    found = places(scores, 5)
    assert found.listed == pytest.approx(drawn[:, 0], abs=0.04)
    assert found.discount == pytest.approx(drawn[:, 1], abs=0.04)
    assert found.listed.sum() == pytest.approx(5)


def test_what_has_no_score_comes_last():
    assert places(np.array([np.nan, -5.0, 3.0]), 2).listed.tolist() == [0, 1, 1]


def test_all_tied_is_chance():
    relevant = np.arange(30) < 4
    found = places(np.zeros(30), 10)
    expected = chance([4], 30, 10)
    assert recall(found, relevant) == pytest.approx(expected["recall"]) == pytest.approx(1 / 3)
    assert ndcg(found, relevant, 10) == pytest.approx(expected["ndcg"])


def test_chance_is_what_random_lists_reach():
    random = np.random.default_rng(2)
    counts, reached = [2, 7, 12], []
    for _ in range(3000):
        found = [places(random.random(25), 5) for _ in counts]
        relevant = [np.arange(25) < count for count in counts]
        reached.append(
            [
                np.mean([recall(*pair) for pair in zip(found, relevant, strict=True)]),
                np.mean([ndcg(*pair, 5) for pair in zip(found, relevant, strict=True)]),
                coverage(np.array([one.listed for one in found])),
            ]
        )
    assert np.mean(reached, axis=0) == pytest.approx(list(chance(counts, 25, 5).values()), abs=0.01)


def test_coverage_counts_what_anybody_gets():
    assert coverage(np.array([[1.0, 0, 0, 0], [1.0, 0, 1, 0]])) == 0.5
    assert coverage(np.array([[0.5, 0.5], [0.5, 0.5]])) == 0.75


def test_nothing_relevant_is_no_number():
    found = places(np.arange(3.0), 1)
    assert np.isnan(recall(found, np.zeros(3, bool)))
    assert np.isnan(ndcg(found, np.zeros(3, bool), 1))


def test_the_interval_of_a_mean_is_that_of_the_normal_law():
    values = np.random.default_rng(3).normal(2, 1, 400)
    value, (low, high) = mean_interval(values)
    half = 1.96 * values.std() / 20
    assert value == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((value - half, value + half), abs=0.02)
