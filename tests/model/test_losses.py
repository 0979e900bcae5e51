"""Losses against naive float64 sums, at chance, at their lower bound, and in chunks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.model.losses import (
    LossConfig,
    chance_loss,
    contrastive_loss,
    decoupled,
    info_nce,
    loss_lower_bound,
    sigmoid,
)

pytestmark = pytest.mark.numeric

NAMES = ["info_nce", "decoupled", "sigmoid"]


def unit(count, dim, seed):
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    return torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def judged(count, seed):
    """Targets and exclusions of so many pairs, both lopsided."""
    random = np.random.default_rng(seed)
    targets = random.uniform(size=(count, count)) * (random.uniform(size=(count, count)) < 0.4) + np.eye(count)
    excluded = (random.uniform(size=(count, count)) < 0.2) & ~np.eye(count, dtype=bool)
    return torch.from_numpy(targets / targets.max()), torch.from_numpy(excluded)


def naive(audio, video, temperature, *, own_below, targets=None, excluded=None):
    total = 0.0
    n = len(audio)
    for way, (queries, candidates) in enumerate(((audio, video), (video, audio))):
        for i in range(n):
            scores = [float(queries[i] @ other) / temperature for other in candidates]
            weights, below = [], 0.0
            for j in range(n):
                at = (i, j) if way == 0 else (j, i)
                out = excluded is not None and bool(excluded[at])
                weights.append(0.0 if out else float(i == j) if targets is None else float(targets[at]))
                if not out and (own_below or i != j):
                    below += math.exp(scores[j])
            if below:
                for weight, score in zip(weights, scores, strict=True):
                    total -= weight / sum(weights) * (score - math.log(below)) / n
    return total


def naive_sigmoid(audio, video, temperature, bias, targets=None, excluded=None):
    total = 0.0
    for i, sound in enumerate(audio):
        for j, pictures in enumerate(video):
            if excluded is not None and excluded[i, j]:
                continue
            x = float(sound @ pictures) / temperature + bias
            y = float(i == j) if targets is None else float(targets[i, j])
            total -= y * math.log(1 / (1 + math.exp(-x))) + (1 - y) * math.log(1 / (1 + math.exp(x)))
    return total / len(audio)


@settings(max_examples=40)
@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 99), st.floats(0.05, 2), st.booleans(), st.booleans())
def test_losses_equal_a_naive_sum(count, dim, seed, temperature, targeted, excluding):
    audio, video = unit(count, dim, seed), unit(count, dim, seed + 1)
    targets, excluded = judged(count, seed)
    given_ = {"targets": targets if targeted else None, "excluded": excluded if excluding else None}
    assert info_nce(audio, video, temperature, **given_).item() == pytest.approx(
        naive(audio, video, temperature, own_below=True, **given_), abs=1e-9
    )
    assert decoupled(audio, video, temperature, **given_).item() == pytest.approx(
        naive(audio, video, temperature, own_below=False, **given_), abs=1e-9
    )
    assert sigmoid(audio, video, temperature, -2.0, **given_).item() == pytest.approx(
        naive_sigmoid(audio, video, temperature, -2.0, **given_), abs=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(count=st.integers(2, 12), seed=st.integers(0, 99))
def test_the_order_of_the_pairs_does_not_matter(name, count, seed):
    audio, video = unit(count, 4, seed), unit(count, 4, seed + 1)
    targets, excluded = judged(count, seed)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(count))
    loss = contrastive_loss(name, audio, video, 0.2, -1.0, targets=targets, excluded=excluded)
    moved = {"targets": targets[order][:, order], "excluded": excluded[order][:, order]}
    assert contrastive_loss(name, audio[order], video[order], 0.2, -1.0, **moved).item() == pytest.approx(loss.item())


@pytest.mark.parametrize("name", ["info_nce", "sigmoid"])
@pytest.mark.parametrize("temperature", [0.3, 1e-3])
@pytest.mark.parametrize("chunk_size", [1, 7, 40])
@pytest.mark.parametrize("judging", [False, True])
def test_chunks_give_the_same_loss_and_gradients(name, temperature, chunk_size, judging):
    """At 0.001 the scores' exponentials overflow even in double precision."""
    targets, excluded = judged(23, 3)
    given_ = {"targets": targets, "excluded": excluded} if judging else {}
    found = []
    for size in (None, chunk_size):
        leaves = [unit(23, 6, 0), unit(23, 6, 1), torch.tensor(temperature).double(), torch.tensor(-1.0).double()]
        leaves = [leaf.requires_grad_() for leaf in leaves]
        loss = 3 * contrastive_loss(name, *leaves, size, **given_)
        used = leaves if name == "sigmoid" else leaves[:3]
        found.append([loss.detach(), *torch.autograd.grad(loss, used)])
    for whole, chunked in zip(*found, strict=True):
        torch.testing.assert_close(chunked, whole, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["info_nce", "sigmoid"])
@pytest.mark.parametrize("temperature", [0.5, 0.07, 0.01])
def test_chunks_in_single_precision_are_within_1e5_of_the_whole(name, temperature):
    found = []
    for size in (None, 50):
        leaves = [unit(160, 32, 0).float().requires_grad_(), unit(160, 32, 1).float().requires_grad_()]
        loss = contrastive_loss(name, *leaves, temperature, -10.0, size)
        found.append([loss.detach(), *torch.autograd.grad(loss, leaves)])
    for whole, chunked in zip(*found, strict=True):
        torch.testing.assert_close(chunked, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["info_nce", "sigmoid"])
def test_chunks_never_hold_the_matrix_of_scores(name):
    """The largest tensor that autograd or the loss asks for is a block, or as large as the embeddings."""
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            nonlocal largest
            result = operation(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest = max(largest, result.numel())
            return result

    sides = [unit(200, 3, seed).requires_grad_() for seed in (0, 1)]
    with Watch():
        contrastive_loss(name, *sides, 0.1, -10.0, 16).backward()
    assert largest == 200 * 3


@pytest.mark.parametrize("name", NAMES)
def test_knowing_nothing_scores_chance(name):
    rows = torch.ones(17, 4, dtype=torch.float64) / 2
    bias = -1 / 0.3 - math.log(16)  # each pair belongs together with probability 1 in 17
    assert contrastive_loss(name, rows, rows, 0.3, bias).item() == pytest.approx(chance_loss(name, 17), abs=1e-12)
    for other in (bias - 0.1, bias + 0.1):
        assert sigmoid(rows, rows, 0.3, other).item() > chance_loss("sigmoid", 17)


def best_bias(audio, video, temperature):
    """The sigmoid loss at the best of many biases: it is convex in them."""
    found = {bias: sigmoid(audio, video, temperature, bias).item() for bias in np.arange(-40, 5, 0.5)}
    best = min(found, key=found.__getitem__)
    return min(sigmoid(audio, video, temperature, bias).item() for bias in best + np.arange(-0.5, 0.5, 0.01))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("temperature", [0.07, 0.3, 1.0])
def test_the_lower_bound_is_reached_by_a_simplex_and_by_nothing_less(name, temperature):
    def least(audio, video):
        if name == "sigmoid":
            return best_bias(audio, video, temperature)
        return contrastive_loss(name, audio, video, temperature).item()

    simplex = torch.eye(12, dtype=torch.float64) - 1 / 12
    simplex /= simplex.norm(dim=1, keepdim=True)
    bound = loss_lower_bound(name, 12, temperature, non_negative=False)
    within = 1e-4 if name == "sigmoid" else 1e-6
    assert least(simplex, simplex) == pytest.approx(bound, abs=within)
    orthogonal = torch.eye(12, dtype=torch.float64)
    assert least(orthogonal, orthogonal) == pytest.approx(
        loss_lower_bound(name, 12, temperature, non_negative=True), abs=within
    )
    for seed in range(3 if name == "sigmoid" else 20):
        rows = unit(12, 6, seed)
        assert least(rows, rows) >= bound - 1e-9


def test_the_papers_figures_of_chance_and_bound():
    """At n = 1000: 6.908 a direction at chance; at least 5.908 at temperature 1, 3.60 at 0.3, about 0 at 0.07."""
    assert chance_loss("info_nce", 1000) / 2 == pytest.approx(6.908, abs=5e-4)
    for temperature, expected in ((1.0, 5.908), (0.3, 3.60), (0.07, 0.0)):
        assert loss_lower_bound("info_nce", 1000, temperature, non_negative=False) / 2 == pytest.approx(
            expected, abs=5e-3
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chunk_size", [None, 4])
def test_gradients_flow_to_embeddings_temperature_and_bias(name, chunk_size):
    leaves = [unit(6, 3, 0), unit(6, 3, 1), torch.tensor(0.5).double(), torch.tensor(-1.0).double()]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    assert torch.autograd.gradcheck(
        lambda a, v, s, b: contrastive_loss(name, a, v, torch.exp(-s), b, chunk_size), leaves
    )


def test_a_sound_whose_every_other_video_is_excluded_adds_nothing():
    audio, video = unit(5, 3, 0).requires_grad_(), unit(5, 3, 1)
    alone = ~torch.eye(5, dtype=torch.bool)
    for loss in (info_nce, decoupled):
        found = loss(audio, video, 0.1, excluded=alone)
        assert found.item() == pytest.approx(0, abs=1e-12)
        assert torch.autograd.grad(found, audio)[0].abs().max() < 1e-12


def test_decoupled_has_no_chunks():
    with pytest.raises(ValueError, match="leave chunk_size out"):
        LossConfig(name="decoupled", chunk_size=10)
