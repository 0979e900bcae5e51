"""What a decoder conceals is flagged or refused, and what is intact is not."""

import threading
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media.complaints import heard, listening
from antiphon.media.decoding import Decoded, decode_stretches
from antiphon.media.layout import FrameLayout

from .media_files import ffmpeg, make_sound, noise

LAYOUT = FrameLayout(size_px=64)
WINDOWS = [(0.2, 2.2), (2.0, 4.0), (4.0, 5.9)]
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "50")
MOVING = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=6,noise=alls=12:allf=t")
PICTURES = {
    "h264.mp4": X264,
    "h264.mkv": (*X264, "-x264-params", "open-gop=1:keyint=40"),
    "theora.ogv": ("-c:v", "libtheora", "-q:v", "5", "-g", "50"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k", "-g", "50"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-q:v", "5", "-bf", "2", "-g", "50"),
    "mpeg2.mpg": ("-c:v", "mpeg2video", "-q:v", "5", "-g", "15"),
}
SOUNDS = {
    "aac.m4a": ("-c:a", "aac", "-aac_pns", "0"),
    "vorbis.ogg": ("-c:a", "libvorbis"),
    "opus.ogg": ("-c:a", "libopus", "-ar", "48000"),
    "flac.flac": ("-c:a", "flac"),
    "flac.mka": ("-c:a", "flac"),
    "ac3.ac3": ("-c:a", "ac3"),
}

CHECKED = ("theora.ogv", "vorbis.ogg", "opus.ogg", "flac.flac", "flac.mka")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("media")


def intact_file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists() and name in PICTURES:
        ffmpeg(*MOVING, "-pix_fmt", "yuv420p", *PICTURES[name], path)
    elif not path.exists():
        make_sound(path, noise(6, 44_100, 1), 44_100, *SOUNDS[name])
    return path


def decode(path: Path, window: tuple[float, float]) -> Decoded:
    pictures = path.name.split("/")[-1].removeprefix("damaged-") in PICTURES or path.suffix == ".ts"
    (found,) = decode_stretches(str(path), [window], [LAYOUT] if pictures else [], None if pictures else 16_000)
    return found


def flags(found: Decoded) -> set[str]:
    return set(found.audio_flags + found.video_flags)


def differ(found: Decoded, intact: Decoded) -> bool:
    if found.waveform is not None and intact.waveform is not None:
        off = np.square(found.waveform - intact.waveform).mean()
        return bool(off > 1e-4 * np.square(intact.waveform).mean())
    off = np.abs(found.frames[LAYOUT].astype(int) - intact.frames[LAYOUT])
    return bool(off.mean(axis=(1, 2, 3)).max() > 0.5)


# What carries no checksum, and what a decoder can take for something else, is not always noticed.
@pytest.mark.parametrize(
    ("name", "least"),
    [
        *[(name, 1.0) for name in CHECKED],
        ("aac.m4a", 0.8),
        ("ac3.ac3", 0.8),
        *[(name, 0.5) for name in PICTURES if name not in CHECKED],
    ],
)
def test_damage_is_flagged_or_refused(name, least, folder):
    path = intact_file(folder, name)
    intact = [decode(path, window) for window in WINDOWS]
    assert not any("concealed" in flags(found) for found in intact)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    copy = folder / f"damaged-{name}"
    told = wrong = noticed = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        altered = data.copy()
        places = rng.integers(data.size // 20, data.size * 19 // 20, 4)
        altered[places] ^= rng.integers(1, 256, 4).astype(np.uint8)
        copy.write_bytes(altered.tobytes())
        for window, right in zip(WINDOWS, intact, strict=True):
            try:
                found = decode(copy, window)
            except DecodeError:
                told += 1
                continue
            told += "concealed" in flags(found)
            if differ(found, right):
                wrong += 1
                noticed += "concealed" in flags(found)
    assert told >= 3
    assert noticed + told >= least * (wrong + told)
    assert least < 1 or noticed == wrong


def test_pictures_after_a_damaged_one_are_flagged_until_the_next_key_picture(folder):
    path = intact_file(folder, "h264.mp4")
    with av.open(str(path)) as container:
        positions = {round(float(p.pts * p.time_base), 2): (p.pos, p.size) for p in container.demux(video=0) if p.size}
    copy = path.with_name("damaged-h264.mp4")
    found = []
    # Much of what is random is taken for pictures, and encoders differ between processors: several are damaged in turn.
    for time_s in (2.4, 2.44, 2.48, 2.52, 2.56, 2.6, 2.64, 2.68):
        pos, size = positions[time_s]
        for seed in range(4):
            data = bytearray(path.read_bytes())
            data[pos + size // 8 : pos + size] = np.random.default_rng(seed).bytes(size - size // 8)
            copy.write_bytes(data)
            found.append([flags(decode(copy, window)) for window in ((0.2, 2.2), (3.0, 3.8), (4.2, 5.2))])
    assert sum(after == {"concealed"} for _, after, _ in found) >= 1
    assert all(before == later == set() for before, _, later in found)


@pytest.mark.parametrize("options", [X264, (*X264, "-x264-params", "open-gop=1:keyint=30"), ("-c:v", "mpeg2video")])
def test_a_stream_that_is_cut_out_of_another_is_not_damaged(options, folder):
    ffmpeg(*MOVING, "-pix_fmt", "yuv420p", *options, folder / "whole.ts")
    data = (folder / "whole.ts").read_bytes()
    path = folder / "cut.ts"
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    for start_s in (0.5, 1.1, 1.9):
        assert flags(decode(path, (start_s, start_s + 1.5))) == set()


def test_a_hole_in_the_sound_is_flagged(folder):
    whole = make_sound(folder / "hole.wav", noise(6, 16_000, 1), 16_000)
    path = folder / "hole.mka"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.pts is not None and not 3.0 <= packet.pts * packet.time_base < 3.5:
                packet.stream = stream
                target.mux(packet)
    assert [flags(decode(path, window)) for window in ((0.5, 2.5), (2.5, 4.5), (4.0, 5.9))] == [
        set(),
        {"concealed"},
        set(),
    ]


def test_threads_hear_their_own_files_alone(folder):
    good = intact_file(folder, "theora.ogv")
    data = bytearray(good.read_bytes())
    for place in range(len(data) // 10, len(data) * 9 // 10, len(data) // 40):
        data[place] ^= 0xFF
    bad = folder / "damaged-theora.ogv"
    bad.write_bytes(data)
    heard_of: dict[Path, list[set[str]]] = {good: [], bad: []}

    def work(path: Path) -> None:
        for _ in range(6):
            try:
                heard_of[path].append(flags(decode(path, (0.2, 5.2))))
            except DecodeError:
                heard_of[path].append({"concealed"})

    threads = [threading.Thread(target=work, args=(path,)) for path in (good, bad)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard_of == {good: [set()] * 6, bad: [{"concealed"}] * 6}


def test_the_log_is_left_as_it_was(capfd):
    av.logging.set_level(None)

    def complain() -> int:
        av.logging.log(av.logging.ERROR, "decoder", "damaged")
        return 3

    assert heard(complain) == (3, False)
    with listening():
        assert heard(complain) == (3, True)
        assert heard(complain) == (3, True)
        assert heard(lambda: av.logging.log(av.logging.WARNING, "decoder", "odd")) == (None, False)
        complain()
    assert av.logging.get_level() is None
    assert av.logging.get_skip_repeated()
    assert capfd.readouterr().err == ""
