"""Weights of the parts of a track model."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from antiphon.training.track_models import discriminant


def pools(apart, count=2, size=40, seed=0):
    random = np.random.default_rng(seed)
    mix = np.eye(len(apart)) + 0.3
    found = []
    for _ in range(count):
        scores = np.tensordot(mix, random.normal(size=(len(apart), size, size)), axes=1)
        for part, by in zip(scores, apart, strict=True):
            part[np.diag_indices(size)] += by
        found.append(scores)
    return found


@pytest.mark.numeric
def test_weights_are_those_of_a_linear_discriminant():
    made = pools((4.0, 3.0), seed=3)
    true = np.concatenate([np.diagonal(scores, axis1=1, axis2=2).T for scores in made])
    false = np.concatenate([scores[:, ~np.eye(40, dtype=bool)].T for scores in made])
    within = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.5, 0.5])
    within.fit(np.r_[false, true], np.repeat([0, 1], [len(false), len(true)]))
    expected = within.coef_[0] / within.coef_[0].sum()
    assert (expected > 0).all()
    np.testing.assert_allclose(discriminant(made), expected, rtol=0.01)


def test_a_part_that_tells_nothing_or_the_contrary_has_no_weight():
    weights = discriminant(pools((3.0, -2.0, 0.0), count=5))
    assert weights.min() == 0
    assert weights[1] == 0
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_array_equal(discriminant(pools((-3.0, -3.0))), [0.5, 0.5])
