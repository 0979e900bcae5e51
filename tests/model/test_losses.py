"""Losses against a naive float64 sum, at chance, and at their lower bound."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from antiphon.model.losses import chance_loss, contrastive_loss, decoupled, info_nce, least_loss


def unit(count, dim, seed):
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    return torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def naive(audio, video, temperature, *, positive_below):
    total = 0.0
    for queries, candidates in ((audio, video), (video, audio)):
        for i, query in enumerate(queries):
            terms = [math.exp(float(query @ other) / temperature) for other in candidates]
            below = sum(term for j, term in enumerate(terms) if positive_below or j != i)
            total -= math.log(terms[i] / below) / len(queries)
    return total


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 99), st.floats(0.05, 2))
def test_both_losses_equal_a_naive_sum(count, dim, seed, temperature):
    audio, video = unit(count, dim, seed), unit(count, dim, seed + 1)
    assert info_nce(audio, video, temperature).item() == pytest.approx(
        naive(audio, video, temperature, positive_below=True), abs=1e-9
    )
    assert decoupled(audio, video, temperature).item() == pytest.approx(
        naive(audio, video, temperature, positive_below=False), abs=1e-9
    )


@pytest.mark.parametrize("name", ["info_nce", "decoupled"])
def test_knowing_nothing_scores_chance(name):
    rows = torch.ones(17, 4, dtype=torch.float64) / 2
    assert contrastive_loss(name, rows, rows, 0.3).item() == pytest.approx(chance_loss(name, 17), abs=1e-12)


@pytest.mark.parametrize("name", ["info_nce", "decoupled"])
@pytest.mark.parametrize("temperature", [0.07, 0.3, 1.0])
def test_the_lower_bound_is_reached_by_a_simplex_and_by_nothing_less(name, temperature):
    simplex = torch.eye(12, dtype=torch.float64) - 1 / 12
    simplex /= simplex.norm(dim=1, keepdim=True)
    bound = least_loss(name, 12, temperature, non_negative=False)
    assert contrastive_loss(name, simplex, simplex, temperature).item() == pytest.approx(bound, abs=1e-6)
    orthogonal = torch.eye(12, dtype=torch.float64)
    assert contrastive_loss(name, orthogonal, orthogonal, temperature).item() == pytest.approx(
        least_loss(name, 12, temperature, non_negative=True), abs=1e-6
    )
    for seed in range(20):
        rows = unit(12, 6, seed)
        assert contrastive_loss(name, rows, rows, temperature).item() >= bound - 1e-9


def test_the_papers_figures_of_chance_and_bound():
    """At n = 1000: 6.908 a direction at chance; at least 5.908 at temperature 1, 3.60 at 0.3, about 0 at 0.07."""
    assert chance_loss("info_nce", 1000) / 2 == pytest.approx(6.908, abs=5e-4)
    for temperature, expected in ((1.0, 5.908), (0.3, 3.60), (0.07, 0.0)):
        assert least_loss("info_nce", 1000, temperature, non_negative=False) / 2 == pytest.approx(expected, abs=5e-3)


def test_gradients_flow_to_embeddings_and_temperature():
    audio, video = unit(6, 3, 0).requires_grad_(), unit(6, 3, 1).requires_grad_()
    log_scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, v, s: info_nce(a, v, torch.exp(-s)), (audio, video, log_scale))
    assert torch.autograd.gradcheck(lambda a, v, s: decoupled(a, v, torch.exp(-s)), (audio, video, log_scale))
