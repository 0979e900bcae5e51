"""Files that are no media, encrypted, interlaced, coloured by a palette, or of several tracks."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from antiphon.catalogue import Catalogue
from antiphon.errors import DecodeError
from antiphon.media.decoding import decode_stretches
from antiphon.media.layout import FrameLayout
from antiphon.media.probing import probe_media

from .media_files import ffmpeg

LAYOUT = FrameLayout(size_px=64)
SOUND = ("-f", "lavfi", "-i", "sine=d=4:r=22050")
FOREIGN = {
    "ZIP archive": b"PK\x03\x04" + bytes(600),
    "RAR archive": b"Rar!\x1a\x07\x01\x00" + bytes(600),
    "7-Zip archive": b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(600),
    "gzip archive": gzip.compress(bytes(6000)),
    "PDF document": b"%PDF-1.7\n" + bytes(600),
    "JPEG picture": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(600),
    "PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(600),
    "WebP picture": b"RIFF\x00\x10\x00\x00WEBPVP8 " + bytes(600),
    "HTML page": b"\n<!-- gone -->\n<HTML><body>404</body>" + bytes(600),
    "encrypted by PGP": b"\x85\x01\x0c\x03" + np.random.default_rng(0).bytes(600),
    "encrypted by OpenSSL": b"Salted__" + np.random.default_rng(1).bytes(600),
    "look random": b"\x00" + np.random.default_rng(2).bytes(9000),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_media_file_is_named(kind, tmp_path):
    path = tmp_path / "song.mp4"
    path.write_bytes(FOREIGN[kind])
    with pytest.raises(DecodeError, match=rf"song\.mp4: is .*{kind}"):
        probe_media(path)


@pytest.fixture(scope="module")
def clear(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("media") / "clear.mp4"
    ffmpeg(*SOUND, "-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=4", "-c:v", "libx264", "-c:a", "aac", path)
    return path


def test_encrypted_mp4(clear, tmp_path):
    key = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
    ffmpeg("-i", clear, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *key, tmp_path / "cenc.mp4")
    with pytest.raises(DecodeError, match=r"cenc\.mp4: is encrypted \(MP4 with 'enc[av]' streams\)"):
        probe_media(tmp_path / "cenc.mp4")
    (tmp_path / "song.m4p").write_bytes(clear.read_bytes().replace(b"mp4a\0\0\0\0\0\0\0", b"drms\0\0\0\0\0\0\0"))
    with pytest.raises(DecodeError, match=r"song\.m4p: is encrypted \(MP4 with 'drms' streams\)"):
        probe_media(tmp_path / "song.m4p")
    assert probe_media(clear).has_audio


def test_windows_media_with_drm(tmp_path):
    ffmpeg(*SOUND, "-c:a", "wmav2", tmp_path / "clear.wma")
    data = (tmp_path / "clear.wma").read_bytes()
    assert probe_media(tmp_path / "clear.wma").has_audio
    guid = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    part = guid + (40).to_bytes(8, "little") + bytes(16)
    size = int.from_bytes(data[16:24], "little")
    head = data[:16] + (size + len(part)).to_bytes(8, "little") + (1 + data[24]).to_bytes(1, "little") + data[25:30]
    (tmp_path / "drm.wma").write_bytes(head + part + data[30:])
    with pytest.raises(DecodeError, match=r"drm\.wma: is encrypted \(Windows Media with DRM\)"):
        probe_media(tmp_path / "drm.wma")


def test_scrambled_transport_streams(clear, tmp_path):
    ffmpeg("-i", clear, "-c", "copy", tmp_path / "clear.ts")
    data = bytearray((tmp_path / "clear.ts").read_bytes())
    assert probe_media(tmp_path / "clear.ts").has_video
    for at in range(3 * 188, len(data), 188):
        data[at + 3] |= 0x80
    (tmp_path / "scrambled.ts").write_bytes(data)
    with pytest.raises(DecodeError, match=r"scrambled\.ts: is encrypted \(a scrambled transport stream\)"):
        probe_media(tmp_path / "scrambled.ts")


def test_of_several_tracks_the_default_one_is_used_and_said(clear, tmp_path):
    languages = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra")
    default = ("-disposition:a:0", "0", "-disposition:a:1", "default")
    ffmpeg("-i", clear, *SOUND, "-map", "0", "-map", "1", "-c:v", "copy", *default, *languages, tmp_path / "two.mkv")
    note = "has 2 audio tracks, of which number 2 (fra) is used"
    assert probe_media(tmp_path / "two.mkv").note == note
    assert probe_media(clear).note is None
    with pytest.warns(UserWarning, match=r"1 file has several tracks of a kind: two\.mkv has 2 audio tracks"):
        Catalogue.from_folder(tmp_path).probe()


def test_sound_and_pictures_are_of_one_programme(tmp_path):
    lavfi = ("-f", "lavfi", "-i")
    sound = (*lavfi, "sine=d=4", *lavfi, "sine=d=8")
    pictures = (*lavfi, "testsrc2=s=64x64:r=10:d=8", *lavfi, "testsrc2=s=64x64:r=10:d=4")
    every = ("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c:v", "libx264", "-c:a", "aac")
    programmes = ("-program", "title=a:st=1:st=2", "-program", "title=b:st=0:st=3")
    ffmpeg(*sound, *pictures, *every, *programmes, tmp_path / "two.ts")
    info = probe_media(tmp_path / "two.ts")
    assert info.audio_end_s == pytest.approx(info.video_end_s, abs=0.3)
    assert "2 audio tracks" in (info.note or "")
    assert "2 video tracks" in (info.note or "")


def combing(path: Path) -> float:
    """How much lines differ from their neighbours above and below."""
    (decoded,) = decode_stretches(str(path), [(1.0, 2.5)], [FrameLayout(size_px=180)], None)
    (frames,) = decoded.frames.values()
    grey = frames.astype(float).mean(axis=-1)
    return float(np.abs(grey[:, 1:-1] - (grey[:, :-2] + grey[:, 2:]) / 2).mean())


@pytest.mark.parametrize("codec", [("-c:v", "libx264", "-x264-params", "tff=1"), ("-c:v", "mpeg2video", "-q:v", "3")])
def test_interlaced_pictures_are_made_whole(codec, tmp_path):
    fields = ("-f", "lavfi", "-i", "testsrc2=s=240x180:r=50:d=3")
    ffmpeg(*fields, "-vf", "tinterlace=interleave_top", *codec, "-flags", "+ildct+ilme", tmp_path / "fields.mkv")
    ffmpeg(*fields, "-vf", "fps=25", *codec[:2], tmp_path / "frames.mkv")
    assert combing(tmp_path / "fields.mkv") < 1.4 * combing(tmp_path / "frames.mkv")


@pytest.mark.parametrize("name", ["raw.avi", "raw.mov", "msrle.avi"])
def test_pictures_of_eight_bits_have_their_colours(name, tmp_path):
    sides = ("-f", "lavfi", "-i", "color=red:s=64x64:r=10:d=4", "-f", "lavfi", "-i", "color=0x2040c0:s=64x64:r=10:d=4")
    codec = ("-c:v", "msrle") if "msrle" in name else ("-c:v", "rawvideo", "-pix_fmt", "pal8")
    ffmpeg(*sides, "-filter_complex", "[0][1]hstack,format=pal8", *codec, tmp_path / name)
    for decoded in decode_stretches(str(tmp_path / name), [(2.0, 3.0), (0.0, 1.0)], [LAYOUT], None):
        picture = decoded.frames[LAYOUT][3].astype(int)
        np.testing.assert_allclose(picture[32, 8], [255, 0, 0], atol=12)
        np.testing.assert_allclose(picture[32, 56], [32, 64, 192], atol=40)  # the palette has 216 colours or so
