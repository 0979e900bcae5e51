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


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=30), st.integers(0, 99))
def test_the_nearest_present_row_is_the_one_found_by_looking_at_all(rows, seed):
    groups, present = (np.array(column) for column in zip(*rows, strict=True))
    starts_s = np.random.default_rng(seed).permutation(len(groups)).astype(np.float64)
    found = Tracks.of(groups, starts_s).nearest(present)
    for row, nearest in enumerate(found):
        places = {
            other: place
            for place, other in enumerate(
                np.flatnonzero(groups == groups[row])[np.argsort(starts_s[groups == groups[row]])]
            )
        }
        known = [other for other in places if present[other]]
        if not known:
            assert nearest == -1
            continue
        assert nearest == min(known, key=lambda other: (abs(places[other] - places[row]), places[other]))
