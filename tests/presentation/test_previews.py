"""Previews: what they show and play is what the file has at that place."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.presentation.previews import AUDIO_HZ, Preview, make_preview
from antiphon.report.gallery import stretch

from ..report.small_workspace import brightness, make_media, pitch_hz


def decoded(preview: Preview) -> tuple[list[tuple[float, np.ndarray]], np.ndarray]:
    """Grey pictures with their times, and the sound."""
    pictures: list[tuple[float, np.ndarray]] = []
    sound: list[np.ndarray] = []
    with av.open(io.BytesIO(preview.mp4)) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append((frame.time, frame.to_ndarray(format="rgb24").mean(axis=2)))
            else:
                sound.append(frame.to_ndarray()[0])
    return pictures, np.concatenate(sound) if sound else np.zeros(0)


def strongest_hz(sound: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(sound)).argmax() * AUDIO_HZ / sound.size)


def test_preview_is_the_stretch(tmp_path: Path) -> None:
    preview = make_preview(str(make_media(tmp_path / "both.mp4")), 4.0, 8.0, 100_000)
    pictures, sound = decoded(preview)
    assert preview.has_audio
    assert preview.has_video
    assert pictures[0][1].shape == (170, 256)
    assert len(pictures) == 60
    for time_s, picture in pictures[::10]:
        assert picture.mean() == pytest.approx(brightness(4 + time_s), abs=4)
    assert sound.size / AUDIO_HZ == pytest.approx(4, abs=0.1)
    for second in range(4):
        middle = sound[int((second + 0.3) * AUDIO_HZ) : int((second + 0.7) * AUDIO_HZ)]
        assert strongest_hz(middle) == pytest.approx(pitch_hz(4 + second), abs=5)


def test_poster_is_the_middle(tmp_path: Path) -> None:
    preview = make_preview(str(make_media(tmp_path / "both.mp4")), 4.0, 8.0, 100_000)
    assert preview.poster is not None
    assert preview.poster[:2] == b"\xff\xd8"
    with av.open(io.BytesIO(preview.poster)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture.shape == (170, 256, 3)
    assert picture.mean() == pytest.approx(brightness(6), abs=4)


def test_codecs_that_browsers_play(tmp_path: Path) -> None:
    preview = make_preview(str(make_media(tmp_path / "both.mp4")), 1.0, 4.0, 100_000)
    with av.open(io.BytesIO(preview.mp4)) as container:
        codecs = {stream.codec_context.name for stream in container.streams}
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert codecs == {"h264", "aac"}


def test_upright_pictures_stay_upright(tmp_path: Path) -> None:
    preview = make_preview(str(make_media(tmp_path / "tall.mp4", size=(48, 96))), 1.0, 2.0, 100_000)
    assert decoded(preview)[0][0][1].shape == (256, 128)


def test_sound_only(tmp_path: Path) -> None:
    preview = make_preview(str(make_media(tmp_path / "sound.mp4", pictures=False)), 2.0, 5.0, 100_000)
    pictures, sound = decoded(preview)
    assert (preview.has_audio, preview.has_video, preview.poster) == (True, False, None)
    assert not pictures
    assert sound.size / AUDIO_HZ == pytest.approx(3, abs=0.1)


def test_pictures_only(tmp_path: Path) -> None:
    preview = make_preview(str(make_media(tmp_path / "pictures.mp4", sound=False)), 2.0, 5.0, 100_000)
    pictures, sound = decoded(preview)
    assert (preview.has_audio, preview.has_video) == (False, True)
    assert len(pictures) == 45
    assert not sound.size


def test_size_is_bounded(tmp_path: Path) -> None:
    """Noise is the hardest picture there is; the rate is capped all the same."""
    path, random = tmp_path / "noise.mp4", np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "10", "x264-params": "log-level=none"}
        for _ in range(60):
            noise = random.integers(0, 256, (144, 256, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode(None))
    assert path.stat().st_size > 1_000_000
    assert len(make_preview(str(path), 0.0, 4.0, 60_000).mp4) < 120_000


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="no such file"):
        make_preview(str(tmp_path / "gone.mp4"), 0.0, 3.0, 50_000)
    with pytest.raises(DecodeError, match="was asked for|no picture|no sound"):
        make_preview(str(make_media(tmp_path / "short.mp4")), 100.0, 103.0, 50_000)


def test_stretch_is_the_middle_segment() -> None:
    row = {"start_s": 1.0, "duration_s": 21.0}
    segments = [
        {"start_s": s, "end_s": s + 5, "window_start_s": s + 1, "window_end_s": s + 4} for s in (20.0, 1.0, 10.0)
    ]
    assert stretch(row, segments) == (10.0, 15.0)
    assert stretch(row, segments, short=True) == (11.0, 14.0)
    assert stretch(row, []) == (9.0, 14.0)
    assert stretch({"start_s": 2.0, "duration_s": 3.0}, []) == (2.0, 5.0)
    assert stretch({"start_s": None, "duration_s": None}, []) == (0.0, 5.0)
