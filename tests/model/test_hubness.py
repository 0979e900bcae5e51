"""Hubness correction: against its definition, and on a song that lies near the pictures of all videos."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from antiphon.embeddings import within_side
from antiphon.errors import ModelError
from antiphon.metrics.ranks import ranks
from antiphon.model.hubness import EXTRA, HubnessConfig, HubnessCorrection

pytestmark = pytest.mark.numeric


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pairs(count, seed, noise=1.0):
    """Two sides that share a direction each, and a common one that makes hubs."""
    random = np.random.default_rng(seed)
    shared, hub = random.normal(size=(count, 16)), np.ones(16)
    return [
        unit(shared + noise * random.normal(size=(count, 16)) + hub * random.exponential(2, size=(count, 1)))
        for _ in range(2)
    ]


def fitted(audio, video, **sizes):
    return HubnessCorrection(HubnessConfig(**sizes)).fit(torch.from_numpy(audio), torch.from_numpy(video))


def extended(correction, audio, video):
    both = (("audio", audio), ("video", video))
    return [correction.extended(side, torch.from_numpy(rows)).numpy() for side, rows in both]


def half_mean_of_nearest(rows, references, count):
    """r / 2 of Conneau et al. (2018), row by row."""
    return np.array([sorted(references.astype(float) @ row.astype(float))[-count:] for row in rows]).mean(axis=1) / 2


def test_dot_products_are_cosines_less_what_is_near_anyway():
    (audio, video), (asked, offered) = pairs(60, 0), pairs(25, 1)
    correction = fitted(audio, video, num_neighbours=4)
    own = half_mean_of_nearest(asked, video, 4), half_mean_of_nearest(offered, audio, 4)
    centre, bound = float(correction.centre), float(correction.bound)
    known = np.concatenate([half_mean_of_nearest(audio, video, 4), half_mean_of_nearest(video, audio, 4)])
    assert centre == pytest.approx(known.mean(), abs=1e-6)
    assert bound == pytest.approx(np.abs(known - known.mean()).max(), abs=1e-6)
    less = [np.clip(one - centre, -bound, bound) for one in own]
    wanted = (asked @ offered.T - less[0][:, None] - less[1]) / (1 + 2 * bound)
    found = extended(correction, asked, offered)
    np.testing.assert_allclose(found[0] @ found[1].T, wanted, atol=1e-6)


def test_a_tenth_of_few_references_are_neighbours():
    audio, video = pairs(30, 0)
    assert fitted(audio, video).num_neighbours == 3
    assert fitted(*pairs(400, 0)).num_neighbours == 20


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 10))
def test_rows_keep_length_one_and_the_cosines_within_a_side(seed, scale):
    audio, video = pairs(40, seed, noise=scale)
    found = extended(fitted(audio, video, num_neighbours=3), *pairs(12, seed + 1, noise=scale))
    for rows, plain in zip(found, pairs(12, seed + 1, noise=scale), strict=True):
        assert rows.shape[1] == plain.shape[1] + EXTRA
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(within_side(rows, EXTRA), plain, atol=1e-6)


def test_a_song_near_all_pictures_no_longer_comes_first():
    (audio, video), (asked, offered) = pairs(300, 0), pairs(200, 1)
    offered[0] = unit(audio.mean(axis=0, keepdims=True))[0]
    sound, pictures = extended(fitted(audio, video), asked, offered)
    before, after = (np.argsort(-scores, axis=1)[:, :10] for scores in (asked @ offered.T, sound @ pictures.T))
    assert (before == 0).any(axis=1).mean() > 0.2
    assert (after == 0).any(axis=1).mean() < (before == 0).any(axis=1).mean() / 2
    assert np.log(ranks(asked, offered)[0]).mean() - np.log(ranks(sound, pictures)[0]).mean() > 0.1


def test_scores_do_not_depend_on_what_else_is_compared():
    (audio, video), (asked, offered) = pairs(60, 0), pairs(25, 1)
    correction = fitted(audio, video)
    whole, part = extended(correction, asked, offered), extended(correction, asked[:3], offered[:3])
    np.testing.assert_allclose(whole[1][:3], part[1], atol=1e-6)


def test_fewer_than_ten_references_correct_nothing():
    assert not fitted(*pairs(9, 0)).is_fitted
    assert fitted(*pairs(10, 0)).is_fitted


def test_rows_that_are_all_alike_have_finite_embeddings():
    alike = np.repeat(pairs(1, 0)[0], 20, axis=0)
    found = extended(fitted(alike, alike), alike, alike)
    assert np.isfinite(found).all()


BROKEN = {
    "a bound of 0": {"bound": torch.tensor(0.0)},
    "a bound that is not a number": {"bound": torch.tensor(float("nan"))},
    "sides of other sizes": {"video_references": torch.ones(21, 16)},
    "too few": {"audio_references": torch.ones(3, 16), "video_references": torch.ones(3, 16)},
    "other embeddings": {"audio_references": torch.ones(20, 9), "video_references": torch.ones(20, 9)},
    "no matrix": {"audio_references": torch.ones(16), "video_references": torch.ones(16)},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_values_that_no_fitted_correction_has_are_refused(change):
    state = {f"x.{name}": value for name, value in fitted(*pairs(20, 0)).state_dict().items()}
    HubnessCorrection(HubnessConfig()).take_shapes(state, "x.", 16)
    broken = state | {f"x.{name}": value for name, value in change.items()}
    with pytest.raises(ModelError, match="hubness correction"):
        HubnessCorrection(HubnessConfig()).take_shapes(broken, "x.", 16)
