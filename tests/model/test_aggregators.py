"""Aggregators: padding and order, against each track alone and against sums written out."""

import math

import pytest
import torch
from pydantic import ValidationError

from antiphon.model.aggregators import TrackConfig, aggregator, sinusoids

pytestmark = pytest.mark.numeric

NAMES = ["mean", "attention", "transformer"]
LENGTHS = (1, 4, 7)
DIM = 10


def trained_like(name):
    """An aggregator whose every weight says something: the last ones start at zero."""
    torch.manual_seed(0)
    network = aggregator(DIM, TrackConfig(aggregator=name, width=16, num_heads=2)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def tracks(padding=0.0):
    random = torch.Generator().manual_seed(1)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    features = torch.randn(len(LENGTHS), max(LENGTHS), DIM, generator=random)
    starts_s = 30 * torch.rand(mask.shape, generator=random).cumsum(dim=1)
    return torch.where(mask[..., None], features, padding), mask, torch.where(mask, starts_s, padding)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("padding", [0.0, 1e3, math.nan])
def test_padding_changes_nothing(name, padding):
    network = trained_like(name)
    features, mask, starts_s = tracks(padding)
    together = network(features, mask, starts_s)
    assert together.shape == (len(LENGTHS), DIM)
    for track, length in enumerate(LENGTHS):
        alone = network(
            features[track : track + 1, :length], mask[track : track + 1, :length], starts_s[track : track + 1, :length]
        )
        torch.testing.assert_close(together[track], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_padding_has_no_part_in_the_gradient(name):
    network = trained_like(name).train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    features, mask, starts_s = tracks(math.nan)
    network(features.requires_grad_(), mask, starts_s).square().sum().backward()
    assert (features.grad[~mask] == 0).all()
    assert torch.isfinite(features.grad).all()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_only_the_transformer_knows_the_order(name):
    network = trained_like(name)
    features, mask, starts_s = (part[2:] for part in tracks())
    other = torch.randperm(LENGTHS[2], generator=torch.Generator().manual_seed(3))
    in_order = network(features, mask, starts_s)
    shuffled = network(features[:, other], mask, starts_s)
    moved_with_their_times = network(features[:, other], mask, starts_s[:, other])
    torch.testing.assert_close(in_order, moved_with_their_times, atol=1e-5, rtol=1e-5)
    assert ((in_order - shuffled).abs().max() > 0.01) == (name == "transformer")


@pytest.mark.parametrize("name", NAMES)
def test_all_start_as_the_mean(name):
    network = aggregator(DIM, TrackConfig(aggregator=name, width=16, num_heads=2)).eval()
    features, mask, starts_s = tracks()
    expected = torch.stack([features[track, :length].mean(dim=0) for track, length in enumerate(LENGTHS)])
    torch.testing.assert_close(network(features, mask, starts_s), expected, atol=1e-6, rtol=1e-5)


def test_attention_is_the_softmax_written_out():
    network = trained_like("attention").double()
    features, mask, starts_s = (part.double() if part.is_floating_point() else part for part in tracks())
    found = network(features, mask, starts_s)
    for track, length in enumerate(LENGTHS):
        scores = []
        for row in features[track, :length]:
            hidden = torch.tanh(network.hidden.weight @ row + network.hidden.bias)
            scores.append(math.exp((network.score.weight[0] @ hidden).item()))
        expected = sum(score * row for score, row in zip(scores, features[track], strict=False)) / sum(scores)
        torch.testing.assert_close(found[track], expected)


def test_sinusoids_are_sines_and_cosines_of_periods_in_seconds():
    found = sinusoids(torch.tensor([[0.0, 7.0]], dtype=torch.float64), 6)
    assert found.shape == (1, 2, 6)
    for place, period_s in enumerate((4.0, math.sqrt(4 * 1200), 1200.0)):
        assert found[0, 1, place].item() == pytest.approx(math.sin(2 * math.pi * 7 / period_s))
        assert found[0, 1, 3 + place].item() == pytest.approx(math.cos(2 * math.pi * 7 / period_s))
    torch.testing.assert_close(found[0, 0], torch.tensor([0.0] * 3 + [1.0] * 3, dtype=torch.float64))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 30, "num_heads": 4}, "width 30 must be even and a multiple of num_heads 4"),
        ({"width": 9, "num_heads": 3}, "width 9 must be even"),
        ({"segment_weight": 0.0, "track_weight": 0.0}, "at least one must be positive"),
        ({"aggregator": "max"}, "aggregator"),
        ({"max_segments": 0}, "max_segments"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        TrackConfig(**wrong)
