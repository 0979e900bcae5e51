"""Films whose pictures count and whose sound is noise: each moment of the film is that of its sources."""

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.presentation.splicing import Splice, Spliced, SpliceError, write_splice

from ..media.media_files import ffmpeg, make_sound, make_video, noise, read_counter

RATE, HZ, SECONDS = 25, 48_000, 12


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Counting pictures with a key frame every second, and noise, in several formats."""
    folder = tmp_path_factory.mktemp("sources")
    x264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0")
    make_video(folder / "plain.mp4", RATE * SECONDS, str(RATE), *x264)
    ordered = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-sc_threshold", "0")
    make_video(folder / "ordered.mp4", RATE * SECONDS, str(RATE), *ordered)
    ffmpeg("-i", folder / "ordered.mp4", "-c", "copy", folder / "ordered.mkv")
    make_video(folder / "vp8.webm", RATE * SECONDS, str(RATE), "-c:v", "libvpx", "-b:v", "2M", "-cpu-used", "16")
    sound = noise(SECONDS, HZ, 2, seed=1)
    make_sound(folder / "aac.m4a", sound, HZ, "-c:a", "aac", "-b:a", "256k")
    make_sound(folder / "opus.ogg", sound, HZ, "-c:a", "libopus", "-b:a", "256k")
    make_sound(folder / "sound.wav", sound, HZ)
    np.save(folder / "sound.npy", sound)
    return folder


def shown(path: Path) -> list[int]:
    """What an independent ffmpeg shows, frame by frame, at the rate of the source."""
    raw = ffmpeg("-i", path, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-r", str(RATE), "-")
    return [read_counter(one) for one in np.frombuffer(raw, np.uint8).reshape(-1, 180, 320)[:, :, :180]]


def heard(path: Path) -> np.ndarray:
    """What an independent ffmpeg lets hear: (samples, 2)."""
    return np.frombuffer(ffmpeg("-i", path, "-map", "0:a", "-f", "f32le", "-ar", str(HZ), "-"), np.float32).reshape(
        -1, 2
    )


def late(found: np.ndarray, source: np.ndarray, from_s: float) -> float:
    """How many seconds a sound is later than the stretch of its source from a time on."""
    first = round(from_s * HZ)
    wanted = source[first : first + len(found)][:, 0]
    size = 1 << 20
    products = np.fft.rfft(found[: len(wanted), 0], size) * np.conj(np.fft.rfft(wanted, size))
    line = np.fft.irfft(products, size)
    place = int(np.argmax(line))
    return (place - size if place > size // 2 else place) / HZ


@pytest.mark.parametrize(
    ("pictures", "pictures_from_s", "song", "song_from_s", "made"),
    [
        ("plain.mp4", 0.0, "aac.m4a", 0.0, Spliced("copied", "copied")),
        ("plain.mp4", 3.0, "aac.m4a", 1.734, Spliced("copied", "copied")),
        ("ordered.mp4", 4.0, "aac.m4a", 0.5, Spliced("copied", "copied")),
        ("plain.mp4", 3.24, "aac.m4a", 2.0, Spliced("encoded", "copied")),
        ("ordered.mp4", 3.0, "opus.ogg", 1.734, Spliced("copied", "encoded")),
        ("ordered.mkv", 3.0, "aac.m4a", 1.734, Spliced("encoded", "copied")),
        ("vp8.webm", 2.52, "sound.wav", 1.5, Spliced("encoded", "encoded")),
    ],
)
def test_each_moment_is_that_of_the_sources(
    sources: Path, tmp_path: Path, pictures: str, pictures_from_s: float, song: str, song_from_s: float, made: Spliced
) -> None:
    out, length_s = tmp_path / "x.mp4", 5.0
    splice = Splice(sources / pictures, pictures_from_s, sources / song, song_from_s, length_s)
    assert write_splice(splice, out, 1 << 26) == made
    numbers = shown(out)
    first = round(pictures_from_s * RATE)
    assert len(numbers) == pytest.approx(length_s * RATE, abs=3)
    assert numbers[:120] == list(range(first, first + 120))
    sound = heard(out)
    assert len(sound) == pytest.approx(length_s * HZ, abs=2 * 2048)
    assert abs(late(sound, np.load(sources / "sound.npy"), song_from_s)) < 0.002
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]


@pytest.mark.parametrize("song", ["aac.m4a", "opus.ogg", "sound.wav"])
@pytest.mark.parametrize("pictures", ["plain.mp4", "vp8.webm"])
def test_the_film_is_silent_where_the_song_has_not_begun_or_has_ended(
    sources: Path, tmp_path: Path, pictures: str, song: str
) -> None:
    out, source = tmp_path / "x.mp4", np.load(sources / "sound.npy")
    write_splice(Splice(sources / pictures, 0.0, sources / song, -2.5, 11.0), out, 1 << 27)
    assert shown(out)[:200] == list(range(200)) and len(shown(out)) == pytest.approx(11 * RATE, abs=3)
    sound = heard(out)
    assert len(sound) == pytest.approx(11 * HZ, abs=2 * 2048)
    assert np.abs(sound[: round(2.4 * HZ)]).max() < 0.001 < np.abs(sound[round(2.6 * HZ) : 3 * HZ]).max()
    assert abs(late(sound[round(2.5 * HZ) : 8 * HZ], source, 0.0)) < 0.002
    write_splice(Splice(sources / pictures, 4.0, sources / song, 9.0, 7.0), out, 1 << 27)
    sound = heard(out)
    assert len(sound) == pytest.approx(7 * HZ, abs=2 * 2048)
    assert abs(late(sound[: 3 * HZ], source, 9.0)) < 0.002
    assert np.abs(sound[round(3.2 * HZ) :]).max() < 0.001


def test_between_key_frames_sound_and_pictures_stay_in_step(sources: Path, tmp_path: Path) -> None:
    """A start that is nearest to a key frame is moved to it, and the sound with it."""
    splice = Splice(sources / "plain.mp4", 2.985, sources / "aac.m4a", 1.5, 3.0)
    assert write_splice(splice, tmp_path / "x.mp4", 1 << 26).pictures == "copied"
    assert shown(tmp_path / "x.mp4")[0] == 75
    assert abs(late(heard(tmp_path / "x.mp4"), np.load(sources / "sound.npy"), 1.515)) < 0.002


def test_what_has_ended_is_silent_or_stands_still(sources: Path, tmp_path: Path) -> None:
    splice = Splice(sources / "vp8.webm", 10.0, sources / "sound.wav", 9.0, 5.0)
    write_splice(splice, tmp_path / "x.mp4", 1 << 26)
    sound = heard(tmp_path / "x.mp4")
    assert np.abs(sound[: 2 * HZ]).mean() > 0.05 and np.abs(sound[round(3.1 * HZ) :]).max() < 0.01
    assert shown(tmp_path / "x.mp4")[:40] == list(range(250, 290))


def test_what_cannot_be_made_is_refused(sources: Path, tmp_path: Path) -> None:
    plain, song = sources / "plain.mp4", sources / "aac.m4a"
    with pytest.raises(SpliceError, match="Choose a shorter stretch"):
        write_splice(Splice(plain, 0, song, 0, 10), tmp_path / "x.mp4", 10_000)
    with pytest.raises(DecodeError, match="has no sound"):
        write_splice(Splice(plain, 0, plain, 0, 5), tmp_path / "x.mp4", 1 << 26)
    with pytest.raises(DecodeError, match="has no pictures"):
        write_splice(Splice(song, 0, song, 0, 5), tmp_path / "x.mp4", 1 << 26)
    (tmp_path / "text.mp4").write_text("#EXTM3U\nhttp://127.0.0.1/x.mp4\n")
    with pytest.raises(DecodeError, match="not a media file"):
        write_splice(Splice(tmp_path / "text.mp4", 0, song, 0, 5), tmp_path / "x.mp4", 1 << 26)
