"""Networks in OpenVINO: as close to PyTorch as declared, the same bits whatever is beside a row, quiet, replaceable."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from antiphon import backbones
from antiphon.backbones import AudioBackbone, VideoBackbone, runtime
from antiphon.backbones.arithmetic import MAX_DIFFERENCE, MIN_COSINE, OPENVINO, TORCH, compatible
from antiphon.backbones.checks import gradients, sweep
from antiphon.backbones.efficientnet import EfficientNet
from antiphon.backbones.openvino_graph import converted
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.backbones.runtime import Runtime
from antiphon.backbones.tuning import apply_tuning, put_tensors, tuned_tensors, unfreeze
from antiphon.backbones.won_musicnn import WonMusicnn
from antiphon.backbones.won_musicnn_network import WonMusicnnNetwork
from antiphon.media.decoding import decode_stretches

MEDIA = Path(__file__).parents[3] / "shared" / "data" / "media"
FILES = (MEDIA / "video" / "friday.mp4", MEDIA / "video" / "elf.mp4")
PRETRAINED = (
    "efficientnet_lite0",
    "efficientnet_lite0-style",
    "musicnn-msd",
    "musicnn-mtt",
    "musicnn-mtt-penultimate",
)
UNTRAINED = ("r2plus1d_18", "musicnn-won-mtat")
Backbone = AudioBackbone | VideoBackbone


def built(name: str) -> Backbone:
    """A backbone; those whose weights cannot be had without a download have random ones, of a plausible scale."""
    if name in PRETRAINED:
        return backbones.load(name, "cpu")
    torch.manual_seed(0)
    network = R2Plus1D18() if name == "r2plus1d_18" else WonMusicnnNetwork()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    tensors = {key: value.numpy() for key, value in network.state_dict().items()}
    return (R2Plus1D if name == "r2plus1d_18" else WonMusicnn)(tensors, name)


@pytest.fixture
def in_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(runtime, "openvino_works", lambda: False)
    yield


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def input_of(backbone: Backbone) -> np.ndarray:
    return sweep() if isinstance(backbone, AudioBackbone) else gradients(backbone.layout.size_px, 3)


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.numeric) for name in ("efficientnet_lite0", "musicnn-mtt")),
        *(name for name in PRETRAINED + UNTRAINED if name not in ("efficientnet_lite0", "musicnn-mtt")),
    ],
)
def test_real_files_have_the_features_of_torch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not MEDIA.exists():
        pytest.skip("the sample media are not beside this checkout")
    fast = built(name)
    monkeypatch.setattr(runtime, "openvino_works", lambda: False)
    slow = built(name)
    assert (fast.arithmetic, slow.arithmetic) == (OPENVINO, TORCH)
    assert compatible(fast.arithmetic, slow.arithmetic)
    for path in FILES:
        layouts, rate_hz = ([], fast.rate_hz) if isinstance(fast, AudioBackbone) else ([fast.layout], None)
        (window,) = decode_stretches(str(path), [(0.5, 3.5)], layouts, rate_hz)
        inputs = window.waveform if isinstance(fast, AudioBackbone) else window.frames[fast.layout]
        monkeypatch.undo()
        found = fast(inputs)
        monkeypatch.setattr(runtime, "openvino_works", lambda: False)
        expected = slow(inputs)
        assert np.abs(found - expected).max() <= MAX_DIFFERENCE * np.abs(expected).max()
        one, other = found.ravel().astype(np.float64), expected.ravel().astype(np.float64)
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) >= MIN_COSINE


@pytest.mark.parametrize("name", ["efficientnet_lite0", "musicnn-mtt", *UNTRAINED])
def test_neither_other_rows_nor_threads_change_bits(name: str) -> None:
    backbone = built(name)
    one = input_of(backbone)
    other = one[::-1].copy()
    alone = np.concatenate([backbone(one), backbone(other), backbone(one)])
    torch.set_num_threads(2)
    np.testing.assert_array_equal(backbone(np.stack([one, other, one])), alone)
    assert not np.array_equal(alone[0], alone[1])
    assert backbone(np.stack([one])[:0]).shape == (0, backbone.dim)


def test_a_frame_has_the_same_bits_in_either_place_of_a_batch(efficientnet: EfficientNet) -> None:
    frames = gradients(224, 3)
    with torch.inference_mode():
        first, second = efficientnet._features(frames), efficientnet._features(frames[1:])
    np.testing.assert_array_equal(first[1:].numpy(), second.numpy())


def test_weights_that_change_are_followed() -> None:
    backbone = built("musicnn-mtt-penultimate")
    window = sweep()
    before = backbone(window)
    unfreeze(backbone, 1)
    tuned = {name: values * 1.25 for name, values in tuned_tensors(backbone).items()}
    put_tensors(backbone, tuned)
    backbone.network.requires_grad_(False)
    with torch.inference_mode():
        expected = backbone.differentiable(torch.from_numpy(window[None])).numpy()
    found = backbone(window)
    np.testing.assert_allclose(found, expected, rtol=0, atol=MAX_DIFFERENCE * np.abs(expected).max())
    assert np.abs(found - before).max() > 0.1
    apply_tuning(backbone, tuned)
    assert backbone.arithmetic == OPENVINO
    np.testing.assert_array_equal(backbone(window), found)


def test_broken_weights_do_not_pass_for_features() -> None:
    backbone = built("musicnn-mtt")
    with torch.no_grad():
        backbone.network.timbral[0].conv.weight[0, 0, 0, 0] = torch.nan
    assert not np.isfinite(backbone(sweep())).all()


def test_a_network_may_be_made_for_inference_alone() -> None:
    with torch.inference_mode():
        layer = nn.Linear(2, 2).eval()
        (found,) = Runtime(layer, lambda network, rows: [network(rows)])(torch.eye(2), 1)
        np.testing.assert_allclose(found.numpy(), layer(torch.eye(2)).numpy(), rtol=0, atol=1e-6)


@pytest.mark.usefixtures("in_torch")
def test_torch_takes_its_place() -> None:
    backbone = built("efficientnet_lite0")
    frames = gradients(224, 3)
    with torch.inference_mode():
        images = torch.from_numpy(frames)[None].permute(0, 1, 4, 2, 3).float()
        np.testing.assert_array_equal(backbone(frames), backbone.differentiable(images).numpy())
    assert backbone.arithmetic == TORCH


def test_without_openvino_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'openvino'")

    runtime.openvino_works.cache_clear()
    monkeypatch.setattr(runtime, "_core", missing)
    try:
        with pytest.warns(UserWarning, match="No module named 'openvino'.*PyTorch.*pip install openvino"):
            assert Runtime(nn.Linear(2, 2), lambda network, rows: [network(rows)]).arithmetic == TORCH
        with warnings.catch_warnings(action="error"):
            assert built("musicnn-mtt").arithmetic == TORCH
    finally:
        runtime.openvino_works.cache_clear()


def test_a_processor_that_computes_wrong_values_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.openvino_works.cache_clear()
    monkeypatch.setattr(runtime._Compiled, "__call__", lambda self, batches: [(torch.full((1, 2), 7.0),)])
    try:
        with pytest.warns(UserWarning, match="wrong values"):
            assert not runtime.openvino_works()
    finally:
        runtime.openvino_works.cache_clear()


def test_any_number_of_shapes_is_taken() -> None:
    layer = nn.Conv1d(1, 2, 3).eval()
    run = Runtime(layer, lambda network, rows: [network(rows).amax(2), network(rows).mean(2)])
    with torch.inference_mode():
        for length in (3, 4, 5, 6, 7, 3):
            rows = torch.arange(3.0 * length).view(3, 1, length)
            found = run(rows, 2)
            for one, expected in zip(found, (layer(rows).amax(2), layer(rows).mean(2)), strict=True):
                np.testing.assert_allclose(one.numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)
    assert len(run._compiled) == runtime._SHAPES


class Sliced(nn.Module):
    def forward(self, rows: torch.Tensor) -> list[torch.Tensor]:
        return [rows[:, 1:]]


def test_other_operations_are_refused() -> None:
    with pytest.raises(ValueError, match="Sigmoid.*no counterpart"):
        converted(nn.Sequential(nn.Sigmoid()), (1, 2))
    with pytest.raises(ValueError, match="Slices"):
        converted(Sliced(), (1, 2))


def test_nothing_is_kept_or_told_of_the_user(tmp_path: Path) -> None:
    code = (
        "import sys; from antiphon.backbones.runtime import openvino_works; assert openvino_works();"
        "assert 'openvino_telemetry' not in sys.modules"
    )
    environment = os.environ | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []


_FORKED = """
import os, sys
import torch
from torch import nn
from antiphon.backbones.runtime import Runtime
runtime = Runtime(nn.Conv2d(3, 4, 3), lambda network, rows: [network(rows)])
rows = torch.ones(2, 3, 8, 8)
torch.set_num_threads(1)
(before,) = runtime(rows, 2)
child = os.fork()
if child == 0:
    os._exit(0 if torch.allclose(runtime(rows, 2)[0], before, atol=1e-5) and "torch" in runtime.arithmetic else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_computes_in_torch_and_does_not_hang() -> None:
    done = subprocess.run([sys.executable, "-c", _FORKED], timeout=300, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
