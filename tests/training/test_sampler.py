"""Batches: every row once, no two of one video."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from antiphon.training.sampler import batches

groups_lists = st.lists(st.integers(0, 6), min_size=1, max_size=40).map(np.array)


@given(groups_lists, st.integers(2, 9), st.integers(0, 9))
def test_no_batch_holds_two_rows_of_one_group_and_each_row_comes_at_most_once(groups, size, seed):
    for generator in (None, np.random.default_rng(seed)):
        epoch = batches(groups, size, generator)
        rows = np.concatenate(epoch) if epoch else np.array([], dtype=int)
        assert len(set(rows)) == len(rows)
        for batch in epoch:
            assert 2 <= len(batch) <= size
            assert len(set(groups[batch])) == len(batch)


@given(st.integers(2, 30), st.integers(1, 4), st.integers(3, 9))
def test_with_equal_groups_every_row_is_used_and_batches_are_nearly_equal(videos, segments, size):
    groups = np.repeat(np.arange(videos), segments)
    epoch = batches(groups, size, np.random.default_rng(0))
    if videos % size != 1 or videos > size:
        assert sum(map(len, epoch)) == len(groups)
    sizes = [len(batch) for batch in epoch]
    assert max(sizes) - min(sizes) <= 1


@given(groups_lists, st.integers(2, 9), st.integers(0, 9))
def test_batches_are_as_few_as_can_be_nearly_equal_and_leave_out_single_rows_only(groups, size, seed):
    largest = np.unique(groups, return_counts=True)[1].max()
    for generator in (None, np.random.default_rng(seed)):
        sizes = [len(batch) for batch in batches(groups, size, generator)]
        fewest = max(largest, -(-len(groups) // size))
        singles = len(groups) - sum(sizes)
        assert len(sizes) + singles == fewest
        assert not sizes or max(sizes) - (1 if singles else min(sizes)) <= 1


@given(st.integers(2, 30), st.integers(1, 6))
def test_equal_groups_that_fit_make_one_batch_of_all_videos_a_segment(videos, segments):
    epoch = batches(np.repeat(np.arange(videos), segments), 30, np.random.default_rng(0))
    assert [len(batch) for batch in epoch] == [videos] * segments


def test_a_few_long_videos_do_not_make_small_batches_nor_a_known_end():
    """100 videos of one segment and 3 of six: once a batch of 100 and five of those 3, in that order."""
    groups = np.concatenate([np.arange(100), np.repeat([100, 101, 102], 6)])
    generator = np.random.default_rng(0)
    lasts = set()
    for _ in range(20):
        epoch = batches(groups, 1000, generator)
        assert sorted(len(batch) for batch in epoch) == [19, 19, 20, 20, 20, 20]
        lasts.add(len(epoch[-1]))
    assert lasts == {19, 20}


def test_the_order_of_batches_is_shuffled():
    groups = np.repeat(np.arange(5), [3, 2, 2, 2, 2])
    generator = np.random.default_rng(0)
    assert {tuple(len(batch) for batch in batches(groups, 9, generator)) for _ in range(50)} == {
        (4, 4, 3),
        (4, 3, 4),
        (3, 4, 4),
    }


def test_epochs_differ_and_mix_the_segments():
    groups = np.repeat(np.arange(10), 3)
    generator = np.random.default_rng(0)
    first, second = batches(groups, 10, generator), batches(groups, 10, generator)
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]
    assert len({row % 3 for row in first[0]}) > 1
    assert [b.tolist() for b in batches(groups, 10, None)] == [b.tolist() for b in batches(groups, 10, None)]


def test_every_video_meets_every_other_one():
    generator = np.random.default_rng(0)
    met = {int(row) for _ in range(50) for batch in batches(np.arange(12), 4, generator) if 0 in batch for row in batch}
    assert met == set(range(12))
