"""The fusing networks against their formulas in numpy, float64."""

import numpy as np
import pytest
import torch

from antiphon.errors import ConfigError
from antiphon.evaluation.probes.classifiers import Labelled, fit_probe
from antiphon.evaluation.probes.fusion import FUSIONS, Fusion
from antiphon.evaluation.probes.perceptron import PerceptronConfig

pytestmark = pytest.mark.numeric

SETTINGS = PerceptronConfig(hidden=(7, 5))
WIDTHS = (3, 4)
Weights = dict[str, np.ndarray]


def linear(weights: Weights, name: str, values: np.ndarray) -> np.ndarray:
    return (
        np.array([[row @ column for column in weights[f"{name}.weight"]] for row in values]) + weights[f"{name}.bias"]
    )


def relu(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, 0)


def rest(weights: Weights, hidden: np.ndarray) -> np.ndarray:
    return linear(weights, "rest.4", relu(linear(weights, "rest.1", hidden)))


def late(weights: Weights, audio: np.ndarray, video: np.ndarray) -> np.ndarray:
    def alone(side: str, values: np.ndarray) -> np.ndarray:
        hidden = relu(linear(weights, f"{side}.4", relu(linear(weights, f"{side}.1", values))))
        return linear(weights, f"{side}.7", hidden)

    return (alone("audio", audio) + alone("video", video)) / 2


def gated(weights: Weights, audio: np.ndarray, video: np.ndarray) -> np.ndarray:
    gate = 1 / (1 + np.exp(-linear(weights, "gate", np.hstack([audio, video]))))
    sound, pictures = np.tanh(linear(weights, "audio", audio)), np.tanh(linear(weights, "video", video))
    return rest(weights, gate * sound + (1 - gate) * pictures)


def bilinear(weights: Weights, audio: np.ndarray, video: np.ndarray) -> np.ndarray:
    return rest(weights, np.tanh(linear(weights, "audio", audio)) * np.tanh(linear(weights, "video", video)))


NAIVE = {"fusion-late": late, "fusion-gated": gated, "fusion-bilinear": bilinear}


@pytest.mark.parametrize("kind", FUSIONS)
def test_a_fusion_is_its_formula(kind: Fusion) -> None:
    bias = torch.tensor([-1.0, 2.0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = FUSIONS[kind](WIDTHS, bias, SETTINGS).double().eval()
    rows = np.random.default_rng(0).normal(size=(6, sum(WIDTHS)))
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    expected = NAIVE[kind](weights, rows[:, : WIDTHS[0]], rows[:, WIDTHS[0] :])
    with torch.inference_mode():
        found = network(torch.from_numpy(rows)).numpy()
    assert found.shape == (6, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    last = [name for name in weights if name.endswith("bias") and weights[name].shape == (2,)]
    assert last
    for name in last:
        np.testing.assert_array_equal(weights[name], bias.numpy())


@pytest.mark.parametrize("widths", [(), (7,), (3, 3), (3, 3, 1)])
def test_a_fusion_must_know_where_the_sound_ends(widths: tuple[int, ...]) -> None:
    part = Labelled(np.zeros((4, 7), np.float32), np.eye(4, 2, dtype=bool))
    with pytest.raises(ConfigError, match="for rows of 7 values; fusion-gated needs those of audio and video"):
        fit_probe("fusion-gated", part, part, exclusive=False, seed=0, widths=widths)
