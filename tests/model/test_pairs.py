"""Which pairs are positives and which no negatives, against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.model.losses.scores import label_targets, same_artist


def test_rows_of_one_known_artist_are_no_negatives():
    names = np.array(["x", "", "y", "x", "", "x"])
    expected = [[i != j and a == b != "" for j, b in enumerate(names)] for i, a in enumerate(names)]
    assert same_artist(names).tolist() == expected


@settings(max_examples=30)
@given(st.lists(st.lists(st.sampled_from("abcd"), unique=True).map(tuple), min_size=1, max_size=7))
def test_label_targets_are_shares_of_common_labels(labels):
    found = label_targets(labels)
    for i, one in enumerate(labels):
        shares = [
            1.0 if i == j else len({*one} & {*other}) / max(len({*one} | {*other}), 1) for j, other in enumerate(labels)
        ]
        assert found[i].tolist() == pytest.approx([share / sum(shares) for share in shares], abs=1e-6)
