"""Stretches of whole files: what comes back, and what is said about damaged ones."""

from pathlib import Path

import av
import fsspec
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from antiphon.media.stream_reader import StreamReader
from antiphon.segments.sampling import SamplingConfig, segment_rows

from .media_files import join, make_sound, make_video, noise

LAYOUT = FrameLayout(size_px=90)
RANDOM = FrameLayout(size_px=32, every=3, crop="random")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-x264-params", "keyint=50:scenecut=0")


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    frames = make_video(folder / "v.mp4", 500, "25", *X264, "-vf", "noise=alls=20:allf=t")
    # Noise that the decoder makes up (perceptual noise substitution) differs by what it decoded before.
    audio = make_sound(folder / "a.m4a", noise(20, 44_100, 2), 44_100, "-c:a", "aac", "-aac_pns", "0")
    return join(folder / "av.mp4", frames, audio)


def test_windows_and_segments_have_their_sizes(video):
    generator = np.random.default_rng(0)
    window, segment = decode_stretches(
        str(video), [(1.234, 4.234), (10.0, 15.0)], [LAYOUT, RANDOM], generator=generator
    )
    assert {layout: (array.shape, array.dtype) for layout, array in window.frames.items()} == {
        LAYOUT: ((30, 90, 90, 3), np.uint8),
        RANDOM: ((10, 32, 32, 3), np.uint8),
    }
    assert segment.frames[LAYOUT].shape == (50, 90, 90, 3)
    assert window.waveform is not None
    assert segment.waveform is not None
    assert (window.waveform.shape, segment.waveform.shape) == ((48_000,), (80_000,))
    assert window.waveform.dtype == np.float32


def test_every_window_that_sampling_draws_has_exactly_its_size(video):
    windows = [
        (row["window_start_s"], row["window_end_s"])
        for seed in range(4)
        for row in segment_rows("x", 20.0, SamplingConfig(seed=seed))
    ]
    for decoded in decode_stretches(str(video), windows, [LAYOUT]):
        assert decoded.frames[LAYOUT].shape[0] == 30
        assert decoded.waveform is not None
        assert decoded.waveform.size == 48_000


def test_stretches_do_not_depend_on_their_neighbours(video):
    stretches = [(12.0, 15.0), (1.0, 4.0), (2.0, 5.0)]
    together = list(decode_stretches(str(video), stretches, [LAYOUT]))
    for stretch, decoded in zip(stretches, together, strict=True):
        (alone,) = decode_stretches(str(video), [stretch], [LAYOUT])
        np.testing.assert_array_equal(decoded.frames[LAYOUT], alone.frames[LAYOUT])
        np.testing.assert_array_equal(decoded.waveform, alone.waveform)


def test_the_same_call_gives_the_same(tmp_path):
    path = make_sound(tmp_path / "made_up_noise.m4a", noise(20, 44_100, 2), 44_100, "-c:a", "aac")
    first, second = (list(decode_stretches(str(path), [(12.0, 15.0), (1.0, 4.0)])) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.waveform, other.waveform)


def test_each_stretch_has_a_crop_of_its_own(video):
    def twice(seed: int) -> list[np.ndarray]:
        generator = np.random.default_rng(seed)
        same = [(1.0, 2.0), (1.0, 2.0)]
        return [d.frames[RANDOM] for d in decode_stretches(str(video), same, [RANDOM], None, generator=generator)]

    first, second = twice(0)
    assert (first != second).any()
    np.testing.assert_array_equal(twice(0), [first, second])


def test_what_is_not_wanted_is_not_decoded(video, monkeypatch):
    decoded_types: list[str] = []
    original = av.container.InputContainer.demux

    class Spy:
        def __init__(self, container):
            self._container = container

        def __getattr__(self, name):
            return getattr(self._container, name)

        def demux(self, stream):
            decoded_types.append(stream.type)
            return original(self._container, stream)

    of = StreamReader.of.__func__
    monkeypatch.setattr(
        StreamReader, "of", classmethod(lambda cls, uri, container, stream: of(cls, uri, Spy(container), stream))
    )
    (audio,) = decode_stretches(str(video), [(1.0, 2.0)])
    assert (audio.frames, set(decoded_types)) == ({}, {"audio"})
    decoded_types.clear()
    (decoded,) = decode_stretches(str(video), [(1.0, 2.0)], [LAYOUT], None)
    assert (decoded.waveform, set(decoded_types)) == (None, {"video"})


def test_a_stream_that_is_not_there(video, tmp_path):
    silent = make_video(tmp_path / "silent.mp4", 100, "25", *X264)
    (decoded,) = decode_stretches(str(silent), [(0.0, 3.0)], [LAYOUT])
    assert decoded.waveform is None
    assert decoded.frames[LAYOUT].shape == (30, 90, 90, 3)


def test_the_file_is_opened_once(video, monkeypatch):
    opened = []
    original = av.open
    monkeypatch.setattr(av, "open", lambda *args, **kwargs: opened.append(1) or original(*args, **kwargs))
    assert len(list(decode_stretches(str(video), [(1, 2), (3, 4), (5, 6)], [LAYOUT]))) == 3
    assert len(opened) == 1


def test_other_file_systems(video):
    fsspec.filesystem("memory").pipe("/decoding/av.mp4", video.read_bytes())
    (near,) = decode_stretches(str(video), [(5.0, 6.0)], [LAYOUT])
    (far,) = decode_stretches("memory://decoding/av.mp4", [(5.0, 6.0)], [LAYOUT])
    np.testing.assert_array_equal(near.frames[LAYOUT], far.frames[LAYOUT])
    np.testing.assert_array_equal(near.waveform, far.waveform)


@pytest.mark.parametrize("stretch", [(3.0, 1.0), (-1.0, 2.0), (1.0, 1.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_senseless_stretches_are_refused(stretch, video):
    with pytest.raises(DecodeError, match=r"av\.mp4: cannot decode from .* s; give 0 <= start < end"):
        decode_stretches(str(video), [stretch])


def test_broken_files_are_reported_when_read(tmp_path):
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    with pytest.raises(DecodeError, match=r"text\.mp4: is text or a playlist"):
        list(decode_stretches(str(tmp_path / "text.mp4"), [(0.0, 3.0)]))


def packet_positions(path: Path) -> dict[float, int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return {
            round(float(packet.pts * packet.time_base), 3): packet.pos
            for packet in container.demux(stream)
            if packet.pts is not None
        }


@pytest.fixture(scope="module")
def open_groups(tmp_path_factory) -> Path:
    """Pictures shown before a key picture refer to pictures before it."""
    options = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-b_strategy", "0")
    groups = ("-x264-params", "keyint=50:scenecut=0:open-gop=1", "-vf", "noise=alls=20:allf=t")
    return make_video(tmp_path_factory.mktemp("media") / "open.mp4", 500, "25", *options, *groups)


@pytest.mark.parametrize("damage", ["zeros", "noise"])
@pytest.mark.parametrize("groups", ["video", "open_groups"])
def test_damaged_pictures_are_reported_and_the_rest_is_right(groups, damage, tmp_path, capfd, request):
    video = request.getfixturevalue(groups)
    path = tmp_path / "damaged.mp4"
    data = bytearray(video.read_bytes())
    at = packet_positions(video)[10.4] + 200
    data[at : at + 15_000] = bytes(15_000) if damage == "zeros" else np.random.default_rng(0).bytes(15_000)
    path.write_bytes(data)
    wrong = []
    for start_s in (0, 5, 8, 9, 10, 11, 12, 13, 18):
        stretch = [(start_s - 0.037 * (start_s > 0), start_s + 0.863)]
        (right,) = decode_stretches(str(video), stretch, [LAYOUT], None)
        try:
            (decoded,) = decode_stretches(str(path), stretch, [LAYOUT], None)
        except DecodeError as error:
            wrong.append(start_s)
            assert "damaged.mp4: the video is damaged near 1" in str(error)
        else:
            np.testing.assert_array_equal(decoded.frames[LAYOUT], right.frames[LAYOUT])
    assert wrong == [10, 11, 12], "the key pictures are at 10 s and 12 s, and the last stretch starts before 12 s"
    assert capfd.readouterr().err == ""


def test_damaged_sound_is_reported(tmp_path):
    path = make_sound(tmp_path / "a.m4a", noise(20, 44_100, 2), 44_100, "-c:a", "aac")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(audio=0) if p.pts is not None]
    at = next(p.pos for p in packets if p.pts * p.time_base > 10)
    data[at : at + 4000] = b"\xff" * 4000
    path.write_bytes(data)
    list(decode_stretches(str(path), [(5.0, 8.0), (12.0, 15.0)]))
    with pytest.raises(DecodeError, match=r"a\.m4a: the audio is damaged near 10\.\d+ s"):
        list(decode_stretches(str(path), [(9.0, 12.0)]))


def test_a_cut_video_gives_what_is_there(video, tmp_path):
    fast = join(tmp_path / "fast.mp4", video, video, "-movflags", "+faststart")
    path = tmp_path / "cut.mp4"
    data = fast.read_bytes()
    path.write_bytes(data[: packet_positions(fast)[10.0]])
    list(decode_stretches(str(path), [(6.0, 9.0)], [LAYOUT]))
    with pytest.raises(DecodeError, match=r"cut\.mp4: the video ends at \d+\.\d\d s"):
        list(decode_stretches(str(path), [(9.0, 12.0)], [LAYOUT]))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_bytes_only_decode_errors_come_out(seed, video, tmp_path):
    rng = np.random.default_rng(seed)
    data = bytearray(video.read_bytes())
    moov = data.index(b"moov")
    low, high = [(0, 200), (moov, len(data)), (0, len(data))][seed % 3]
    for at in rng.integers(low, high, 40):
        data[at] = rng.integers(256)
    path = tmp_path / "fuzz.mp4"
    path.write_bytes(data)
    try:
        for decoded in decode_stretches(str(path), [(2.0, 3.0), (8.0, 9.0)], [LAYOUT]):
            assert decoded.waveform is None or np.isfinite(decoded.waveform).all()
    except DecodeError as error:
        assert "fuzz.mp4" in str(error)


def test_real_files_give_windows(real_media):
    for path in sorted((real_media / "video").iterdir()):
        stretch = (0.5, 3.5)
        (decoded,) = decode_stretches(str(path), [stretch], [LAYOUT])
        assert decoded.frames[LAYOUT].shape == (30, 90, 90, 3)
        assert decoded.waveform is not None
        assert decoded.frames[LAYOUT].std() > 5 or "sintel" in path.name
