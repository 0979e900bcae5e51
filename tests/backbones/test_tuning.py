"""Backbones that are tuned: the same features with gradients, and only where they are asked for."""

import numpy as np
import pytest
import torch

from antiphon import backbones
from antiphon.backbones.base import AudioBackbone
from antiphon.backbones.checks import gradients, sweep
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.backbones.tuning import apply_tuning, tuned_tensors, unfreeze
from antiphon.backbones.won_musicnn import WonMusicnn
from antiphon.backbones.won_musicnn_network import WonMusicnnNetwork
from antiphon.errors import ConfigError, WeightsError


def at_random(kind):
    """The state of a network with random weights, always the same, and statistics of batch norm not the identity."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = kind().state_dict()
        for name, values in state.items():
            if name.endswith("running_var"):
                values.copy_(0.5 + torch.rand(values.shape))
    return {name: values.numpy() for name, values in state.items()}


MAKERS = {
    "musicnn-mtt": (lambda: backbones.load("musicnn-mtt"), 4),
    "musicnn-mtt-penultimate": (lambda: backbones.load("musicnn-mtt-penultimate"), 5),
    "musicnn-won-mtat": (lambda: WonMusicnn(at_random(WonMusicnnNetwork), "a"), 4),
    "efficientnet_lite0": (lambda: backbones.load("efficientnet_lite0"), 18),
    "r2plus1d_18": (lambda: R2Plus1D(at_random(R2Plus1D18), "a"), 9),
}


@pytest.fixture(params=MAKERS)
def made(request):
    maker, blocks = MAKERS[request.param]
    return maker(), blocks


def inputs(backbone):
    """What the backbone takes, and the same as a tensor for gradients."""
    if isinstance(backbone, AudioBackbone):
        waveform = np.stack([sweep(), sweep()[::-1]])
        return waveform, torch.from_numpy(waveform)
    frames = gradients(backbone.layout.size_px, frames=4)
    windows = np.stack([frames[:2], frames[2:]])
    return windows, torch.from_numpy(windows).permute(0, 1, 4, 2, 3).float()


def test_the_differentiable_feature_is_the_feature(made):
    backbone, _ = made
    given, tensor = inputs(backbone)
    expected = backbone(given)
    found = backbone.differentiable(tensor).detach().numpy()
    assert found.shape == (2, backbone.dim)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_every_parameter_that_counts_is_in_a_block_once(made):
    backbone, count = made
    blocks = backbone.blocks()
    assert len(blocks) == count
    own = [parameter for block in blocks for module in block for parameter in module.parameters()]
    assert len({id(parameter) for parameter in own}) == len(own)
    left_over = {
        name.split(".")[0]
        for name, parameter in backbone.network.named_parameters()
        if not any(parameter is other for other in own)
    }
    after_the_feature = {"fc", "_fc", "tags", "hidden", "hidden_norm", "pool_norm", "dense1", "dense2", "bn"}
    assert left_over <= after_the_feature


def test_gradients_reach_the_last_blocks_alone(made):
    backbone, _ = made
    unfrozen = unfreeze(backbone, 2)
    assert sum(parameter.requires_grad for parameter in backbone.network.parameters()) == len(unfrozen)
    norms = [module for module in backbone.network.modules() if "BatchNorm" in type(module).__name__]
    assert not any(module.training for module in norms)
    before = [buffer.clone() for buffer in backbone.network.buffers()]
    _, tensor = inputs(backbone)
    backbone.differentiable(tensor).square().sum().backward()
    assert all(parameter.grad is not None and torch.isfinite(parameter.grad).all() for parameter in unfrozen)
    assert all(parameter.grad.abs().max() > 0 for parameter in unfrozen)
    assert all(parameter.grad is None for parameter in backbone.network.parameters() if not parameter.requires_grad)
    assert all(torch.equal(*pair) for pair in zip(before, backbone.network.buffers(), strict=True))


def test_tuned_parameters_go_over_to_another_copy(made):
    backbone, _ = made
    other = MAKERS[backbone.name][0]()
    given, _ = inputs(backbone)
    plain = other(given)
    with torch.no_grad():
        for parameter in unfreeze(backbone, 1):
            parameter.mul_(1.01)
    tensors = tuned_tensors(backbone)
    tuned = backbone(given)
    name, base = other.name, other.fingerprint
    apply_tuning(other, tensors)
    assert np.array_equal(other(given), tuned)
    assert not np.array_equal(plain, tuned)
    assert other.name == f"{name}+tuned-{other.fingerprint[:8]}"
    assert other.fingerprint != base
    assert not any(parameter.requires_grad for parameter in other.network.parameters())


def test_another_base_is_another_tuning():
    first, second = (R2Plus1D(at_random(R2Plus1D18), mark) for mark in "ab")
    unfreeze(first, 1)
    tensors = tuned_tensors(first)
    apply_tuning(first, tensors)
    apply_tuning(second, tensors)
    assert first.name != second.name


def test_too_many_blocks_or_none_are_refused():
    backbone = backbones.load("musicnn-mtt")
    for count in (0, 5):
        with pytest.raises(ConfigError, match="musicnn-mtt has 4 blocks; the number to tune must be 1 to 4"):
            unfreeze(backbone, count)


def test_parameters_of_another_network_are_refused():
    backbone = backbones.load("musicnn-mtt")
    before = backbone.fingerprint, backbone.name
    with pytest.raises(WeightsError, match="no parameter block9"):
        apply_tuning(backbone, {"block9.0.weight": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match="shape"):
        apply_tuning(backbone, {"block1.0.conv.weight": np.zeros(3, np.float32)})
    unfreeze(backbone, 1)
    broken = {name: values * np.nan for name, values in tuned_tensors(backbone).items()}
    with pytest.raises(WeightsError, match="not finite"):
        apply_tuning(backbone, broken)
    assert (backbone.fingerprint, backbone.name) == before
