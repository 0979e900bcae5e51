"""Answers to queries, against the naive way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.evaluation.answers import evenly_spaced, top_candidates
from antiphon.metrics.ranks import ranks

pytestmark = pytest.mark.numeric


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=80)
def test_equal_to_the_naive_way(count: int, k: int, seed: int, coarse: bool) -> None:
    """Coarse vectors have many equal scores."""
    random = np.random.default_rng(seed)
    queries, candidates = random.normal(size=(2, count, 3))
    if coarse:
        queries, candidates = queries.round(), candidates.round()
    rows = random.permutation(count)[: random.integers(1, count + 1)].tolist()
    found = top_candidates(queries, candidates, rows, k)
    assert [answer.query for answer in found] == rows
    all_ranks = ranks(queries, candidates)[0]
    for answer in found:
        scores = [float(queries[answer.query] @ candidate) for candidate in candidates]
        best = sorted(range(count), key=lambda index: (-round(scores[index], 6), index))[:k]
        assert answer.scores == pytest.approx([scores[index] for index in best])
        if coarse:
            assert list(answer.best) == best
        assert answer.rank == all_ranks[answer.query]
        assert answer.true_score == pytest.approx(scores[answer.query])
        assert answer.n == count


def test_what_differs_by_rounding_is_a_tie() -> None:
    random = np.random.default_rng(0)
    candidates = np.repeat(random.normal(size=(4, 6)), 5, axis=0)
    nearly = candidates + 1e-9 * random.normal(size=candidates.shape)
    for answer in top_candidates(candidates, nearly, list(range(20)), 20):
        assert answer.best == top_candidates(candidates, candidates, [answer.query], 20)[0].best
        assert all(
            list(answer.best[five : five + 5]) == sorted(answer.best[five : five + 5]) for five in (0, 5, 10, 15)
        )


def test_direction_matters() -> None:
    queries = np.array([[1.0, 0.0], [0.0, 1.0]])
    candidates = np.array([[0.1, 0.9], [0.2, 0.3]])
    assert top_candidates(queries, candidates, [0], 2)[0].best == (1, 0)
    assert top_candidates(candidates, queries, [0], 2)[0].best == (1, 0)
    assert top_candidates(queries, candidates, [1], 2)[0].best == (0, 1)
    assert top_candidates(candidates, queries, [1], 2)[0].rank == 1


def test_no_rows() -> None:
    assert top_candidates(np.eye(2), np.eye(2), []) == []


def test_unusable_input() -> None:
    with pytest.raises(ValueError, match=r"queries have shape \(3, 3\) and candidates \(2, 2\)"):
        top_candidates(np.eye(3), np.eye(2), [0])
    for rows in ([0, 0], [3], [-1]):
        with pytest.raises(ValueError, match="rows must be distinct and below 3"):
            top_candidates(np.eye(3), np.eye(3), rows)


def test_spread_reaches_from_best_to_worst() -> None:
    values = np.random.default_rng(0).permutation(1000).astype(float)
    chosen = values[evenly_spaced(values, 12)]
    assert chosen[0] == 0
    assert chosen[-1] == 999
    assert (np.abs(np.diff(chosen) - 999 / 11) <= 1).all()


def test_spread_of_few_is_all_in_order() -> None:
    assert evenly_spaced([3.0, 1.0, 2.0], 12) == [1, 2, 0]
    assert evenly_spaced([1.0, 1.0, 1.0], 3) == [0, 1, 2]
