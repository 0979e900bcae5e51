import ast
import zipfile

import numpy as np
import pytest
import torch

from antiphon import backbones
from antiphon.backbones.builtin import MUSICNN_WHEEL
from antiphon.backbones.inference import loaded
from antiphon.backbones.musicnn import TAGS, Musicnn, MusicnnOutputs
from antiphon.backbones.musicnn_network import MusicnnNetwork, from_tensorflow
from antiphon.backbones.weights import cache_dir
from antiphon.errors import ConfigError, WeightsError

from .conftest import assert_close

pytestmark = pytest.mark.numeric


def of_original(musicnn: Musicnn, reference: dict[str, np.ndarray]) -> MusicnnOutputs:
    model = f"{musicnn.name.removeprefix('musicnn-').upper()}_musicnn"
    return MusicnnOutputs(*(reference[f"{model}.{field}"] for field in MusicnnOutputs._fields))


@pytest.fixture(scope="module")
def music(reference: dict[str, np.ndarray]) -> np.ndarray:
    return reference["waveform"]


def test_outputs_are_those_of_the_original(musicnn: Musicnn, reference: dict[str, np.ndarray]) -> None:
    expected, found = of_original(musicnn, reference), musicnn.outputs(reference["log_mel"])
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)
    assert {value.dtype for value in found} == {np.dtype(np.float32)}


def test_from_the_waveform_it_is_the_original_too(musicnn: Musicnn, reference: dict[str, np.ndarray]) -> None:
    found = musicnn.outputs(musicnn.log_mel(reference["waveform"]))
    assert_close(found.taggram, of_original(musicnn, reference).taggram, share=4e-5)


def test_feature_is_the_mean_over_patches_maxima_and_means_taking_turns(
    musicnn: Musicnn, reference: dict[str, np.ndarray]
) -> None:
    expected, feature = of_original(musicnn, reference), musicnn(reference["waveform"])
    assert feature.shape == (1, musicnn.dim) == (1, 1506)
    assert_close(feature[0, 0::2], expected.max_pool.mean(0), share=4e-5)
    assert_close(feature[0, 1::2], expected.mean_pool.mean(0), share=4e-5)


def test_penultimate(music: np.ndarray) -> None:
    backbone, pooled = (backbones.load(f"musicnn-mtt{end}") for end in ("-penultimate", ""))
    assert isinstance(backbone, Musicnn)
    feature = backbone(music[:48_000])
    assert feature.shape == (1, backbone.dim) == (1, 200)
    expected = backbone.outputs(backbone.log_mel(music[:48_000])).penultimate
    np.testing.assert_array_equal(feature, expected)
    assert backbone.fingerprint == pooled.fingerprint
    assert backbone.name == "musicnn-mtt-penultimate"


def test_a_row_is_the_same_alone_and_among_others(musicnn: Musicnn, music: np.ndarray) -> None:
    rows = np.stack([music[:48_000], music[50_000:98_000]])
    together = musicnn(rows)
    assert together.shape == (2, 1506)
    assert together.dtype == np.float32
    assert_close(together, np.concatenate([musicnn(row) for row in rows]))
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_no_rows_give_no_features(musicnn: Musicnn) -> None:
    assert musicnn(np.empty((0, 48_000), np.float32)).shape == (0, 1506)
    assert len(musicnn.outputs(np.empty((0, 187, 96))).taggram) == 0


def test_a_patch_alone_is_one_of_many(musicnn: Musicnn, reference: dict[str, np.ndarray]) -> None:
    one = musicnn.outputs(reference["log_mel"][1])
    assert one.taggram.shape == (1, 50)
    assert_close(one["taggram"], musicnn.outputs(reference["log_mel"])["taggram"][1:2])
    assert one[0] is one["taggram"]


def test_tags_come_likeliest_first(musicnn: Musicnn, reference: dict[str, np.ndarray]) -> None:
    tags = musicnn.tag(reference["waveform"])
    mean = of_original(musicnn, reference).taggram.mean(0)
    assert tags[0][0] == musicnn.tags[int(mean.argmax())]
    assert [score for _, score in tags] == pytest.approx(sorted(mean, reverse=True), abs=4e-5 * float(mean.max()))
    assert sorted(name for name, _ in tags) == sorted(musicnn.tags)


def test_tags_are_those_of_the_original_in_its_order() -> None:
    with zipfile.ZipFile(MUSICNN_WHEEL.obtain(cache_dir())) as wheel:
        module = ast.parse(wheel.read("musicnn/configuration.py"))
    stated = {
        node.targets[0].id: tuple(ast.literal_eval(node.value))
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.List)
    }
    assert stated == {"MTT_LABELS": TAGS["mtt"], "MSD_LABELS": TAGS["msd"]}


@pytest.mark.parametrize(
    ("waveform", "rate_hz", "message"),
    [
        (np.zeros(48_000), 44_100, "must be 16000 for this backbone, not 44100"),
        (np.zeros(47_615), 16_000, r"47,615 samples; this backbone needs at least 47,616 \(2.976 s"),
        (np.zeros(48_000, np.int16), 16_000, "not int16 of shape"),
        (np.zeros((1, 2, 48_000)), 16_000, "not float64 of shape"),
        (np.full(48_000, 3000.0), 16_000, "peaks at 3,000"),
        (np.full(48_000, np.nan), 16_000, "not finite"),
    ],
)
def test_another_waveform_is_refused(musicnn: Musicnn, waveform: np.ndarray, rate_hz: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        musicnn(waveform, rate_hz)


def test_what_is_no_log_mel_is_refused(musicnn: Musicnn) -> None:
    with pytest.raises(ConfigError, match=r"\(patches, 187, 96\), not \(188, 96\)"):
        musicnn.outputs(np.zeros((188, 96)))
    with pytest.raises(ConfigError, match=r"waveform must be mono"):
        musicnn.tag(np.zeros((1, 48_000)))


def test_it_is_frozen_and_in_evaluation_mode(musicnn: Musicnn) -> None:
    assert not any(module.training for module in musicnn.network.modules())
    assert not any(parameter.requires_grad for parameter in musicnn.network.parameters())
    assert sum(parameter.numel() for parameter in musicnn.network.parameters()) == 787_159


def test_weights_of_another_network_are_refused(musicnn: Musicnn) -> None:
    state = {name: value.numpy() for name, value in musicnn.network.state_dict().items()}
    del state["hidden.bias"]
    with pytest.raises(WeightsError, match=r"musicnn-mtt: the weights belong to another network[\s\S]*hidden.bias"):
        loaded(MusicnnNetwork(), state, "musicnn-mtt")
    with pytest.raises(WeightsError, match="lacks the variable 'conv2d/kernel'"):
        from_tensorflow({})


def test_it_can_be_fine_tuned(musicnn: Musicnn) -> None:
    patches = torch.rand(1, 187, 96)
    network = loaded(MusicnnNetwork(), {k: v.numpy() for k, v in musicnn.network.state_dict().items()}, "copy")
    network.requires_grad_(True)
    network(patches).penultimate.sum().backward()
    assert float(network.timbral[0].conv.weight.grad.abs().sum()) > 0
