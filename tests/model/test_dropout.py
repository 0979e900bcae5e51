"""Quick dropout drops as torch's does, by other masks; the paper's heads keep torch's."""

import pytest
import torch
from torch import nn

from antiphon.model.dropout import QuickDropout
from antiphon.model.heads import Head
from antiphon.model.recipe import load_recipe


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.3])
def test_a_share_of_the_values_is_dropped_and_the_others_make_up_for_it(rate):
    torch.manual_seed(0)
    layer = QuickDropout(rate)
    first, second = (layer(torch.ones(997, 103)) for _ in range(2))
    for made in (first, second):
        torch.testing.assert_close(made.unique(), torch.tensor([0.0, 1 / (1 - rate)]))
    expected = [rate**2, rate * (1 - rate), rate * (1 - rate), (1 - rate) ** 2]
    # Independent from call to call, from value to value, from bit to bit of a byte, and from word to word.
    for left, right in [(first, second), *((first[:, :-apart], first[:, apart:]) for apart in (1, 4, 8, 64))]:
        shares = [float(((left > 0) == a).logical_and((right > 0) == b).float().mean()) for a in (0, 1) for b in (0, 1)]
        assert shares == pytest.approx(expected, abs=0.008)


@pytest.mark.parametrize("rate", [0.5, 0.1])
def test_masks_follow_the_global_generator_and_gradients_follow_the_masks(rate):
    layer = QuickDropout(rate)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    values = torch.full((7, 5), 2.0, requires_grad=True)
    made = layer(values)
    made.sum().backward()
    torch.testing.assert_close(values.grad, made.detach() / 2)
    torch.set_rng_state(state)
    assert torch.equal(layer(values), made)
    assert not torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("rate", [0.0, 0.5, 0.1])
def test_nothing_is_dropped_in_evaluation_or_at_a_rate_of_0_and_nothing_is_saved(rate):
    layer, values = QuickDropout(rate), torch.randn(5, 3)
    assert torch.equal(layer.eval()(values), values)
    assert rate or torch.equal(layer.train()(values), values)
    assert not layer.state_dict()


def test_the_papers_heads_draw_the_masks_of_torch():
    config = load_recipe("paper-base").head
    head, values = Head(6, config).train(), torch.randn(9, 6)
    torch.manual_seed(1)
    made = head(values)
    torch.manual_seed(1)
    first, _, _, last = head.layers
    hidden = nn.functional.dropout(first(values).relu(), config.dropout)
    assert torch.equal(made, last(hidden).sigmoid())


def test_the_default_drops_quickly():
    layers = [layer for layer in Head(6, load_recipe("antiphon-base").head).modules() if isinstance(layer, nn.Dropout)]
    assert len(layers) == 3
    assert all(isinstance(layer, QuickDropout) for layer in layers)
