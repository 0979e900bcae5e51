"""Outlines of files whose loudness, beats and cuts are known."""

from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import DecodeError
from antiphon.media import outlines
from antiphon.media.beats import find_beats
from antiphon.media.outlines import picture_outline, sound_outline
from antiphon.media.tempo import RATE_HZ

from .media_files import HEIGHT, WIDTH, ffmpeg, join, make_sound
from .test_tempo import clicks


def shots(path: Path, seconds: list[float], rate: int = 25) -> Path:
    """A picture of coloured blocks for each of these lengths."""
    raw = b""
    for number, length_s in enumerate(seconds):
        blocks = np.random.default_rng(number).integers(0, 256, (4, 4, 3)).astype(np.uint8)
        picture = blocks.repeat(HEIGHT // 4, 0).repeat(WIDTH // 4, 1)
        raw += picture.tobytes() * round(length_s * rate)
    source = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(rate), "-i", "-")
    ffmpeg(*source, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", path, stdin=raw)
    return path


def test_peaks_are_the_largest_values_of_equal_parts(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).uniform(-0.02, 0.02, (20 * RATE_HZ, 1)).astype(np.float32)
    sound[5 * RATE_HZ : 10 * RATE_HZ] = np.sin(np.arange(5 * RATE_HZ) * 2 * np.pi * 440 / RATE_HZ)[:, None] * 0.8
    found = sound_outline(make_sound(tmp_path / "x.wav", sound, RATE_HZ), 20.0)
    assert (found.length_s, len(found.peaks)) == (20.0, 1000)
    naive = [round(255 * float(np.abs(part).max())) for part in np.split(sound[:, 0], 1000)]
    assert np.abs(np.subtract(found.peaks, naive)).max() <= 1


def test_a_track_longer_than_a_stretch_has_the_peaks_of_its_end(tmp_path: Path) -> None:
    sound = np.zeros((65 * RATE_HZ, 1), np.float32)
    sound[62 * RATE_HZ : 63 * RATE_HZ] = 0.5
    peaks = np.array(sound_outline(make_sound(tmp_path / "x.wav", sound, RATE_HZ), 65.0).peaks)
    times_s = np.flatnonzero(peaks) * 65.0 / len(peaks)
    assert 61.8 < times_s.min() < 62.1 and 62.8 < times_s.max() < 63.1


@pytest.mark.parametrize(("bpm", "first_s"), [(97, 0.13), (120, 0.31), (150, 0.5)])
def test_beats_are_where_the_clicks_are(bpm: float, first_s: float) -> None:
    seconds = 64.0  # longer than two stretches
    found = np.array(find_beats(clicks(bpm, seconds, first_s, noise=0.01)))
    true = np.arange(first_s, seconds - 0.06, 60 / bpm)
    assert abs(len(found) - len(true)) <= 2
    apart = np.abs(found[:, None] - true).min(axis=1)
    assert np.median(apart) < 0.02 and apart.max() < 0.04


def test_noise_and_silence_have_no_beats() -> None:
    assert find_beats(np.random.default_rng(0).normal(size=10 * RATE_HZ)) == []
    assert find_beats(np.zeros(10 * RATE_HZ)) == []
    assert find_beats(np.zeros(100)) == []


def test_cuts_are_where_shots_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths_s = [1.0, 2.4, 0.6, 1.0, 3.0]
    path = shots(tmp_path / "x.mp4", lengths_s)
    starts_s = np.cumsum(lengths_s)[:-1]
    for at_once in (300, 25, 7):  # blocks that end at a cut, before and after one
        monkeypatch.setattr(outlines, "_FRAMES_AT_ONCE", at_once)
        found = picture_outline(path, 8.0)
        assert found.cuts_s == pytest.approx(list(starts_s), abs=0.021), at_once
    assert (found.length_s, found.frames_per_s) == (pytest.approx(8.0, abs=0.1), 25.0)


def test_a_file_without_the_side_says_so(tmp_path: Path) -> None:
    silent = shots(tmp_path / "x.mp4", [1.0])
    song = make_sound(tmp_path / "x.wav", np.zeros((RATE_HZ, 1), np.float32), RATE_HZ)
    with pytest.raises(DecodeError, match="has no sound"):
        sound_outline(silent, 1.0)
    with pytest.raises(DecodeError, match="has no pictures"):
        picture_outline(song, 1.0)
    both = join(tmp_path / "both.mkv", silent, song)
    assert sound_outline(both, 1.0).peaks == [0] * 100
    assert picture_outline(both, 1.0).cuts_s == []


def test_what_is_cut_off_counts_as_silent(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (70 * RATE_HZ, 1)).astype(np.float32)
    whole = make_sound(tmp_path / "x.mp3", sound, RATE_HZ, "-b:a", "64k").read_bytes()
    (tmp_path / "cut.mp3").write_bytes(whole[: len(whole) // 2])
    peaks = np.array(sound_outline(tmp_path / "cut.mp3", 70.0).peaks)
    assert (peaks[:400] > 60).all() and (peaks[-300:] == 0).all()
