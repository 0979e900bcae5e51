import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from antiphon import backbones
from antiphon.backbones.r2plus1d import R2Plus1D
from antiphon.backbones.r2plus1d_network import R2Plus1D18
from antiphon.errors import ConfigError, WeightsError

from .conftest import assert_close

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def waves() -> dict[str, Any]:
    return runpy.run_path(str(GOLDEN / "make_r2plus1d.py"))


@pytest.fixture(scope="module")
def network(waves: dict[str, Any]) -> R2Plus1D18:
    made = R2Plus1D18().eval()
    made.load_state_dict(waves["state"]({name: tuple(value.shape) for name, value in made.state_dict().items()}))
    return made


@pytest.fixture(scope="module")
def state_file(network: R2Plus1D18, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "made.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def backbone(state_file: Path) -> R2Plus1D:
    made = backbones.load("r2plus1d_18", weights=state_file)
    assert isinstance(made, R2Plus1D)
    return made


def test_names_and_shapes_are_torchvisions(network: R2Plus1D18) -> None:
    with np.load(GOLDEN / "r2plus1d.npz") as golden:
        expected = golden["names"].tolist()
    assert [f"{name} {tuple(value.shape)}" for name, value in network.state_dict().items()] == expected
    assert sum(parameter.numel() for parameter in network.parameters()) == 31_505_325


@pytest.mark.numeric
def test_outputs_are_torchvisions(network: R2Plus1D18, waves: dict[str, Any]) -> None:
    with torch.inference_mode(), np.load(GOLDEN / "r2plus1d.npz") as golden:
        features = network.features(waves["frames"]())
        assert_close(features.numpy(), golden["features"])
        assert_close(network(waves["frames"]()).numpy(), golden["logits"])


def test_frames_are_scaled_and_normalised_as_the_network_was_trained(backbone: R2Plus1D, network: R2Plus1D18) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 112, 112, 3), dtype=np.uint8)
    feature = backbone(frames)
    assert feature.shape == (2, backbone.dim) == (2, 512)
    assert feature.dtype == np.float32
    normalised = (frames / 255 - [0.43216, 0.394666, 0.37645]) / [0.22803, 0.22145, 0.216989]
    with torch.inference_mode():
        expected = network.features(torch.tensor(normalised, dtype=torch.float32).permute(0, 4, 1, 2, 3)).numpy()
    assert_close(feature, expected)
    np.testing.assert_array_equal(backbone(frames[1]), feature[1:])
    assert not any(module.training for module in backbone.network.modules())


def test_unscaled_is_the_same_network_on_raw_values(state_file: Path, backbone: R2Plus1D, network: R2Plus1D18) -> None:
    unscaled = backbones.load("r2plus1d_18-unscaled", weights=state_file)
    assert isinstance(unscaled, R2Plus1D)
    assert (unscaled.name, backbone.name) == ("r2plus1d_18-unscaled", "r2plus1d_18")
    assert unscaled.fingerprint == backbone.fingerprint
    assert unscaled.layout == backbone.layout
    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 112, 112, 3), dtype=np.uint8)
    raw = torch.tensor(frames, dtype=torch.float32).permute(0, 4, 1, 2, 3)
    with torch.inference_mode():
        expected = torch.cat([network.features(raw[:1]), network.features(raw[1:])]).numpy()
    assert_close(unscaled(frames), expected)
    assert np.abs(unscaled(frames) - backbone(frames)).max() > 0.1
    info = backbones.info("r2plus1d_18-unscaled")
    assert "neither scaled nor normalised" in info.description
    assert info.path == backbones.info("r2plus1d_18").path


def test_crop_can_be_the_papers(state_file: Path, backbone: R2Plus1D) -> None:
    assert (backbone.layout.size_px, backbone.layout.every, backbone.layout.crop) == (112, 1, "centre")
    random = backbones.load("r2plus1d_18", weights=state_file, crop="random", every=2)
    assert isinstance(random, R2Plus1D)
    assert (random.layout.size_px, random.layout.every, random.layout.crop) == (112, 2, "random")
    assert random.fingerprint == backbone.fingerprint
    with pytest.raises(ConfigError, match="every"):
        backbones.load("r2plus1d_18", weights=state_file, every=0)


def test_without_weights_the_error_says_what_to_fetch_and_where_to_put_it(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(WeightsError) as caught:
        backbones.load("r2plus1d_18")
    assert "https://download.pytorch.org/models/r2plus1d_18-91a641e6.pth could not be downloaded" in str(caught.value)
    assert f"put it at {empty_cache / 'r2plus1d_18-91a641e6.pth'}," in str(caught.value)
    assert not any(empty_cache.iterdir())


def test_a_file_brought_by_hand_must_be_the_published_one(empty_cache: Path) -> None:
    empty_cache.mkdir()
    (empty_cache / "r2plus1d_18-91a641e6.pth").write_bytes(b"half a download")
    with pytest.raises(WeightsError, match=r"r2plus1d_18-91a641e6\.pth is not the published file: its SHA-256"):
        backbones.fetch("r2plus1d_18")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(400, 512)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="r2plus1d_18: the weights belong to another network"):
        backbones.load("r2plus1d_18", weights=tmp_path / "other.pth")
