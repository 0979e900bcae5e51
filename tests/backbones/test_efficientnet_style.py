import numpy as np
import pytest
import torch
from torch.nn import functional as F

from antiphon import backbones
from antiphon.backbones.checks import gradients
from antiphon.backbones.efficientnet import EfficientNet, EfficientNetStyle, gram
from antiphon.errors import ConfigError

from .conftest import assert_close

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def style() -> EfficientNetStyle:
    loaded = backbones.load("efficientnet_lite0-style")
    assert isinstance(loaded, EfficientNetStyle)
    return loaded


@pytest.fixture(scope="module")
def window() -> np.ndarray:
    return gradients(224, frames=3)


def test_gram_against_a_loop() -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    expected = [[(one[i] * one[j]).sum() / 20 for i in range(3) for j in range(i, 3)] for one in values]
    np.testing.assert_allclose(gram(torch.from_numpy(values)).numpy(), expected, rtol=1e-12)


def test_gram_knows_no_places() -> None:
    values = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 4, 6, 6)))
    shuffled = values.flatten(2)[:, :, torch.randperm(36, generator=torch.Generator().manual_seed(0))]
    np.testing.assert_allclose(gram(shuffled.reshape(values.shape)), gram(values), rtol=1e-10)


def test_early_stages_are_those_that_the_features_pass_through(efficientnet: EfficientNet, window: np.ndarray) -> None:
    network = efficientnet.network
    video = torch.from_numpy(window).permute(0, 3, 1, 2).float() / 128 - 127 / 128
    with torch.inference_mode():
        stages = network.early(video, 7)
        kept = [stage.clone() for stage in stages]
        found = F.relu6(network._bn1(network._conv_head(stages[-1]))).mean((2, 3))
        assert_close(found.numpy(), network.features(video).numpy())
    assert [stage.shape[1:] for stage in stages[:3]] == [(16, 112, 112), (24, 56, 56), (40, 28, 28)]
    assert all(torch.equal(one, other) for one, other in zip(stages, kept, strict=True))


def test_feature_is_the_signed_root_of_the_mean_over_the_frames(style: EfficientNetStyle, window: np.ndarray) -> None:
    alone = np.concatenate([style(frame[None]) for frame in window]).astype(np.float64)
    mean = (np.sign(alone) * alone**2).mean(0)
    feature = style(window)
    assert feature.shape == (1, style.dim) == (1, backbones.info(style.name).dim)
    assert feature.dtype == np.float32
    assert (feature < 0).any()
    np.testing.assert_allclose(np.sign(feature[0]) * feature[0].astype(np.float64) ** 2, mean, rtol=1e-3, atol=1e-3)


def test_a_window_is_the_same_alone_and_among_others(style: EfficientNetStyle, window: np.ndarray) -> None:
    windows = np.stack([window[:2], window[1:]])
    np.testing.assert_array_equal(style(windows), np.concatenate([style(one) for one in windows]))
    assert style(windows[:0]).shape == (0, 1120)


def test_a_texture_moved_is_nearer_than_another_texture(style: EfficientNetStyle) -> None:
    random = np.random.default_rng(2)
    fine = random.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    coarse = fine[:, :28, :28].repeat(8, 1).repeat(8, 2)
    moved = np.roll(coarse, (24, 40), (1, 2))
    one, same, other = (style(picture)[0].astype(np.float64) for picture in (coarse, moved, fine))
    assert np.linalg.norm(one - same) < 0.2 * np.linalg.norm(one - other)


def test_what_is_no_frames_is_refused(style: EfficientNetStyle) -> None:
    with pytest.raises(ConfigError, match="frames must be uint8 RGB"):
        style(np.zeros((2, 224, 224, 3), np.float32))


def test_it_sees_what_the_content_backbone_sees(style: EfficientNetStyle, efficientnet: EfficientNet) -> None:
    assert style.layout == efficientnet.layout
    assert style.fingerprint == efficientnet.fingerprint
