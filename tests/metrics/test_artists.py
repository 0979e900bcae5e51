"""Intervals over artists: wider where an artist's videos are alike, and the same where each has one."""

import numpy as np
import pytest

import antiphon as ap
from antiphon.metrics import retrieval
from antiphon.metrics.paired import rank_ratio
from antiphon.presentation.result_tables import resampled


def alike(artists, each, seed=0):
    """Videos whose sides fit better or worse by artist."""
    random = np.random.default_rng(seed)
    count = artists * each
    audio = random.normal(size=(count, 12))
    noise = np.repeat(random.choice([0.3, 6.0], size=artists), each)[:, None]
    video = audio + noise * random.normal(size=(count, 12))
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (audio, video)]
    return *unit, np.repeat([f"artist {number}" for number in range(artists)], each)


def width(found):
    low, high = found["a2v"]["by_metric"]["mrr"]["ci95"]
    return high - low


def test_an_interval_over_artists_is_wider_and_the_value_is_the_same():
    audio, video, artists = alike(12, 14)
    plain, over = retrieval(audio, video), retrieval(audio, video, artists=artists)
    assert plain["a2v"]["mrr"] == over["a2v"]["mrr"]
    assert width(over) > 1.5 * width(plain)
    assert (over["a2v"]["groups"], over["a2v"]["resampled"]) == (168, 12)
    assert resampled(over["a2v"]) == "168 videos in 12 groups by artist"
    assert "over 168 videos in 12 groups by artist" in str(over)


def test_the_interval_is_that_of_drawing_artists_by_hand():
    audio, video, artists = alike(12, 14)
    found = retrieval(audio, video, artists=artists, resamples=4000)
    of_artists = np.array([(1 / found.ranks["a2v"])[artists == name].mean() for name in np.unique(artists)])
    drawn = np.random.default_rng(1).integers(12, size=(4000, 12))
    expected = np.percentile(of_artists[drawn].mean(axis=1), [2.5, 97.5])
    np.testing.assert_allclose(found["a2v"]["by_metric"]["mrr"]["ci95"], expected, atol=0.02)


def test_where_each_video_has_an_artist_of_its_own_nothing_changes():
    audio, video, _ = alike(8, 20)
    assert retrieval(audio, video, artists=np.arange(160)) == retrieval(audio, video)


def test_fewer_than_ten_artists_are_not_drawn():
    audio, video, artists = alike(9, 10)
    found = retrieval(audio, video, artists=artists)
    assert found == retrieval(audio, video)
    assert "90 videos" in str(found) and "artist" not in str(found)


def test_comparisons_are_over_artists_too():
    audio, video, artists = alike(12, 14)
    mine, other = retrieval(audio, video, artists=artists), retrieval(audio, np.roll(video, 1, axis=1), artists=artists)
    found = mine.compare(other, direction="a2v")
    expected = rank_ratio(mine.ranks["a2v"][None], other.ranks["a2v"][None], artists)
    assert (found.low, found.high) == tuple(expected[1])
    assert "168 videos in 12 groups by artist" in str(found)
    plain = retrieval(audio, np.roll(video, 1, axis=1))
    assert plain.compare(mine, direction="a2v").resampled == 12, "whichever of the two knows artists"


def test_an_evaluation_draws_artists_where_they_are_known():
    audio, video, artists = alike(8, 20)
    features = ap.Features.from_arrays(audio=audio, video=video, artists=[*artists[:100], *[""] * 60])
    model = ap.CCA().fit_features(features.take(np.arange(0, 160, 2)))
    with pytest.warns(UserWarning, match="seen"):
        found = ap.evaluate(model, features)
    assert found["a2v"]["resampled"] == 5 + 60
