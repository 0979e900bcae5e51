"""Musicnn's tags in numpy, from what features were stored, against the network itself."""

import numpy as np
import pytest

from antiphon.backbones import load
from antiphon.backbones.musicnn_tags import TAGS
from antiphon.words.heard import tag_probabilities


@pytest.fixture(scope="module")
def waveform():
    """Three seconds of two tones and noise."""
    times = np.arange(48_000) / 16_000
    noise = np.random.default_rng(0).normal(size=48_000) * 0.02
    return (0.3 * np.sin(2 * np.pi * 220 * times) + 0.2 * np.sin(2 * np.pi * 660 * times) + noise).astype(np.float32)


@pytest.mark.parametrize("name", ["musicnn-mtt", "musicnn-mtt-penultimate", "musicnn-msd"])
def test_tags_of_stored_features_are_those_of_the_network(name, waveform):
    backbone = load(name)
    corpus, found = tag_probabilities(name, np.vstack([backbone(waveform, 16_000), np.full(backbone.dim, np.nan)]))
    expected = dict(backbone.tag(waveform))
    assert dict(zip(TAGS[corpus], found[0], strict=True)) == pytest.approx(expected, abs=1e-5)
    assert np.isnan(found[1]).all()


def test_values_of_another_network_behind_them_change_nothing(waveform):
    (feature,) = load("musicnn-mtt")(waveform, 16_000)
    _, expected = tag_probabilities("musicnn-mtt", feature[None])
    corpus, found = tag_probabilities("musicnn-mtt-basic-pitch", np.concatenate([feature, np.ones(176)])[None])
    assert corpus == "mtt"
    np.testing.assert_array_equal(found, expected)


def test_features_of_other_backbones_have_no_tags(monkeypatch, tmp_path):
    assert tag_probabilities("efficientnet_lite0", np.zeros((2, 1506))) is None
    assert tag_probabilities("musicnn-mtt", np.zeros((2, 200))) is None
    monkeypatch.setenv("ANTIPHON_CACHE", str(tmp_path))
    assert tag_probabilities("musicnn-mtt", np.zeros((2, 1506))) is None  # nothing is downloaded
    (tmp_path / "musicnn-mtt.safetensors").write_bytes(b"damaged")
    assert tag_probabilities("musicnn-mtt", np.zeros((2, 1506))) is None
