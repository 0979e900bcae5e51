import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from antiphon import backbones
from antiphon.backbones.decibel_mel import decibel_mel, htk_filters
from antiphon.backbones.won_musicnn import WonMusicnn
from antiphon.backbones.won_musicnn_network import WonMusicnnNetwork
from antiphon.errors import ConfigError, WeightsError

from .conftest import assert_close

FILE = "models/mtat/musicnn/best_model.pth from https://github.com/minzwon/sota-music-tagging-models"
NORM = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


def random_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights of a network whose every value matters: no batch norm is the identity."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    for name, tensor in WonMusicnnNetwork().state_dict().items():
        if not tensor.is_floating_point():
            state[name] = tensor
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(tensor.shape, generator=generator)
        else:
            scale = 1.0 if tensor.ndim < 2 else (3 / tensor[0].numel()) ** 0.5
            state[name] = scale * torch.randn(tensor.shape, generator=generator)
    state["spec_bn.running_mean"] -= 10
    state["spec_bn.running_var"] += 400
    return state


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return random_state()


@pytest.fixture(scope="module")
def backbone(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> WonMusicnn:
    path = tmp_path_factory.mktemp("weights") / "best_model.pth"
    torch.save(state, path)
    made = backbones.load("musicnn-won-mtat", weights=path)
    assert isinstance(made, WonMusicnn)
    return made


# The spectrogram.


def naive_decibels(waveform: np.ndarray) -> np.ndarray:
    """(samples,) → (96, frames) as torchaudio documents its defaults: a frame at a time, in double precision."""
    padded = np.pad(waveform.astype(np.float64), 256, mode="reflect")
    hann = np.sin(np.pi * np.arange(512) / 512) ** 2
    power = []
    for start in range(0, len(waveform) + 1, 256):
        spectrum = np.fft.fft(padded[start : start + 512] * hann)[:257]
        power.append(spectrum.real**2 + spectrum.imag**2)
    mel_edges = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 98)
    edges = [700 * (10 ** (mel / 2595) - 1) for mel in mel_edges]
    bands = np.zeros((96, 257))
    for band in range(96):
        for number in range(257):
            up = (number * 31.25 - edges[band]) / (edges[band + 1] - edges[band])
            down = (edges[band + 2] - number * 31.25) / (edges[band + 2] - edges[band + 1])
            bands[band, number] = max(0.0, min(up, down))
    return 10 * np.log10(np.maximum(bands @ np.transpose(power), 1e-10))


@pytest.mark.numeric
@pytest.mark.parametrize("samples", [48_000, 1000, 512])
def test_the_spectrogram_is_torchaudios_default(samples: int) -> None:
    rng = np.random.default_rng(samples)
    waveform = (0.3 * rng.standard_normal((2, samples))).astype(np.float32)
    waveform[1] *= np.linspace(0, 1, samples, dtype=np.float32) ** 4  # from silence to loud
    found = decibel_mel(torch.from_numpy(waveform)).numpy()
    assert found.shape == (2, 96, samples // 256 + 1)
    for row in range(2):
        assert_close(found[row], naive_decibels(waveform[row]))


def test_silence_is_at_the_floor_and_nothing_is_cut_below_the_loudest() -> None:
    quiet = torch.zeros(1, 4096)
    quiet[0, :512] = 1.0
    found = decibel_mel(quiet)
    assert found.min() == -100  # of 1e-10; torchaudio's own default has no top_db
    assert found.max() > 20


def test_htk_bands_are_as_high_as_they_can_be_and_equally_wide_in_mel() -> None:
    filters = htk_filters()
    assert filters.shape == (96, 257)
    assert filters.max() <= 1
    assert filters[50:].max(1).min() > 0.8  # of height one, not of area one
    peaks_hz = filters[70:].argmax(1) * 31.25
    steps = np.diff(2595 * np.log10(1 + peaks_hz / 700))
    np.testing.assert_allclose(steps.mean(), 2595 * np.log10(1 + 8000 / 700) / 97, rtol=0.02)


# The network.


def plain_norm(values: np.ndarray, state: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Channels are the first axis."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    mean, variance, gamma, beta = (
        state[f"{name}.{part}"].astype(np.float64).reshape(shape)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (values - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def plain_over_time(values: np.ndarray, state: dict[str, np.ndarray], name: str) -> np.ndarray:
    """(channels, frames) → (filters, frames): convolution, batch norm, ReLU."""
    kernel = state[f"{name}.conv.weight"].astype(np.float64)
    half = kernel.shape[2] // 2
    windows = sliding_window_view(np.pad(values, ((0, 0), (half, half))), kernel.shape[2], axis=1)
    sums = np.einsum("ctk,fck->ft", windows, kernel) + state[f"{name}.conv.bias"][:, None]
    return np.maximum(plain_norm(sums, state, f"{name}.bn"), 0)


def plain_features(decibels: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
    """(96, frames) → (1506,), written down from the description of the architecture, in double precision."""
    spectrogram = plain_norm(decibels[None].astype(np.float64), state, "spec_bn")[0]
    front = []
    for layer in range(2):
        kernel = state[f"layers.{layer}.conv.weight"][:, 0].astype(np.float64)
        windows = sliding_window_view(np.pad(spectrogram, ((0, 0), (3, 3))), kernel.shape[1:])
        sums = np.einsum("btxy,fxy->fbt", windows, kernel) + state[f"layers.{layer}.conv.bias"][:, None, None]
        front.append(np.maximum(plain_norm(sums, state, f"layers.{layer}.bn"), 0).max(1))
    front += [plain_over_time(spectrogram.mean(0)[None], state, f"layers.{layer}") for layer in range(2, 5)]
    joined = np.concatenate(front)
    first = plain_over_time(joined, state, "layer1")
    second = plain_over_time(first, state, "layer2") + first
    third = plain_over_time(second, state, "layer3") + second
    stacked = np.concatenate([joined, first, second, third])
    return np.concatenate([stacked.max(1), stacked.mean(1)])


def plain_tags(feature: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
    hidden = state["dense1.weight"].astype(np.float64) @ feature + state["dense1.bias"]
    hidden = np.maximum(plain_norm(hidden, state, "bn"), 0)
    return 1 / (1 + np.exp(-(state["dense2.weight"].astype(np.float64) @ hidden + state["dense2.bias"])))


@pytest.mark.numeric
def test_the_network_computes_what_a_plain_evaluation_does(state: dict[str, torch.Tensor]) -> None:
    decibels = np.random.default_rng(1).normal(-20, 20, (2, 96, 40)).astype(np.float32)
    network = WonMusicnnNetwork().eval()
    network.load_state_dict(state)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    with torch.inference_mode():
        features = network.features(torch.from_numpy(decibels)).numpy()
        tags = network(torch.from_numpy(decibels)).numpy()
    assert features.shape == (2, 1506)
    for row in range(2):
        expected = plain_features(decibels[row], arrays)
        np.testing.assert_allclose(features[row], expected, atol=1e-4 * np.abs(expected).max())
        np.testing.assert_allclose(tags[row], plain_tags(expected, arrays), atol=1e-3)
    # All maxima, then all means, of the same 753 channels.
    assert (features[:, :753] >= features[:, 753:]).all()
    assert (features[:, 0::2] < features[:, 1::2]).any()


def test_names_and_shapes_are_the_projects() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in WonMusicnnNetwork().state_dict().items()}
    expected: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        expected.update({f"{name}.{part}": (channels,) for part in NORM - {"num_batches_tracked"}})
        expected[f"{name}.num_batches_tracked"] = ()

    def layer(name: str, *kernel: int) -> None:
        expected.update({f"{name}.weight": kernel, f"{name}.bias": kernel[:1]})

    norm("spec_bn", 1)
    front = [(204, 1, 67, 7), (204, 1, 38, 7), (51, 1, 129), (51, 1, 65), (51, 1, 33)]
    blocks = {f"layers.{number}": kernel for number, kernel in enumerate(front)}
    blocks |= {"layer1": (64, 561, 7), "layer2": (64, 64, 7), "layer3": (64, 64, 7)}
    for name, kernel in blocks.items():
        layer(f"{name}.conv", *kernel)
        norm(f"{name}.bn", kernel[0])
    layer("dense1", 200, 1506)
    norm("bn", 200)
    layer("dense2", 50, 200)
    assert shapes == expected


# The backbone.


@pytest.mark.numeric
def test_three_seconds_of_sound_are_one_feature(backbone: WonMusicnn, state: dict[str, torch.Tensor]) -> None:
    audio = (0.2 * np.random.default_rng(3).standard_normal(48_000)).astype(np.float32)
    feature = backbone(audio)
    assert feature.shape == (1, backbone.dim) == (1, 1506)
    assert feature.dtype == np.float32
    decibels = naive_decibels(audio)
    assert decibels.shape == (96, 188)  # all frames count, where the original's patch leaves the last one out
    expected = plain_features(decibels, {name: tensor.numpy() for name, tensor in state.items()})
    np.testing.assert_allclose(feature[0], expected, atol=1e-3 * np.abs(expected).max())
    assert not any(module.training for module in backbone.network.modules())


def test_longer_sound_is_the_mean_over_its_windows(backbone: WonMusicnn) -> None:
    audio = (0.2 * np.random.default_rng(4).standard_normal((2, 100_000))).astype(np.float32)
    found = backbone(audio)
    parts = [backbone(audio[1, start : start + 48_000])[0] for start in (0, 48_000)]
    np.testing.assert_allclose(found[1], np.mean(parts, 0), rtol=1e-6)
    np.testing.assert_array_equal(backbone(audio[:1]), found[:1])
    assert backbone(np.zeros((0, 48_000), np.float32)).shape == (0, 1506)


def test_what_it_cannot_take_is_refused(backbone: WonMusicnn) -> None:
    with pytest.raises(ConfigError, match=r"47,999 samples; this backbone needs at least 48,000"):
        backbone(np.zeros(47_999, np.float32))
    with pytest.raises(ConfigError, match="rate_hz must be 16000"):
        backbone(np.zeros(48_000, np.float32), 44_100)


def test_registered_and_described() -> None:
    info = backbones.info("musicnn-won-mtat")
    assert "musicnn-won-mtat" in backbones.names()
    assert (info.modality, info.dim, info.licence) == ("audio", 1506, "MIT")
    assert info.source.startswith("https://github.com/minzwon/sota-music-tagging-models, file models/mtat/")


# The weights.


def test_without_weights_the_error_says_what_to_fetch_and_where_to_put_it(empty_cache: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        backbones.load("musicnn-won-mtat")
    assert FILE in str(caught.value)
    assert f"put it at {empty_cache / 'musicnn-won-mtat.pth'}," in str(caught.value)


def test_a_file_brought_by_hand_is_used(empty_cache: Path, state: dict[str, torch.Tensor]) -> None:
    empty_cache.mkdir()
    torch.save(state, empty_cache / "musicnn-won-mtat.pth")
    path = backbones.fetch("musicnn-won-mtat")
    assert path.stat().st_size == backbones.info("musicnn-won-mtat").size_bytes
    assert backbones.check("musicnn-won-mtat").ok


def test_what_torchaudio_stores_beside_the_weights_is_checked_and_left_out(
    tmp_path: Path, state: dict[str, torch.Tensor], backbone: WonMusicnn
) -> None:
    path = tmp_path / "best_model.pth"
    window, filters = torch.hann_window(512), torch.from_numpy(htk_filters().T.copy())
    for stored in (filters, torch.empty(0)):
        torch.save(state | {"spec.spectrogram.window": window, "spec.mel_scale.fb": stored}, path)
        assert backbones.load("musicnn-won-mtat", weights=path).fingerprint == backbone.fingerprint
    for wrong in ({"spec.mel_scale.fb": filters * 2}, {"spec.mel_scale.fb": torch.zeros(257, 128)}):
        torch.save(state | wrong, path)
        with pytest.raises(WeightsError, match=r"its spec.mel_scale.fb is not that of torchaudio's default"):
            backbones.load("musicnn-won-mtat", weights=path)
    torch.save(state | {"spec.spectrogram.window": torch.hamming_window(512)}, path)
    with pytest.raises(WeightsError, match=r"its spec.spectrogram.window is not"):
        backbones.load("musicnn-won-mtat", weights=path)


def test_weights_of_another_network_are_refused(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    lacking = {name: tensor for name, tensor in state.items() if name != "layer2.bn.bias"}
    for wrong in (lacking, state | {"more": torch.zeros(1)}, state | {"dense1.weight": torch.zeros(500, 4194)}):
        torch.save(wrong, tmp_path / "wrong.pth")
        with pytest.raises(WeightsError, match="musicnn-won-mtat: the weights belong to another network"):
            backbones.load("musicnn-won-mtat", weights=tmp_path / "wrong.pth")


class Harmful:
    """Would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


def test_only_tensors_are_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, torch.Tensor]
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(state | {"more": Harmful()}, tmp_path / "harmful.pth")
    with pytest.raises(WeightsError, match="not a PyTorch state file that is safe to read"):
        backbones.load("musicnn-won-mtat", weights=tmp_path / "harmful.pth")
    assert not (tmp_path / "harmed").exists()
