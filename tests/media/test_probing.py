"""Opening files that nobody vouches for, and how long they are."""

import subprocess
from pathlib import Path

import av
import fsspec
import imageio_ffmpeg
import pytest

from antiphon.errors import DecodeError
from antiphon.media import container as media
from antiphon.media.container import open_container
from antiphon.media.probing import probe_media


def ffmpeg(*arguments: str | Path) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout


PICTURES = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=4", "-c:v", "libx264")
SOUND = ("-f", "lavfi", "-i", "sine=d=5:r=44100")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def video(folder) -> Path:
    path = folder / "video.mp4"
    ffmpeg(*PICTURES[:4], *SOUND, *PICTURES[4:], "-g", "10", "-c:a", "aac", path)
    return path


def test_what_is_in_a_file(video):
    info = probe_media(str(video))
    assert (info.has_audio, info.has_video, info.width_px, info.height_px) == (True, True, 160, 90)
    assert info.video_end_s == pytest.approx(4.0, abs=0.01)
    assert info.audio_end_s == pytest.approx(5.0, abs=0.03)
    assert info.duration_s == pytest.approx(4.0, abs=0.03)
    assert info == probe_media(video)


def test_sound_only_and_pictures_only(folder, video):
    ffmpeg("-i", video, "-vn", "-c", "copy", folder / "sound.m4a")
    ffmpeg("-i", video, "-an", "-c", "copy", folder / "pictures.mkv")
    audio, muted = probe_media(folder / "sound.m4a"), probe_media(folder / "pictures.mkv")
    assert (audio.has_audio, audio.has_video, audio.width_px) == (True, False, None)
    assert (muted.has_audio, muted.has_video, muted.width_px) == (False, True, 160)
    assert audio.duration_s == pytest.approx(5.0, abs=0.03)
    assert muted.duration_s == pytest.approx(4.0, abs=0.03)


def test_cover_art_is_not_video(folder):
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-frames:v", "1", folder / "cover.png")
    arguments = ("-i", folder / "cover.png", "-map", "0:a", "-map", "1:v", "-c:v", "copy")
    ffmpeg(*SOUND, *arguments, "-disposition:v", "attached_pic", "-c:a", "libmp3lame", folder / "cover.mp3")
    with av.open(str(folder / "cover.mp3")) as container:
        assert len(container.streams.video) == 1
    info = probe_media(folder / "cover.mp3")
    assert (info.has_audio, info.has_video) == (True, False)
    assert info.duration_s == pytest.approx(5.0, abs=0.06)


@pytest.mark.parametrize("name", ["live.webm", "live.mkv", "raw.aac", "constant.mp3", "cut.ts"])
def test_no_duration_in_the_header(name, folder, video):
    path = folder / name
    if name == "live.webm":
        options = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis", "-live", "1", "-f", "webm")
    elif name == "live.mkv":
        options = ("-c", "copy", "-live", "1", "-f", "matroska")
    elif name == "raw.aac":
        options = ("-vn", "-c", "copy", "-f", "adts")
    elif name == "constant.mp3":
        options = ("-vn", "-c:a", "libmp3lame", "-write_xing", "0", "-q:a", "4", "-f", "mp3")
    else:
        options = ("-c", "copy", "-f", "mpegts")
    path.write_bytes(ffmpeg("-i", video, *options, "-"))
    assert probe_media(path).audio_end_s == pytest.approx(5.0, abs=0.1)


def test_a_header_that_promises_too_much(folder, video):
    ffmpeg("-i", video, "-c", "copy", "-movflags", "+faststart", folder / "fast.mp4")
    whole = (folder / "fast.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with av.open(str(folder / "half.mp4")) as container:
        assert container.duration > 4_900_000, "the header no longer lies"
    assert 0.5 < probe_media(folder / "half.mp4").duration_s < 3.5


def _without_moov(folder: Path, video: Path) -> bytes:
    data = video.read_bytes()
    return data[: data.index(b"moov") - 100]


BROKEN = {
    "missing.mp4": (None, r"missing\.mp4: no such file"),
    "empty.mp4": (lambda *_: b"", r"empty\.mp4: is empty \(0 bytes\)"),
    "text.mp4": (lambda *_: b"Dear diary,\nno video today.\n" * 50, r"text\.mp4: is text or a playlist"),
    "page.mp4": (lambda *_: b"<!doctype html><title>404</title>", r"page\.mp4: is text or a playlist"),
    "cut.mp4": (_without_moov, r"cut\.mp4: is an MP4 without an index \(no moov atom\).*Download the file again"),
    "zeros.mp4": (lambda *_: bytes(5000), r"zeros\.mp4: is not a media file of a known format"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_named_and_explained(name, folder, video, capfd):
    make, message = BROKEN[name]
    if make is not None:
        (folder / name).write_bytes(make(folder, video))
    with pytest.raises(DecodeError, match=message):
        probe_media(str(folder / name))
    assert capfd.readouterr().err == "", "FFmpeg talks to the terminal"


def test_a_folder_is_no_file(folder):
    with pytest.raises(DecodeError, match="is not a file"):
        probe_media(folder)


@pytest.mark.parametrize("uri", ["a\0b.mp4", "nonsense://a.mp4", "http://[broken/a.mp4"])
def test_names_that_cannot_be_opened(uri):
    with pytest.raises(DecodeError, match="cannot be opened"):
        probe_media(uri)


def test_nothing_to_hear_or_see(folder):
    (folder / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nla la\n")
    ffmpeg("-i", folder / "words.srt", "-c:s", "mov_text", folder / "words.mp4")
    with pytest.raises(DecodeError, match=r"words\.mp4: has no usable audio or video stream"):
        probe_media(folder / "words.mp4")


def test_sound_and_pictures_that_never_meet(folder, video):
    inputs = ("-i", video, "-itsoffset", "20", "-i", video)
    ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", folder / "apart.mkv")
    with pytest.raises(DecodeError, match="never overlap"):
        probe_media(folder / "apart.mkv")


def _playlists(secret: Path) -> dict[str, str]:
    return {
        "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5.0,\n{secret}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{secret.name}'\n",
        "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><AdaptationSet><Representation><BaseURL>{secret}</BaseURL></Representation>"
        "</AdaptationSet></Period></MPD>",
    }


@pytest.mark.parametrize("kind", ["playlist", "concat", "session", "dash"])
@pytest.mark.parametrize("ending", ["mp4", "m3u8", "ffconcat"])
def test_a_playlist_leads_nowhere(kind, ending, folder, video):
    path = folder / f"{kind}.{ending}"
    path.write_text(_playlists(video)[kind])
    with pytest.raises(DecodeError, match="is text or a playlist"):
        probe_media(path)


@pytest.mark.parametrize(("lock", "open_wide"), [("CONTAINER_FORMATS", "concat,mov,mp4"), ("_PROTOCOLS", "file")])
def test_two_locks_hold_each_alone(lock, open_wide, folder, video, monkeypatch):
    monkeypatch.chdir(folder)
    Path("script").write_text(_playlists(video)["concat"])
    monkeypatch.setattr(media, lock, open_wide)
    with pytest.raises(DecodeError, match="script: is text or a playlist"):
        probe_media("script")


def test_without_locks_the_script_would_be_followed(folder, video, monkeypatch):
    monkeypatch.chdir(folder)
    Path("script").write_text(_playlists(video)["concat"])
    monkeypatch.setattr(media, "CONTAINER_FORMATS", "concat,mov,mp4")
    monkeypatch.setattr(media, "_PROTOCOLS", "file")
    assert probe_media("script").has_video


def test_a_name_is_never_an_address_to_ffmpeg(video):
    assert probe_media(f"file:{video}") == probe_media(video)  # An address of this machine, opened by us.
    for uri in (f"concat:{video}", f"subfile,,start,0,end,0,,:{video}", "pipe:0"):
        with pytest.raises(DecodeError, match="no such file"):
            probe_media(uri)


def test_other_file_systems(video):
    memory = fsspec.filesystem("memory")
    memory.pipe("/media/video.mp4", video.read_bytes())
    assert probe_media("memory://media/video.mp4") == probe_media(video)
    with pytest.raises(DecodeError, match="no such file"):
        probe_media("memory://media/none.mp4")


def test_a_network_that_breaks_down(video, monkeypatch):
    class Breaking(Exception):
        """What a network library raises is its own affair."""

    memory = fsspec.filesystem("memory")
    memory.pipe("/media/breaking.mp4", video.read_bytes())
    reads = []
    original = memory.store["/media/breaking.mp4"].__class__.read

    def read(self, *arguments):
        reads.append(arguments)
        if len(reads) > 1:
            raise Breaking("connection lost")
        return original(self, *arguments)

    monkeypatch.setattr(memory.store["/media/breaking.mp4"].__class__, "read", read)
    with pytest.raises(DecodeError, match=r"breaking\.mp4: .*connection lost"):
        probe_media("memory://media/breaking.mp4")


def test_errors_of_the_caller_stay_their_own(video):
    with pytest.raises(KeyError, match="mine"), open_container(video):
        raise KeyError("mine")
