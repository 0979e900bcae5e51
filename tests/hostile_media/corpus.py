"""Hostile and odd files, made from real ones, each with what must become of it."""

import json
import os
import socket
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

SECONDS = 6
RATE_HZ = 16_000


class Expected(NamedTuple):
    """What must become of a file.

    Attributes
    ----------
    sides : str or None
        "audio", "video" or "both" have features; None: none; "any": not foreseen.
    reason : str
        Pattern that the reason must match, where there is one.
    """

    sides: str | None
    reason: str = ""


GOOD, SOUND, PICTURES = Expected("both"), Expected("audio"), Expected("video")
KNOWN = "|".join(
    [
        r"is empty \(0 bytes\)",
        r"is text or a playlist( \([\w ]+\))?, not a media file",
        r"is an? [\w\- ]+, not a media file",
        r"is not a media file of a known format",
        r"is an MP4 without an index",
        r"cannot be (read|opened): [\w ]+\.",
        r"has no usable audio or video stream",
        r"its audio and video never overlap",
        r"The track is -?[\d.]+ s long, too short for a window",
        r"the (audio|video) is damaged near",
        r"the audio stops at",
        r"the video (ends|starts) at",
        r"no frame can be decoded at",
        r"has no (audio|video)",
        r"reading stopped before its end",
        r"the sample rate of its audio changes",
        r"the time stamps of its sound do not advance",
        r"its sound (has values that are not finite|reaches)",
        r"no window of 3 s lies within",
        r"is encrypted",
    ]
)
DAMAGED = Expected("any", KNOWN)
NO_MEDIA = Expected(None, "not a media file|cannot be opened|has no usable audio or video")
TEXT = Expected(None, r"is text or a playlist( \([\w ]+\))?, not a media file|is not a media file of a known format")


def make_corpus(folder: Path, media: Path) -> dict[str, Expected]:
    """Write all files into a folder.

    Returns
    -------
    dict of str to Expected
        What must become of each, by its name.
    """
    bases = dict(_bases(folder, media))
    expected = dict.fromkeys(bases, GOOD)
    expected |= {name: SOUND for name in bases if Path(name).suffix in {".ogg", ".wav", ".flac", ".mp3"}}
    for name, data in bases.items():
        (folder / name).write_bytes(data)
    makers: tuple[Callable[[dict[str, bytes]], Iterator[tuple[str, bytes, Expected]]], ...] = (
        _cut,
        _spoilt,
        _misnamed,
        _joined,
        _no_media,
        _waves,
    )
    for make in makers:
        for name, data, what in make(bases):
            assert name not in expected, name
            (folder / name).write_bytes(data)
            expected[name] = what
    return expected | _films(folder) | _special(folder, bases)


def _bases(folder: Path, media: Path) -> Iterator[tuple[str, bytes]]:
    """Yield short files of many formats with sound and pictures of real ones, small enough to be read quickly."""
    images, samples = _real(media)
    forms = {
        "good.mp4": ("mpeg4", "aac"),
        "good.mkv": ("libx264", "flac"),
        "good.webm": ("libvpx", "libopus"),
        "good.avi": ("mjpeg", "libmp3lame"),
        "good.ts": ("mpeg2video", "mp2"),
        "good.flac": (None, "flac"),
        "good.mp3": (None, "libmp3lame"),
        "good.wav": (None, "pcm_s16le"),
    }
    for name, (video, audio) in forms.items():
        path = folder / f".{name}"
        _encode(path, Path(name).suffix, images if video else [], video, audio, samples)
        yield name, path.read_bytes()
        path.unlink()
    yield "good.ogg", (media / "music" / "sorohanro_-_solo-trumpet-06.ogg").read_bytes()


def _real(media: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return pictures at 10 per second, and mono 16-bit samples at 16 kHz."""
    with av.open(str(media / "video" / "rabbit.webm")) as container:
        every = [frame.reformat(160, 90, "rgb24").to_ndarray() for frame in container.decode(video=0)]
    images = [every[number % len(every)] for number in range(0, 3 * 10 * SECONDS, 3)]
    with av.open(str(media / "music" / "sorohanro_-_solo-trumpet-06.ogg")) as container:
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        pieces = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate(pieces)
    return images, np.resize(samples, SECONDS * RATE_HZ)


def _encode(
    path: Path, suffix: str, images: list[np.ndarray], video: str | None, audio: str | None, samples: np.ndarray
) -> None:
    forms = {".mkv": "matroska", ".ts": "mpegts"}
    with av.open(str(path), "w", format=forms.get(suffix, suffix[1:])) as container:
        pictures = sound = None
        if video:
            pictures = container.add_stream(video, rate=25 if video == "mpeg2video" else 10)
            pictures.width, pictures.height = 160, 90
            pictures.pix_fmt = "yuvj420p" if video == "mjpeg" else "yuv420p"
            pictures.codec_context.gop_size = 10
        if audio:
            sound = container.add_stream(audio, rate=48_000 if audio == "libopus" else RATE_HZ, layout="mono")
        if pictures is not None:
            step = 25 // 10 if video == "mpeg2video" else 1
            for image in [image for image in images for _ in range(step)]:
                container.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        if sound is not None:
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            coder = sound.codec_context
            fitting = av.AudioResampler(coder.format.name, "mono", coder.rate, coder.frame_size or None)
            for part in [*fitting.resample(frame), *fitting.resample(None)]:
                container.mux(sound.encode(part))
        for stream in (pictures, sound):
            if stream is not None:
                container.mux(stream.encode(None))


def _cut(bases: dict[str, bytes]) -> Iterator[tuple[str, bytes, Expected]]:
    """Yield downloads that stopped."""
    for name, data in bases.items():
        for percent in (0, 1, 5, 20, 50, 80, 97):
            part = data[: len(data) * percent // 100]
            what = Expected(None, r"is empty \(0 bytes\)") if not part else DAMAGED
            if name.endswith(".mp4") and 0 < percent < 90:  # The index is at the end.
                what = Expected(None, "is an MP4 without an index|is not a media file of a known format")
            yield f"cut-{percent}-{name}", part, what


def _spoilt(bases: dict[str, bytes]) -> Iterator[tuple[str, bytes, Expected]]:
    """Yield files with other bytes here and there, and without their start."""
    for name, data in bases.items():
        random = np.random.default_rng(len(name))
        for per_mille in (0.1, 1, 10, 100):
            found = np.frombuffer(data, np.uint8).copy()
            places = random.integers(len(data) // 20, len(data), max(1, round(len(data) * per_mille / 1000)))
            found[places] = random.integers(0, 256, len(places))
            yield f"spoilt-{per_mille}-{name}", found.tobytes(), DAMAGED
        yield f"zeros-first-{name}", bytes(256) + data[256:], DAMAGED
        yield f"ones-late-{name}", data[: len(data) // 2] + b"\xff" * (len(data) - len(data) // 2), DAMAGED
        yield f"headless-{name}", data[len(data) // 3 :], DAMAGED


def _misnamed(bases: dict[str, bytes]) -> Iterator[tuple[str, bytes, Expected]]:
    """Yield good files under other endings: the content counts."""
    for name, ending in (("good.mp4", ".mp3"), ("good.mkv", ".wav"), ("good.ogg", ".mp4"), ("good.wav", ".webm")):
        what = SOUND if name in {"good.ogg", "good.wav"} else GOOD
        yield f"misnamed-{Path(name).stem}-{Path(name).suffix[1:]}{ending}", bases[name], what
    for name in ("a b c.mp4", "Ünïcödé-名前.mp4", "-dash.mp4", "quote'\".mp4", "%41;$(x).mp4"):
        yield name, bases["good.mp4"], GOOD
    yield "n" * 200 + ".mp4", bases["good.mp4"], GOOD


def _joined(bases: dict[str, bytes]) -> Iterator[tuple[str, bytes, Expected]]:
    """Yield files with something behind or before them."""
    noise = np.random.default_rng(0).bytes(50_000)
    for name, data in bases.items():
        yield f"noise-behind-{name}", data + noise, DAMAGED
        yield f"twice-{name}", data + data, DAMAGED
    yield "other-behind.mp4", bases["good.mp4"] + bases["good.mkv"], DAMAGED
    yield "noise-before.mp3", noise[:3000] + bases["good.mp3"], DAMAGED


def _no_media(bases: dict[str, bytes]) -> Iterator[tuple[str, bytes, Expected]]:
    """Yield what is no media, some of which asks to open other files."""
    other = "/etc/passwd"
    texts = {
        "words.mp4": "not a video at all, only words\n" * 30,
        "page.mp3": "<!DOCTYPE html><html><body>404 Not Found</body></html>",
        "data.wav": json.dumps({"artist": "nobody"}),
        "list.mp3": f"#EXTM3U\n#EXTINF:10,\n{other}\n",
        "stream.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{other}\n#EXT-X-ENDLIST\n",
        "script.mkv": f"ffconcat version 1.0\nfile {other}\n",
        "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "dash.mp4": '<?xml version="1.0"?><MPD><Period><BaseURL>http://127.0.0.1/</BaseURL></Period></MPD>',
        "subtitles.mkv": "1\n00:00:01,000 --> 00:00:04,000\nHello\n",
        "code.avi": "import os\nos.system('true')\n",
        "one-byte.mp4": "x",
    }
    for name, text in texts.items():
        yield name, text.encode(), TEXT
    random = np.random.default_rng(1).bytes(200_000)
    parts = {
        "noise.mp4": random,
        "nothing.mp4": bytes(100_000),
        "ones.mkv": b"\xff" * 100_000,
        "picture.mp4": b"\x89PNG\r\n\x1a\n" + random[:5000],
        "photo.mp3": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + random[:5000],
        "archive.mp4": b"PK\x03\x04" + random[:5000],
        "paper.mp4": b"%PDF-1.7\n\x00" + random[:5000],
        "box.mp4": b"\x00\x00\x00\x20ftypisom" + random[:5000],
        "endless-box.mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"
        + b"\xff\xff\xff\xffmoov"
        + random[:5000],
        "ebml.mkv": b"\x1a\x45\xdf\xa3" + random[:5000],
        "ebml-nested.mkv": b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff" * 500,
        "oggs.ogg": b"OggS" + random[:5000],
        "riff.avi": b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl" + random[:5000],
        "id3.mp3": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + random[:5000],
        "flac.flac": b"fLaC\x00\x00\x00\x22" + random[:5000],
        "adts.aac": b"\xff\xf1\x50\x80" * 3,
    }
    for name, data in parts.items():
        yield name, data, Expected("any", KNOWN)


def _wave(samples: bytes, kind: int, bits: int, channels: int = 1, rate_hz: int = RATE_HZ, **rest: int) -> bytes:
    align = rest.get("align", channels * bits // 8)
    head = b"".join(
        (value % (1 << 8 * size)).to_bytes(size, "little")
        for value, size in ((kind, 2), (channels, 2), (rate_hz, 4), (rate_hz * align, 4), (align, 2), (bits, 2))
    )
    length = rest.get("length", len(samples))
    body = b"WAVEfmt " + len(head).to_bytes(4, "little") + head + b"data" + length.to_bytes(4, "little") + samples
    return b"RIFF" + (len(body) % (1 << 32)).to_bytes(4, "little") + body


def _waves(bases: dict[str, bytes]) -> Iterator[tuple[str, bytes, Expected]]:
    """Yield uncompressed sound with odd headers and odd values."""
    tone = (0.3 * np.sin(np.arange(SECONDS * RATE_HZ) * 0.1)).astype(np.float32)
    infinite, huge = Expected(None, "values that are not finite"), Expected(None, "times full scale")
    values = {
        "nan": (np.nan, infinite),
        "infinity": (np.inf, infinite),
        "minus-infinity": (-np.inf, infinite),
        "integers": (20.0, huge),
        "large-integers": (30_000.0, huge),
        "near-the-end-of-floats": (3e38, Expected(None, "times full scale|not finite")),
        "overshoot": (1.5, SOUND),
        "tiny": (1e-40, SOUND),
    }
    for name, (value, what) in values.items():
        samples = tone.copy()
        samples[1000:] = value
        yield f"wave-{name}.wav", _wave(samples.tobytes(), 3, 32), what
    yield "wave-double.wav", _wave(tone.astype(np.float64).tobytes(), 3, 64), SOUND
    yield "wave-huge-double.wav", _wave((tone.astype(np.float64) * 1e300).tobytes(), 3, 64), infinite
    yield "wave-silent.wav", _wave(bytes(2 * SECONDS * RATE_HZ), 1, 16), SOUND
    yield "wave-8-bits.wav", _wave(bytes([128, 200]) * (SECONDS * RATE_HZ // 2), 1, 8), SOUND
    yield "wave-unstated-length.wav", _wave(tone.tobytes(), 3, 32, length=0xFFFFFFFF), SOUND
    yield "wave-stereo.wav", _wave(np.repeat(tone, 2).tobytes(), 3, 32, channels=2), SOUND
    yield "wave-8-channels.wav", _wave(np.repeat(tone, 8).tobytes(), 3, 32, channels=8), SOUND
    yield "wave-short.wav", _wave(tone[:RATE_HZ].tobytes(), 3, 32), Expected(None, "is 1.00 s long, too short")
    yield "wave-one-sample.wav", _wave(tone[:1].tobytes(), 3, 32), Expected(None, "too short|no usable audio")
    yield "wave-empty.wav", _wave(b"", 3, 32), Expected(None, "no usable audio|too short|not a media file|cannot be")
    for name, odd in {
        "no-channels": {"channels": 0, "align": 4},
        "65535-channels": {"channels": 65_535},
        "0-hz": {"rate_hz": 0},
        "1-hz": {"rate_hz": 1},
        "4-ghz": {"rate_hz": 4_000_000_000},
        "no-align": {"align": 0},
        "wide-align": {"align": 60_000},
    }.items():
        yield f"wave-{name}.wav", _wave(tone.tobytes(), 3, 32, **odd), Expected("any", KNOWN)
    yield "wave-unknown-codec.wav", _wave(tone.tobytes(), 0x7777, 32), Expected(None, KNOWN)


def black_film(path: Path, codec: str, width: int, height: int, frames_per_s: int, frames: int) -> None:
    """Write a film of one black picture and many packets that say that nothing has changed."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=frames_per_s)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 10_000, 0
        picture = av.VideoFrame(width, height, stream.pix_fmt)
        for plane, value in zip(picture.planes, (16, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        coded: list[bytes] = []
        for number in range(2):
            picture.pts = number
            coded += [bytes(packet) for packet in stream.encode(picture)]
        for number in range(frames):
            packet = av.Packet(coded[min(number, 1)])
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, number, number, number == 0
            packet.time_base, packet.duration = stream.codec_context.time_base, 1
            container.mux(packet)


def _films(folder: Path) -> dict[str, Expected]:
    """Write films that are small on disk and large in memory, or long to decode."""
    black_film(folder / "wide.mp4", "mpeg4", 2048, 1024, 10, 10 * SECONDS)
    black_film(folder / "slow.mp4", "mpeg4", 8176, 4096, 625, 625 * 4)
    black_film(folder / "largest.mkv", "mjpeg", 12_000, 6_000, 1, SECONDS)
    _still_stamps(folder / "still.mkv")
    return {
        "wide.mp4": PICTURES,
        "slow.mp4": Expected(None, "took longer than|needed more than"),
        "largest.mkv": Expected(None, f"needed more than|{KNOWN}"),
        "still.mkv": Expected(None, "time stamps of its sound do not advance"),
    }


def _still_stamps(path: Path) -> None:
    """Write an hour of silence all of which happens at once."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=48_000, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4608), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        coded = [bytes(packet) for packet in [*stream.encode(frame), *stream.encode(None)] if packet.size]
        for number in range(37_500):
            packet = av.Packet(coded[0])
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = number // 37_499
            container.mux(packet)


def _special(folder: Path, bases: dict[str, bytes]) -> dict[str, Expected]:
    """Make links, folders, pipes and sockets with the endings of media."""
    (folder / "linked.mp4").symlink_to("good.mp4")
    (folder / "dangling.mp4").symlink_to("no-such-file.mp4")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "folder.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(os.path.relpath(folder / "socket.mp4"))
    with zipfile.ZipFile(folder / "zip.mp4", "w") as archive:
        archive.writestr("good.mp4", bases["good.mp4"])
    return {
        "dangling.mp4": Expected(None, "is a link to no-such-file.mp4, which does not exist"),
        "zip.mp4": NO_MEDIA,
    }
