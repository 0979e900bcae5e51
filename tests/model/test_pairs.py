"""Which pairs are positives and which no negatives, against loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.model.losses import structure
from antiphon.model.losses.pairs import label_targets, same_artist


def unit(count, dim, seed):
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    return torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_rows_of_one_known_artist_are_no_negatives():
    names = np.array(["x", "", "y", "x", "", "x"])
    expected = [[i != j and a == b != "" for j, b in enumerate(names)] for i, a in enumerate(names)]
    assert same_artist(names).tolist() == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.sampled_from("abcd"), unique=True).map(tuple), min_size=1, max_size=7))
def test_label_targets_are_shares_of_common_labels(labels):
    found = label_targets(labels)
    for i, one in enumerate(labels):
        shares = [
            1.0 if i == j else len({*one} & {*other}) / max(len({*one} | {*other}), 1) for j, other in enumerate(labels)
        ]
        assert found[i].tolist() == pytest.approx([share / sum(shares) for share in shares], abs=1e-6)


def naive_structure(features, embeddings):
    f = features / features.norm(dim=1, keepdim=True)
    total, n = 0.0, len(f)
    for i in range(n):
        for j in range(n):
            for k in range(n):
                before = float(f[i] @ f[j]) - float(f[i] @ f[k])
                after = float(embeddings[i] @ embeddings[j]) - float(embeddings[i] @ embeddings[k])
                total += (np.sign(after) - np.sign(before)) * after
    return total / n**3


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 8), st.integers(0, 99))
def test_structure_equals_the_sum_over_all_triplets_in_any_order(count, seed):
    features, embeddings = 3 * unit(count, 5, seed), unit(count, 3, seed + 1)
    found = structure(features, embeddings).item()
    assert found == pytest.approx(naive_structure(features, embeddings), abs=1e-9)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(count))
    assert structure(features[order], embeddings[order]).item() == pytest.approx(found, abs=1e-12)


def test_structure_has_ties_count_half_and_kept_orders_nothing():
    features = torch.eye(4, dtype=torch.float64)  # all equally far from one another
    embeddings = unit(4, 3, 0)
    assert structure(features, embeddings).item() == pytest.approx(naive_structure(features, embeddings))
    assert structure(embeddings, embeddings).item() == pytest.approx(0, abs=1e-12)
    rows = unit(6, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda e: structure(unit(6, 4, 3), e), rows)
