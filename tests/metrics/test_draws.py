"""Numbers averaged over held-out sets."""

import numpy as np
import pytest

from antiphon.metrics.draws import over_draws
from antiphon.metrics.paired import median_over_seeds

pytestmark = pytest.mark.numeric


def some_ranks(trainings, count, seed):
    return np.random.default_rng(seed).integers(1, count + 1, size=(trainings, count)).astype(float)


def test_values_are_means_over_trainings_and_then_over_sets():
    parts = [some_ranks(3, 40, 0), some_ranks(2, 60, 1)]
    found = over_draws(parts, [np.arange(40), np.arange(60)], ks=(10,))
    assert found["median_rank"]["value"] == np.mean([np.median(part, axis=1).mean() for part in parts])
    assert found["mrr"]["value"] == pytest.approx(np.mean([(1 / part).mean() for part in parts]))
    assert found["recall@10"]["value"] == pytest.approx(np.mean([(part <= 10).mean() for part in parts]))
    low, high = found["median_rank"]["ci95"]
    assert low < found["median_rank"]["value"] < high


def test_more_sets_make_the_interval_narrower_and_one_set_has_that_of_its_trainings():
    parts, groups = [some_ranks(2, 80, seed) for seed in range(9)], [np.arange(80)] * 9
    alone, together = (over_draws(parts[:count], groups[:count])["median_rank"]["ci95"] for count in (1, 9))
    assert np.diff(together)[0] < 0.6 * np.diff(alone)[0]
    assert alone == pytest.approx(median_over_seeds(parts[0])[1], abs=3)


def test_videos_are_resampled_whole():
    # Two videos of very different ranks: every resample has one, the other, or both.
    ranks = np.repeat([[1.0, 100.0]], 50, axis=1)
    low, high = over_draws([ranks], [np.repeat(["a", "b"], 50)])["mean_rank"]["ci95"]
    assert (low, high) == (1.0, 100.0)
