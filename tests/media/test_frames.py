"""Which pictures are shown when: against full decodes that skip nothing."""

from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media.container import open_container, video_stream
from antiphon.media.decoding import decode_stretches
from antiphon.media.frames import nearest_frames
from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media
from antiphon.media.stream_reader import StreamReader

from .media_files import ffmpeg, join, make_sound, make_video, nearest, noise, read_counter, shown

LAYOUT = FrameLayout(size_px=180)
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23")
VPX = ("-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "1", "-lag-in-frames", "16")
UNEVEN_PTS = "settb=1/1000,setpts='round(1000*(N+0.45*sin(N*1.7)+if(gt(N,90),25,0))/25)'"
UNEVEN = ("-vf", UNEVEN_PTS, "-fps_mode", "passthrough", "-enc_time_base", "1:1000")

CODINGS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "constant, B-frames": ("a.mp4", "25", (*X264, "-bf", "3", "-g", "60")),
    "30000/1001": ("b.mp4", "30000/1001", (*X264, "-g", "250")),
    "60 per second": ("c.mkv", "60", (*X264, "-bf", "5", "-g", "120")),
    "slower than 10 per second": ("d.mp4", "4", X264),
    "variable, B-frames, mp4": ("e.mp4", "25", (*X264, "-bf", "2", *UNEVEN)),
    "variable, B-frames, mkv": ("f.mkv", "25", (*X264, "-bf", "2", *UNEVEN)),
    "open groups of pictures": ("g.mkv", "25", (*X264, "-bf", "3", "-x264-params", "open-gop=1:keyint=30")),
    "transport stream": ("h.ts", "25", (*X264, "-bf", "2", "-g", "50")),
    "gradual refresh": ("i.mkv", "25", (*X264, "-x264-params", "intra-refresh=1:keyint=25")),
    "gradual refresh, transport stream": ("j.ts", "25", (*X264, "-x264-params", "intra-refresh=1:keyint=25")),
    "interlaced": ("k.mp4", "25", (*X264, "-flags", "+ildct+ilme", "-bf", "2")),
    "HEVC": ("l.mp4", "25", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=3")),
    "VP8": ("m.webm", "30", ("-c:v", "libvpx", *VPX)),
    "VP9": ("n.webm", "30", ("-c:v", "libvpx-vp9", *VPX)),
    "Theora": ("o.ogv", "25", ("-c:v", "libtheora", "-q:v", "6", "-g", "64")),
    "MPEG-4 in AVI": ("p.avi", "25", ("-c:v", "mpeg4", "-q:v", "3", "-bf", "2")),
    "Motion JPEG": ("q.mov", "25", ("-c:v", "mjpeg", "-q:v", "3")),
}  # fmt: skip


def numbers(path: Path, start_s: float, end_s: float, frames_per_s: float = 10.0) -> list[int]:
    (decoded,) = decode_stretches(str(path), [(start_s, end_s)], [LAYOUT], None, frames_per_s)
    return [read_counter(frame) for frame in decoded.frames[LAYOUT]]


@pytest.mark.parametrize("coding", CODINGS)
def test_each_frame_is_the_nearest_one(coding, tmp_path):
    name, rate, options = CODINGS[coding]
    path = make_video(tmp_path / name, 200 if rate != "4" else 40, rate, *options)
    times_s, counters = shown(path)
    assert sorted(set(counters)) == counters, "the reference itself cannot be read"
    rng = np.random.default_rng(0)
    info = probe_media(str(path))
    starts_s = [0.0, *rng.uniform(0, info.duration_s - 2, 6), info.duration_s - 2]
    for start_s in starts_s:
        wanted_s = [start_s + i / 10 for i in range(20)]
        got = numbers(path, start_s, start_s + 2)
        assert got == [counters[i] for i in nearest(times_s, wanted_s)], f"from {start_s} s"


@pytest.mark.parametrize("codec", [X264, ("-c:v", "libxvid", "-q:v", "3")])
def test_avi_which_knows_no_display_times(codec, tmp_path):
    """B-frames come in the right order, within the two frames by which AVI leaves the time open."""
    path = make_video(tmp_path / "a.avi", 200, "25", *codec, "-bf", "2", "-g", "50")
    for start_s in (0.0, 1.5, 5.2):
        got = numbers(path, start_s, start_s + 2)
        offsets = [number - 25 * (start_s + i / 10) for i, number in enumerate(got)]
        assert max(offsets[2:]) - min(offsets[2:]) <= 2
        assert np.abs(offsets).max() <= 4
        every = numbers(path, start_s + 1, start_s + 2, 25.0)
        assert every == list(range(every[0], every[0] + 25))


def test_half_a_source_frame_at_most(tmp_path):
    path = make_video(tmp_path / "a.mp4", 150, "24", *X264, "-bf", "3")
    for start_s in np.random.default_rng(1).uniform(0, 3, 10):
        for i, number in enumerate(numbers(path, start_s, start_s + 3)):
            assert abs(number / 24 - (start_s + i / 10)) <= 0.5 / 24 + 1e-6


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize(("video_late", "audio_late"), [(0.7, 0.0), (0.0, 0.7)])
def test_streams_that_start_at_different_times(ending, video_late, audio_late, tmp_path):
    video = make_video(tmp_path / "v.mp4", 150, "25", *X264, "-bf", "2")
    audio = make_sound(tmp_path / "a.m4a", noise(6, 48_000, 1), 48_000, "-c:a", "aac")
    path = join(tmp_path / f"av.{ending}", video, audio, video_late=video_late, audio_late=audio_late)
    for start_s in (1.0, 2.345):
        got = numbers(path, start_s, start_s + 2)
        for i, number in enumerate(got):
            assert abs(number / 25 + video_late - (start_s + i / 10)) <= 0.5 / 25 + 2e-3


def test_cover_art_is_no_video(real_media):
    path = real_media / "music" / "Kevin_MacLeod_-_Vibe_Ace.ogg"
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1, "the file has lost its cover"
    (decoded,) = decode_stretches(str(path), [(1.0, 4.0)], [LAYOUT])
    assert decoded.frames == {}
    assert decoded.waveform is not None
    assert decoded.waveform.shape == (48_000,)


@pytest.mark.parametrize(
    "name",
    [
        "big_buck_bunny.mp4",
        "big_buck_bunny_30s.webm",
        "flower.mp4",
        "friday.mp4",
        "sintel_trailer.mp4",
        "sintel_trailer.ogv",
        "rabbit.webm",
    ],
)
def test_real_files_bit_for_bit(name, real_media):
    path = str(real_media / "video" / name)
    info = probe_media(path)
    last_s = min(info.duration_s, 16)
    rng = np.random.default_rng(2)
    starts_s = rng.uniform(info.start_s, info.start_s + last_s - 3, 3)
    wanted_s = [[start_s + i / 10 for i in range(30)] for start_s in starts_s]
    wanted_s.append([info.start_s + i / 97 for i in range(200)])
    times_s, pictures = _full_decode(path, last_s + 1)
    with open_container(path) as container:
        stream = video_stream(container)
        assert stream is not None
        track = StreamReader.of(path, container, stream)
        for times in wanted_s:
            for (index, frame), right in zip(nearest_frames(track, times), nearest(times_s, times), strict=True):
                assert hash(_bytes(frame)) == pictures[right], f"picture for {times[index]} s"


def _bytes(frame: av.VideoFrame) -> bytes:
    return b"".join(bytes(plane) for plane in frame.planes)


def _full_decode(path: str, until_s: float) -> tuple[np.ndarray, list[int]]:
    times_s: list[float] = []
    pictures: list[int] = []
    with av.open(path) as container:
        start_s = (container.start_time or 0) / 1_000_000
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            if packet.size == 0 and packet.pts is not None:
                times_s.append(float(packet.pts * packet.time_base) - start_s)
                pictures.append(pictures[-1])
                continue
            for frame in packet.decode():
                times_s.append(frame.time - start_s)
                pictures.append(hash(_bytes(frame)))
            if times_s and times_s[-1] > until_s:
                break
    return np.array(times_s), pictures


def test_pictures_that_are_not_wanted_are_left_out(tmp_path, monkeypatch):
    """What the decoder may leave out, it does."""
    path = make_video(tmp_path / "a.mp4", 240, "25", *X264, "-bf", "3", "-g", "240", "-sc_threshold", "0")
    modes: list[str] = []
    original = StreamReader.packets

    def spied(self, position_s):
        for packet in original(self, position_s):
            yield packet
            modes.append(self.stream.codec_context.skip_frame)

    monkeypatch.setattr(StreamReader, "packets", spied)
    numbers(path, 8.0, 9.0)
    assert modes.count("NONREF") > 100


def test_the_last_picture_is_held_a_little(tmp_path):
    path = make_video(tmp_path / "a.mp4", 50, "25", *X264)
    assert numbers(path, 1.5, 2.4)[-4:] == [49] * 4
    with pytest.raises(DecodeError, match=r"a\.mp4: the video ends at 2\.00 s, before the requested 2\.60 s"):
        numbers(path, 1.0, 3.0)
    with pytest.raises(DecodeError, match=r"the video ends at 2\.00 s"):
        numbers(path, 50.0, 53.0)


def test_pictures_that_begin_late_are_held_back(tmp_path):
    video = make_video(tmp_path / "v.mp4", 100, "25", *X264)
    audio = make_sound(tmp_path / "a.m4a", noise(6, 48_000, 1), 48_000, "-c:a", "aac")
    path = join(tmp_path / "av.mkv", video, audio, video_late=2.0)
    assert numbers(path, 1.0, 3.0)[:10] == [0] * 10
    with pytest.raises(DecodeError, match=r"the video starts at 2\.0\d s, after 0\.90 s"):
        numbers(path, 0.0, 1.0)


def test_one_picture_every_third(tmp_path):
    path = make_video(tmp_path / "a.mp4", 200, "30", *X264)
    third = FrameLayout(size_px=180, every=3)
    (both,) = decode_stretches(str(path), [(1.23, 4.23)], [LAYOUT, third], None)
    (alone,) = decode_stretches(str(path), [(1.23, 4.23)], [third], None)
    assert both.frames[LAYOUT].shape == (30, 180, 180, 3)
    np.testing.assert_array_equal(both.frames[third], both.frames[LAYOUT][::3])
    np.testing.assert_array_equal(both.frames[third], alone.frames[third])


def test_a_segment_has_fifty_frames(tmp_path):
    path = make_video(tmp_path / "a.mp4", 200, "25", *X264)
    assert len(numbers(path, 1.7, 6.7)) == 50


def test_a_single_key_picture_in_a_long_file_is_found(tmp_path):
    path = make_video(tmp_path / "a.mkv", 500, "25", *X264, "-g", "9999", "-sc_threshold", "0")
    assert numbers(path, 18.0, 19.0)[0] == 450


def test_no_index_to_seek_by(tmp_path):
    raw = make_video(tmp_path / "a.mkv", 200, "25", *X264, "-g", "50")
    live = tmp_path / "live.mkv"
    live.write_bytes(ffmpeg("-i", raw, "-c", "copy", "-live", "1", "-f", "matroska", "-"))
    assert numbers(live, 5.0, 6.0)[0] == 125
