"""Controls and ways of the benchmark of moments."""

import numpy as np
import pytest

from antiphon.features import Features
from moments import asked, centred, course_of, curves_of, in_order, joined, shown, summed, turned


@pytest.fixture(scope="module")
def features():
    """60 tracks of 24 to 40 segments, mixed up, whose sides change together."""
    random = np.random.default_rng(0)
    groups = np.repeat([f"{track:02d}" for track in range(60)], random.integers(24, 41, 60))
    shared = random.normal(size=(len(groups), 3))
    counts = np.unique(groups, return_counts=True)[1]
    order = random.permutation(len(groups))
    mixed = Features.from_arrays(
        audio=(shared + 0.5 * random.normal(size=shared.shape))[order],
        video=(shared + 0.5 * random.normal(size=shared.shape))[order],
        groups=groups[order],
        starts_s=np.concatenate([5.0 * np.arange(count) for count in counts])[order],
    )
    return in_order(mixed)


def test_rows_are_in_order_of_time_and_sound_is_turned_by_half_a_track(features):
    moved = turned(features)
    for track in np.unique(features.groups):
        rows = features.groups == track
        assert (np.diff(features.starts_s[rows]) == 5).all()
        np.testing.assert_array_equal(moved.audio[rows], np.roll(features.audio[rows], rows.sum() // 2, axis=0))


def test_moments_are_found_by_curves_and_not_where_the_sound_is_turned(features):
    course = course_of(features)
    here, moved = (asked(curves_of(course, each), each, 0) for each in (features, turned(features)))
    other_fold = asked(curves_of(course, features), features, 1)
    found = summed([{"here": here, "moved": moved}, {"here": other_fold, "moved": moved}])
    rank, moved = (found[name]["v2a"]["by_metric"]["mean_normalised_rank"] for name in ("here", "moved"))
    assert rank["value"] < 0.2 and found["here"]["v2a"]["groups"] == 120
    assert moved["ci95"][0] < 0.5 < moved["ci95"][1] or moved["value"] > 0.45
    assert shown(found).count("pictures → song") == 2


def test_both_ways_side_by_side_have_products_of_the_same_size_within_tracks(features):
    groups, random = features.groups, np.random.default_rng(1)
    first = tuple(centred(random.normal(size=(len(groups), 2)), groups) for _ in "av")
    second = tuple(100 * random.normal(size=(len(groups), 3)) for _ in "av")
    audio, video = joined(first, second, groups)
    one = groups == groups[0]
    parts = [(audio[one][:, part] @ video[one][:, part].T).std() for part in (slice(0, 2), slice(2, 5))]
    assert 0.5 < parts[0] / parts[1] < 2
    np.testing.assert_allclose(audio[one].mean(axis=0), 0, atol=1e-6)
