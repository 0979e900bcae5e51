"""Tracks: rows of a video in order of time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from antiphon.features.tracks import Tracks

NAN = np.nan


def test_rows_follow_their_starts_and_their_own_order_where_one_is_unknown():
    groups = np.array(["b", "a", "b", "a", "c", "a", "c"])
    tracks = Tracks.of(groups, np.array([9.0, 2.0, 4.0, 1.0, NAN, 3.0, 7.0]))
    assert tracks.names.tolist() == ["a", "b", "c"]
    assert [rows.tolist() for rows in tracks.rows] == [[3, 1, 5], [2, 0], [4, 6]]
    assert tracks.numbers.tolist() == [1, 0, 1, 0, 2, 0, 2]
    assert tracks.starts_s.tolist() == [9.0, 2.0, 4.0, 1.0, 0.0, 3.0, 5.0]


def test_tracks_of_different_lengths_are_stacked_with_a_mask():
    tracks = Tracks.of(np.array(["a", "b", "b", "b", "c"]), np.full(5, NAN))
    rows, mask = tracks.stacked([2, 1])
    assert rows.tolist() == [[4, 0, 0], [1, 2, 3]]
    assert mask.tolist() == [[True, False, False], [True, True, True]]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 5), st.integers(0, 99))
def test_at_most_so_many_rows_of_a_track_are_drawn_each_once_and_in_order(numbers, most, seed):
    groups = np.array(numbers)
    starts_s = np.random.default_rng(seed).permutation(len(groups)).astype(np.float64)
    tracks = Tracks.of(groups, starts_s)
    rows, mask = tracks.stacked(range(len(tracks.names)), most, np.random.default_rng(seed))
    for name, line, there in zip(tracks.names, rows, mask, strict=True):
        drawn = line[there]
        assert len(drawn) == min(most, (groups == name).sum())
        assert (groups[drawn] == name).all()
        assert (np.diff(starts_s[drawn]) > 0).all()
