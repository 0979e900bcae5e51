"""Differences between models, and medians over several trainings."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from antiphon.metrics.paired import median_over_seeds, rank_ratio
from antiphon.metrics.published_formula import published_median_rank

pytestmark = pytest.mark.numeric

pytestmark = pytest.mark.numeric


def test_the_median_over_seeds_is_the_mean_of_the_medians_and_lies_in_its_interval():
    ranks = np.random.default_rng(0).integers(1, 200, size=(3, 101)).astype(float)
    value, (low, high) = median_over_seeds(ranks)
    assert value == np.mean([np.median(row) for row in ranks])
    assert low < value < high


def test_whole_videos_are_resampled():
    """A hundred copies of each of ten ranks know no more than the ten."""
    ranks = np.random.default_rng(0).permutation(np.arange(1.0, 11))[None]
    many = np.repeat(ranks, 100, axis=1)
    alone = median_over_seeds(ranks)[1]
    together = median_over_seeds(many, groups=np.repeat(np.arange(10), 100))[1]
    assert np.diff(together)[0] > 0.7 * np.diff(alone)[0]
    assert np.diff(median_over_seeds(many)[1])[0] < 0.5 * np.diff(together)[0]


def test_the_ratio_equals_scipys_bootstrap_of_the_log_difference():
    random = np.random.default_rng(1)
    reference = random.integers(1, 500, size=300).astype(float)
    ranks = np.maximum(1, reference * random.uniform(0.3, 1.1, size=300))
    value, edges = rank_ratio(ranks, reference)
    gains = np.log(reference) - np.log(ranks)
    expected = bootstrap((gains,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2))
    assert value == pytest.approx(np.exp(gains.mean()))
    np.testing.assert_allclose(np.log(edges), expected.confidence_interval, atol=0.02)


def test_trainings_are_averaged_on_log_ranks():
    ranks = np.array([[1.0, 4.0], [4.0, 1.0]])
    assert rank_ratio(ranks, np.array([2.0, 2.0])) == (1.0, [1.0, 1.0])


def test_the_published_formula_is_about_half_the_pool_whatever_the_embeddings():
    random = np.random.default_rng(0)
    perfect = random.normal(size=(1000, 64))
    for audio, video in ((perfect, perfect), (perfect, random.normal(size=(1000, 64)))):
        assert 440 < published_median_rank(audio, video) < 560


def test_the_published_formula_prints_what_the_published_code_does():
    """`np.median(np.diag(np.argsort(np.dot(video, audio.T), axis=1)))`, step by step for a small case."""
    audio, video = np.random.default_rng(3).normal(size=(2, 9, 4))
    picked = [sorted(range(9), key=lambda j, row=i: float(video[row] @ audio[j]))[i] for i in range(9)]
    assert published_median_rank(audio, video) == sorted(picked)[4]
