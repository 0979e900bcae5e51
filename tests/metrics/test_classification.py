"""Against scikit-learn to 1e-12, with weights, ties, labels that cannot be judged; intervals by what they cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from antiphon.metrics import classification, paired_difference
from antiphon.metrics.classification_metrics import METRICS, macro, measured
from antiphon.metrics.groups import bootstrap_weights, permuted_rows
from antiphon.metrics.separation import Separation, permuted_separation
from antiphon.seeding import generator

pytestmark = pytest.mark.numeric


def drawn(seed, rows=120, labels=4, levels=12):
    """Scores with many ties, and targets that go with them."""
    random = np.random.default_rng(seed)
    targets = (random.random((rows, labels)) < np.linspace(0.1, 0.6, labels)).astype(np.int64)
    scores = np.round((random.random((rows, labels)) + targets) / 2 * levels) / levels
    return scores, targets


def sklearn_macro(scores, targets, weight=None):
    """The three macro means over the labels that have positives and negatives of some weight."""
    kept = np.ones(len(targets)) if weight is None else weight
    judged = [
        label
        for label in range(targets.shape[1])
        if kept[targets[:, label] == 1].any() and kept[targets[:, label] == 0].any()
    ]
    each = [(targets[:, label], scores[:, label]) for label in judged]
    return {
        "roc_auc": np.mean([roc_auc_score(*one, sample_weight=weight) for one in each]),
        "pr_auc": np.mean([average_precision_score(*one, sample_weight=weight) for one in each]),
        "f1": f1_score(targets, scores >= 0.5, labels=judged, average="macro", sample_weight=weight, zero_division=0.0),
    }


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 8))
def test_weighted_separation_equals_sklearn_with_ties(seed, rows, levels):
    random = np.random.default_rng(seed)
    scores, targets = random.integers(0, levels, rows) / 7, random.random(rows) < 0.4
    weights = random.poisson(0.8, (rows, 3))
    areas, averages = Separation.of(scores, targets).measure(weights)
    for column, (area, average) in enumerate(zip(areas, averages, strict=True)):
        weight = weights[:, column]
        if not weight[targets].sum() or not weight[~targets].sum():
            assert np.isnan([area, average]).all()
            continue
        assert area == pytest.approx(roc_auc_score(targets, scores, sample_weight=weight), abs=1e-12)
        assert average == pytest.approx(average_precision_score(targets, scores, sample_weight=weight), abs=1e-12)


@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 8))
def test_one_sort_for_permuted_targets_equals_sklearn(seed, rows, levels):
    random = np.random.default_rng(seed)
    scores, targets = random.integers(0, levels, rows) / 7, random.random((3, rows)) < 0.4
    areas, averages = permuted_separation(scores, targets)
    for row, area, average in zip(targets, areas, averages, strict=True):
        if row.all() or not row.any():
            assert np.isnan([area, average]).all()
            continue
        assert area == pytest.approx(roc_auc_score(row, scores), abs=1e-12)
        assert average == pytest.approx(average_precision_score(row, scores), abs=1e-12)


@given(st.integers(0, 10_000))
def test_what_only_stretches_the_scores_changes_neither_curve_and_turning_them_mirrors_the_area(seed):
    scores, targets = drawn(seed, rows=30)
    targets[:2, 0] = 0, 1
    plain, turned = Separation.of(scores[:, 0], targets[:, 0] == 1), Separation.of(-scores[:, 0], targets[:, 0] == 1)
    stretched = Separation.of(np.exp(3 * scores[:, 0]), targets[:, 0] == 1)
    once = np.ones((30, 1), dtype=np.int64)
    np.testing.assert_array_equal(plain.measure(once), stretched.measure(once))
    np.testing.assert_allclose(plain.measure(once)[0] + turned.measure(once)[0], 1, atol=1e-12)


def test_several_labels_equal_sklearn():
    scores, targets = drawn(0)
    found, expected = classification(scores, targets), sklearn_macro(scores, targets)
    for metric in METRICS:
        assert found[metric]["value"] == pytest.approx(expected[metric], abs=1e-12)
        assert macro(scores, targets)[metric] == pytest.approx(expected[metric], abs=1e-12)
    assert found["roc_auc"]["value"] == pytest.approx(roc_auc_score(targets, scores, average="macro"), abs=1e-12)
    assert [one["positives"] for one in found["by_label"].values()] == targets.sum(axis=0).tolist()
    assert found["by_label"]["2"]["roc_auc"] == pytest.approx(roc_auc_score(targets[:, 2], scores[:, 2]), abs=1e-12)


def test_one_class_a_row_equals_sklearn():
    random = np.random.default_rng(1)
    classes = random.integers(0, 4, 200)
    logits = random.normal(size=(200, 4)) + 1.5 * np.eye(4)[classes]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = classification(scores, classes, names=list("abcd"))
    assert found["roc_auc"]["value"] == pytest.approx(
        roc_auc_score(classes, scores, multi_class="ovr", average="macro"), abs=1e-12
    )
    assert found["pr_auc"]["value"] == pytest.approx(
        average_precision_score(np.eye(4)[classes], scores, average="macro"), abs=1e-12
    )
    assert found["f1"]["value"] == pytest.approx(
        f1_score(classes, scores.argmax(axis=1), average="macro", zero_division=0.0), abs=1e-12
    )
    assert found["f1"]["chance"] == found["pr_auc"]["chance"] == 0.25


def test_a_class_that_is_never_predicted_counts_as_zero():
    classes = np.array([0, 0, 1, 1, 2, 2])
    scores = np.tile([0.5, 0.4, 0.1], (6, 1)) + np.eye(3)[[0, 0, 1, 1, 0, 0]]
    found = classification(scores, classes)
    assert found["f1"]["value"] == pytest.approx(
        f1_score(classes, scores.argmax(axis=1), average="macro", zero_division=0.0), abs=1e-12
    )
    assert found["f1"]["worst"] == {"label": "2", "value": 0.0}


def test_every_resample_equals_sklearn_with_sample_weight():
    scores, targets = drawn(2, rows=60)
    targets[:, 0] = 0
    targets[:2, 0] = 1
    groups = np.arange(60) // 2
    found = measured(scores, targets, groups, seed=5, resamples=40)
    weights = bootstrap_weights(groups, 40, generator(5, "classification", "bootstrap"))
    missing = 0
    for index, weight in enumerate(weights):
        expected = sklearn_macro(scores, targets, weight)
        missing += weight[0] == 0
        for metric in METRICS:
            assert found.resampled[metric][index] == pytest.approx(expected[metric], abs=1e-12), metric
    assert missing > 5
    assert found.short == pytest.approx(missing / 40)


def test_the_null_permutes_whole_videos():
    scores, targets = drawn(3, rows=40)
    groups = np.arange(40) // 4
    found = classification(scores, targets, groups, seed=2, permutations=30, resamples=2)
    expected = [
        sklearn_macro(scores, targets[row]) for row in permuted_rows(groups, 30, generator(2, "classification", "null"))
    ]
    for metric in METRICS:
        edges = np.percentile([one[metric] for one in expected], [2.5, 97.5])
        np.testing.assert_allclose(found[metric]["null95"], edges, atol=1e-12)


def test_several_trainings_are_averaged():
    (first, targets), (second, _) = drawn(4), drawn(5)
    found = classification([first, second], targets)
    alone = [measured(scores, targets) for scores in (first, second)]
    assert found["seeds"] == 2
    for metric in METRICS:
        assert found[metric]["value"] == pytest.approx(np.mean([one.macro(metric) for one in alone]), abs=1e-12)
        both = np.mean([one.resampled[metric] for one in alone], axis=0)
        np.testing.assert_allclose(found[metric]["ci95"], np.percentile(both, [2.5, 97.5]), atol=1e-12)


def test_labels_that_cannot_be_judged_are_left_out_and_named():
    scores, targets = drawn(6)
    whole = classification(scores[:, 1:3], targets[:, 1:3])
    targets[:, 0], targets[:, 3] = 0, 1
    found = classification(scores, targets, names=["none", "a", "b", "all"])
    assert found["labels"] == ["a", "b"] == list(found["by_label"])
    assert found["left_out"] == [
        {"label": "none", "reason": "no row has it"},
        {"label": "all", "reason": "every row has it"},
    ]
    for metric in METRICS:
        assert found[metric]["value"] == whole[metric]["value"]
        assert found[metric]["chance"] == whole[metric]["chance"]


def test_scores_that_know_nothing_stand_at_chance_and_in_their_null():
    random = np.random.default_rng(7)
    targets = (random.random((3000, 3)) < [0.1, 0.2, 0.3]).astype(int)
    found = classification(random.random((3000, 3)) < [0.1, 0.2, 0.3], targets)
    for metric, level in (("roc_auc", 0.5), ("pr_auc", 0.2), ("f1", 0.2)):
        one = found[metric]
        assert one["chance"] == pytest.approx(level, abs=0.02)
        assert one["value"] == pytest.approx(one["chance"], abs=0.02)
        assert one["null95"][0] < one["value"] < one["null95"][1]
        assert one["ci95"][0] < one["chance"] < one["ci95"][1]


def test_interval_over_videos_is_wider_than_over_segments():
    scores, targets = drawn(8, rows=60)
    copies = np.repeat(np.arange(60), 10)
    grouped = measured(scores[copies], targets[copies], copies)
    loose = measured(scores[copies], targets[copies])
    for metric in METRICS:
        assert np.ptp(grouped.interval(metric)) > 2 * np.ptp(loose.interval(metric))


def test_a_paired_difference_sees_what_two_intervals_do_not():
    random = np.random.default_rng(9)
    targets = (random.random((900, 2)) < 0.3).astype(int)
    better = targets + 1.5 * random.normal(size=(900, 2))
    worse = better + 0.9 * random.normal(size=(900, 2))
    a, b = classification(better, targets), classification(worse, targets)
    found = paired_difference(better, worse, targets)["roc_auc"]
    assert a["roc_auc"]["ci95"][0] < b["roc_auc"]["ci95"][1]
    assert 0 < found["ci95"][0] < found["value"] < found["ci95"][1]
    assert found["value"] == pytest.approx(a["roc_auc"]["value"] - b["roc_auc"]["value"], abs=1e-12)
    same = paired_difference(better, better, targets)
    assert all(same[metric] == {"value": 0.0, "ci95": [0.0, 0.0]} for metric in METRICS)


@pytest.mark.parametrize(
    ("scores", "targets", "options", "message"),
    [
        (np.ones(3), [0, 1, 1], {}, r"scores: has shape \(3,\)"),
        (np.full((2, 2), np.nan), [0, 1], {}, "scores: hold values that are not finite"),
        (np.ones((3, 2)), [0, 1], {}, r"targets: int64 \(2,\) fits no scores of shape \(3, 2\)"),
        (np.ones((3, 2)), [0, 1, 2], {}, "targets: hold classes from 0 to 2; scores have 2"),
        (np.ones((2, 2)), [[0, 2], [1, 0]], {}, "targets: .*give .n, labels. of 0 and 1"),
        (np.ones((2, 2)), [[0, 1], [0, 1]], {}, "No label has both rows with it and rows without"),
        (np.ones((2, 2)), [0, 1], {"names": ["a"]}, "names: 1 names for 2 labels"),
        (np.ones((2, 2)), [0, 1], {"resamples": 0}, "resamples: 0 is less than 1"),
        (np.ones((2, 2)), [0, 1], {"permutations": 0}, "permutations: 0 is less than 1"),
    ],
)
def test_what_does_not_fit_is_refused(scores, targets, options, message):
    with pytest.raises(ValueError, match=message):
        classification(scores, targets, **options)
