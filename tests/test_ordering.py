"""What counts as a tie."""

import numpy as np
import pytest

from antiphon.ordering import descending, rounded

pytestmark = pytest.mark.numeric


def test_sums_in_another_order_tie() -> None:
    random = np.random.default_rng(0)
    terms = random.normal(size=(1000, 64)) / 64
    sums = np.array([[sum(line), sum(line[::-1]), line.sum()] for line in terms])
    assert (sums != sums[:, :1]).any()
    compared = rounded(sums)
    assert (compared == compared[:, :1]).all()
    assert np.abs(compared - sums).max() <= 5e-7


def test_ties_stand_in_order_and_nan_last() -> None:
    scores = np.array([np.nan, 0.1 + 0.2, 0.5, 0.3, -np.inf, 0.3 + 2e-6])
    assert descending(scores).tolist() == [2, 5, 1, 3, 4, 0]
    assert descending(np.stack([scores, scores[::-1]])).tolist() == [[2, 5, 1, 3, 4, 0], [3, 0, 2, 4, 1, 5]]
