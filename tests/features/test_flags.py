"""What is wrong with a segment goes from the decoder to training, which leaves it out."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

import antiphon as ap
from antiphon.catalogue import Catalogue
from antiphon.cli.app import run
from antiphon.features.extraction import extract
from antiphon.features.features import Features
from antiphon.features.joining import join
from antiphon.features.store import FeatureStore, VideoFeatures, flagged_segments
from antiphon.media.quality import frames_flags, waveform_flags
from antiphon.workspace import Workspace

RATE_HZ = 16_000


def sound(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize(
    ("waveform", "expected"),
    [
        (sound(3), ()),
        (np.zeros(48_000, np.float32), ("silent",)),
        (sound(3) * 1e-3, ("silent",)),
        (sound(3) * 0.01, ()),
        (np.clip(20 * sound(3), -1, 1), ("clipped",)),
        (8 * sound(3), ("clipped",)),
    ],
)
def test_sound_is_silent_or_clipped(waveform: np.ndarray, expected: tuple[str, ...]) -> None:
    assert waveform_flags(waveform.astype(np.float32)) == expected


def test_pictures_are_black_only_where_all_are() -> None:
    black = np.full((10, 32, 32, 3), 16, np.uint8)
    dark = black.copy()
    dark[:, :8, :8] = 90
    last_is_white = black.copy()
    last_is_white[-1] = 255
    assert frames_flags([black]) == ("black",)
    assert frames_flags([dark]) == frames_flags([last_is_white]) == ()


def flagged_pairs(flags: dict[int, list[str]], count: int = 60) -> Features:
    random = np.random.default_rng(0)
    audio = random.normal(size=(count, 8))
    video = audio @ random.normal(size=(8, 8))
    rows = [flags.get(row, []) for row in range(count)]
    return Features.from_arrays(audio=audio, video=video, flags=rows, groups=[row // 2 for row in range(count)])


def test_training_leaves_flagged_rows_out_unless_told() -> None:
    features = flagged_pairs({0: ["audio silent"], 1: ["video black", "audio silent"], 5: ["video concealed"]})
    assert features.flag_counts() == {
        "audio silent": {"segments": 2, "videos": 1},
        "video black": {"segments": 1, "videos": 1},
        "video concealed": {"segments": 1, "videos": 1},
    }
    assert len(features.paired) == 60
    assert features.training_pairs.ids.tolist() == [str(row) for row in range(60) if row not in {0, 1, 5}]
    held_out = replace(features.take(np.arange(10)), groups=np.array([f"v{row}" for row in range(10)]))
    model = ap.DualEncoder().fit(features, held_out, verbose=False)
    told = ap.DualEncoder().fit(features, held_out, keep_flagged=True, verbose=False)
    clean = ap.DualEncoder().fit(features.training_pairs, held_out.training_pairs, verbose=False)
    assert (model.seen_videos(features), told.seen_videos(features)) == (29, 30)
    np.testing.assert_array_equal(model.embed(features)[0], clean.embed(features)[0])


def test_flags_follow_their_rows_and_count_in_the_hash() -> None:
    features = flagged_pairs({3: ["video black"]}, count=6)
    again = flagged_pairs({}, count=6)
    other = replace(again, ids=np.array([f"other {row}" for row in range(6)]))
    assert features.take(np.array([3, 2])).flags == (("video black",), ())
    assert join(features, other).flags == (*features.flags, *other.flags)
    assert features.fingerprint() != again.fingerprint() == features.without_flags().fingerprint()


def test_a_store_keeps_flags_and_reads_parts_without_them(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "features" / "b", {"backbone": "b"})
    vectors = np.ones((2, 3), np.float32)
    store.append([VideoFeatures("a", ["a#0", "a#1"], vectors, [(), ("black",)])])
    store.append([VideoFeatures("b", ["b#0", "b#1"], vectors)])
    part = tmp_path / "features" / "b" / "part-000001.parquet"
    earlier = pq.read_table(part).drop_columns(["flags"]).replace_schema_metadata({"backbone": "b"})
    pq.write_table(earlier, part)
    assert store.read().flags == [[], ["black"], [], []]
    assert flagged_segments(tmp_path / "features") == {"a#1"}


def write_film(path: Path, waveform: np.ndarray, shade: int) -> None:
    """A film of one shade with noise in one corner, 10 pictures a second."""
    with av.open(str(path), "w") as container:
        video, audio = container.add_stream("mpeg4", rate=10), container.add_stream("pcm_s16le", rate=RATE_HZ)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio.layout = "mono"
        for number in range(round(len(waveform) / RATE_HZ * 10)):
            picture = np.full((64, 64, 3), shade, np.uint8)
            picture[number % 64] = min(255, 2 * shade)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray((waveform * 32_767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def test_extraction_flags_silence_and_black_and_training_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for number in range(6):
        write_film(films / f"good{number}.mkv", sound(8), 100 + 5 * number)
    write_film(films / "silent.mkv", 0 * sound(8), 100)
    write_film(films / "black.mkv", sound(8), 4)
    place = tmp_path / "work"
    catalogue = Catalogue.from_folder(films).split(by="video", fractions=(0.5, 0.25, 0.25), seed=4)
    features = extract(catalogue, workspace=place)
    by_video = {str(group): set(flags) for group, flags in zip(features.groups, features.flags, strict=True)}
    assert by_video.pop("silent.mkv") == {"audio silent"}
    assert by_video.pop("black.mkv") == {"video black"}
    assert set().union(*by_video.values()) == set()
    assert run(["-w", str(place), "extract"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    flagged = int(features.flagged.sum())
    assert f"{flagged} segments are flagged; training leaves them out unless --keep-flagged is given:" in said
    assert "Silent sound: 1, in silent.mkv" in said
    assert "Black pictures: 1, in black.mkv" in said
    assert "Silent sound: 1" in repr(features)
    assert flagged_segments(Workspace(place).features) == set(features.ids[features.flagged].tolist())
