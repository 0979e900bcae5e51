"""What is opened is the file that was catalogued, and never something that blocks."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media.container import open_container
from antiphon.media.decoding import decode_stretches
from antiphon.media.identity import identify
from antiphon.media.opening import CataloguedFile
from antiphon.media.probing import probe_media
from antiphon.media.regular_files import open_regular
from antiphon.media.signatures import HEAD_BYTES, begins_like_media, media_type
from antiphon.presentation.previews import make_preview, make_strip


def tone(path: Path, codec: str = "pcm_s16le", format: str | None = None, hz: int = 440) -> Path:
    """Two seconds of a tone."""
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        samples = (8000 * np.sin(np.arange(96_000) * 2 * np.pi * hz / 48_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000, stream.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def catalogued(path: Path) -> CataloguedFile:
    """A file with its identity."""
    found = identify(path)
    assert found is not None
    return CataloguedFile(str(path), found.size_bytes, found.modified_ns, found.content_hash)


def a_pipe(path: Path) -> None:
    """Opening it waits for a writer."""
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    """Of a program that has ended."""
    with socket.socket(socket.AF_UNIX) as line:
        here = Path.cwd()
        os.chdir(path.parent)  # Its address may be no longer than 100 bytes.
        try:
            line.bind(path.name)
        finally:
            os.chdir(here)


SPECIAL: list[Callable[[Path], object]] = [
    a_pipe,
    a_socket,
    Path.mkdir,
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to("/dev/tty"),
    lambda path: path.symlink_to(path.parent),
]


@pytest.mark.parametrize("make", SPECIAL, ids=["pipe", "socket", "folder", "device", "terminal", "link to folder"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path, make: Callable[[Path], object]) -> None:
    place = tmp_path / "a.wav"
    make(place)
    with pytest.raises(OSError, match="not a file"):
        open_regular(place)
    with pytest.raises(DecodeError, match="not a file"):
        probe_media(place)
    with pytest.raises(DecodeError, match="not a file"), open_container(CataloguedFile(str(place), 1, 1, "x")):
        pass


def test_a_file_that_becomes_a_pipe_at_that_very_moment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    tone(tmp_path / "a.wav")
    before = (tmp_path / "a.wav").stat()
    monkeypatch.setattr(Path, "stat", lambda self: before)
    with pytest.raises(OSError, match="not a file"):
        open_regular(tmp_path / "pipe")


def test_links_to_files_are_followed_and_touched_files_are_the_same(tmp_path: Path) -> None:
    song = tone(tmp_path / "song.wav")
    (tmp_path / "link.wav").symlink_to(song)
    file = catalogued(tmp_path / "link.wav")
    os.utime(song, (1, 1))
    with file.open() as opened:
        assert opened.read(4) == b"RIFF"
    address = CataloguedFile(song.as_uri(), *vars(identify(song)).values())
    with open_container(address) as container:
        assert container.format.name == "wav"


@pytest.mark.parametrize("replace", ["link", "another song", "longer", "same time and another length"])
def test_what_took_the_place_of_a_file_is_not_opened(tmp_path: Path, replace: str) -> None:
    song, other = tone(tmp_path / "song.wav"), tone(tmp_path / "other.wav", hz=880)
    file, about = catalogued(song), song.stat()
    if replace == "link":
        song.unlink()
        song.symlink_to(other)
    elif replace == "another song":
        other.replace(song)
    else:
        song.write_bytes(song.read_bytes() + b"\0\0")
    if replace.startswith("same time"):
        os.utime(song, ns=(about.st_atime_ns, about.st_mtime_ns))
    readers: list[Callable[[CataloguedFile], object]] = [
        lambda file: next(decode_stretches(file, [(0.0, 1.0)])),
        lambda file: make_preview(file, 0.0, 1.0, 10_000),
        lambda file: make_strip(file, [0.5]),
    ]
    for read in readers:
        with pytest.raises(DecodeError, match=r"song.wav: is not the file that was catalogued. Run antiphon catalogue"):
            read(file)


FORMATS = {
    "mp4": "aac",
    "mov": "aac",
    "matroska": "libopus",
    "webm": "libopus",
    "ogg": "libopus",
    "opus": "libopus",
    "avi": "mp2",
    "flv": "aac",
    "mpegts": "aac",
    "mpeg": "mp2",
    "asf": "libmp3lame",
    "mp3": "libmp3lame",
    "flac": "flac",
    "wav": "pcm_s16le",
    "w64": "pcm_s16le",
    "adts": "aac",
    "aiff": "pcm_s16be",
    "caf": "pcm_s16be",
    "ac3": "ac3",
    "eac3": "eac3",
}


@pytest.mark.parametrize("format", FORMATS)
def test_files_of_every_format_begin_like_media(tmp_path: Path, format: str) -> None:
    assert begins_like_media(tone(tmp_path / "song", FORMATS[format], format).read_bytes()[:HEAD_BYTES])


def test_real_files_begin_like_media_and_have_a_type(real_media: Path) -> None:
    files = [path for path in real_media.rglob("*") if path.is_file() and path.suffix != ".md"]
    assert len(files) > 10
    for path in files:
        with path.open("rb") as file:
            assert begins_like_media(file.read(HEAD_BYTES)), path.name
        assert media_type(path.name).startswith(("audio/", "video/"))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"root:x:0:0:root:/root:/bin/bash\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        b"SQLite format 3\x00" + bytes(100),
        b"PAR1" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"%PDF-1.7",
        b"GIF89a" + bytes(100),
        b"#EXTM3U\n",
        b"<!doctype html>",
        b"G" + 500 * b"a",
        bytes(512),
    ],
)
def test_other_files_do_not_begin_like_media(head: bytes) -> None:
    assert not begins_like_media(head)


def test_types_are_ours_whatever_the_system_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    import mimetypes

    monkeypatch.setattr(mimetypes, "guess_type", lambda *_: (None, None))
    names = "a.flac a.m4a a.mkv a.ogg a.opus a.mka a.webm a.ts a.mp4 a.MP3 a.wav a.mov a.avi a.wma a.m2ts a.aiff a.caf"
    types = [media_type(name) for name in names.split()]
    assert all(kind.startswith(("audio/", "video/")) for kind in types)
    assert types[:4] == ["audio/flac", "audio/mp4", "video/x-matroska", "audio/ogg"]
    for name in ("a.html", "a.svg", "a.js", "a", "a.mp4.html", ".mp4", "https://a.example/x.html?y=.mp4"):
        assert media_type(name) == "application/octet-stream"
