"""Kept segments: what was decoded comes back, in its place in time, and nothing else is read."""

import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.segments.kept import (
    HEIGHT_PX,
    RATE_HZ,
    WIDTH_PX,
    KeptSegment,
    decode_segments,
    encode_segment,
    fitted_size,
    read_kept,
)

from ..media.media_files import ffmpeg, join, make_sound, make_video, nearest, read_counter, shown

STRETCH = (1.25, 6.25)


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    """Seven seconds of pictures that count, 25 a second, with a sound."""
    folder = tmp_path_factory.mktemp("kept")
    time_s = np.arange(7 * RATE_HZ) / RATE_HZ
    audio = make_sound(folder / "s.wav", (0.4 * np.sin(2 * np.pi * 330 * time_s))[:, None], RATE_HZ)
    video = make_video(folder / "v.mp4", 175, "25", "-c:v", "libx264", "-crf", "10")
    return join(folder / "both.mkv", video, audio)


def pattern(count, height, width):
    row, column, channel = np.ogrid[:height, :width, :3]
    phase = np.arange(count)[:, None, None, None] + 0.02 * row + 0.03 * column + channel
    return np.round(127.5 + 100 * np.sin(phase)).astype(np.uint8)


def test_it_comes_back(counting, tmp_path):
    (segment,) = decode_segments(str(counting), [STRETCH])
    path = tmp_path / "0.mkv"
    path.write_bytes(encode_segment(segment))
    kept = read_kept(path)
    assert segment.frames.shape == kept.frames.shape == (50, 180, 320, 3)
    assert kept.frames.dtype == np.uint8
    assert np.abs(kept.frames.astype(float) - segment.frames).mean() < 3
    assert kept.waveform.shape == (80_000,)
    assert kept.waveform.dtype == np.float32
    assert np.abs(kept.waveform - segment.waveform).max() <= 0.5 / 32_768 + 1e-7


def test_pictures_and_sound_are_those_of_the_stretch(counting):
    (segment,) = decode_segments(str(counting), [STRETCH])
    times_s, numbers = shown(counting)
    expected = [numbers[i] for i in nearest(times_s, [STRETCH[0] + i / 10 for i in range(50)])]
    square = segment.frames[:, :, (320 - 180) // 2 : (320 + 180) // 2]
    assert [read_counter(picture) for picture in square] == expected
    (decoded,) = decode_stretches(str(counting), [STRETCH])
    assert np.array_equal(segment.waveform, decoded.waveform)


def test_some_pictures_of_a_file_are_those_of_all(tmp_path):
    path = tmp_path / "0.mkv"
    path.write_bytes(encode_segment(KeptSegment(pattern(20, 48, 64), np.zeros(32_000, np.float32))))
    whole = read_kept(path)
    part = read_kept(path, range(4, 17, 3))
    assert np.array_equal(part.frames, whole.frames[4:17:3])
    assert np.array_equal(part.waveform, whole.waveform)
    with pytest.raises(DecodeError, match="lacks frames"):
        read_kept(path, range(10, 21))


def test_wide_pictures_fit_and_keep_their_shape(tmp_path):
    tall = make_video(tmp_path / "v.mp4", 30, "10", "-vf", "scale=1440:1080", "-c:v", "libx264")
    (segment,) = decode_segments(str(tall), [(0.0, 2.0)], audio=False)
    assert segment.frames.shape == (20, 432, 576, 3)
    assert segment.waveform is None


def test_turned_pictures_are_kept_upright(tmp_path):
    flat = make_video(tmp_path / "v.mp4", 30, "10", "-c:v", "libx264")
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", flat, "-c", "copy", turned)
    (segment,) = decode_segments(str(turned), [(0.0, 1.0)], audio=False)
    assert segment.frames.shape == (10, 320, 180, 3)


@given(st.floats(16, 8192), st.floats(16, 8192))
def test_fitted_sizes_fit_and_keep_their_shape(width, height):
    fitted_width, fitted_height = fitted_size(width, height)
    assert fitted_width <= max(WIDTH_PX, 2)
    assert fitted_height <= max(HEIGHT_PX, 2)
    assert fitted_width % 2 == fitted_height % 2 == 0
    scale = min(1, WIDTH_PX / width, HEIGHT_PX / height)
    assert abs(fitted_width - max(2, width * scale)) <= 1
    assert abs(fitted_height - max(2, height * scale)) <= 1


@settings(max_examples=20)
@given(arrays.arrays(np.float32, st.integers(1, 9000), elements=st.floats(-1.5, 1.5, width=32)))
def test_sound_is_exact_to_half_a_step_and_clipped(tmp_path_factory, waveform):
    path = tmp_path_factory.mktemp("sound") / "0.mkv"
    path.write_bytes(encode_segment(KeptSegment(None, waveform)))
    kept = read_kept(path)
    assert kept.frames is None
    assert kept.waveform.shape == waveform.shape
    assert np.abs(kept.waveform - np.clip(waveform, -1, 1 - 1 / 32_768)).max() <= 0.5 / 32_768 + 1e-7


def test_the_same_segment_gives_the_same_bytes():
    segment = KeptSegment(pattern(3, 32, 32), np.linspace(-1, 1, 4800, dtype=np.float32))
    assert encode_segment(segment) == encode_segment(segment)


def test_what_is_missing_is_said(counting, tmp_path):
    silent = make_video(tmp_path / "v.mp4", 30, "10", "-c:v", "libx264")
    with pytest.raises(DecodeError, match="has no audio"):
        list(decode_segments(str(silent), [(0.0, 1.0)]))
    sound = make_sound(tmp_path / "s.wav", np.zeros((RATE_HZ, 1)), RATE_HZ)
    with pytest.raises(DecodeError, match="has no video"):
        list(decode_segments(str(sound), [(0.0, 1.0)]))
    with pytest.raises(DecodeError, match="no such file"):
        read_kept(tmp_path / "nothing.mkv")


def test_other_files_are_refused(counting, tmp_path):
    with pytest.raises(DecodeError, match="is not a kept segment: it has h264 video of 320×180"):
        read_kept(counting)
    sound = make_sound(tmp_path / "s.wav", np.zeros((RATE_HZ, 1)), RATE_HZ)
    with pytest.raises(DecodeError, match="is not a kept segment"):
        read_kept(sound)
    playlist = tmp_path / "list.mkv"
    playlist.write_text(f"#EXTM3U\n{counting}\n")
    with pytest.raises(DecodeError, match="playlist"):
        read_kept(playlist)


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "0.mkv"
    whole = encode_segment(KeptSegment(pattern(20, 48, 64), np.zeros(32_000, np.float32)))
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(DecodeError, match=r"0\.mkv"):
        read_kept(path, range(20))


def test_a_longer_file_is_refused(tmp_path):
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mjpeg", rate=10, options={"strict": "unofficial"})
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        frame = av.VideoFrame(16, 16, "yuvj420p")
        for number in range(601):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path = tmp_path / "long.mkv"
    path.write_bytes(file.getvalue())
    with pytest.raises(DecodeError, match="longer than 60 s"):
        read_kept(path)
