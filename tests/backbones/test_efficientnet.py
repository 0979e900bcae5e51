import numpy as np
import pytest
import skimage.data
import torch
from sklearn.datasets import load_sample_image

from antiphon.backbones.builtin import EFFICIENTNET_WEIGHTS
from antiphon.backbones.checks import gradients
from antiphon.backbones.efficientnet import EfficientNet
from antiphon.backbones.efficientnet_network import EfficientNetLite0
from antiphon.backbones.inference import loaded
from antiphon.errors import ConfigError

from .conftest import assert_close

pytestmark = pytest.mark.numeric

CATS, PROJECTILES, PALACES, ESPRESSO, TRIPOD = {281, 282, 285}, {657, 744}, {698, 442}, {967}, {872}


@pytest.fixture(scope="module")
def window() -> np.ndarray:
    return gradients(224, frames=5)


@pytest.mark.parametrize(
    ("picture", "classes", "least"),
    [
        (skimage.data.chelsea(), CATS, 0.8),
        (skimage.data.rocket(), PROJECTILES, 0.3),
        (skimage.data.coffee(), ESPRESSO, 0.9),
        (np.repeat(skimage.data.camera()[..., None], 3, 2), TRIPOD, 0.9),
        (load_sample_image("china.jpg"), PALACES, 0.5),
    ],
    ids=["cat", "rocket", "coffee", "camera", "china"],
)
def test_it_names_pictures(efficientnet: EfficientNet, picture: np.ndarray, classes: set[int], least: float) -> None:
    (probabilities,) = efficientnet.classify(picture[None])
    assert probabilities.shape == (1000,)
    assert int(probabilities.argmax()) in classes
    assert sum(probabilities[list(classes)]) > least
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_feature_is_mean_and_deviation_over_the_frames(efficientnet: EfficientNet, window: np.ndarray) -> None:
    alone = np.concatenate([efficientnet(window[i : i + 1]) for i in range(5)])
    assert alone.shape == (5, efficientnet.dim) == (5, 2560)
    assert (alone[:, 1280:] == 0).all()
    frames = alone[:, :1280]
    feature = efficientnet(window)
    assert feature.shape == (1, 2560)
    assert feature.dtype == np.float32
    assert_close(feature[0, :1280], frames.mean(0))
    assert_close(feature[0, 1280:], frames.std(0))
    assert feature[0, 1280:].max() > 0.05


def test_folded_it_is_the_network_as_published(efficientnet: EfficientNet, window: np.ndarray) -> None:
    plain = loaded(EfficientNetLite0(), EFFICIENTNET_WEIGHTS.read()[0], "plain")
    assert sum(parameter.numel() for parameter in plain.parameters()) == 4_652_008
    with torch.inference_mode():
        expected = plain((torch.tensor(window).permute(0, 3, 1, 2).float() - 127) / 128).softmax(1).numpy()
    assert_close(efficientnet.classify(window), expected)


def test_a_window_is_the_same_alone_and_among_others(efficientnet: EfficientNet, window: np.ndarray) -> None:
    windows = np.stack([window[:2], window[3:]])
    together = efficientnet(windows)
    assert together.shape == (2, 2560)
    np.testing.assert_array_equal(together, np.concatenate([efficientnet(one) for one in windows]))
    assert efficientnet(windows[:0]).shape == (0, 2560)


def test_frames_of_another_size_keep_their_middle(efficientnet: EfficientNet, window: np.ndarray) -> None:
    wide = np.zeros((1, 448, 800, 3), np.uint8)
    wide[:, :, 176:624] = window[:1].repeat(2, 1).repeat(2, 2)
    wide[:, :, :170] = 255
    feature, expected = efficientnet(wide)[0, :1280], efficientnet(window[:1])[0, :1280]
    assert float(feature @ expected) > 0.98 * np.linalg.norm(feature) * np.linalg.norm(expected)


@pytest.mark.parametrize(
    "frames",
    [np.zeros((2, 224, 224, 3), np.float32), np.zeros((2, 3, 224, 224), np.uint8), np.zeros((224, 224, 3), np.uint8)],
)
def test_what_is_no_frames_is_refused(efficientnet: EfficientNet, frames: np.ndarray) -> None:
    with pytest.raises(ConfigError, match=r"frames must be uint8 RGB .* not (float32|uint8) of shape \(2"):
        efficientnet(frames)


def test_layout(efficientnet: EfficientNet) -> None:
    assert (efficientnet.layout.size_px, efficientnet.layout.every, efficientnet.layout.crop) == (224, 3, "centre")
