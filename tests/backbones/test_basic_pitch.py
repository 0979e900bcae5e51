from pathlib import Path

import numpy as np
import pytest

from antiphon.backbones import runtime
from antiphon.backbones.arithmetic import MAX_DIFFERENCE, MIN_COSINE, OPENVINO, TORCH
from antiphon.backbones.basic_pitch import FRAMES_PER_S, MEMBER, BasicPitch, convert
from antiphon.backbones.builtin import BASIC_PITCH, BASIC_PITCH_WHEEL
from antiphon.backbones.checks import TOLERANCE, response, sweep
from antiphon.backbones.downloads import read_member
from antiphon.backbones.openvino_import import openvino
from antiphon.backbones.weights import cache_dir
from antiphon.errors import ConfigError, WeightsError

from .conftest import assert_close

pytestmark = pytest.mark.numeric

RATE_HZ = 22_050
A4, C5, E5 = 48, 51, 55
"""Keys, counted from A0."""


@pytest.fixture(scope="module")
def wheel() -> Path:
    return BASIC_PITCH_WHEEL.obtain(cache_dir())


@pytest.fixture(scope="module")
def published(wheel: Path) -> bytes:
    return read_member(wheel, MEMBER)


@pytest.fixture(scope="module")
def network(wheel: Path) -> BasicPitch:
    """Not from the cache, which an earlier version may have converted."""
    return BasicPitch(convert(wheel), "0" * 64)


def played(keys: list[int], each_s: float) -> np.ndarray:
    """Keys one after the other, with four overtones, dying away."""
    time_s = np.arange(round(each_s * RATE_HZ)) / RATE_HZ
    frequencies_hz = 27.5 * 2 ** (np.array(keys) / 12)
    tones = [
        sum(np.sin(2 * np.pi * n * f * time_s) / n for n in range(1, 6)) * np.exp(-2 * time_s) for f in frequencies_hz
    ]
    return (0.2 * np.concatenate(tones)).astype(np.float32)


def test_it_computes_what_the_published_file_does(network: BasicPitch, published: bytes, tmp_path: Path) -> None:
    (tmp_path / "nmp.onnx").write_bytes(published)
    original = openvino.Core().compile_model(tmp_path / "nmp.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    waveform = np.concatenate([sweep(RATE_HZ), played([A4, C5], 0.6), 0.1 * sweep(RATE_HZ)[::-1]])
    # As basic_pitch.inference does it: half of 30 overlapping frames before the start, and stretches of 43,844 samples.
    padded = np.concatenate([np.zeros(15 * 256, np.float32), waveform])
    expected: dict[int, list[np.ndarray]] = {0: [], 1: []}
    for start in range(0, len(padded), 43_844 - 30 * 256):
        stretch = padded[start : start + 43_844]
        found = original(np.pad(stretch, (0, 43_844 - len(stretch)))[None, :, None])
        for output, parts in expected.items():
            parts.append(found[output][0, 15:-15])
    frames = len(waveform) * 86 // RATE_HZ
    notes, onsets = network.transcribe(waveform)
    assert notes.shape == onsets.shape == (1, frames, 88)
    # Decibels near the floor magnify what float32 rounds: 5e-5 to 8e-4 on three processors; a bin or frame off makes
    # more than 1e-2.
    assert_close(notes[0], np.concatenate(expected[1])[:frames], 3e-3)
    assert_close(onsets[0], np.concatenate(expected[0])[:frames], 3e-3)


def test_it_hears_which_keys_are_played_and_when(network: BasicPitch) -> None:
    keys = [A4, E5, C5]
    waveform = played(keys, 1.0)
    ((notes,), (onsets,)) = network.transcribe(waveform)
    heard = [
        int(notes[second * FRAMES_PER_S + 10 : second * FRAMES_PER_S + 60].mean(0).argmax()) for second in range(3)
    ]
    assert heard == keys
    for second, key in list(enumerate(keys))[1:]:
        assert abs(int(onsets[:, key].argmax()) / FRAMES_PER_S - second) < 0.05
    (feature,) = network(waveform)
    assert set(np.argsort(feature[:88])[-3:].tolist()) == set(keys)
    np.testing.assert_allclose(feature, np.concatenate([notes.mean(0), onsets.mean(0)]), rtol=1e-5)


def test_it_gives_its_reference_output(network: BasicPitch) -> None:
    cached = BASIC_PITCH.build("cpu", None)
    assert BASIC_PITCH.weights is not None
    assert BASIC_PITCH.weights.size_bytes == BASIC_PITCH.weights.path.stat().st_size
    assert (BASIC_PITCH.name, BASIC_PITCH.dim) == (network.name, network.dim)
    for each in (network, cached):
        assert response(each) == pytest.approx(BASIC_PITCH.golden, rel=TOLERANCE)


def test_in_pytorch_it_is_as_close_as_declared(network: BasicPitch, monkeypatch: pytest.MonkeyPatch) -> None:
    waveform = np.concatenate([played([A4, E5], 0.7), 0.3 * sweep(RATE_HZ)])
    (fast,) = network(waveform)
    monkeypatch.setattr(runtime, "openvino_works", lambda: False)
    slow_network = BASIC_PITCH.build("cpu", None)
    assert (network.arithmetic, slow_network.arithmetic) == (OPENVINO, TORCH)
    assert isinstance(slow_network, BasicPitch)
    (slow,) = slow_network(waveform)
    assert float(np.abs(fast - slow).max()) <= MAX_DIFFERENCE * float(slow.max())
    one, other = fast.astype(np.float64), slow.astype(np.float64)
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) >= MIN_COSINE


def test_loudness_is_taken_out(network: BasicPitch) -> None:
    loud = played([C5, A4], 0.8)
    (feature,), (soft,) = network(loud), network(loud / 8)
    np.testing.assert_allclose(feature, soft, atol=0.06)
    assert feature.max() > 0.3


def test_a_waveform_is_the_same_alone_and_among_others(network: BasicPitch) -> None:
    rows = np.stack([played([A4, C5], 0.8), played([E5, A4], 0.8)])
    together = network(rows)
    assert together.shape == (2, network.dim) == (2, 176)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together, np.concatenate([network(row) for row in rows]))
    assert network(rows[:0]).shape == (0, 176)


@pytest.mark.parametrize("samples", [RATE_HZ, 32_323, 36_164, 40_003, 68_488, 3 * RATE_HZ])
def test_all_frames_are_there_at_any_length(network: BasicPitch, samples: int) -> None:
    notes, onsets = network.transcribe(np.zeros((1, samples), np.float32))
    assert notes.shape == onsets.shape == (1, samples * 86 // RATE_HZ, 88)


@pytest.mark.parametrize(
    ("waveform", "rate_hz", "message"),
    [
        (np.zeros(RATE_HZ, np.float32), 16_000, "rate_hz must be 22050"),
        (np.zeros(RATE_HZ - 1, np.float32), RATE_HZ, "at least 22,050"),
        (np.zeros(RATE_HZ, np.int16), RATE_HZ, "must be floats"),
    ],
)
def test_what_is_no_waveform_is_refused(network: BasicPitch, waveform: np.ndarray, rate_hz: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        network(waveform, rate_hz)


def test_weights_are_read_from_the_wheel_and_the_file_alike(wheel: Path, published: bytes, tmp_path: Path) -> None:
    (tmp_path / "nmp.onnx").write_bytes(published)
    one, other = convert(tmp_path / "nmp.onnx"), convert(wheel)
    assert list(one) == list(other)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_damaged_and_other_files_are_refused(published: bytes, tmp_path: Path) -> None:
    path = tmp_path / "nmp.onnx"
    for content in (b"", b"not a network", published[:100_000], published.replace(b"re_lu_3", b"re_lu_9")):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="ONNX file|is not the network of basic-pitch"):
            convert(path)
