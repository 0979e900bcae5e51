"""Folds, controls and ranks of the benchmark of real music videos over time."""

import numpy as np
import pytest

from antiphon.evaluation.retrieval import with_other_sound
from antiphon.features import Features
from antiphon.features.tracks import Tracks
from muvi_sync import among_same_lengths, both_ways, dealt, divided, shifted


@pytest.fixture(scope="module")
def features():
    """120 tracks of 9 to 14 segments by 40 artists."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(120), random.integers(9, 15, 120))
    starts_s = np.concatenate([5.0 * np.arange(count) for count in np.bincount(groups)])
    return Features.from_arrays(
        audio=random.normal(size=(len(groups), 3)),
        video=random.normal(size=(len(groups), 4)),
        groups=[f"{group:03d}" for group in groups],
        artists=[f"artist {group % 40}" for group in groups],
        starts_s=starts_s,
    )


def test_no_artist_is_in_two_parts_and_folds_are_about_as_large(features):
    turns = dealt(features, 5, 0)
    counts = [len(np.unique(features.groups[turns == turn])) for turn in range(5)]
    assert counts == [24] * 5
    for turn in range(5):
        parts = divided(features, turns, turn)
        artists = [set(part.artists.tolist()) for part in parts]
        assert sum(map(len, artists)) == len(set.union(*artists)) == 40
        assert sum(map(len, parts)) == len(features)


def test_shifted_sound_is_the_same_sound_40_s_later(features):
    moved = shifted(features)
    for rows in Tracks.of(features.groups, features.starts_s).rows:
        np.testing.assert_array_equal(moved.audio[rows], np.roll(features.audio[rows], 8, axis=0))
    np.testing.assert_array_equal(moved.video, features.video)


def test_other_sound_is_that_of_another_track_and_as_long(features):
    other = with_other_sound(features)
    tracks = Tracks.of(features.groups, features.starts_s).rows
    for rows, source in zip(tracks, [*tracks[1:], tracks[0]], strict=True):
        assert {tuple(row) for row in other.audio[rows]} <= {tuple(row) for row in features.audio[source]}
    np.testing.assert_array_equal(other.groups, features.groups)


def test_places_among_same_lengths_leave_length_out():
    """Scores that know the length alone are at chance among tracks of one length, and far above it among all."""
    lengths = np.repeat([20, 30, 40, 50], 10)
    scores = -np.abs(lengths[:, None] - lengths).astype(float)
    assert (both_ways(scores) == 5.5).all()
    np.testing.assert_allclose(among_same_lengths(scores, lengths), 0.5)
    np.testing.assert_allclose(among_same_lengths(np.eye(40), lengths), 0.05)
    assert np.isnan(among_same_lengths(np.eye(3), np.array([1, 1, 1]))).all()
