"""Krippendorff's alpha: his own worked examples, a naive evaluation of the formula, and what must not change it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from antiphon.metrics import krippendorff_alpha

pytestmark = pytest.mark.numeric

GAP = np.nan
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": section A (binary, two observers), section B
# (nominal, two observers; letters as numbers), section C (nominal, four observers, gaps).
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
TWO_OBSERVERS = [[0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0], [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]]
FOUR_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, GAP, GAP, GAP],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, GAP, 3],
    [GAP, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, GAP],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, GAP],
]
TABLES = arrays(
    np.float64, st.tuples(st.integers(2, 5), st.integers(1, 9)), elements=st.sampled_from([0.0, 1.0, 2.0, GAP])
)


def naive_alpha(answers):
    """The formula, pair by pair: an explicit coincidence matrix."""
    coincidences = {}
    for unit in np.asarray(answers, dtype=float).T:
        values = [value for value in unit if not np.isnan(value)]
        for one, other in itertools.permutations(range(len(values)), 2):
            pair = (values[one], values[other])
            coincidences[pair] = coincidences.get(pair, 0) + 1 / (len(values) - 1)
    margins = {}
    for (value, _), count in coincidences.items():
        margins[value] = margins.get(value, 0) + count
    total = sum(margins.values())
    observed = sum(count for (one, other), count in coincidences.items() if one != other)
    expected = sum(margins[one] * margins[other] for one, other in itertools.permutations(margins, 2))
    return 1 - (total - 1) * observed / expected if expected else np.nan


@pytest.mark.parametrize(("answers", "published"), [(BINARY, 0.095), (TWO_OBSERVERS, 0.692), (FOUR_OBSERVERS, 0.743)])
def test_the_published_examples(answers, published):
    found = krippendorff_alpha(answers)
    assert round(found.value, 3) == published
    assert found.value == pytest.approx(naive_alpha(answers))
    assert found.ci95[0] < found.value < found.ci95[1]


def test_units_with_one_answer_are_not_counted():
    found = krippendorff_alpha(FOUR_OBSERVERS)
    assert (found.units, found.answers) == (11, 40)  # unit 12 has one value


@settings(max_examples=80)
@given(TABLES)
def test_equals_the_naive_formula_and_ignores_names_and_orders(answers):
    value = krippendorff_alpha(answers).value
    assert value == pytest.approx(naive_alpha(answers), nan_ok=True)
    renamed = np.where(answers == 0, 7.0, np.where(answers == 1, -3.0, answers))
    assert krippendorff_alpha(renamed).value == pytest.approx(value, nan_ok=True)
    assert krippendorff_alpha(answers[::-1, ::-1]).value == pytest.approx(value, nan_ok=True)


def test_perfect_agreement_is_one_and_random_answers_are_near_zero():
    random = np.random.default_rng(0)
    one = random.integers(0, 2, size=400).astype(float)
    perfect = krippendorff_alpha(np.stack([one, one, one]))
    assert perfect.value == 1
    assert perfect.ci95 == (1, 1)
    chance = krippendorff_alpha(random.integers(0, 2, size=(4, 2000)).astype(float))
    assert abs(chance.value) < 0.03
    assert chance.ci95[0] < 0 < chance.ci95[1]


def test_two_who_always_differ_disagree_systematically():
    assert krippendorff_alpha([[0, 1] * 50, [1, 0] * 50]).value < -0.9


def test_without_variation_or_pairs_there_is_no_alpha_but_a_reason():
    same = krippendorff_alpha(np.zeros((3, 5)))
    assert np.isnan([same.value, *same.ci95]).all()
    assert "all answers are the same" in same.reason
    alone = krippendorff_alpha([[0, GAP], [GAP, 1]])
    assert np.isnan(alone.value)
    assert "two judges" in alone.reason
    assert krippendorff_alpha(np.full((2, 0), GAP)).units == 0


def test_the_interval_resamples_groups_whole():
    random = np.random.default_rng(3)
    few = random.integers(0, 2, size=(3, 12)).astype(float)
    many = np.repeat(few, 30, axis=1)
    together = krippendorff_alpha(many, groups=np.repeat(np.arange(12), 30)).ci95
    apart = krippendorff_alpha(many).ci95
    assert together[1] - together[0] > 3 * (apart[1] - apart[0])


def test_answers_must_be_a_table():
    with pytest.raises(ValueError, match=r"judges, units"):
        krippendorff_alpha([0, 1])
