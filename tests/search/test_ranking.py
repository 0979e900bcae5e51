"""Alignment and diversity against enumerating everything."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from antiphon.search.ranking import best_alignment, maximal_marginal_relevance

pytestmark = pytest.mark.numeric

pytestmark = pytest.mark.numeric

_SCORES = arrays(np.float64, st.tuples(st.integers(0, 4), st.integers(0, 5)), elements=st.floats(-1, 1, width=16))


def _enumerated(scores):
    """The best total of all ways to match rows with columns, both going forwards."""
    rows, columns = scores.shape
    return max(
        sum(scores[pair] for pair in zip(some, others, strict=True))
        for count in range(min(rows, columns) + 1)
        for some in combinations(range(rows), count)
        for others in combinations(range(columns), count)
    )


@given(_SCORES)
@settings(max_examples=200)
def test_the_alignment_is_the_best_of_all(scores):
    total, pairs = best_alignment(scores)
    assert total == pytest.approx(_enumerated(scores))
    assert total == pytest.approx(sum(scores[pair] for pair in pairs))
    for (row, column), (next_row, next_column) in pairwise(pairs):
        assert row < next_row
        assert column < next_column


def _brute_force(scores, alike, diversity, k):
    picks = []
    while len(picks) < min(k, len(scores)):
        values = {
            row: (1 - diversity) * scores[row] - diversity * max((alike[row, pick] for pick in picks), default=0)
            for row in range(len(scores))
            if row not in picks
        }
        picks.append(max(values, key=lambda row: (values[row], -row)))
    return picks


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(10))
def test_maximal_marginal_relevance_is_the_greedy_choice(diversity, seed):
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(7, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores, alike = draw.uniform(-1, 1, size=7), vectors @ vectors.T
    assert maximal_marginal_relevance(scores, alike, diversity, 5) == _brute_force(scores, alike, diversity, 5)
    if not diversity:
        assert maximal_marginal_relevance(scores, alike, 0, 7) == np.argsort(-scores).tolist()
