"""Cosines against a naive loop."""

import numpy as np
import pytest

import antiphon as ap
from antiphon.metrics.similarity import cosine_similarity


def test_cosines_equal_a_naive_loop_and_stay_in_range() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(5, 4)).astype(np.float32), random.normal(size=(7, 4))
    found = cosine_similarity(a, b)
    assert found.shape == (5, 7)
    assert found.dtype == np.float32
    for i, row in enumerate(a.astype(float)):
        for j, other in enumerate(b):
            assert found[i, j] == pytest.approx(row @ other / np.sqrt(row @ row) / np.sqrt(other @ other), abs=1e-6)
    assert np.abs(cosine_similarity(a, 1e6 * a)).max() <= 1


def test_missing_rows_stay_missing_and_zeros_are_like_nothing() -> None:
    found = cosine_similarity([[np.nan, np.nan], [0.0, 0.0]], [[1.0, 2.0]])
    assert np.isnan(found[0, 0])
    assert found[1, 0] == 0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.ones(3), np.ones((2, 3)), r"a must be a matrix of numbers \(n, dim\), not float64 of shape \(3,\)"),
        (np.ones((2, 3)), [["x"]], r"b must be a matrix of numbers"),
        (np.ones((2, 3)), np.ones((2, 4)), r"a has shape \(2, 3\) and b \(2, 4\)"),
    ],
)
def test_other_shapes_are_value_errors(a: object, b: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ap.DualEncoder("paper-base").similarity(a, b)  # type: ignore[arg-type]
