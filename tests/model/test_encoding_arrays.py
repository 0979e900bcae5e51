"""Sound and pictures in memory give what the same sound and pictures in a file give."""

from pathlib import Path

import av
import numpy as np
import pytest

import antiphon as ap
from antiphon.errors import ConfigError
from antiphon.media.arrays import frame_windows, waveform_windows
from antiphon.media.layout import FrameLayout

RATE_HZ, FRAMES_PER_S, LENGTH_S = 44_100, 25, 8


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """A chord that glides, with noise: eight seconds, mono."""
    time_s = np.arange(LENGTH_S * RATE_HZ) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * (hz * time_s + 9 * time_s**2)) for hz in (220, 330, 550))
    return (0.2 * tones + 0.02 * np.random.default_rng(1).normal(size=len(time_s))).astype(np.float32)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """A bright square that crosses a gradient: eight seconds."""
    count, height, width = LENGTH_S * FRAMES_PER_S, 120, 160
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[:, :, :, 0] = np.linspace(0, 200, width)
    frames[:, :, :, 2] = np.linspace(200, 0, height)[:, None]
    for place in range(count):
        frames[place, 40:80, place // 2 : place // 2 + 40] = (250, 220, 30)
    return frames


@pytest.fixture(scope="module")
def film(sound: np.ndarray, pictures: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, without loss, in one file."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    with av.open(str(path), "w") as container:
        seen = container.add_stream("ffv1", rate=FRAMES_PER_S)
        seen.height, seen.width, seen.pix_fmt = *pictures.shape[1:3], "bgr0"
        heard = container.add_stream("pcm_f32le", rate=RATE_HZ, layout="mono")
        for frame in pictures:
            container.mux(seen.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(seen.encode())
        block = av.AudioFrame.from_ndarray(sound[None], format="flt", layout="mono")
        block.rate, block.pts = RATE_HZ, 0
        container.mux(heard.encode(block))
        container.mux(heard.encode())
    return path


@pytest.fixture(scope="module")
def model() -> ap.DualEncoder:
    random = np.random.default_rng(2)
    names = {"audio_name": "musicnn-mtt", "video_name": "efficientnet_lite0"}
    dims = [ap.backbones.info(name).dim for name in names.values()]
    audio, video = (random.normal(size=(24, dim)).astype(np.float32) for dim in dims)
    return ap.DualEncoder("paper-base").fit(ap.Features.from_arrays(audio, video, **names), verbose=False)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.linalg.norm(one - other))


def test_a_waveform_is_embedded_as_its_file(model: ap.DualEncoder, film: Path, sound: np.ndarray) -> None:
    from_file = model.encode_audio(film)
    same, other = (model.encode_audio(one, rate_hz=RATE_HZ) for one in (sound, sound[::-1].copy()))
    assert distance(from_file, same) < 0.05 * distance(from_file, other)


def test_frames_are_embedded_as_their_file(model: ap.DualEncoder, film: Path, pictures: np.ndarray) -> None:
    from_file = model.encode_video(film)
    same, other = (model.encode_video(one, frames_per_s=FRAMES_PER_S) for one in (pictures, 255 - pictures))
    assert distance(from_file, same) < 0.05 * distance(from_file, other)


def test_arrays_need_their_rate_and_shape(model: ap.DualEncoder, sound: np.ndarray, pictures: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="rate_hz"):
        model.encode_audio(sound)
    with pytest.raises(ConfigError, match="frames_per_s"):
        model.encode_video(pictures)
    with pytest.raises(ConfigError, match="shape"):
        model.encode_audio(np.stack([sound, sound]), rate_hz=RATE_HZ)
    with pytest.raises(ConfigError, match="shape"):
        model.encode_video(pictures[..., 0], frames_per_s=FRAMES_PER_S)


def test_modalities_are_checked(model: ap.DualEncoder, film: Path) -> None:
    assert set(model.encode_file(film, "audio")) == {"audio"}
    assert set(model.encode_file(film)) == {"audio", "video"}
    for wrong in ("sound", ["audio", "sound"], []):
        with pytest.raises(ConfigError, match="modalities must be among audio, video"):
            model.encode_file(film, wrong)  # pyright: ignore[reportArgumentType]


def test_windows_of_a_waveform_start_where_they_should() -> None:
    ramp = np.arange(40, dtype=np.float32)
    cut = waveform_windows(ramp, 10, [(0.0, 1.0), (3.5, 4.5)], 10)
    assert cut[0].tolist() == list(range(10))
    assert cut[1].tolist() == [35, 36, 37, 38, 39, 0, 0, 0, 0, 0]  # silence after its end


def test_frames_are_the_nearest_in_time() -> None:
    frames = np.repeat(np.arange(80, dtype=np.uint8)[:, None, None, None], 3, axis=3) * np.ones((1, 8, 8, 1), np.uint8)
    layout = FrameLayout(size_px=8)
    cut = frame_windows(frames, 20.0, [(1.0, 2.0)], layout)
    assert cut[0, :, 4, 4, 0].tolist() == list(range(20, 40, 2 * layout.every))
