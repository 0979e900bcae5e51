"""How long a side is: by the packets that belong together."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media import lengths
from antiphon.media.decoding import decode_stretches
from antiphon.media.extents import Extents, usable_stretch
from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media

from .media_files import ffmpeg, join, make_sound, make_video, noise, read_counter

LAYOUT = FrameLayout(size_px=90)
HOUR_S = 3600
Change = Callable[[str, int, int, av.Packet], bool]


def rewritten(source: Path, target: Path, change: Change, *types: str) -> Path:
    """Copy the packets; `change` is told type, number, total and packet, and may alter it or leave it out."""
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        streams = {s.index: written.add_stream_from_template(s) for s in read.streams if not types or s.type in types}
        packets = [p for p in read.demux([read.streams[i] for i in streams]) if p.pts is not None]
        totals = {i: sum(p.stream_index == i for p in packets) for i in streams}
        numbers = dict.fromkeys(streams, 0)
        for packet in packets:
            index = packet.stream_index
            number, numbers[index] = numbers[index], numbers[index] + 1
            if change(packet.stream.type, number, totals[index], packet):
                packet.stream = streams[index]
                written.mux(packet)
    return target


def delay(packet: av.Packet, seconds: float) -> bool:
    ticks = int(seconds / packet.time_base)
    packet.pts += ticks
    packet.dts = None if packet.dts is None else packet.dts + ticks
    return True


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Path:
    """Ten seconds of pictures that count, and of sound."""
    folder = tmp_path_factory.mktemp("media")
    video = make_video(folder / "v.mkv", 250, "25", "-c:v", "libx264", "-preset", "ultrafast", "-g", "250")
    audio = make_sound(folder / "a.m4a", noise(10, 22_050, 1), 22_050, "-c:a", "aac", "-aac_pns", "0")
    return join(folder / "both.mkv", video, audio)


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    return make_sound(tmp_path_factory.mktemp("media") / "a.wav", noise(6, 22_050, 1), 22_050)


COVERS = {
    "picture.mp4": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "jpeg.mp4": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "aac"),
    "png.mov": ("-c:v", "png", "-pix_fmt", "rgb24", "-c:a", "aac"),
    "picture.mkv": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    "picture.webm": ("-c:v", "libvpx", "-pix_fmt", "yuv420p", "-c:a", "libvorbis"),
    "picture.ogv": ("-c:v", "libtheora", "-pix_fmt", "yuv420p", "-c:a", "libvorbis"),
    "jpeg.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "mp2"),
    "picture.ts": ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"),
}


@pytest.mark.parametrize("name", COVERS)
def test_sound_with_one_picture_is_a_song(name, song, tmp_path):
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-frames:v", "1", tmp_path / "cover.png")
    ffmpeg("-i", tmp_path / "cover.png", "-i", song, *COVERS[name], tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert len(container.streams.video) == 1, "the file has lost its picture"
    info = probe_media(tmp_path / name)
    assert (info.has_audio, info.has_video, info.video_end_s) == (True, False, None)
    assert info.duration_s == pytest.approx(6.0, abs=0.1)
    (decoded,) = decode_stretches(str(tmp_path / name), [(1.0, 4.0)], [LAYOUT])
    assert decoded.frames == {}
    assert decoded.waveform is not None


def test_a_picture_that_theora_repeats_is_a_cover_too(song, tmp_path):
    still = ("-loop", "1", "-f", "lavfi", "-i", "color=red:s=64x64:d=6:r=10")
    ffmpeg(*still[2:], "-i", song, "-c:v", "libtheora", "-c:a", "libvorbis", tmp_path / "still.ogv")
    with av.open(str(tmp_path / "still.ogv")) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.pts is not None]
    info = probe_media(tmp_path / "still.ogv")
    assert info.has_video == (sum(size > 0 for size in sizes) > 1)
    assert info.duration_s == pytest.approx(6.0, abs=0.1)


def test_two_pictures_are_a_slide_show(song, tmp_path):
    slides = make_video(tmp_path / "v.mkv", 2, "1/3", "-c:v", "libx264")
    path = join(tmp_path / "slides.mkv", slides, song, "-c:a", "aac")
    info = probe_media(path)
    assert (info.has_video, info.video_end_s) == (True, pytest.approx(6.0, abs=0.1))
    (decoded,) = decode_stretches(str(path), [(1.0, 5.0)], [LAYOUT])
    assert [read_counter(frame) for frame in decoded.frames[LAYOUT]] == [0] * 6 + [1] * 34


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
@pytest.mark.parametrize("types", [("audio",), ("video",), ("audio", "video")])
def test_one_packet_an_hour_later_is_no_part_of_the_track(name, types, both, tmp_path):
    def change(kind: str, number: int, total: int, packet: av.Packet) -> bool:
        return kind not in types or number < total - 1 or delay(packet, HOUR_S)

    path = rewritten(both, tmp_path / name, change)
    with av.open(str(path)) as container:
        assert container.duration > 3_600_000_000, "the file has lost its stray packet"
    info = probe_media(path)
    assert info.duration_s == pytest.approx(10.0, abs=0.12)
    assert info.audio_end_s == pytest.approx(10.0, abs=0.12)
    assert info.video_end_s == pytest.approx(10.0, abs=0.12)


def test_nor_is_one_an_hour_before(both, tmp_path):
    path = rewritten(both, tmp_path / "a.mka", lambda _, number, __, p: not number or delay(p, HOUR_S), "audio")
    info = probe_media(path)
    assert (info.start_s, info.duration_s) == (pytest.approx(HOUR_S, abs=0.1), pytest.approx(10.0, abs=0.1))


def test_sound_that_pauses_goes_on(both, tmp_path):
    path = rewritten(both, tmp_path / "a.mka", lambda _, number, __, p: number < 110 or delay(p, 20), "audio")
    assert probe_media(path).duration_s == pytest.approx(30.0, abs=0.1)


def test_time_stamps_that_stand_still_are_said(both, tmp_path):
    def change(kind: str, number: int, total: int, packet: av.Packet) -> bool:
        packet.pts = packet.dts = 0
        return True

    path = rewritten(both, tmp_path / "a.mka", change, "audio")
    with pytest.raises(DecodeError, match=r"a\.mka: the time stamps of its sound do not advance \(10\.\d s of sound"):
        probe_media(path)


def test_every_second_time_stamp_twice(both, tmp_path):
    def change(kind: str, number: int, total: int, packet: av.Packet) -> bool:
        return delay(packet, -(number % 2) * float(packet.duration * packet.time_base))

    path = rewritten(both, tmp_path / "a.mka", change, "audio")
    assert probe_media(path).duration_s == pytest.approx(10.0, abs=0.1)


def test_variable_bit_rate_without_a_header(song, tmp_path):
    quiet_then_loud = np.concatenate([np.zeros((22_050 * 20, 1)), noise(5, 22_050, 1)])
    options = ("-c:a", "libmp3lame", "-q:a", "0", "-write_xing", "0")
    path = make_sound(tmp_path / "a.mp3", quiet_then_loud, 22_050, *options)
    with av.open(str(path)) as container:
        assert abs(container.duration / 1e6 - 25) > 5, "the bit rate no longer misleads"
    assert probe_media(path).duration_s == pytest.approx(25.0, abs=0.1)
    (decoded,) = decode_stretches(str(path), [(18.0, 22.0)])
    assert np.flatnonzero(np.abs(decoded.waveform) > 0.05)[0] == pytest.approx(2.0 * 16_000, abs=0.1 * 16_000)


def test_matroska_that_starts_before_zero(both, tmp_path):
    """Its packets have no times before zero, where its only key picture is."""
    path = tmp_path / "early.mkv"
    ffmpeg("-i", both, "-output_ts_offset", "-3", "-avoid_negative_ts", "disabled", "-c", "copy", path)
    info = probe_media(path)
    assert info.duration_s == pytest.approx(7.0, abs=0.1)
    for start_s in (0.1, 2.5, 4.8):
        (early,) = decode_stretches(str(path), [(start_s, start_s + 2)], [LAYOUT])
        (usual,) = decode_stretches(str(both), [(start_s + 3, start_s + 5)], [LAYOUT])
        np.testing.assert_array_equal(early.frames[LAYOUT], usual.frames[LAYOUT])
        inner = slice(400, -400)  # where packets have no times, sound is off by a few milliseconds
        shifted = [np.abs(np.roll(early.waveform, by) - usual.waveform)[inner].mean() for by in range(-400, 401)]
        assert min(shifted) < 0.03


def test_a_side_that_ends_early_limits_itself(both, tmp_path):
    path = rewritten(both, tmp_path / "a.mkv", lambda kind, number, *_: kind == "audio" or number < 100)
    info = probe_media(path)
    assert info.video_end_s == pytest.approx(4.0, abs=0.1)
    assert (info.start_s, info.duration_s) == (0.0, pytest.approx(10.0, abs=0.1))
    inside, across, after = decode_stretches(
        str(path), [(0.5, 3.5), (3.0, 6.0), (6.5, 9.5)], [LAYOUT], extents=Extents.of(vars(info))
    )
    assert [bool(part.frames) for part in (inside, across, after)] == [True, False, False]
    assert all(part.waveform is not None for part in (inside, across, after))


def test_a_file_that_is_read_through_has_its_time_limit_for_each_few_packets(both, tmp_path, monkeypatch):
    path = rewritten(both, tmp_path / "a.mka", lambda _, n, total, p: n < total - 1 or delay(p, HOUR_S), "audio")
    steps: list[int] = []
    monkeypatch.setattr(lengths, "finish_step", lambda: steps.append(1))
    monkeypatch.setattr(lengths, "_STEP_PACKETS", 50)
    assert probe_media(path).duration_s == pytest.approx(10.0, abs=0.12)
    assert len(steps) >= 4, "200 packets of sound"


def test_sides_that_differ_by_a_moment_share_a_stretch():
    assert usable_stretch((0.0, 180.0), (0.3, 178.2)) == (0.3, 178.2)
    assert usable_stretch((0.0, 60.0), (0.02, 180.0)) == (0.02, 180.0)
    assert usable_stretch((12.0, 180.0), (0.0, 180.1)) == (0.0, 180.0)
    assert usable_stretch(None, (1.0, 5.0)) == (1.0, 5.0)
    with pytest.raises(ValueError, match="one side"):
        usable_stretch(None, None)
