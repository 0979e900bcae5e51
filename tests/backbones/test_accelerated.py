"""Precisions below float32: what they change and what they must not, on small and on real networks."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from antiphon import backbones
from antiphon.backbones import accelerated
from antiphon.backbones.accelerated import Accelerated, channels_last, folded
from antiphon.backbones.arithmetic import BFLOAT16, OPENVINO, TF32, TORCH, compatible
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.backbones.runtime import Runtime
from antiphon.errors import ConfigError


class Features(nn.Module):
    """R(2+1)D's features with random weights whose batch norms do something."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = R2Plus1D18()
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm3d):
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.1)
        self.eval().requires_grad_(False)

    def forward(self, frames: torch.Tensor) -> list[torch.Tensor]:
        return [self.network.features(frames)]


@pytest.fixture(scope="module")
def network() -> Features:
    return Features()


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randn(2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(1))


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one.double(), other.double()).min())


def test_folding_changes_no_value_and_leaves_no_batch_norm(network: Features, frames: torch.Tensor) -> None:
    found = folded(copy.deepcopy(network))
    assert any(isinstance(module, nn.BatchNorm3d) for module in network.modules())
    assert not any(isinstance(module, nn.BatchNorm3d) for module in found.modules())
    expected = network(frames)[0]
    assert torch.allclose(found(frames)[0], expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_a_batch_norm_of_something_else_stays() -> None:
    layers = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)).eval()
    layers[2].running_mean.fill_(0.5)
    rows = torch.randn(4, 2, 5, 5, generator=torch.Generator().manual_seed(2))
    expected = layers(rows)
    assert torch.equal(folded(layers)(rows), expected)
    assert isinstance(layers[2], nn.BatchNorm2d)


def test_weights_of_convolutions_lie_channels_last(network: Features) -> None:
    made = channels_last(copy.deepcopy(network))
    weight = made.network.layer2[0].conv1[0][0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert not weight.is_contiguous()


def test_tf32_is_float32_where_there_are_no_tensor_cores(network: Features, frames: torch.Tensor) -> None:
    expected = network(frames)[0]
    ((found,),) = Accelerated(network, "tf32")([frames])
    assert torch.allclose(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_bfloat16_is_near_and_not_equal(network: Features, frames: torch.Tensor) -> None:
    expected = network(frames)[0]
    ((found,),) = Accelerated(network, "bfloat16")([frames])
    assert found.dtype == torch.float32
    assert 0.99 < cosine(found, expected) < 1 - 1e-7
    assert network.network.fc.weight.dtype == torch.float32, "the network itself must not change"


def test_what_is_asked_of_the_process_is_restored(network: Features, frames: torch.Tensor) -> None:
    for before in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = before
        try:
            Accelerated(network, "tf32")([frames])
            Accelerated(network, "bfloat16")([frames])
            assert torch.backends.cuda.matmul.allow_tf32 is before
        finally:
            torch.backends.cuda.matmul.allow_tf32 = False


def test_a_network_is_compiled_once_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[int] = []

    def compiler(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
        compiled.append(len(inputs))
        return graph.forward

    monkeypatch.setattr(accelerated, "COMPILE_AFTER", 2)
    monkeypatch.setattr(accelerated, "_COMPILER", compiler)
    layer = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval().requires_grad_(False)
    made = Accelerated(_Listed(layer), "tf32")
    rows = torch.eye(2)
    counts = []
    for _ in range(4):
        ((found,),) = made([rows])
        counts.append(len(compiled))
        assert torch.allclose(found, layer(rows))
    assert counts == [0, 0, 1, 1]


def test_where_nothing_compiles_it_runs_on_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiler(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
        raise OSError("no C compiler")

    monkeypatch.setattr(accelerated, "COMPILE_AFTER", 0)
    monkeypatch.setattr(accelerated, "_COMPILER", compiler)
    layer = nn.Linear(2, 2).eval().requires_grad_(False)
    made = Accelerated(_Listed(layer), "tf32")
    with pytest.warns(UserWarning, match="cannot be compiled here"):
        ((found,),) = made([torch.eye(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((again,),) = made([torch.eye(2)])
    assert torch.equal(found, layer(torch.eye(2)))
    assert torch.equal(found, again)


class _Listed(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, rows: torch.Tensor) -> list[torch.Tensor]:
        return [self.layer(rows)]


def test_a_precision_stands_in_a_store_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compatible(OPENVINO, TORCH)
    assert not any(compatible(one, other) for one in (TF32, BFLOAT16) for other in (OPENVINO, TORCH))
    assert not compatible(TF32, BFLOAT16)
    layer = nn.Linear(2, 2).eval().requires_grad_(False)
    runtime = Runtime(layer, lambda network, rows: [network(rows)])
    monkeypatch.setattr(Runtime, "_on_processor", lambda self: False)  # as on a GPU
    assert runtime.arithmetic == TORCH
    exact = runtime(torch.eye(2), 2)[0]
    runtime.set_precision("bfloat16")
    assert runtime.arithmetic == BFLOAT16
    half = runtime(torch.eye(2), 2)[0]
    assert torch.equal(half, layer.to(torch.bfloat16)(torch.eye(2, dtype=torch.bfloat16)).float())
    layer.to(torch.float32)
    runtime.set_precision("float32")
    assert runtime.arithmetic == TORCH
    assert half.shape == exact.shape


def test_weights_that_change_reach_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_on_processor", lambda self: False)
    layer = nn.Linear(1, 1, bias=False).eval()
    runtime = Runtime(layer, lambda network, rows: [network(rows)])
    runtime.set_precision("bfloat16")
    for weight in (1.0, 3.0):
        with torch.no_grad():
            layer.weight.fill_(weight)
        assert runtime(torch.ones(1, 1), 1)[0].tolist() == [[weight]]


def test_a_precision_is_named_and_needs_a_gpu() -> None:
    with pytest.raises(ConfigError, match="'float32', 'tf32' or 'bfloat16', not 'half'"):
        backbones.load("musicnn-mtt", "cpu", precision="half")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Precision bfloat16 needs a GPU.*choose device cuda"):
        backbones.load("musicnn-mtt", "cpu", precision="bfloat16")
    assert backbones.load("musicnn-mtt", "cpu", precision="float32").arithmetic in (OPENVINO, TORCH)


def test_a_plug_in_computes_in_float32_alone() -> None:
    class Loudness(backbones.AudioBackbone):
        name, dim, fingerprint, rate_hz = "loudness", 1, "1", 16_000

        def __call__(self, waveform: np.ndarray, rate_hz: int = 16_000) -> np.ndarray:
            return np.abs(np.atleast_2d(waveform)).mean(1, keepdims=True)

    Loudness().set_precision("float32")
    with pytest.raises(ConfigError, match="loudness computes in float32 alone"):
        Loudness().set_precision("tf32")
