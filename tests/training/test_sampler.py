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


def test_epochs_differ_and_mix_the_segments():
    groups = np.repeat(np.arange(10), 3)
    generator = np.random.default_rng(0)
    first, second = batches(groups, 10, generator), batches(groups, 10, generator)
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]
    assert len({row % 3 for row in first[0]}) > 1
    assert [b.tolist() for b in batches(groups, 10, None)] == [b.tolist() for b in batches(groups, 10, None)]
