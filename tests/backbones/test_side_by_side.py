from pathlib import Path

import numpy as np
import pytest
import soxr

from antiphon import backbones
from antiphon.backbones import AudioBackbone
from antiphon.backbones.builtin import BASIC_PITCH, MUSICNN_MTT, MUSICNN_MTT_BASIC_PITCH
from antiphon.backbones.checks import TOLERANCE, response, sweep
from antiphon.backbones.side_by_side import SideBySide
from antiphon.errors import ConfigError, WeightsError

from .conftest import assert_close

RATE_HZ = 22_050


@pytest.fixture(scope="module")
def both() -> AudioBackbone:
    loaded = MUSICNN_MTT_BASIC_PITCH.build("cpu", None)
    assert isinstance(loaded, AudioBackbone)
    return loaded


@pytest.mark.numeric
def test_values_are_those_of_either_network(both: AudioBackbone) -> None:
    waveform = sweep(RATE_HZ)
    (feature,) = both(waveform, RATE_HZ)
    assert (both.name, both.dim, both.rate_hz) == ("musicnn-mtt-basic-pitch", 1682, RATE_HZ)
    assert feature.shape == (1682,)
    assert feature.dtype == np.float32
    notes, musicnn = BASIC_PITCH.build("cpu", None), backbones.load("musicnn-mtt", "cpu")
    assert isinstance(notes, AudioBackbone)
    assert isinstance(musicnn, AudioBackbone)
    assert_close(feature[1506:], notes(waveform, RATE_HZ)[0])
    resampled = soxr.resample(waveform, RATE_HZ, 16_000)
    assert len(resampled) == 48_000
    assert_close(feature[:1506], musicnn(resampled)[0])
    assert response(both) == pytest.approx(MUSICNN_MTT_BASIC_PITCH.golden, rel=TOLERANCE)


@pytest.mark.numeric
def test_a_waveform_is_the_same_alone_and_among_others(both: AudioBackbone) -> None:
    rows = np.stack([sweep(RATE_HZ), sweep(RATE_HZ)[::-1]])
    np.testing.assert_array_equal(both(rows, RATE_HZ), np.concatenate([both(row, RATE_HZ) for row in rows]))
    assert both(rows[:0], RATE_HZ).shape == (0, 1682)


def test_what_one_of_them_refuses_is_refused(both: AudioBackbone) -> None:
    with pytest.raises(ConfigError, match="rate_hz must be 22050"):
        both(sweep(16_000), 16_000)
    with pytest.raises(ConfigError, match="must be floats"):
        both(np.zeros(3 * RATE_HZ, np.int16), RATE_HZ)
    with pytest.raises(ConfigError, match="Precision bfloat16 needs a GPU"):
        both.set_precision("bfloat16")


def test_other_weights_of_either_are_another_backbone() -> None:
    class Part(AudioBackbone):
        name, dim, rate_hz, fingerprint = "part", 1, 16_000, "0" * 64

        def __call__(self, waveform: object, rate_hz: int = 16_000) -> np.ndarray:
            return np.zeros((1, 1), np.float32)

    one, other = Part(), Part()
    before = SideBySide("both", [one, other]).fingerprint
    other.fingerprint = "1" * 64
    assert (
        len({before, SideBySide("both", [one, other]).fingerprint, SideBySide("both", [other, one]).fingerprint}) == 3
    )


def test_its_weights_are_those_of_both(empty_cache: Path) -> None:
    weights = MUSICNN_MTT_BASIC_PITCH.weights
    assert weights is not None
    assert MUSICNN_MTT.weights is not None
    assert BASIC_PITCH.weights is not None
    assert weights.size_bytes == MUSICNN_MTT.weights.size_bytes + BASIC_PITCH.weights.size_bytes
    assert "musicnn==0.1.0" in weights.description
    assert "basic-pitch==0.4.0" in weights.description
    assert not weights.cached
    empty_cache.mkdir()
    MUSICNN_MTT.weights.path.write_bytes(b"")
    assert not weights.cached
    BASIC_PITCH.weights.path.write_bytes(b"")
    assert weights.cached
    with pytest.raises(WeightsError, match="two networks, whose weights are two files"):
        MUSICNN_MTT_BASIC_PITCH.build("cpu", empty_cache / "one.safetensors")


def test_the_rate_is_its_own_by_default_and_the_arithmetic_is_that_of_both(both: AudioBackbone) -> None:
    assert isinstance(both, SideBySide)
    np.testing.assert_array_equal(both(sweep(RATE_HZ)), both(sweep(RATE_HZ), RATE_HZ))
    assert both.arithmetic == " and ".join(sorted({part.arithmetic for part in both.parts}))
